/** `-o table|json|yaml`: the same data for people, programs and files. */
import { type Command, Option } from 'commander';
import { stringify } from 'yaml';
import type { CliContext } from './context.ts';
import type { TableOptions } from './table.ts';
import { wantsColor } from './terminal-text.ts';

export const OUTPUT_FORMATS = ['table', 'json', 'yaml'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export function withOutputOption(command: Command): Command {
  return command.addOption(new Option('-o, --output <format>', 'how to print the answer').choices(OUTPUT_FORMATS).default('table'));
}

/** Prints `data`, or for people what `table` makes of it. */
export function print(context: CliContext, format: OutputFormat, data: unknown, table: (options: TableOptions) => string): void {
  const { stdout } = context.streams;
  const text =
    format === 'json' ? JSON.stringify(data, null, 2) : format === 'yaml' ? stringify(data).trimEnd() : table(tableOptions(context));
  stdout.write(`${text}\n`);
}

/** A pipe is never cut and never coloured (unless forced). */
export function tableOptions(context: CliContext): TableOptions {
  const { stdout } = context.streams;
  return {
    color: wantsColor(context.env, stdout),
    ...(stdout.isTTY === true && stdout.columns !== undefined && stdout.columns > 0 ? { width: stdout.columns } : {}),
  };
}
