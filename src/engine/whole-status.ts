/** Puts the views of all services and runs together. */
import type { StoredSlot } from '../model/checkpoint.ts';
import type { Policies } from '../model/policy.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { StatusView } from '../model/views.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import { longWindow } from './long-window.ts';
import type { ObjectiveFeed } from './objective-feed.ts';
import type { Rollouts } from './rollouts.ts';
import type { SeriesBook } from './series-book.ts';
import { serviceView } from './status-view.ts';

interface Sources {
  readonly window: SlidingWindow;
  readonly objectives: ObjectiveFeed;
  readonly rollouts: Rollouts;
  readonly policies: Policies;
  readonly series: SeriesBook;
  /** Slots of `longWindow`'s pieces; without them a long window shows what is in memory. */
  readonly stored: readonly StoredSlot[];
}

/** All services by name, or `only` one. */
export function statusView(
  { windowMs, now, only }: { readonly windowMs: DurationMs; readonly now: EpochMs; readonly only: string | undefined },
  { window, objectives, rollouts, policies, series, stored }: Sources,
): StatusView {
  const older = window.olderBlocks(stored);
  const { memoryFromMs } = longWindow(windowMs, window.newestSlot);
  const services = [...series.services()].filter(([service]) => only === undefined || service === only);
  return {
    now,
    policyRevision: policies.revision,
    windowMs,
    services: services
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([service, all]) =>
        serviceView({
          service,
          series: all,
          quota: policies.services.get(service)?.maxSeries ?? policies.fallback.maxSeries,
          window,
          objectives,
          windowMs,
          now,
          firstAt: series.firstAtOf(service),
          older,
          memoryFromMs,
        }),
      ),
    runs: [...rollouts.all()].filter((run) => only === undefined || run.rollout.service === only).map((run) => run.view()),
    inputs: null,
    watchdog: null,
  };
}
