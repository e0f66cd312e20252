/** Whether a timeslice was good. */
import { allowedBad } from '../model/error-budget.ts';
import type { Objective } from '../model/objective.ts';
import type { SliceCounts } from './objective-slices.ts';

const US_PER_SECOND = 1_000_000;

/**
 * Null when the slice says nothing: it has no valid requests, and the objective is not about how many there are. Compared as counts, so that limits are met
 * exactly: 1 bad of 10 keeps a ratio of 0.9, and 600 requests in a minute are 10 a second.
 */
export function isGoodSlice({ sli, budgeting }: Objective, sliceSec: number, { valid, bad }: SliceCounts): boolean | null {
  if (sli.kind === 'throughput') {
    const limit = exact(sli.perSecond * sliceSec);
    return sli.bound === 'least' ? exact(valid) >= limit : exact(valid) <= limit;
  }
  if (valid === 0) return null;
  // Little's law: requests at once = rate × mean duration = the sum of durations / the length of time.
  if (sli.kind === 'inFlight') return exact(bad) <= exact(sli.limit * sliceSec * US_PER_SECOND);
  const ratio = budgeting.kind === 'timeslices' ? (budgeting.ratio ?? 1) : 1;
  return exact(bad) <= allowedBad(ratio, valid);
}

/** Without the dirt that sums and products of fractions leave in the last digits. */
function exact(value: number): number {
  return Number(value.toPrecision(15));
}
