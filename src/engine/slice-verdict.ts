/** How much of a timeslice was bad. */
import { allowedBad } from '../model/error-budget.ts';
import type { Objective } from '../model/objective.ts';
import type { SliceCounts } from './objective-slices.ts';

const US_PER_SECOND = 1_000_000;

/**
 * 0 of a good slice, 1 of a bad one; where the mean over slices is asked the share of its requests that were bad. Null when the slice says nothing: it has
 * no valid requests, and the objective is not about how many there are. Compared as counts, so that limits are met exactly: 1 bad of 10 keeps a ratio of
 * 0.9, and 600 requests in a minute are 10 a second.
 */
export function badShare({ sli, budgeting }: Objective, sliceSec: number, { valid, bad }: SliceCounts): number | null {
  if (sli.kind === 'throughput') {
    const limit = exact(sli.perSecond * sliceSec);
    return (sli.bound === 'least' ? exact(valid) >= limit : exact(valid) <= limit) ? 0 : 1;
  }
  if (valid === 0) return null;
  // Little's law: requests at once = rate × mean duration = the sum of durations / the length of time.
  if (sli.kind === 'inFlight') return exact(bad) <= exact(sli.limit * sliceSec * US_PER_SECOND) ? 0 : 1;
  const ratio = budgeting.kind === 'timeslices' ? (budgeting.ratio ?? 1) : 1;
  if (ratio === 'mean') return bad / valid;
  return exact(bad) <= allowedBad(ratio, valid) ? 0 : 1;
}

/** Without the dirt that sums and products of fractions leave in the last digits. */
function exact(value: number): number {
  return Number(value.toPrecision(15));
}
