/** `slipstream wait`: until a rollout has its verdict. The exit code is the verdict. */
import { setTimeout as after } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { type ExplainedRunWire, explainedRun, runList } from '../api/schemas.ts';
import { PermanentError } from '../model/errors.ts';
import { lengthText, timeText } from '../model/number-text.ts';
import type { RunState } from '../model/rollout.ts';
import { visible } from '../model/safe-text.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import type { AddCommand, CliContext, ExitCode } from './context.ts';
import { attribute, nonEmpty, waitLength } from './option-values.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';
import { failingWith, withUsageCode } from './own-exit-codes.ts';

/** For pipelines and jobs; other than those of the other commands. */
export const WAIT_EXIT = { pass: 0, fail: 1, inconclusive: 2, unknown: 3 } as const satisfies Readonly<Record<string, ExitCode>>;

interface WaitOptions {
  readonly url: string;
  readonly output: OutputFormat;
  readonly timeout: number;
  readonly service?: string;
  readonly canary?: Readonly<Record<string, string>>;
  readonly inconclusiveOk?: true;
}

const DEFAULT_TIMEOUT = '1h';
/** One question waits at most so long, so that what changes on the way shows. */
const ASK_MS = 10_000;
/** Between two questions, when the answer came at once or there was none. */
const LEAST_EVERY_MS = 200;
const MOST_EVERY_MS = 5_000;
/** Of the newest rollouts of a service so many are looked at for the canary. */
const MAX_LOOKED_AT = 20;

const EXAMPLES = `Examples:
  slipstream wait ro-3f9a…                                         until it is promoted, rolled back or over
  slipstream wait ro-3f9a… --timeout 30m
  slipstream wait --service checkout --canary service.version=1.5.0   when the id is not known

In a pipeline (bash, also with set -e):
  code=0
  slipstream wait "$ROLLOUT" --timeout 30m || code=$?
  case $code in
    0) ./promote.sh ;;
    1) ./roll-back.sh ;;
    2) echo "nothing is proven: a person has to look" >&2; exit 1 ;;
    *) echo "it could not be asked" >&2; exit 1 ;;
  esac
`;

const NOTES = `
One line is printed for each change of the verdict, and the reason at the end. A service that restarts or cannot be reached is asked again until the
time is up; so is a rollout that nobody announced yet.

A job of a deploy system that knows success and failure only (Argo Rollouts' \`job\` metric) takes every code but 0 for a failure, and rolls back.
There, --inconclusive-ok exits with 0 for 2 as well: what is not proven then goes on. 1 and 3 stay as they are.

Exit codes, other than those of most commands:
  0  promoted
  1  rolled back: harm is proven
  2  inconclusive: held, superseded, aborted, expired, or the time is up (0 with --inconclusive-ok)
  3  unknown: no answer from the service, no such rollout, or wrong usage
`;

export const addWait: AddCommand = (program, context, act) => {
  const command = program
    .command('wait')
    .description('wait for the verdict on a rollout; exits with 0 promoted, 1 rolled back, 2 inconclusive, 3 unknown')
    .argument('[rollout]', 'its id', nonEmpty)
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', NOTES)
    .option('--service <name>', 'the newest rollout of this service with the canary', nonEmpty)
    .option('--canary <attribute=value>', 'attribute of its canary; may be given several times', attribute)
    .addOption(
      new Option('--timeout <duration>', 'wait no longer than this, at most 24h')
        .argParser(waitLength)
        .default(waitLength(DEFAULT_TIMEOUT), DEFAULT_TIMEOUT),
    )
    .option('--inconclusive-ok', 'exit with 0 when nothing is proven');
  withUrlOption(command, context);
  const asked = (id: string | undefined, options: WaitOptions) => wait(context, command, id, options);
  withUsageCode(withOutputOption(command), WAIT_EXIT.unknown).action(act(failingWith(WAIT_EXIT.unknown, asked)));
};

