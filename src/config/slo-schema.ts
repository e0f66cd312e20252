/** The SLO documents: `Defaults` of the organisation and one `ServiceObjectives` per service. */
import { z } from 'zod';
import { canarySchema } from './canary-schema.ts';
import { count, duration, scalar, WRITTEN_DEFAULT } from './fields.ts';
import { parseAvailability, parseErrorRate, parseLatency } from './objective-text.ts';
import { NAME_EXPECTED, NAME_PATTERN } from './process-schema.ts';
import { Complaint } from './quantity.ts';
import { MATCH_DESCRIPTION, MAX_MATCH_CHARS } from './weight-schema.ts';

export const API_VERSION = 'slipstream.dev/v1';
export const SLO_KINDS = ['Defaults', 'ServiceObjectives'] as const;

/** In force where neither a service nor `Defaults` says otherwise. */
export const SLO_DEFAULTS = { window: '28d', maxEndpoints: 500, maxRollbacksPerHour: 3 } as const;

const name = z.string().regex(NAME_PATTERN, NAME_EXPECTED);

const envelope = (kind: (typeof SLO_KINDS)[number]) => ({
  apiVersion: z.literal(API_VERSION).describe('Version of this format.'),
  kind: z.literal(kind).describe('What the document is.'),
  metadata: z
    .strictObject({
      name: name.describe('Name of the document, for people.'),
      labels: z.record(z.string().min(1), z.string()).optional().describe('Anything you want to find it by, such as the team.'),
    })
    .describe('Who this is.'),
});

const window = duration({ min: '1m', max: '92d', usual: 'd' })
  .optional()
  .meta({
    description:
      'Rolling window of the objectives. Whole weeks hold the same number of weekends at any time. Use 7d for services that change daily.',
    [WRITTEN_DEFAULT]: SLO_DEFAULTS.window,
  });

const ATTRIBUTE_VALUE = { type: ['string', 'number', 'boolean'] };

const attributeValues = scalar<readonly string[]>(
  { anyOf: [ATTRIBUTE_VALUE, { type: 'array', items: ATTRIBUTE_VALUE, minItems: 1 }] },
  (value) => {
    const values = Array.isArray(value) ? value : [value];
    const texts = values.every((entry) => typeof entry === 'string' || typeof entry === 'number' || typeof entry === 'boolean');
    if (!texts || values.length === 0 || values.length > 1000)
      return new Complaint('not a value or list of values', 'a text, a list of texts, or "*" for any value');
    return values.map(String);
  },
);

const spans = z
  .strictObject({
    exclude: z
      .array(z.record(z.string().min(1).max(256), attributeValues).refine((rule) => Object.keys(rule).length > 0, 'names no attribute'))
      .max(1000)
      .optional()
      .describe(
        'Spans that are not counted at all: every attribute of a rule must have one of its values, `"*"` is any value. Use it for health checks and load tests.',
      ),
  })
  .optional()
  .describe('Which spans are not counted.');

const endpoints = z
  .strictObject({
    max: count(1, 100_000)
      .optional()
      .meta({
        description:
          'Series (endpoint × release) of a service kept apart; more fall into `(other)`. Those of objectives and running analyses have their place.',
        [WRITTEN_DEFAULT]: SLO_DEFAULTS.maxEndpoints,
      }),
  })
  .optional()
  .describe('How endpoints are kept apart.');

const LATENCY_PATTERN = '^[pP]\\s?[0-9]+(\\.[0-9]+)?\\s*<=?\\s*([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$';
const SLI_KEYS = ['latency', 'availability', 'errorRate'] as const;

const objective = z
  .strictObject({
    latency: scalar({ type: 'string', pattern: LATENCY_PATTERN, examples: ['p95 < 500ms'] }, parseLatency)
      .optional()
      .describe('Percentile and limit: `p95 < 500ms` asks that 95 % of the requests take at most 500 ms.'),
    availability: scalar({ type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?%$', examples: ['99.9%'] }, parseAvailability)
      .optional()
      .describe('Share of requests that do not fail: `99.9%`.'),
    errorRate: scalar({ type: 'string', pattern: '^<=?\\s*[0-9]+(\\.[0-9]+)?%$', examples: ['< 0.1%'] }, parseErrorRate)
      .optional()
      .describe('Upper limit of the share of requests that fail: `< 0.1%`.'),
    name: name.optional().describe('Name of the objective. Left out: made from its text. Use it where two would have the same.'),
  })
  .refine(
    (entry) => SLI_KEYS.filter((key) => entry[key] !== undefined).length === 1,
    'an objective is one of `latency`, `availability`, `errorRate`',
  )
  .meta({ oneOf: SLI_KEYS.map((key) => ({ required: [key] })) });

const objectives = z.array(objective).max(100);

const perEndpoint = z
  .strictObject({
    match: z.string().min(1).max(MAX_MATCH_CHARS).describe(MATCH_DESCRIPTION),
    objectives: objectives.min(1).optional().describe('Objectives of each matching endpoint, besides those of the service.'),
    class: z
      .string()
      .min(1)
      .optional()
      .describe('Name of a list of objectives in `Defaults`. Use it so that endpoints of one kind promise the same.'),
  })
  .refine((entry) => (entry.objectives === undefined) !== (entry.class === undefined), 'needs either `objectives` or `class`')
  .meta({ oneOf: [{ required: ['objectives'] }, { required: ['class'] }] });

export const defaultsSchema = z
  .strictObject({
    ...envelope('Defaults'),
    spec: z
      .strictObject({
        window,
        spans,
        endpoints,
        classes: z.record(name, objectives.min(1)).optional().describe('Lists of objectives by name, for `perEndpoint`.'),
        canary: canarySchema
          .optional()
          .describe('How canary releases are judged where a service does not say otherwise, and for services nobody named.'),
        maxRollbacksPerHour: count(0, 1000)
          .optional()
          .meta({
            description:
              'Rollbacks of all services in an hour beyond which something shared is wrong and only holds are sent. 0: no rollback ever.',
            [WRITTEN_DEFAULT]: SLO_DEFAULTS.maxRollbacksPerHour,
          }),
      })
      .describe('What holds for every service.'),
  })
  .describe('Defaults of the organisation: at most one document.');

export const serviceObjectivesSchema = z
  .strictObject({
    ...envelope('ServiceObjectives'),
    spec: z
      .strictObject({
        service: z
          .string()
          .min(1)
          .max(512)
          .regex(/^[^/]+(\/[^/]+)?$/, 'the service.name of its spans, or namespace/name')
          .describe('`service.name` of its spans, or `service.namespace/service.name` where spans carry a namespace.'),
        window,
        spans,
        endpoints,
        objectives: objectives.optional().describe('What the service promises over all its endpoints.'),
        perEndpoint: z.array(perEndpoint).max(1000).optional().describe('What single endpoints promise besides.'),
        canary: canarySchema.optional(),
      })
      .describe('What holds for this service.'),
  })
  .describe('Objectives and canary policy of one service.');

export type DefaultsDocument = z.output<typeof defaultsSchema>;
export type ServiceDocument = z.output<typeof serviceObjectivesSchema>;
export type ObjectiveEntry = z.output<typeof objective>;
