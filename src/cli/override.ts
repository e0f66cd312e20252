/** `slipstream override`: what operators forbid for a while, on a running one; the kill switch of rollbacks. */
import { type Command, Option } from 'commander';
import { breakerReport, type HoldEntryWire, holdEntry, holdList } from '../api/control-schemas.ts';
import { OVERRIDE_MODES } from '../model/control-view.ts';
import { momentText } from '../model/number-text.ts';
import { visible } from '../model/safe-text.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import { changed, changeOf, withTokenOption } from './api-token.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { nonEmpty } from './option-values.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';
import { overridePage, scopeText } from './override-text.ts';

interface Asking {
  readonly url: string;
  readonly output: OutputFormat;
  readonly tokenEnv?: string;
}

interface Scope {
  readonly service?: string;
  readonly rollout?: string;
}

interface Holding extends Asking, Scope {
  readonly mode?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly for?: string;
}

interface Answering extends Asking, Scope {
  readonly by: string;
}

interface Resetting extends Asking {
  readonly by: string;
  readonly reason: string;
}

const EXAMPLES = `Examples:
  slipstream override --mode hold --reason "database is being moved" --by ana --for 2h     no rollback of anything
  slipstream override --service checkout --mode observe --reason "load test, INC-7" --by ana
  slipstream override list                                                                what is forbidden, and the breaker
  slipstream override end --service checkout --by ana
  slipstream override reset-breaker --reason "three unlucky releases" --by ana
`;

const NOTES = `
\`hold\` lets no rollback leave, \`observe\` nothing at all; the stricter of this and the policy counts. It reaches runs in flight and signals that are
decided but not sent. A proof of harm is not lost: the run stays open, and is acted upon when the override ends, if the harm still stands and its
rollout is still the newest. Without --for it is in force until it is ended. Kept over restarts and logged; changes need the token of the API.
Where the API is out of reach, \`touch\` the \`killSwitchFile\` of the process file.
`;

export const addOverride: AddCommand = (program, context, act) => {
  const command = program
    .command('override')
    .description('let no rollback leave for a while: of everything, a service or a rollout')
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', NOTES)
    // An option behind the name of a part is that part's, and what this one needs the parts do not.
    .enablePositionalOptions()
    .addOption(new Option('--mode <mode>', 'the most that may leave').choices(OVERRIDE_MODES))
    .option('--reason <text>', 'why; it is kept and logged', nonEmpty)
    .option('--by <name>', 'who answers for it', nonEmpty)
    .option('--for <duration>', 'how long it is in force, at most 30d; without it, until it is ended');
  asking(withScope(command), context).action(act((options: Holding) => hold(context, command, options)));

  const list = command.command('list').description('what is forbidden and was, and how the breaker stands');
  withOutputOption(withUrlOption(list, context)).action(act((options: Asking) => listed(context, options)));

  const end = withScope(withPerson(command.command('end').description('end the override of exactly this scope')));
  asking(end, context).action(act((options: Answering) => ended(context, end, options)));

  const reset = withPerson(command.command('reset-breaker').description('somebody has looked: let rollbacks leave again'));
  reset.requiredOption('--reason <text>', 'what was found; it is kept and logged', nonEmpty);
  asking(reset, context).action(act((options: Resetting) => resetBreaker(context, options)));
};

function withScope(command: Command): Command {
  return command
    .option('--service <name>', 'only this service; without --service and --rollout: everything', nonEmpty)
    .option('--rollout <id>', 'only this rollout', nonEmpty);
}

function withPerson(command: Command): Command {
  return command.requiredOption('--by <name>', 'who answers for it', nonEmpty);
}

function asking(command: Command, context: CliContext): Command {
  return withOutputOption(withUrlOption(withTokenOption(command), context));
}

function checkScope(command: Command, { service, rollout }: Scope): void {
  if (service !== undefined && rollout !== undefined) command.error('error: give --service or --rollout, not both');
}

async function hold(context: CliContext, command: Command, options: Holding): Promise<ExitCode> {
  checkScope(command, options);
  const { url, service, rollout, mode, reason, by, for: length } = options;
  if (mode === undefined || reason === undefined || by === undefined) command.error('error: give --mode, --reason and --by');
  const change = changeOf(context, options, { method: 'POST', body: { service, rollout, mode, reason, by, for: length } });
  const question = answerTo({ url, path: '/v1/overrides', subject: 'an override', schema: holdEntry, change });
  const entry = await changed(options.tokenEnv, question);
  print(context, options.output, entry, () => `${scopeText(entry)}: ${allowedText(entry)} ${untilText(entry)}`);
  return EXIT.ok;
}

async function listed(context: CliContext, { url, output }: Asking): Promise<ExitCode> {
  const holds = await answerTo({ url, path: '/v1/overrides', subject: 'its overrides', schema: holdList });
  const breaker = await answerTo({ url, path: '/v1/breaker', subject: 'its breaker', schema: breakerReport });
  print(context, output, { ...holds, breaker }, (table) => overridePage(holds, breaker, table));
  return EXIT.ok;
}

async function ended(context: CliContext, command: Command, options: Answering): Promise<ExitCode> {
  checkScope(command, options);
  const { url, service, rollout, by } = options;
  const query = new URLSearchParams({ ...(service !== undefined && { service }), ...(rollout !== undefined && { rollout }), by });
  const change = changeOf(context, options, { method: 'DELETE' });
  const question = answerTo({ url, path: `/v1/overrides?${query}`, subject: 'the end of an override', schema: holdEntry, change });
  const entry = await changed(options.tokenEnv, question);
  print(context, options.output, entry, () => visible(`${scopeText(entry)}: the override by ${entry.by} is ended`));
  return EXIT.ok;
}

async function resetBreaker(context: CliContext, options: Resetting): Promise<ExitCode> {
  const { url, reason, by } = options;
  const change = changeOf(context, options, { method: 'POST', body: { reason, by } });
  const question = answerTo({ url, path: '/v1/breaker/reset', subject: 'a reset of its breaker', schema: breakerReport, change });
  const breaker = await changed(options.tokenEnv, question);
  print(
    context,
    options.output,
    breaker,
    () => `the breaker is reset: ${breaker.maxRollbacksPerHour} rollbacks may leave in the next hour`,
  );
  return EXIT.ok;
}

function allowedText({ mode }: HoldEntryWire): string {
  return mode === 'hold' ? 'no rollback leaves' : 'nothing leaves';
}

function untilText({ until }: HoldEntryWire): string {
  return until === null ? 'until this is ended' : `until ${momentText(until)}`;
}
