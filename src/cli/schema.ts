/** `slipstream schema`: the JSON Schema of configuration files, for editors. */
import { configSchemaText } from '../config/config-schema.ts';
import { type AddCommand, EXIT } from './context.ts';

const EXAMPLES = `Examples:
  slipstream schema > schema.json    # then let your editor check a file by its first line:
                                     # yaml-language-server: $schema=schema.json
`;

export const addSchema: AddCommand = (program, context, act) => {
  program
    .command('schema')
    .description('print the JSON Schema of configuration and SLO files')
    .addHelpText('before', EXAMPLES)
    .action(
      act(() => {
        context.streams.stdout.write(configSchemaText());
        return EXIT.ok;
      }),
    );
};
