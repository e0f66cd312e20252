/** A run in the words of Kayenta: not complete while it goes on, and a score that says neither yes nor no when it ended without proof. */
import type { z } from 'zod';
import type { Judgement } from '../../model/judgement.ts';
import { judgementText, verdictText } from '../../model/reason-text.ts';
import type { AnalysisRun } from '../../model/rollout.ts';
import { visible } from '../../model/safe-text.ts';
import { undecidedScore } from '../../model/score-thresholds.ts';
import type { EpochMs } from '../../model/time.ts';
import type { canaryAnswer, standaloneAnswer } from './answer-schemas.ts';
import { configIdOf } from './config-id.ts';
import type { Execution } from './execution-id.ts';

/** For stragglers: spans of the end of an execution are judged a little later. */
const GRACE_MS = 120_000;
const GROUP = 'slipstream';
const MAX_RESULTS = 200;
/** Orca warns of metrics with fewer data points. */
const FEW_REQUESTS = 50;

type Result = NonNullable<z.output<typeof canaryAnswer>['result']>;
type Score = Result['judgeResult']['score'];
type Metric = Result['judgeResult']['results'][number];
type Progress = 'running' | 'succeeded' | 'canceled';

/** What was asked and how it stands. `now` is the wall clock. */
export interface Asked {
  readonly id: string;
  readonly execution: Execution;
  readonly run: AnalysisRun;
  readonly now: EpochMs;
}

export function canaryAnswerOf(asked: Asked): z.output<typeof canaryAnswer> {
  const { id, run } = asked;
  const status = progressOf(asked);
  return {
    application: run.rollout.service,
    parentPipelineExecutionId: null,
    pipelineId: id,
    stageStatus: { judge: status },
    complete: status !== 'running',
    status,
    exception: null,
    result: status === 'running' ? null : resultOf(asked),
    configId: configIdOf(run.rollout.service),
    canaryExecutionRequest: requestOf(asked),
    ...timesOf(asked, status),
    storageAccountName: null,
  };
}

export function standaloneAnswerOf(asked: Asked): z.output<typeof standaloneAnswer> {
  const { id, run, execution } = asked;
  const status = progressOf(asked);
  const executionStatus = status.toUpperCase() as Uppercase<Progress>;
  const times = timesOf(asked, status);
  const { buildTimeIso, startTimeIso, endTimeIso } = times;
  const result = resultOf(asked);
  const { score, classificationReason } = result.judgeResult.score;
  return {
    application: run.rollout.service,
    user: 'anonymous',
    parentPipelineExecutionId: null,
    pipelineId: id,
    stageStatus: [{ type: 'runCanary', name: 'judge', status }],
    complete: status !== 'running',
    executionStatus,
    status,
    exception: null,
    canaryAnalysisExecutionResult:
      status === 'running'
        ? null
        : {
            didPassThresholds: score >= execution.thresholds.pass,
            hasWarnings: result.judgeResult.results.some(({ controlMetadata }) => controlMetadata.stats.count < FEW_REQUESTS),
            canaryScoreMessage: classificationReason,
            canaryScores: [score],
            canaryExecutionResults: [{ executionId: id, executionStatus, result }],
            ...{ buildTimeIso, startTimeIso, endTimeIso },
          },
    canaryConfigId: configIdOf(run.rollout.service),
    ...times,
    storageAccountName: GROUP,
    metricsAccountName: GROUP,
  };
}

function progressOf({ run, execution, now }: Asked): Progress {
  if (run.rollout.generation !== execution.generation) return 'succeeded';
  switch (run.state) {
    case 'pending':
    case 'running':
      return execution.end !== null && (run.verdict.at >= execution.end || now >= execution.end + GRACE_MS) ? 'succeeded' : 'running';
    case 'aborted':
      return run.verdict.reason === 'aborted' ? 'canceled' : 'succeeded';
    case 'baking':
    case 'promoted':
    case 'rolled_back':
    case 'held':
    case 'superseded':
    case 'expired':
      return 'succeeded';
    default:
      return run.state satisfies never;
  }
}

