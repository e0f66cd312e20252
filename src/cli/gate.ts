/** `slipstream gate`: may a new release of a service go out? The exit code is the answer. */
import { setTimeout as after } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { type GateWire, gateReport } from '../api/gate-schemas.ts';
import { lengthText } from '../model/number-text.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import { withTokenOption } from './api-token.ts';
import type { AddCommand, CliContext, ExitCode } from './context.ts';
import { gatePage } from './gate-text.ts';
import { contradiction, type GateTelling, tell } from './gate-told.ts';
import { nonEmpty, waitLength } from './option-values.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';
import { failingWith, withUsageCode } from './own-exit-codes.ts';

/** For pipelines; other than those of the other commands. Whatever keeps the gate from being asked, wrong usage too, is `unknown`. */
export const GATE_EXIT = { allow: 0, warn: 1, refuse: 2, unknown: 3 } as const satisfies Readonly<Record<GateWire['answer'], ExitCode>>;

interface GateOptions extends GateTelling {
  readonly output: OutputFormat;
  readonly wait?: number;
  readonly warnOk?: true;
}

const EXAMPLES = `Examples:
  slipstream gate checkout
  slipstream gate checkout --wait 10m                                waits while it is refused or unknown
  slipstream gate checkout --override "fixes the outage, INC-7" --by ana --for 2h
  slipstream gate checkout --end-override --by ana
  slipstream gate checkout --load-test compare.json                  what \`slipstream compare -o json\` wrote

In a pipeline (bash, also with set -e):
  code=0
  slipstream gate checkout || code=$?
  case $code in
    0) echo "go" ;;
    1) echo "go, and look at the warnings" ;;
    2) echo "refused" >&2; exit 1 ;;
    *) echo "the gate could not be asked" >&2; exit 1 ;;
  esac
`;

const NOTES = `
The worst reason is the answer: refuse, else unknown, else warn, else allow. An override in force turns refuse and unknown
into warn; every reason is still printed. Overrides and load tests are kept over restarts and logged; they need the token of
the API where it has one. With --override, --end-override or --load-test the gate is asked afterwards: the exit code is its answer.

Exit codes, other than those of most commands:
  0  allow
  1  warn (0 with --warn-ok)
  2  refuse
  3  unknown: no data, lost telemetry, no answer from the service, or wrong usage
`;

export const addGate: AddCommand = (program, context, act) => {
  const command = program
    .command('gate')
    .description('may a new release of a service go out? exits with 0 allow, 1 warn, 2 refuse, 3 unknown')
    .argument('<service>', 'as telemetry names it', nonEmpty)
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', NOTES)
    .option('--wait <duration>', 'ask again for so long while it is refused or unknown', waitLength)
    .option('--warn-ok', 'exit with 0 for a warning')
    .option('--override <reason>', 'let deploys go out for a while all the same; kept with the reason')
    .option('--by <name>', 'who answers for the override, or ends it')
    .option('--for <duration>', 'how long the override is in force, at most 7d')
    .option('--end-override', 'end the override that is in force')
    .option('--load-test <file>', 'hand in a comparison of load tests; - is standard input')
    .addOption(new Option('--load-test-outcome <outcome>', 'hand in how another load test went').choices(['pass', 'fail', 'inconclusive']))
    .option('--candidate <name>', 'what the load test tested: a release, a commit')
    .option('--summary <text>', 'one line about that load test');
  withUrlOption(withTokenOption(command), context);
  const asked = (service: string, options: GateOptions) => gate(context, command, service, options);
  withUsageCode(withOutputOption(command), GATE_EXIT.unknown).action(act(failingWith(GATE_EXIT.unknown, asked)));
};

async function gate(context: CliContext, command: Command, service: string, options: GateOptions): Promise<ExitCode> {
  const wrong = contradiction(options);
  if (wrong !== null) command.error(`error: ${wrong}`);
  await tell(context, service, options);
  const view = options.wait === undefined ? await askedGate(service, options) : await waited(context, service, options, options.wait);
  print(context, options.output, view, (table) => gatePage(view, table));
  return view.answer === 'warn' && options.warnOk === true ? GATE_EXIT.allow : GATE_EXIT[view.answer];
}

async function askedGate(service: string, { url }: GateOptions): Promise<GateWire> {
  const query = new URLSearchParams({ service });
  return answerTo({ url, path: `/v1/gate?${query}`, subject: `the gate of ${service}`, schema: gateReport });
}

/** Until it lets the deploy out or the time is up, when its last answer counts. A service that cannot be reached for a moment is asked again too. */
async function waited(context: CliContext, service: string, options: GateOptions, forMs: number): Promise<GateWire> {
  const everyMs = Math.min(Math.max(forMs / 20, LEAST_EVERY_MS), MOST_EVERY_MS);
  const until = performance.now() + forMs;
  let isTold = false;
  for (;;) {
    const said = await askedGate(service, options).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    const left = until - performance.now();
    if (!(said instanceof Error) && (said.answer === 'allow' || said.answer === 'warn')) return said;
    if (left <= 0) {
      if (said instanceof Error) throw said;
      return said;
    }
    if (!isTold) {
      const why = said instanceof Error ? 'it cannot be asked' : said.answer;
      context.streams.stderr.write(`slipstream: ${why}; asking again for ${lengthText(left)}\n`);
      isTold = true;
    }
    await after(Math.min(everyMs, left));
  }
}

const LEAST_EVERY_MS = 100;
const MOST_EVERY_MS = 5_000;
