/** How much of their windows was heard, asked for many objectives at once: those of a service over the same window share the answer. */
import { SILENCE_MS } from '../evaluate/slo/telemetry-health.ts';
import type { Objective } from '../model/objective.ts';
import type { Coverage } from '../model/slo-views.ts';
import type { EpochMs } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { ObjectiveFeed } from './objective-feed.ts';

/** Coverage at `now`, to be asked and then let go. What may still come is not held against a service. */
export function coverageAt(
  now: EpochMs,
  { feed, window }: { readonly feed: Pick<ObjectiveFeed, 'coverage'>; readonly window: Pick<SlidingWindow, 'newestAt'> },
): (objective: Objective) => Coverage {
  const known = new Map<string, Coverage>();
  return (objective) => {
    const { service, windowMs, calendar } = objective;
    const key = JSON.stringify([service, windowMs, calendar]);
    const coverage =
      known.get(key) ?? feed.coverage(objective, Math.max(window.newestAt(service) ?? Number.NEGATIVE_INFINITY, now - SILENCE_MS));
    known.set(key, coverage);
    return coverage;
  };
}
