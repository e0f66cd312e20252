/** The JSON Schema by which Helm checks values of our chart; draft-07, as older versions of Helm 3 know no newer one. */
import { DEFINITIONS, SLO_DOCUMENT } from './chart-slo-files.ts';
import { chartValuesSchema } from './chart-values-schema.ts';
import { withClearChoices } from './clear-choices.ts';
import { jsonSchema } from './config-schema.ts';
import { defaultsSchema, serviceObjectivesSchema } from './slo-schema.ts';

/** What the process file must say, and the chart says where values do not. */
const FILLED_IN = ['config', 'kubernetes', 'lease', 'namespace'];

/** The schema in which the property at that path may be left out; templates take an object without any for none. */
function filledIn(schema: unknown, [key = '', ...path]: readonly string[]): unknown {
  const { properties, required = [], ...rest } = schema as { properties: Record<string, unknown>; required?: readonly string[] };
  if (path.length === 0) return { ...rest, properties, required: required.filter((name) => name !== key), minProperties: 1 };
  return { ...rest, properties: { ...properties, [key]: filledIn(properties[key], path) }, required };
}

export function chartValuesJson(): Record<string, unknown> {
  const { required: _, ...values } = filledIn(jsonSchema(chartValuesSchema, 'draft-07'), FILLED_IN) as Record<string, unknown>;
  const definitions = {
    SloDocument: SLO_DOCUMENT,
    Defaults: jsonSchema(defaultsSchema, 'draft-07'),
    ServiceObjectives: jsonSchema(serviceObjectivesSchema, 'draft-07'),
  };
  const written = withClearChoices({ ...values, [DEFINITIONS.slice(2)]: definitions }) as Record<string, unknown>;
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Values of the Slipstream chart', ...written };
}

/** As committed in `charts/slipstream/values.schema.json`. */
export function chartValuesText(): string {
  return `${JSON.stringify(chartValuesJson(), null, 2)}\n`;
}
