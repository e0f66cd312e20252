/** What a comparison of recordings says, in words: a sentence for each row, a line for each service, a table for people. */
import type { ComparisonReport } from '../api/comparison-schema.ts';
import type { Interval, Outcome, Reason } from '../model/judgement.ts';
import { chanceText, latencyText, lengthText, momentText, percent, whole } from '../model/number-text.ts';
import { effectText } from '../model/outlook-text.ts';
import { reasonText } from '../model/reason-text.ts';
import {
  type ComparedMetric,
  type ComparedService,
  limitAsChange,
  type RecordedSide,
  type UncomparedEndpoint,
} from '../model/recorded-comparison.ts';
import { visible } from '../model/safe-text.ts';
import { type Cell, type Column, renderTable, type TableOptions } from './table.ts';
import type { Tone } from './terminal-text.ts';

const OUTCOME_TEXT: Readonly<Record<Outcome, string>> = { pass: 'pass', fail: 'FAIL', inconclusive: 'inconclusive' };
const TONES: Readonly<Record<Outcome, Tone>> = { pass: 'good', fail: 'bad', inconclusive: 'warning' };

/** `p95 42.1 ms → 58.3 ms, +38 % (95 % interval +30 % to +47 %), limit +10 %; 2,250 and 2,260 requests; proven worse …`. */
export function metricText(row: ComparedMetric): string {
  const { baseline, candidate } = row;
  const counts = row.metric === 'errors' ? '' : `; ${whole(baseline.requests)} and ${whole(candidate.requests)} requests`;
  return `${row.metric} ${valueText(row, baseline)} → ${valueText(row, candidate)}, ${changeText(row)}, limit ${limitText(row)}${counts}; ${whyText(row)}`;
}

/** The quantile, or the ratio with its two integers. */
function valueText({ metric }: Pick<ComparedMetric, 'metric'>, { value, failed, requests }: RecordedSide): string {
  if (value === null) return '-';
  return metric === 'errors' ? `${whole(failed)} of ${whole(requests)} (${percent(value)})` : latencyText(value);
}

/** `+38 % (95 % interval +30 % to +47 %)`. */
function changeText({ metric, change }: Pick<ComparedMetric, 'metric' | 'change'>): string {
  if (change === null) return 'no change known';
  return `${signed(change.estimate, metric)} (95 % interval ${intervalText(change, metric)})`;
}

function intervalText({ low, high }: Interval, metric: ComparedMetric['metric']): string {
  return `${signed(low, metric)} to ${signed(high, metric)}`;
}

function limitText({ limit }: Pick<ComparedMetric, 'limit'>): string {
  if (limit.kind === 'errors') return `+${points(limit.harm)}${limit.oddsRatio > 1 ? ` and odds × ${limit.oddsRatio}` : ''}`;
  return `+${percent(limit.harm.ratio)}${limit.harm.addUs > 0 ? ` or ${latencyText(limit.harm.addUs)}` : ''}`;
}

/** Relative for latencies, percentage points for errors; two telling digits. */
function signed(ratio: number, metric: ComparedMetric['metric']): string {
  const size = Math.abs(ratio);
  const text = metric === 'errors' ? points(size) : size < 0.0005 ? '0 %' : `${Number((size * 100).toPrecision(size < 0.1 ? 2 : 3))} %`;
  if (text.startsWith('0 ')) return text;
  return ratio < 0 ? `-${text}` : `+${text}`;
}

function points(ratio: number): string {
  return ratio < 0.000005 ? '0 pp' : `${Number((ratio * 100).toPrecision(2))} pp`;
}

/** Why the row says what it says; half a sentence. */
function whyText(row: ComparedMetric): string {
  if (row.outcome === 'fail') {
    const alone = row.logE >= row.logNeeded ? `${chanceText(row.logE)} against chance` : 'proven together with the other checks';
    return `worse than the limit, ${alone}`;
  }
  if (row.outcome === 'pass') return `as good, proven within ${healthyText(row)}`;
  if (row.reason === 'horizon_reached' && isBeyond(row))
    return 'worse on the whole, but within too few seconds to tell it from a passing disturbance: record for longer';
  const reason = REASON_TEXT[row.reason] ?? reasonText(row.reason);
  return row.smallest === null ? reason : `${reason}; would show from about ${effectText(row.metric, row.smallest)}`;
}

/** All of the interval is beyond the limit. */
function isBeyond(row: ComparedMetric): boolean {
  return row.change !== null && row.change.low > limitAsChange(row);
}

function healthyText({ limit }: ComparedMetric): string {
  if (limit.kind === 'errors') return `+${points(limit.healthy)}`;
  return `+${percent(limit.healthy.ratio)}${limit.healthy.addUs > 0 ? ` or ${latencyText(limit.healthy.addUs)}` : ''}`;
}