async function wait(context: CliContext, command: Command, id: string | undefined, options: WaitOptions): Promise<ExitCode> {
  const { service, canary } = options;
  if (id !== undefined && (service !== undefined || canary !== undefined))
    command.error('error: give the id of a rollout, or --service and --canary, not both');
  if (id === undefined && (service === undefined || canary === undefined))
    command.error('error: give the id of a rollout, or --service NAME and --canary ATTRIBUTE=VALUE');
  const run = await waited(context, id ?? null, options);
  const fate = fateOf(run.state);
  print(context, options.output, run, () => `${run.rollout.id}: ${fate ?? 'time is up'}: ${visible(run.explanation.verdict)}`);
  const code = WAIT_EXIT[fate ?? 'inconclusive'];
  return code === WAIT_EXIT.inconclusive && options.inconclusiveOk === true ? WAIT_EXIT.pass : code;
}

/** Null: it goes on. */
export function fateOf(state: RunState): 'pass' | 'fail' | 'inconclusive' | null {
  switch (state) {
    case 'promoted':
    case 'baking':
      return 'pass';
    case 'rolled_back':
      return 'fail';
    case 'held':
    case 'superseded':
    case 'expired':
    case 'aborted':
      return 'inconclusive';
    case 'pending':
    case 'running':
      return null;
    default:
      return state satisfies never;
  }
}

/** The run when it is over, or as it was last seen when the time is up. Throws when it was never seen. */
async function waited(context: CliContext, given: string | null, options: WaitOptions): Promise<ExplainedRunWire> {
  const until = performance.now() + options.timeout;
  const everyMs = Math.min(Math.max(options.timeout / 20, LEAST_EVERY_MS), MOST_EVERY_MS);
  const say = (text: string): void => void context.streams.stderr.write(`slipstream: ${visible(text)}\n`);
  let id = given;
  let last: ExplainedRunWire | null = null;
  let told = '';
  for (;;) {
    const begun = performance.now();
    const left = Math.max(0, until - begun);
    const said = await asked(id, options, Math.min(ASK_MS, left)).catch(passing);
    if (said instanceof Error) {
      if (told !== said.message) say(`${said.message}; asking again for ${lengthText(left)}`);
      told = said.message;
    } else {
      if (given === null && id === null) say(`rollout ${said.rollout.id}`);
      id = said.rollout.id;
      if (isNews(said, last)) say(lineOf(said));
      last = said;
      told = '';
      if (fateOf(said.state) !== null) return said;
    }
    const now = performance.now();
    if (now >= until) {
      if (last !== null) return last;
      throw said;
    }
    const restMs = everyMs - (now - begun);
    if (restMs > 0) await after(Math.min(restMs, until - now));
  }
}

/** What time may heal; anything else ends the waiting. */
function passing(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error instanceof PermanentError && error.code !== 'not_found') throw error;
  return error;
}

async function asked(id: string | null, options: WaitOptions, waitMs: number): Promise<ExplainedRunWire> {
  const { url } = options;
  const found = id ?? (await idOf(options));
  // A service that does not know how to wait answers at once.
  const query = waitMs >= 1 ? `?wait=${Math.floor(waitMs)}ms` : '';
  return answerTo({
    url,
    path: `/v1/rollouts/${encodeURIComponent(found)}${query}`,
    subject: `rollout ${found}`,
    schema: explainedRun,
    waitMs,
  });
}

async function idOf({ url, service = '', canary = {} }: WaitOptions): Promise<string> {
  const query = new URLSearchParams({ service, limit: String(MAX_LOOKED_AT) });
  const subject = `the rollouts of ${service}`;
  const { rollouts } = await answerTo({ url, path: `/v1/rollouts?${query}`, subject, schema: runList });
  for (const { id } of rollouts) {
    const run = await answerTo({
      url,
      path: `/v1/rollouts/${encodeURIComponent(id)}`,
      subject: `rollout ${id}`,
      schema: explainedRun,
    });
    if (Object.entries(canary).every(([name, value]) => run.rollout.canary[name] === value)) return id;
  }
  const wanted = Object.entries(canary).map(([name, value]) => `${name}=${value}`);
  throw new PermanentError('not_found', `asking ${url} for ${subject}: none of them has the canary ${wanted.join(', ')}`);
}

function isNews(said: ExplainedRunWire, last: ExplainedRunWire | null): boolean {
  const { decision, reason } = said.verdict;
  return last === null || said.state !== last.state || decision !== last.verdict.decision || reason !== last.verdict.reason;
}

function lineOf({ state, verdict }: ExplainedRunWire): string {
  return `${timeText(verdict.at)} ${state.replaceAll('_', ' ')}: ${verdict.decision}, ${verdict.reason.replaceAll('_', ' ')}`;
}
