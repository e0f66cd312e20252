/** SLO files as values of the chart: the documents themselves, so that a mistake is refused before anything is installed. */
import { z } from 'zod';

/** Where the schemas of documents lie in that of the values. */
export const DEFINITIONS = '#/definitions';

/** A name that ends otherwise is not read by the process. */
const FILE_NAME = '^[-._A-Za-z0-9]{1,240}\\.ya?ml$';

/** Told apart by their envelope first: so what is wrong is said about the kind that was meant. */
export const SLO_DOCUMENT = {
  type: 'object',
  if: { properties: { kind: { const: 'Defaults' } }, required: ['kind'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema, and nobody awaits it.
  then: { $ref: `${DEFINITIONS}/Defaults` },
  else: {
    if: { properties: { apiVersion: { type: 'string', pattern: '^openslo' } }, required: ['apiVersion'] },
    else: { $ref: `${DEFINITIONS}/ServiceObjectives` },
  },
} as const;

const document = { $ref: `${DEFINITIONS}/SloDocument` };

const content = {
  type: ['object', 'array', 'string'],
  if: { type: 'object' },
  // biome-ignore lint/suspicious/noThenProperty: as above.
  then: document,
  else: { items: document, minItems: 1, minLength: 1 },
};

export const SLO_FILES = z.unknown().meta({ type: 'object', patternProperties: { [FILE_NAME]: content }, additionalProperties: false });