const REASON_TEXT: Readonly<Partial<Record<Reason, string>>> = {
  no_canary: 'only in the baseline',
  no_baseline: 'only in the candidate',
  overflow: 'beyond the quota of endpoints, and not told apart',
  muted: 'muted by the policy',
  too_few_samples: 'too few requests',
  horizon_reached: 'the recordings end before anything is proven',
  not_judgeable: 'too few requests to prove anything',
  biased_sampling: 'the recordings are sampled by different rules',
  data_quality: 'one recording lacks latencies that the other has',
};

export function uncomparedText({ endpoint, reason, baselineRequests, candidateRequests }: UncomparedEndpoint): string {
  return `${endpoint}: ${REASON_TEXT[reason] ?? reason} (${whole(baselineRequests)} and ${whole(candidateRequests)} requests)`;
}

/** What failed, or how much was compared; one line. */
export function serviceSummary(service: ComparedService): string {
  const { metrics, uncompared, outcome, reason } = service;
  const failed = metrics.filter((row) => row.outcome === 'fail');
  if (failed.length > 0) {
    const shown = failed
      .slice(0, 3)
      .map((row) => `${row.metric} ${row.endpoint} ${row.change === null ? '' : signed(row.change.estimate, row.metric)}`.trimEnd());
    return `worse: ${shown.join(', ')}${failed.length > 3 ? ` and ${failed.length - 3} more` : ''}`;
  }
  const passed = metrics.filter((row) => row.outcome === 'pass').length;
  const left = uncompared.length === 0 ? '' : `, ${whole(uncompared.length)} endpoints not compared`;
  const counts = `${whole(passed)} of ${whole(metrics.length)} checks as good${left}`;
  if (reason === 'data_quality' && passed > 0) return `${counts}, in what could be read of the recordings`;
  return outcome === 'pass' || metrics.length > 0 ? counts : (REASON_TEXT[reason] ?? reasonText(reason));
}

const COLUMNS: readonly Column[] = [
  { header: 'ENDPOINT', shrinks: true, minWidth: 16 },
  { header: 'METRIC' },
  { header: 'BASELINE', align: 'right' },
  { header: 'CANDIDATE', align: 'right' },
  { header: 'CHANGE', align: 'right' },
  { header: '95 % INTERVAL', align: 'right' },
  { header: 'LIMIT', align: 'right' },
  { header: 'OUTCOME', shrinks: true, minWidth: 12 },
];

export function comparisonPage(
  report: Pick<ComparisonReport, 'outcome' | 'alpha' | 'baseline' | 'candidate'>,
  services: readonly ComparedService[],
  options: TableOptions,
): string {
  const parts = services.map((service) => servicePage(service, options));
  const foot = `${OUTCOME_TEXT[report.outcome]}: ${VERDICT_TEXT[report.outcome]} A candidate that is as good is called worse in at most ${percent(report.alpha)} of comparisons.`;
  const damaged = [report.baseline, report.candidate].filter(({ problems }) => problems > 0).map(({ file }) => visible(file));
  const lost =
    damaged.length === 0
      ? []
      : [`Not all of ${damaged.join(' and ')} could be read: what is missing may be worse, so nothing counts as proven as good.`];
  return [...parts, ...lost, foot].join('\n\n');
}

const VERDICT_TEXT: Readonly<Record<Outcome, string>> = {
  pass: 'the candidate is proven as good on most of the traffic, and worse nowhere.',
  fail: 'the candidate is proven worse than the limit allows.',
  inconclusive: 'nothing is proven worse, and not enough of the traffic as good.',
};

function servicePage(service: ComparedService, options: TableOptions): string {
  const { metrics, uncompared, comparedMs, baseline, candidate } = service;
  const lines = [
    `${visible(service.service)}: ${OUTCOME_TEXT[service.outcome]}, ${visible(serviceSummary(service))}`,
    `baseline ${recordedText(baseline)}; candidate ${recordedText(candidate)}; ${comparedMs === 0 ? 'nothing' : lengthText(comparedMs)} compared`,
  ];
  const rows = metrics.map((row): Cell[] => [
    row.endpoint,
    row.metric,
    valueText(row, row.baseline),
    valueText(row, row.candidate),
    row.change === null ? '-' : signed(row.change.estimate, row.metric),
    row.change === null ? '-' : intervalText(row.change, row.metric),
    limitText(row),
    { text: row.outcome === 'inconclusive' ? `inconclusive: ${whyText(row)}` : OUTCOME_TEXT[row.outcome], tone: TONES[row.outcome] },
  ]);
  if (rows.length > 0) lines.push('', renderTable(COLUMNS, rows, options));
  if (uncompared.length > 0) lines.push('', 'not compared', ...uncompared.map((each) => `  ${visible(uncomparedText(each))}`));
  if (service.isMixedDifferently)
    lines.push('', 'The recordings mix their endpoints differently; each endpoint is compared with itself all the same.');
  return lines.join('\n');
}

function recordedText({ from, lengthMs, requests }: ComparedService['baseline']): string {
  return from === null ? 'no requests' : `${momentText(from)}, ${lengthText(lengthMs)}, ${whole(requests)} requests`;
}
