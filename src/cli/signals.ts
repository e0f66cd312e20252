/** `slipstream signals`: what was sent to which sink, and what became of it. */
import { setTimeout as after } from 'node:timers/promises';
import { signalList } from '../api/schemas.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { interval } from './option-values.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';
import { needsPerson, signalPage, signalTable } from './signals-text.ts';

interface SignalsOptions {
  readonly url: string;
  readonly output: OutputFormat;
  readonly limit: string;
  readonly service?: string;
  readonly open?: true;
  readonly check?: true;
  readonly watch?: number | true;
}

const WATCH_EVERY_MS = 2000;
const HOME_AND_CLEAR = '\u001b[H\u001b[J';

const EXAMPLES = `Examples:
  slipstream signals                           the newest, one line for each sink
  slipstream signals sig_3f9a…                 one, with errors and times
  slipstream signals --open --watch            what is still on its way
  slipstream signals --check || ./page-somebody.sh
`;

const NOTES = `
States: pending, sent (an attempt was begun), acknowledged (taken), confirmed (seen to be done), dry run; superseded (something newer is rolled out),
expired (not taken in time), escalated (nothing came of it, people were told).
`;

export const addSignals: AddCommand = (program, context, act) => {
  const command = program
    .command('signals')
    .description('signals, how their delivery went, and what came of it')
    .argument('[signal]', 'id of the one to show; without it, the newest are listed')
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', NOTES)
    .option('--service <name>', 'only this service')
    .option('--open', 'only those that are not done with')
    .option('--limit <count>', 'look at so many of the newest', '100')
    .option('--check', 'exit with 3 when one has expired or was escalated')
    .option('--watch [interval]', 'show it again and again, every 2s by default', interval);
  withOutputOption(withUrlOption(command, context)).action(
    act((id: string | undefined, options: SignalsOptions) =>
      options.watch === undefined ? once(context, id, options) : watching(context, id, options),
    ),
  );
};

async function once(context: CliContext, id: string | undefined, options: SignalsOptions): Promise<ExitCode> {
  const list = await asked(id, options);
  print(context, options.output, list, (table) => (id === undefined ? signalTable(list.signals, table) : signalPage(list.signals, table)));
  return options.check === true && list.signals.some(needsPerson) ? EXIT.breached : EXIT.ok;
}

/** Until the process is interrupted. A server that is away for a moment is waited for. */
async function watching(context: CliContext, id: string | undefined, options: SignalsOptions): Promise<never> {
  const { stdout, stderr } = context.streams;
  for (;;) {
    try {
      const list = await asked(id, options);
      if (stdout.isTTY === true && options.output === 'table') stdout.write(HOME_AND_CLEAR);
      print(context, options.output, list, (table) => `${signalTable(list.signals, table)}\n`);
    } catch (error) {
      stderr.write(`slipstream: ${error instanceof Error ? error.message : String(error)}\n`);
    }
    await after(typeof options.watch === 'number' ? options.watch : WATCH_EVERY_MS);
  }
}

async function asked(id: string | undefined, { url, limit, service, open }: SignalsOptions) {
  const path = id === undefined ? `/v1/signals?${new URLSearchParams({ limit })}` : `/v1/signals/${encodeURIComponent(id)}`;
  const { signals } = await answerTo({ url, path, subject: id === undefined ? 'its signals' : `signal ${id}`, schema: signalList });
  const wanted = signals.filter((signal) => (service ?? signal.service) === signal.service && (open !== true || signal.isOpen));
  return { signals: wanted };
}
