/** `slipstream status`: what a running Slipstream sees and thinks, for people and scripts. */
import { setTimeout as after } from 'node:timers/promises';
import { breakerReport, holdList } from '../api/control-schemas.ts';
import { type StatusWire, status as statusSchema } from '../api/schemas.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { interval } from './option-values.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';
import { withheldLines } from './override-text.ts';
import { statusText } from './status-text.ts';
import type { TableOptions } from './table.ts';
import { toned } from './terminal-text.ts';

interface StatusOptions {
  readonly url: string;
  readonly window: string;
  readonly service?: string;
  readonly watch?: number | true;
  readonly check?: true;
  readonly output: OutputFormat;
}

const EXAMPLES = `Examples:
  slipstream status
  slipstream status --window 5m --service shop
  slipstream status --watch
  slipstream status --check -o json > status.json || echo breached
`;

const WATCH_EVERY_MS = 2000;
const HOME_AND_CLEAR = '\u001b[H\u001b[J';

export const addStatus: AddCommand = (program, context, act) => {
  const command = program
    .command('status')
    .description('show endpoints, objectives and runs of a running Slipstream')
    .addHelpText('before', EXAMPLES)
    .option('--window <duration>', 'how far back rates and latencies reach', '60s')
    .option('--service <name>', 'only this service')
    .option('--watch [interval]', 'show it again and again, every 2s by default', interval)
    .option('--check', 'exit with 3 when an objective is breached or a canary is proven worse');
  withUrlOption(command, context);
  withOutputOption(command).action(
    act((options: StatusOptions) => (options.watch === undefined ? once(context, options) : watching(context, options))),
  );
};

async function once(context: CliContext, options: StatusOptions): Promise<ExitCode> {
  const status = await fetchedStatus(options);
  const withheld = await fetchedWithheld(options);
  print(context, options.output, status, (table) => page(status, withheld, table));
  return options.check === true && isBreached(status) ? EXIT.breached : EXIT.ok;
}

async function fetchedStatus({ url, window, service }: StatusOptions): Promise<StatusWire> {
  const query = new URLSearchParams({ window, ...(service === undefined ? {} : { service }) });
  return answerTo({ url, path: `/v1/status?${query}`, subject: 'its status', schema: statusSchema });
}

/** Why rollbacks do not leave; only people are told here, programs ask for overrides. */
async function fetchedWithheld({ url, output }: StatusOptions): Promise<string[]> {
  if (output !== 'table') return [];
  const holds = await answerTo({ url, path: '/v1/overrides', subject: 'its overrides', schema: holdList });
  const breaker = await answerTo({ url, path: '/v1/breaker', subject: 'its breaker', schema: breakerReport });
  return withheldLines(holds, breaker);
}

function page(status: StatusWire, withheld: readonly string[], table: TableOptions): string {
  const lines = withheld.map((line) => toned(line, 'bad', table.color === true));
  return [...(lines.length === 0 ? [] : [...lines, '']), statusText(status, table)].join('\n');
}

/** Until the process is interrupted. A server that is away for a moment is waited for. */
async function watching(context: CliContext, options: StatusOptions): Promise<never> {
  const everyMs = typeof options.watch === 'number' ? options.watch : WATCH_EVERY_MS;
  const { stdout, stderr } = context.streams;
  for (;;) {
    try {
      const status = await fetchedStatus(options);
      if (stdout.isTTY === true && options.output === 'table') stdout.write(HOME_AND_CLEAR);
      const withheld = await fetchedWithheld(options);
      print(context, options.output, status, (table) => `${page(status, withheld, table)}\n`);
    } catch (error) {
      stderr.write(`slipstream: ${error instanceof Error ? error.message : String(error)}\n`);
    }
    await after(everyMs);
  }
}

function isBreached(status: StatusWire): boolean {
  return (
    status.services.some((service) => service.objectives.some((objective) => objective.judgement.outcome === 'fail')) ||
    status.runs.some((run) => run.verdict.decision === 'rollback')
  );
}
