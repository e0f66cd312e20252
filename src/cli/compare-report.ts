/** The answer of `slipstream compare` as data: what the schema says, from what was compared. */
import type { ComparisonReport } from '../api/comparison-schema.ts';
import type { ComparedMetric, ComparedService, RecordedSide, RecordingComparison } from '../model/recorded-comparison.ts';
import type { EpochMs } from '../model/time.ts';
import { metricText, serviceSummary } from './compare-text.ts';
import type { Recorded } from './recorded.ts';

export interface ReportedComparison {
  readonly comparison: RecordingComparison;
  readonly baseline: Recorded;
  readonly candidate: Recorded;
  /** What the candidate is called; undefined: by the releases in it. */
  readonly label: string | undefined;
  readonly at: EpochMs;
}

/** Releases of a recording that are named; one with more is called by its file. */
const MAX_RELEASES = 3;

/** Of a recording that could not be read whole, what is missing may be worse: nothing of it counts as proven as good. What is proven worse is so all the same. */
export function withoutLost(comparison: RecordingComparison, recordings: readonly Pick<Recorded, 'problems'>[]): RecordingComparison {
  if (recordings.every(({ problems }) => problems === 0)) return comparison;
  return {
    ...comparison,
    outcome: comparison.outcome === 'pass' ? 'inconclusive' : comparison.outcome,
    services: comparison.services.map((service) =>
      service.outcome === 'pass' ? { ...service, outcome: 'inconclusive', reason: 'data_quality' } : service,
    ),
  };
}

export function comparisonReportOf({ comparison, baseline, candidate, label, at }: ReportedComparison): ComparisonReport {
  const { outcome, alpha, services } = comparison;
  return {
    kind: 'comparison',
    at,
    outcome,
    alpha,
    baseline: fileOf(baseline),
    candidate: fileOf(candidate),
    services: services.map(serviceOf),
  };

  function serviceOf(service: ComparedService): ComparisonReport['services'][number] {
    const { service: name, outcome: said, reason, candidate: candidateRecording, metrics, uncompared, ...rest } = service;
    return {
      service: name,
      outcome: said,
      reason,
      candidate: label || nameOf(candidate, name),
      summary: serviceSummary(service),
      ...rest,
      candidateRecording,
      metrics: metrics.map(metricOf),
      uncompared: [...uncompared],
    };
  }
}

function fileOf({ file, spans, rejectedSpans, problems }: Recorded): ComparisonReport['baseline'] {
  return { file, spans, rejectedSpans, problems };
}

function nameOf({ recording, file }: Recorded, service: string): string {
  const releases = recording.releases(service);
  return releases.length === 0 || releases.length > MAX_RELEASES ? file : releases.join(', ');
}

function metricOf(row: ComparedMetric): ComparisonReport['services'][number]['metrics'][number] {
  const { endpoint, metric, outcome, reason, baseline, candidate, change, limit, smallest } = row;
  const side = ({ requests, failed, value }: RecordedSide) => ({
    requests,
    failed,
    value: value === null || metric === 'errors' ? value : value / 1000,
  });
  const limits =
    limit.kind === 'errors'
      ? { harmAbove: { ratio: limit.oddsRatio - 1, add: limit.harm }, healthyBelow: { ratio: null, add: limit.healthy } }
      : {
          harmAbove: { ratio: limit.harm.ratio, add: limit.harm.addUs / 1000 },
          healthyBelow: { ratio: limit.healthy.ratio, add: limit.healthy.addUs / 1000 },
        };
  const sides = { baseline: side(baseline), candidate: side(candidate) };
  return { endpoint, metric, outcome, reason, ...sides, change, ...limits, smallest, text: metricText(row) };
}
