/** The JSON Schema of all our YAML documents, for editors and for checks in pipelines; made from the schemas the loader uses. */
import { z } from 'zod';
import { WRITTEN_DEFAULT } from './fields.ts';
import { processSchema } from './process-schema.ts';
import { defaultsSchema, serviceObjectivesSchema } from './slo-schema.ts';

/** JSON Schema, draft 2020-12: one schema for process files and SLO documents, told apart by their envelope. */
export function configSchemaJson(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Slipstream configuration',
    description: 'A process file (no envelope), or an SLO document (apiVersion and kind).',
    type: 'object',
    if: { properties: { kind: { const: 'Defaults' } }, required: ['kind'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema, and nobody awaits it.
    then: { $ref: '#/$defs/Defaults' },
    else: {
      if: { anyOf: ['apiVersion', 'kind', 'metadata', 'spec'].map((key) => ({ required: [key] })) },
      // biome-ignore lint/suspicious/noThenProperty: as above.
      then: { $ref: '#/$defs/ServiceObjectives' },
      else: { $ref: '#/$defs/Process' },
    },
    $defs: {
      Process: jsonSchema(processSchema),
      Defaults: jsonSchema(defaultsSchema),
      ServiceObjectives: jsonSchema(serviceObjectivesSchema),
    },
  };
}

/** As committed in `config/schema.json`. */
export function configSchemaText(): string {
  return `${JSON.stringify(configSchemaJson(), null, 2)}\n`;
}

/** What a schema takes, as JSON Schema without `$schema`. */
export function jsonSchema(schema: z.ZodType, target: 'draft-2020-12' | 'draft-07' = 'draft-2020-12'): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    target,
    io: 'input',
    override: ({ jsonSchema: node }) => {
      // Zod leaves defaults of optional fields out, since parsing does not fill them in; merging the layers does.
      if (!(WRITTEN_DEFAULT in node)) return;
      node.default = node[WRITTEN_DEFAULT] as never;
      delete node[WRITTEN_DEFAULT];
    },
  });
  return json;
}
