/** The command line: arguments in, exit code out. */
import { Command, CommanderError } from 'commander';
import { visible } from '../model/safe-text.ts';
import { COMMANDS } from './commands.ts';
import { type Act, type CliContext, EXIT, type ExitCode, type Streams } from './context.ts';
import { ExitWith, usageCodeFor } from './own-exit-codes.ts';
import { VERSION } from './package-version.ts';

const EXAMPLES = `Examples:
  slipstream serve --config config/local.yaml      take spans, judge rollouts
  slipstream validate config/*.yaml                check files before they are used
  slipstream replay spans.jsonl --config FILE      judge a recording as it would have been live
  slipstream status --window 5m                    endpoints, objectives and runs of a running one
  slipstream health --config FILE --ready          is the process of this file well? the exit code says
  slipstream slo                                   objectives and their budgets, the worst first
  slipstream slo add checkout "p95 < 2s, 99.9%"    write the line of a contract into the SLO file
  slipstream explain                               why the newest rollout is judged as it is
  slipstream compare before.binpb after.binpb      is the newer load test worse?
  slipstream coverage --openapi FILE --service checkout --slos config/slos
  slipstream gate checkout                         may a new release go out? the exit code says
  slipstream wait ro-3f9a…                         until a rollout has its verdict; the exit code is the verdict
  slipstream rollouts                              start, share, abort and list rollouts
  slipstream signals --open                        what was sent, and what became of it
  slipstream override --mode hold --reason "…" --by ana --for 2h
  slipstream plan --service checkout --share 5%    what a canary could show, and how soon
`;

const EXIT_CODES = `
Exit codes:
  0  done
  1  failed
  2  wrong usage
  3  done, and the answer is no: breached or refused
\`compare\`, \`gate\` and \`wait\` have codes of their own: see their help.
`;

/** Never throws and never ends the process: what went wrong is on `stderr` and in the exit code. */
export async function run(argv: readonly string[], env: CliContext['env'], streams: Streams): Promise<number> {
  let code: ExitCode = EXIT.ok;
  const act: Act =
    (action) =>
    async (...given) => {
      code = await action(...given);
    };
  const program = new Command('slipstream')
    .description('Spans in, verdicts and rollback signals out.')
    .version(VERSION, '-V, --version', 'print the version')
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('Run with --help for usage and examples.')
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
      getOutHelpWidth: () => streams.stdout.columns ?? 100,
      getErrHelpWidth: () => streams.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(visibleLines(text)),
    })
    // Options behind the name of a command are that command's, also where a group and its parts have options of the same name.
    .enablePositionalOptions()
    .exitOverride();
  for (const add of COMMANDS) add(program, { env, streams }, act);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    const [cause, failed, usage] =
      error instanceof ExitWith
        ? [error.cause, error.code, error.code]
        : [error, EXIT.failed, usageCodeFor(argv, program.commands, EXIT.usage)];
    if (cause instanceof CommanderError) return cause.exitCode === 0 ? EXIT.ok : usage;
    streams.stderr.write(`slipstream: ${described(cause)}\n`);
    return failed;
  }
}

const MAX_CAUSES = 4;

/** Message and the messages of its causes; no stack: what a user can act upon, and nothing twice. */
function described(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  for (let depth = 0; current !== undefined && depth <= MAX_CAUSES; depth++) {
    const text = messageText(current);
    if (!parts.some((part) => part.endsWith(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return visibleLines(parts.filter((part) => part !== '').join(': '));
}

const SYSTEM_TEXT: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or folder'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a folder, not a file'],
  ['EADDRINUSE', 'the address is in use by another process'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
]);

/** What the system says begins with its code and repeats path or address, which the message above it names. */
function messageText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'syscall' in error && 'code' in error ? SYSTEM_TEXT.get(String(error.code)) : undefined;
  return code ?? error.message;
}

function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}
