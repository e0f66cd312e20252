/** `slipstream rollouts`: lists and shows rollouts, starts and aborts the judging of one, and tells how its traffic is shared. */
import { type Command, InvalidArgumentError } from 'commander';
import { explainedRun, runList, run as runSchema } from '../api/schemas.ts';
import { TARGET_KINDS } from '../model/rollout.ts';
import { visible } from '../model/safe-text.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import { changed, changeOf, withTokenOption } from './api-token.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { attribute, nonEmpty } from './option-values.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';
import { rolloutTable } from './rollouts-text.ts';

interface Asking {
  readonly url: string;
  readonly output: OutputFormat;
  readonly tokenEnv?: string;
}

interface Listing extends Asking {
  readonly service?: string;
  readonly limit: string;
}

interface Starting extends Asking {
  readonly service: string;
  readonly canary: Readonly<Record<string, string>>;
  readonly baseline: Readonly<Record<string, string>>;
  readonly generation: number;
  readonly id?: string;
  readonly target?: object;
  readonly deadline?: string;
  readonly share?: number;
}

const EXAMPLES = `Examples:
  slipstream rollouts                                    the newest ones and their verdicts
  slipstream rollouts ro-3f9a…                           one, with the page that explains it
  slipstream rollouts start --service checkout --generation 7 \\
      --canary service.version=1.5.0 --baseline service.version=1.4.2 --target Deployment/shop/checkout@7
  slipstream rollouts share ro-3f9a… 0.3                 the canary gets 30 % of the requests from now on
  slipstream rollouts abort ro-3f9a…                     stops judging; nothing is rolled back or promoted
`;

export const addRollouts: AddCommand = (program, context, act) => {
  const command = program
    .command('rollouts')
    .description('list, show, start and abort rollouts that are judged')
    .enablePositionalOptions()
    .argument('[rollout]', 'id of the one to show; without it, the newest are listed')
    .addHelpText('before', EXAMPLES)
    .option('--service <name>', 'only this service')
    .option('--limit <count>', 'at most so many', '20');
  withOutputOption(withUrlOption(command, context)).action(
    act((id: string | undefined, options: Listing) => (id === undefined ? listed(context, options) : shown(context, id, options))),
  );

  const start = command
    .command('start')
    .description('start judging a rollout; the same again changes nothing')
    .requiredOption('--service <name>', 'service.name, or service.namespace/service.name', nonEmpty)
    .requiredOption('--canary <attribute=value>', 'resource attribute of the canary; may be given several times', attribute)
    .requiredOption('--baseline <attribute=value>', 'resource attribute of the baseline; may be given several times', attribute)
    .requiredOption('--generation <number>', 'grows with each attempt of the deploy system', generation)
    .option('--id <id>', 'its name; without it, it is derived from service, canary and generation', nonEmpty)
    .option('--target <kind/namespace/name@fence>', 'the object of the deploy system, for sinks that act on it', target)
    .option('--deadline <time>', 'by when a verdict is wanted: a time, or a duration like 30m', nonEmpty)
    .option('--share <share>', 'share of the requests that the canary gets, above 0 and at most 1', share);
  changing(start, context).action(act((options: Starting) => started(context, options)));

  const abort = command
    .command('abort')
    .description('stop judging; nothing is rolled back or promoted')
    .argument('<rollout>', 'its id', nonEmpty);
  changing(abort, context).action(act((id: string, options: Asking) => aborted(context, id, options)));

  const shared = command
    .command('share')
    .description('tell which share of the requests the canary gets from now on')
    .argument('<rollout>', 'its id', nonEmpty)
    .argument('<share>', 'above 0 and at most 1', share);
  changing(shared, context).action(act((id: string, value: number, options: Asking) => sharing(context, id, value, options)));
};

function changing(command: Command, context: CliContext): Command {
  return withOutputOption(withUrlOption(withTokenOption(command), context));
}

async function listed(context: CliContext, { url, service, limit, output }: Listing): Promise<ExitCode> {
  const query = new URLSearchParams({ limit, ...(service !== undefined && { service }) });
  const list = await answerTo({ url, path: `/v1/rollouts?${query}`, subject: 'its rollouts', schema: runList });
  print(context, output, list, (table) => rolloutTable(list, table));
  return EXIT.ok;
}

async function shown(context: CliContext, id: string, options: Asking): Promise<ExitCode> {
  const run = await known(id, options);
  print(context, options.output, run, () => run.explanation.page.split('\n').map(visible).join('\n'));
  return EXIT.ok;
}

async function known(id: string, { url }: Asking) {
  return answerTo({ url, path: pathOf(id), subject: `rollout ${id}`, schema: explainedRun });
}

async function started(context: CliContext, options: Starting): Promise<ExitCode> {
  const { id, service, generation: number, baseline, canary, target: object, deadline, share: canaryShare } = options;
  return posted(context, options, { id, service, generation: number, baseline, canary, target: object, deadline, canaryShare });
}

/** Sent again with the same generation, a rollout takes nothing over but its share. */
async function sharing(context: CliContext, id: string, canaryShare: number, options: Asking): Promise<ExitCode> {
  const { rollout, state } = await known(id, options);
  const { service, generation: number, baseline, canary } = rollout;
  const code = await posted(context, options, { id, service, generation: number, baseline, canary, canaryShare });
  if (state !== 'pending' && state !== 'running' && state !== 'baking')
    context.streams.stderr.write(`slipstream: ${visible(id)} is ${state.replaceAll('_', ' ')}: its share is of no matter any more\n`);
  return code;
}

async function posted(context: CliContext, options: Asking, body: object): Promise<ExitCode> {
  const change = changeOf(context, options, { method: 'POST', body });
  const question = answerTo({ url: options.url, path: '/v1/rollouts', subject: 'a rollout', schema: runSchema, change });
  told(context, options, await changed(options.tokenEnv, question));
  return EXIT.ok;
}

async function aborted(context: CliContext, id: string, options: Asking): Promise<ExitCode> {
  const change = changeOf(context, options, { method: 'DELETE' });
  const question = answerTo({ url: options.url, path: pathOf(id), subject: `the end of rollout ${id}`, schema: runSchema, change });
  told(context, options, await changed(options.tokenEnv, question));
  return EXIT.ok;
}

function told(context: CliContext, { output }: Asking, run: ReturnType<typeof runSchema.parse>): void {
  print(context, output, run, () => {
    const { rollout, state, explanation } = run;
    const share = rollout.canaryShare === null ? '' : `, ${rollout.canaryShare} of the requests`;
    return visible(
      `${rollout.id}#${rollout.generation} of ${rollout.service}: ${state.replaceAll('_', ' ')}${share}. ${explanation.verdict}`,
    );
  });
}

function pathOf(id: string): string {
  return `/v1/rollouts/${encodeURIComponent(id)}`;
}

function generation(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return number;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 1))
    throw new InvalidArgumentError('It must be a number above 0 and at most 1, like 0.3.');
  return value;
}

/** `Rollout/shop/checkout@7c9f`. */
function target(text: string) {
  const match = /^([A-Za-z]+)\/([^/@]+)\/([^/@]+)@([^/@]+)$/.exec(text);
  const [, written = '', namespace = '', name = '', fence = ''] = match ?? [];
  const kind = TARGET_KINDS.find((one) => one.toLowerCase() === written.toLowerCase());
  if (kind === undefined)
    throw new InvalidArgumentError(`It must be KIND/NAMESPACE/NAME@FENCE, with one of ${TARGET_KINDS.join(', ')} as its kind.`);
  return { kind, namespace, name, fence };
}
