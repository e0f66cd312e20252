/** `slipstream replay`: judges recorded spans as they would have been judged live. */
import { readFile } from 'node:fs/promises';
import { invalidRequest } from '../api/problem.ts';
import { startRollout } from '../api/request-schemas.ts';
import { rolloutRequest } from '../api/rollout-request.ts';
import { loadConfig } from '../config/load-config.ts';
import { renderProblems } from '../config/problem.ts';
import { PermanentError } from '../model/errors.ts';
import { explanation } from '../model/explanation.ts';
import { reasonText, verdictText } from '../model/reason-text.ts';
import { visible } from '../model/safe-text.ts';
import { readSpanFile, spanFileProblemText } from '../receivers/file.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';
import { ProgressBar } from './progress-bar.ts';
import { type RecordedRollout, ReplaySession } from './replay-session.ts';
import { renderTable, type TableOptions } from './table.ts';

interface ReplayOptions {
  readonly config: string;
  readonly rollouts?: string;
  readonly explain?: true;
  readonly output: OutputFormat;
}

const EXAMPLES = `Examples:
  slipstream replay spans.jsonl --config config/local.yaml
  slipstream replay demo.binpb --config demo.yaml --rollouts demo.binpb.rollouts.jsonl
  slipstream replay spans.jsonl --config config/local.yaml --explain       each verdict on a page
  zcat spans.jsonl.gz | slipstream replay - --config config/local.yaml -o json
`;

export const addReplay: AddCommand = (program, context, act) => {
  const command = program
    .command('replay')
    .description('judge recorded spans as they would have been judged live')
    .argument('<spans>', "a file of the Collector's file exporter (JSON lines or protobuf) or of `serve --record`; - is standard input")
    .addHelpText('before', EXAMPLES)
    .requiredOption('-c, --config <file>', 'the process file; it names the SLO files')
    .option('--rollouts <file>', 'rollouts as POST /v1/rollouts takes them, one JSON object a line, with startedAt')
    .option('--explain', 'explain each rollout on one page');
  withOutputOption(command).action(act((spans: string, options: ReplayOptions) => replay(context, spans, options)));
};

/** Latencies at the end of the recording reach this far back. */
const STATUS_WINDOW_MS = 60_000;

async function replay(context: CliContext, spans: string, options: ReplayOptions): Promise<ExitCode> {
  const { env, streams } = context;
  const loaded = loadConfig(options.config, env);
  if ('problems' in loaded) {
    streams.stderr.write(renderProblems(loaded.problems));
    return EXIT.failed;
  }
  streams.stderr.write(renderProblems(loaded.warnings, 'warning'));
  const session = new ReplaySession(loaded.config, options.rollouts === undefined ? [] : await readRollouts(options.rollouts));
  const progress = new ProgressBar(streams.stderr, 'replaying');
  const read = await readSpanFile({
    path: spans,
    ...(spans === '-' && { input: streams.stdin as AsyncIterable<Uint8Array> }),
    maxRequestBytes: loaded.config.receivers.maxRequestBytes,
    onRequest: (encoding, bytes) => session.consume(encoding, bytes),
    onProblem: (problem) => progress.note(spanFileProblemText(problem)),
    onProgress: ({ bytesRead, totalBytes }) => progress.show(bytesRead, totalBytes),
  });
  session.finish();
  progress.end();
  for (const { id, startedAt } of session.notStarted) {
    streams.stderr.write(`rollout ${id ?? ''} starts at ${new Date(startedAt).toISOString()}, after the recording ends\n`);
  }
  const answer = {
    requests: read.requests,
    problems: read.problems,
    spans: session.spans,
    rejectedSpans: session.rejected,
    verdicts: session.verdicts.map(({ rollout, service, verdict, signal }) => ({
      at: new Date(verdict.at).toISOString(),
      rollout,
      service,
      decision: verdict.decision,
      reason: verdict.reason,
      logWealth: verdict.logWealth,
      decidedBy: verdict.decidedBy,
      signal: signal?.id ?? null,
    })),
    runs: session.runs().map((run) => ({
      id: run.rollout.id,
      state: run.state,
      why: verdictText(run.verdict, run.judgements),
      ...(options.explain === true && { page: explanation(run).join('\n') }),
    })),
    objectives: session
      .status(STATUS_WINDOW_MS)
      .services.flatMap((service) =>
        service.objectives.map(({ id, text, judgement }) => ({ id, text, outcome: judgement.outcome, evidence: judgement.evidence })),
      ),
  };
  print(context, options.output, answer, (table) => answerText(answer, table));
  return read.problems > 0 && read.requests === 0 ? EXIT.failed : EXIT.ok;
}

interface Answer {
  readonly requests: number;
  readonly problems: number;
  readonly spans: number;
  readonly rejectedSpans: number;
  readonly verdicts: readonly {
    at: string;
    rollout: string;
    decision: string;
    reason: Parameters<typeof reasonText>[0];
    signal: string | null;
  }[];
  readonly runs: readonly { id: string; state: string; why: string; page?: string }[];
}

function answerText(answer: Answer, table: TableOptions): string {
  const { requests, spans, rejectedSpans, problems, verdicts, runs } = answer;
  const lines = [
    `${counted(spans, 'span')} in ${counted(requests, 'request')}; ${counted(rejectedSpans, 'span')} not counted, ${counted(problems, 'record')} unreadable.`,
  ];
  if (verdicts.length > 0) {
    const columns = ['at', 'rollout', 'verdict', 'why', 'signal'].map((header) => ({ header }));
    const rows = verdicts.map(({ at, rollout, decision, reason, signal }) => [at, rollout, decision, reasonText(reason), signal ?? '-']);
    lines.push('', renderTable(columns, rows, table));
  } else lines.push('No rollout was judged: name some with --rollouts, or let a canary policy track releases.');
  for (const { id, state, why, page } of runs) lines.push('', page ?? visible(`${id} (${state.replaceAll('_', ' ')}): ${why}`));
  return lines.join('\n');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

async function readRollouts(path: string): Promise<RecordedRollout[]> {
  const rollouts: RecordedRollout[] = [];
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PermanentError('rollouts', `reading rollouts from ${path}`, { cause });
  });
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const place = `${path}:${index + 1}`;
    const body = startRollout.safeParse(parsed(line, place));
    if (!body.success) throw new PermanentError('rollouts', `${place}: ${invalidRequest(body.error, 'body').detail}`);
    const request = rolloutRequest(body.data, Date.now());
    if (!request.ok) throw new PermanentError('rollouts', `${place}: ${request.error.pointer} ${request.error.detail}`);
    const { startedAt, deadline, ...rest } = request.value;
    if (startedAt === null) throw new PermanentError('rollouts', `${place}: startedAt is needed to know when it starts in the recording`);
    rollouts.push({ ...rest, startedAt, ...(deadline !== null && { deadline }) });
  }
  return rollouts;
}

function parsed(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new PermanentError('rollouts', `${place}: not JSON`, { cause });
  }
}
