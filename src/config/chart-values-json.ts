/** The JSON Schema by which Helm checks values of our chart; draft-07, as older versions of Helm 3 know no newer one. */
import { DEFINITIONS, SLO_DOCUMENT } from './chart-slo-files.ts';
import { chartValuesSchema } from './chart-values-schema.ts';
import { withClearChoices } from './clear-choices.ts';
import { jsonSchema } from './config-schema.ts';
import { defaultsSchema, serviceObjectivesSchema } from './slo-schema.ts';

export function chartValuesJson(): Record<string, unknown> {
  const { required: _, ...values } = jsonSchema(chartValuesSchema, 'draft-07');
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
