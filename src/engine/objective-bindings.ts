/** How one series counts for its objectives: where in a row of a flush their valid and bad events are. */
import type { HistogramLayout } from '../model/histogram-layout.ts';
import { objectiveApplies } from '../model/objective-binding.ts';
import { ruleCounterAt, type SeriesInfo } from '../model/series.ts';
import type { SlotDeltas } from '../model/slot-deltas.ts';
import type { Tally } from './objective-tally.ts';
import type { SpendCell } from './spend-ledger.ts';

/** `counter`: position among the row's own counters. `requests` and `durations` are read for objectives about slices themselves. */
type Source =
  | { readonly kind: 'failures' | 'requests' | 'durations' }
  | { readonly kind: 'slow'; readonly counter: number }
  | { readonly kind: 'events'; readonly counter: number };

export interface Binding {
  readonly tally: Tally;
  readonly source: Source;
  /** Where bad requests of the series are counted in the ledger, as of when; null: not asked for yet. */
  spent: SpendCell | null;
  spentAsOf: number;
}

/** Null when the objective does not apply, or what it counts had no exact counter when the series appeared. */
export function bindingOf(tally: Tally, info: SeriesInfo): Binding | null {
  const source = objectiveApplies(tally.objective, info.endpoint) ? sourceOf(tally, info) : null;
  return source === null ? null : { tally, source, spent: null, spentAsOf: 0 };
}

function sourceOf({ objective: { sli, budgeting } }: Tally, info: SeriesInfo): Source | null {
  switch (sli.kind) {
    case 'availability':
    case 'errorRate':
      return { kind: 'failures' };
    case 'latency': {
      const counter = info.thresholdsNs.indexOf(sli.thresholdNs);
      return counter < 0 ? null : { kind: 'slow', counter };
    }
    case 'events': {
      const counter = ruleCounterAt(info, sli.rule.key);
      return counter < 0 ? null : { kind: 'events', counter };
    }
    case 'throughput':
      return budgeting.kind === 'timeslices' ? { kind: 'requests' } : null;
    case 'inFlight':
      return budgeting.kind === 'timeslices' ? { kind: 'durations' } : null;
    default:
      return sli satisfies never;
  }
}

/** Valid and bad events of a row as sums of weights, into `into`; of `durations` requests and the sum of their durations in µs. */
export function readRow(
  source: Source,
  deltas: SlotDeltas,
  row: number,
  layout: HistogramLayout,
  into: { valid: number; bad: number },
): void {
  const first = deltas.slowStart[row] as number;
  switch (source.kind) {
    case 'failures':
      into.valid = deltas.weight[row] as number;
      into.bad = deltas.failedWeight[row] as number;
      return;
    case 'requests':
      into.valid = deltas.weight[row] as number;
      into.bad = 0;
      return;
    case 'durations':
      into.valid = deltas.weight[row] as number;
      into.bad = durationSumUs(deltas, row, layout);
      return;
    case 'slow':
      into.valid = deltas.timedWeight[row] as number;
      into.bad = deltas.slowWeight[first + source.counter] as number;
      return;
    case 'events':
      into.valid = deltas.slowWeight[first + source.counter] as number;
      into.bad = deltas.slowWeight[first + source.counter + 1] as number;
      return;
    default:
      source satisfies never;
  }
}

/**
 * Durations of the row's requests together, in µs: buckets count with their middle, as HdrHistogram's mean has it, and so are right to half a bucket
 * (0.5 % with 2 digits). Sampled spans stand for as many as they weigh on average; requests without a duration add nothing.
 */
function durationSumUs(deltas: SlotDeltas, row: number, layout: HistogramLayout): number {
  const timed = deltas.timed[row] as number;
  if (timed === 0) return 0;
  let sumUs = 0;
  for (let i = deltas.cellStart[row] as number; i < (deltas.cellStart[row + 1] as number); i++) {
    const bucket = ((deltas.cells[i] as number) >>> 1) % layout.size;
    sumUs += ((layout.lowestUs(bucket) + layout.highestEquivalentUs(bucket)) / 2) * (deltas.cellCounts[i] as number);
  }
  return (sumUs * (deltas.timedWeight[row] as number)) / timed;
}
