/** `slipstream schema`: the JSON Schema of configuration files, for editors. */
import { chartValuesText } from '../config/chart-values-json.ts';
import { configSchemaText } from '../config/config-schema.ts';
import { type AddCommand, EXIT } from './context.ts';

const EXAMPLES = `Examples:
  slipstream schema > schema.json    # then let your editor check a file by its first line:
                                     # yaml-language-server: $schema=schema.json
  slipstream schema --chart > values.schema.json    # the same for a file of values for the Helm chart
`;

export const addSchema: AddCommand = (program, context, act) => {
  program
    .command('schema')
    .description('print the JSON Schema of configuration and SLO files')
    .addHelpText('before', EXAMPLES)
    .option('--chart', 'that of values of the Helm chart instead')
    .action(
      act(({ chart = false }: { chart?: boolean }) => {
        context.streams.stdout.write(chart ? chartValuesText() : configSchemaText());
        return EXIT.ok;
      }),
    );
};
