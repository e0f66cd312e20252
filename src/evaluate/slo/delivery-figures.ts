/** How a service delivers and fails: rollouts, how many had to go back, and how soon incidents are found and over. */
import type { RunState } from '../../model/rollout.ts';
import type { DeliveryFigures, IncidentView } from '../../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';

const DAY_MS = 86_400_000;

export interface FinishedRun {
  readonly state: RunState;
  readonly endedAt: EpochMs;
}

/**
 * Figures over [now - windowMs, now]: DORA's deployment frequency and change fail rate over runs that ended with a release promoted or rolled back (others
 * say nothing of the change), means over incidents that began in the window. Incidents that were never detected or have not ended are not in the mean.
 */
export function deliveryFigures({
  runs,
  incidents,
  now,
  windowMs,
}: {
  runs: Iterable<FinishedRun>;
  incidents: Iterable<Pick<IncidentView, 'startedAt' | 'detectedAt' | 'endedAt'>>;
  now: EpochMs;
  windowMs: DurationMs;
}): DeliveryFigures {
  const from = now - windowMs;
  let rollouts = 0;
  let rolledBack = 0;
  for (const { state, endedAt } of runs) {
    if (endedAt < from || endedAt > now || (state !== 'promoted' && state !== 'rolled_back')) continue;
    rollouts++;
    if (state === 'rolled_back') rolledBack++;
  }
  const begun = [...incidents].filter(({ startedAt }) => startedAt >= from && startedAt <= now);
  return {
    windowMs,
    rollouts,
    rolledBack,
    changeFailRatio: rollouts === 0 ? null : rolledBack / rollouts,
    rolloutsPerDay: (rollouts * DAY_MS) / windowMs,
    incidents: begun.length,
    meanTimeToDetectMs: mean(begun.flatMap(({ startedAt, detectedAt }) => (detectedAt === null ? [] : [detectedAt - startedAt]))),
    meanTimeToRestoreMs: mean(begun.flatMap(({ startedAt, endedAt }) => (endedAt === null ? [] : [endedAt - startedAt]))),
  };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
