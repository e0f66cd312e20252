/** `slipstream compare`: is the newer of two recordings worse? Endpoint by endpoint, with the statistics of a rollout. */
import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { compareRecordings } from '../engine/recording-comparison.ts';
import { PermanentError } from '../model/errors.ts';
import type { Outcome } from '../model/judgement.ts';
import type { ComparedService } from '../model/recorded-comparison.ts';
import { junitXml } from './compare-junit.ts';
import { chance, errorsAbove, failAbove, USUAL_FAIL_ABOVE, withTolerances } from './compare-options.ts';
import { comparisonReportOf, withoutLost } from './compare-report.ts';
import { comparisonPage } from './compare-text.ts';
import { configured } from './config-option.ts';
import type { AddCommand, CliContext, ExitCode } from './context.ts';
import { tableOptions } from './output.ts';
import { failingWith, withUsageCode } from './own-exit-codes.ts';
import { readRecording } from './recorded.ts';

/** For pipelines; other than those of the other commands. */
const COMPARE_EXIT = { pass: 0, inconclusive: 1, fail: 2, impossible: 3 } as const satisfies Readonly<
  Record<Outcome | 'impossible', ExitCode>
>;

interface CompareOptions {
  readonly failAbove?: number;
  readonly errorsAbove?: number;
  readonly alpha: number;
  readonly config?: string;
  readonly service?: string;
  readonly label?: string;
  readonly output: 'table' | 'json' | 'junit';
  readonly junit?: string;
  readonly inconclusiveOk?: true;
}

const EXAMPLES = `Examples:
  slipstream compare before.binpb after.binpb                        latencies up by more than 10 % fail
  slipstream compare main.jsonl pr.jsonl --fail-above 15% --junit compare.xml
  zcat pr.jsonl.gz | slipstream compare main.jsonl - --service checkout -o json > compare.json

In a pipeline:
  slipstream compare main.binpb "$GIT_SHA.binpb" --label "$GIT_SHA" -o json > compare.json
  case $? in
    0) echo "as good" ;;
    1) echo "nothing proven: record for longer, or with more load" ;;
    2) echo "worse" >&2; exit 1 ;;
    *) echo "could not be compared" >&2; exit 1 ;;
  esac
`;

const NOTES = `
The first request of a service in one recording is laid on its first in the other; what the longer one has left over is
compared with nothing. Latencies are those of requests that did not fail. Pass means proven as good within a margin (twice
the limit, at least +25 % for p50, +30 % for p95, +50 % for p99, +0.5 pp for errors) on endpoints with more than half of
the requests, and measured within the limit there. A load test of a minute wants about 200 requests a second.

Exit codes:
  0  pass: proven as good
  1  inconclusive: nothing is proven, or part of a recording could not be read (0 with --inconclusive-ok)
  2  fail: a regression is proven
  3  could not be compared: a file cannot be read, no endpoint is in both, or wrong usage
`;

export const addCompare: AddCommand = (program, context, act) => {
  const command = program
    .command('compare')
    .description('compare two recordings of spans, endpoint by endpoint; exits with 2 when the newer is proven worse')
    .argument('<baseline>', 'the older recording: as `replay` reads them; - is standard input')
    .argument('<candidate>', 'the newer recording; one of the two may be -')
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', NOTES)
    .option(
      '--fail-above <percent>',
      "fail when p50, p95 or p99 is worse by more (default: 10%, or the service's tolerances with --config)",
      failAbove,
    )
    .option(
      '--errors-above <points>',
      'fail when the error ratio is worse by more, such as 0.1pp (default: +0.05pp and odds × 1.1)',
      errorsAbove,
    )
    .addOption(new Option('--alpha <percent>', 'chance of calling a candidate worse that is as good').argParser(chance).default(0.01, '1%'))
    .option('-c, --config <file>', 'a process file: which spans are requests, and the tolerances of its canary policies')
    .option('--service <name>', 'only this service')
    .option('--label <text>', 'what the candidate is called in the answer: a release, a commit')
    .option('--junit <file>', 'write JUnit XML to a file, besides')
    .option('--inconclusive-ok', 'exit with 0 when nothing is proven')
    .addOption(new Option('-o, --output <format>', 'how to print the answer').choices(['table', 'json', 'junit']).default('table'));
  const compared = (baseline: string, candidate: string, options: CompareOptions) =>
    compare(context, command, [baseline, candidate], options);
  withUsageCode(command, COMPARE_EXIT.impossible).action(act(failingWith(COMPARE_EXIT.impossible, compared)));
};

async function compare(
  context: CliContext,
  command: Command,
  [baselineFile, candidateFile]: readonly [string, string],
  options: CompareOptions,
): Promise<ExitCode> {
  if (baselineFile === '-' && candidateFile === '-') command.error('error: only one of the recordings can be standard input');
  const config = configured(context, options.config);
  const baseline = await readRecording(context, baselineFile, config);
  const candidate = await readRecording(context, candidateFile, config);
  const wanted = options.failAbove ?? (options.config === undefined ? USUAL_FAIL_ABOVE : undefined);
  const whole = compareRecordings({
    baseline: baseline.recording,
    candidate: candidate.recording,
    policyOf: (service) => {
      const policy = config.policies.services.get(service)?.canary ?? config.policies.fallback.canary;
      return withTolerances(policy, { failAbove: wanted, errorsAbove: options.errorsAbove });
    },
    layout: baseline.recording.layout,
    service: options.service ?? null,
    alpha: options.alpha,
  });
  const comparison = withoutLost(whole, [baseline, candidate]);
  if (comparison.services.length === 0) {
    const known = [...baseline.recording.services, ...candidate.recording.services].map(({ service }) => service);
    const names = [...new Set(known)].sort().slice(0, 10).join(', ');
    throw new PermanentError('unknown_service', `comparing ${options.service}: no such service in either recording; there are ${names}`);
  }
  const report = comparisonReportOf({ comparison, baseline, candidate, label: options.label, at: Date.now() });
  if (options.junit !== undefined) await written(options.junit, junitXml(comparison));
  const { stdout } = context.streams;
  if (options.output === 'json') stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else if (options.output === 'junit') stdout.write(junitXml(comparison));
  else stdout.write(`${comparisonPage(report, comparison.services, tableOptions(context))}\n`);
  if (comparison.services.every(isNothingCompared)) {
    const message = 'nothing was compared: no endpoint of a service has requests in both recordings';
    context.streams.stderr.write(`slipstream: ${message}\n`);
    return COMPARE_EXIT.impossible;
  }
  return comparison.outcome === 'inconclusive' && options.inconclusiveOk === true ? COMPARE_EXIT.pass : COMPARE_EXIT[comparison.outcome];
}

/** A service or its endpoints that were renamed, or a recording of something else: that nothing is proven worse says nothing. */
function isNothingCompared({ metrics, uncompared }: ComparedService): boolean {
  return metrics.length === 0 && uncompared.every(({ reason }) => reason === 'no_canary' || reason === 'no_baseline');
}

async function written(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((cause: unknown) => {
    throw new PermanentError('junit', `writing ${file}`, { cause });
  });
}