function scoreOf({ run, execution }: Asked): Score {
  const { thresholds, generation } = execution;
  const isSame = run.rollout.generation === generation;
  const reason = isSame ? visible(verdictText(run.verdict, run.judgements)) : 'a newer analysis of the same releases has taken its place';
  if (isSame && (run.state === 'promoted' || run.state === 'baking'))
    return { score: 100, classification: 'Pass', classificationReason: reason };
  if (isSame && run.state === 'rolled_back') return { score: 0, classification: 'Fail', classificationReason: reason };
  return { score: undecidedScore(thresholds), classification: 'Marginal', classificationReason: `not decided: ${reason}` };
}

function resultOf(asked: Asked): Result {
  const { run } = asked;
  const score = scoreOf(asked);
  return {
    application: run.rollout.service,
    judgeResult: {
      judgeName: 'slipstream',
      results: resultsOf(run, score.classification),
      groupScores: [{ name: GROUP, score: score.score, classification: score.classification, classificationReason: '' }],
      score,
    },
    canaryExecutionRequest: requestOf(asked),
    canaryDuration: `PT${Math.max(0, Math.round((run.verdict.at - run.rollout.startedAt) / 1000))}S`,
  };
}

/** One for each comparison; before there is any, one for all requests. Orca reads the counts as data points, which here are requests. */
function resultsOf(run: AnalysisRun, classification: 'Pass' | 'Marginal' | 'Fail'): Metric[] {
  const comparisons = run.judgements.flatMap((judgement, i) => comparisonOf(judgement, i)).slice(0, MAX_RESULTS);
  if (comparisons.length > 0) return comparisons;
  const all = classification === 'Pass' ? 'Pass' : classification === 'Fail' ? 'High' : 'Nodata';
  return [
    {
      ...named('all requests', 0),
      classification: all,
      classificationReason: '',
      ...counts(run.canaryRequests, run.baselineRequests),
      critical: false,
    },
  ];
}

const CLASSES = { pass: 'Pass', fail: 'High', inconclusive: 'Nodata' } as const;

function comparisonOf(judgement: Judgement, position: number): Metric[] {
  const { evidence, outcome, check } = judgement;
  if (evidence.kind !== 'comparison') return [];
  const [c, b] = [evidence.canary, evidence.baseline];
  const ratio = c.total > 0 && b.bad > 0 ? c.bad / c.total / (b.bad / b.total) : null;
  return [
    {
      ...named(check, position),
      classification: CLASSES[outcome],
      classificationReason: visible(judgementText(judgement)),
      ...counts(c.total, b.total),
      resultMetadata: { ratio },
      critical: evidence.isCritical,
    },
  ];
}

function named(name: string, position: number) {
  return { name: visible(name), id: String(position), tags: {}, groups: [GROUP] };
}

function counts(experiment: number, control: number) {
  return {
    experimentMetadata: { stats: { count: Math.round(experiment) } },
    controlMetadata: { stats: { count: Math.round(control) } },
    resultMetadata: { ratio: null },
  };
}

function requestOf({ run, execution }: Asked): z.output<typeof canaryAnswer>['canaryExecutionRequest'] {
  const { baseline, canary, startedAt, deadline } = run.rollout;
  const scopeOf = (matcher: Readonly<Record<string, string>>) => {
    const [attribute = '', scope = ''] = Object.entries(matcher)[0] ?? [];
    const [start, end] = [iso(startedAt), iso(execution.end ?? deadline)];
    return { scope, location: null, start, end, step: 60, extendedScopeParams: { attribute } };
  };
  const { pass, marginal } = execution.thresholds;
  return { scopes: { default: { controlScope: scopeOf(baseline), experimentScope: scopeOf(canary) } }, thresholds: { pass, marginal } };
}

function timesOf({ run }: Asked, status: Progress) {
  const [start, end] = [run.rollout.startedAt, status === 'running' ? null : run.verdict.at];
  return {
    ...{ buildTimeMillis: start, buildTimeIso: iso(start), startTimeMillis: start, startTimeIso: iso(start) },
    ...{ endTimeMillis: end, endTimeIso: end === null ? null : iso(end) },
  };
}

function iso(at: EpochMs): string {
  return new Date(at).toISOString();
}
