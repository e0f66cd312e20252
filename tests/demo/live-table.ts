/** The live table: endpoint × release with rate, latencies, errors and what the evidence says, as plain cells. */

import type { RunWire, StatusWire } from '../../src/api/schemas.ts';
import type { Cell, Column } from '../../src/cli/table.ts';

interface LiveColumn extends Column {
  /** Left out on a terminal too narrow for all. */
  readonly isExtra?: boolean;
}

const COLUMNS: readonly LiveColumn[] = [
  { header: 'SERVICE', isExtra: true },
  { header: 'ENDPOINT', shrinks: true, minWidth: 12 },
  { header: 'RELEASE' },
  { header: 'REQ/S', align: 'right' },
  { header: 'P50', align: 'right', isExtra: true },
  { header: 'P95', align: 'right' },
  { header: 'P99', align: 'right', isExtra: true },
  { header: 'ERRORS', align: 'right' },
  { header: 'VERDICT' },
  { header: 'CANARY V BASELINE, ODDS', shrinks: true },
];

/** Narrower than this, extra columns are left out. */
const WIDE_COLUMNS = 120;

/** An error ratio above this catches the eye. */
const MANY_ERRORS = 0.02;

type Row = readonly Cell[];
type WireJudgement = RunWire['judgements'][number];
type SeriesWire = StatusWire['services'][number]['endpoints'][number];

/** The columns that fit into `width` and their rows. */
export function liveTable(
  status: StatusWire,
  run: RunWire | null,
  width: number,
): { readonly columns: readonly Column[]; readonly rows: readonly Row[] } {
  const isShown = COLUMNS.map(({ isExtra }) => width >= WIDE_COLUMNS || isExtra !== true);
  return {
    columns: COLUMNS.filter((_, index) => isShown[index]),
    rows: liveRows(status, run).map((row) => row.filter((_, index) => isShown[index])),
  };
}

/** Rows by service and endpoint, baseline before canary; endpoints under judgement say what the strongest check against them shows. */
function liveRows(status: StatusWire, run: RunWire | null): Row[] {
  const rows: Row[] = [];
  for (const { service, endpoints } of status.services.toSorted(
    (a, b) => place(a.service) - place(b.service) || (a.service < b.service ? -1 : 1),
  )) {
    let previousEndpoint = '';
    let isFirst = true;
    for (const series of endpoints) {
      const isSame = series.endpoint === previousEndpoint;
      rows.push(liveRow(isFirst ? service : '', isSame ? '' : series.endpoint, series, run?.rollout.service === service ? run : null));
      previousEndpoint = series.endpoint;
      isFirst = false;
    }
  }
  return rows;
}

function liveRow(service: string, endpoint: string, series: SeriesWire, run: RunWire | null): Row {
  const isCanary = run !== null && Object.entries(run.rollout.canary).every(([key, value]) => series.releaseAttributes[key] === value);
  const judged = isCanary ? strongest(run.judgements, series.endpoint) : null;
  return [
    { text: service, tone: 'strong' },
    endpoint,
    { text: series.release, tone: isCanary ? 'strong' : 'plain' },
    rateText(series.rate),
    latencyText(series.p50Ms),
    latencyText(series.p95Ms),
    latencyText(series.p99Ms),
    { text: percentText(series.errorRatio), tone: (series.errorRatio ?? 0) > MANY_ERRORS ? 'bad' : 'plain' },
    judged === null ? '' : outcomeCell(judged),
    judged === null ? '' : { text: evidenceText(judged), tone: 'dim' },
  ];
}

/**
 * The check to show beside the canary: one that failed, else the one with most evidence of harm, else one that is still open, else one that
 * passed. Null when none looks at this endpoint.
 */
export function strongest(judgements: readonly WireJudgement[], endpoint: string): WireJudgement | null {
  const logE = ({ evidence }: WireJudgement): number => (evidence.kind === 'comparison' ? (evidence.logE ?? 0) : 0);
  const rank = (judgement: WireJudgement): number => {
    if (judgement.outcome === 'fail') return 3;
    if (logE(judgement) > 0) return 2;
    return judgement.outcome === 'inconclusive' ? 1 : 0;
  };
  const here = judgements.filter(({ evidence }) => evidence.kind === 'comparison' && evidence.endpoint === endpoint);
  return here.toSorted((a, b) => rank(b) - rank(a) || logE(b) - logE(a))[0] ?? null;
}

function outcomeCell(judgement: WireJudgement): Cell {
  switch (judgement.outcome) {
    case 'pass':
      return { text: 'pass', tone: 'good' };
    case 'fail':
      return { text: 'fail', tone: 'bad' };
    case 'inconclusive':
      return { text: judgement.reason.replaceAll('_', ' '), tone: 'warning' };
  }
  return judgement.outcome satisfies never;
}

/** `p95 >156 ms 31.7 % v 5.0 %, 20:1` reads: so many requests of canary and baseline are slower than the edge, and these are the odds. */
function evidenceText({ evidence }: WireJudgement): string {
  if (evidence.kind !== 'comparison') return '';
  const edge = evidence.canaryEdgeUs === null ? '' : ` >${latencyText(evidence.canaryEdgeUs / 1000)}`;
  const odds = evidence.logE === null ? '' : `, ${oddsText(evidence.logE)}`;
  return `${evidence.metric}${edge} ${share(evidence.canary)} v ${share(evidence.baseline)}${odds}`;
}

function share({ bad, total }: { readonly bad: number; readonly total: number }): string {
  return total === 0 ? '–' : `${((bad / total) * 100).toFixed(1)} %`;
}

/** Wealth as odds against a healthy canary: e^5.2 is `181:1`. */
export function oddsText(logE: number): string {
  if (logE >= Math.log(1e6)) return '>10⁶:1';
  const odds = Math.exp(logE);
  return `${odds >= 10 ? odds.toFixed(0) : odds.toFixed(1)}:1`;
}

export function latencyText(ms: number | null): string {
  if (ms === null) return '–';
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms >= 10 ? ms.toFixed(0) : ms.toFixed(1)} ms`;
}

function percentText(ratio: number | null): string {
  return ratio === null ? '–' : `${(ratio * 100).toFixed(1)} %`;
}

function rateText(rate: number | null): string {
  return rate === null ? '–' : rate.toFixed(rate >= 10 ? 0 : 1);
}

/** The service being rolled out stands first. */
function place(service: string): number {
  return service === 'checkout' ? 0 : 1;
}
