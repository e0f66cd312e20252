/** `slipstream version`. */
import type { AddCommand } from './context.ts';
import { EXIT } from './context.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';
import { VERSION } from './package-version.ts';

export const addVersion: AddCommand = (program, context, act) => {
  const command = program
    .command('version')
    .description('print the version')
    .addHelpText('before', 'Examples:\n  slipstream version -o json\n');
  withOutputOption(command).action(
    act(({ output }: { output: OutputFormat }) => {
      const data = { name: 'slipstream', version: VERSION, node: process.versions.node, platform: `${process.platform} ${process.arch}` };
      print(context, output, data, () => `slipstream ${data.version} (node ${data.node}, ${data.platform})`);
      return EXIT.ok;
    }),
  );
};
