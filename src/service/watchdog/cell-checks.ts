/** Whether judging at work moves on, is saved, and its deliveries end: of each cell that a process has. */
import type { DurationMs } from '../../model/time.ts';
import type { Clock } from '../clock.ts';
import { type Finding, seconds, type WatchdogCheck } from './finding.ts';

export interface WatchedCell {
  /** Its partition; null: there is but one. */
  readonly partition: number | null;
  readonly judging: { readonly pulse: JudgingPulse; readonly isDurable: boolean };
  readonly delivery: { readonly oldestStepMs: DurationMs };
  /** Resolves once all that was written until now is durable; null: it is. */
  durable(): Promise<unknown> | null;
}

/** By the monotonic clock: when time was moved on last, and when a checkpoint was written last. */
export interface JudgingPulse {
  readonly movedMs: DurationMs;
  readonly checkpointMs: DurationMs;
}

export interface CellChecksParts {
  cells(): Iterable<WatchedCell>;
  readonly checkpointIntervalMs: DurationMs;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Judging moves on about twice a second. */
const MOVE_LIMIT_MS: DurationMs = 10_000;
/** So many checkpoints may fail to come, and one may take so long besides. */
const CHECKPOINTS = 3;
const CHECKPOINT_LIMIT_MS: DurationMs = 10_000;
/** Longer than any attempt may take: the longest `timeout` of a sink is 5 m, and the look that follows has one of its own. */
const STEP_LIMIT_MS: DurationMs = 660_000;

export function cellChecks({ cells, checkpointIntervalMs, clock }: CellChecksParts): readonly WatchdogCheck[] {
  const isOurs = ({ judging }: WatchedCell): boolean => [...cells()].some((cell) => cell.judging === judging);
  const check = (part: Finding['part'], faultOf: (cell: WatchedCell) => string | null | Promise<string | null>): WatchdogCheck => ({
    part,
    look: async () => {
      // All at once: each may wait for a write of its own.
      const faults = await Promise.all(
        [...cells()].map(async (cell) => {
          const fault = await (async () => faultOf(cell))().catch((error: Error) => `looking failed: ${error.message}`);
          // One that was handed to another member meanwhile is not ours to tell of.
          if (fault === null || !isOurs(cell)) return null;
          return cell.partition === null ? fault : `partition ${cell.partition}: ${fault}`;
        }),
      );
      return [{ part, fault: faults.find((fault) => fault !== null) ?? null }];
    },
  });
  const checkpointLimitMs = CHECKPOINTS * checkpointIntervalMs + CHECKPOINT_LIMIT_MS;
  return [
    check('judging', ({ judging }) => {
      const ageMs = clock.monotonicMs() - judging.pulse.movedMs;
      return ageMs > MOVE_LIMIT_MS ? `it should move on twice a second, and has not for ${seconds(ageMs)}` : null;
    }),
    check('state', async ({ judging, durable }) => {
      const ageMs = clock.monotonicMs() - judging.pulse.checkpointMs;
      if (!judging.isDurable) return `it should be written, and the store refuses; the last checkpoint is ${seconds(ageMs)} old`;
      if (ageMs > checkpointLimitMs)
        return `a checkpoint is due every ${seconds(checkpointIntervalMs)}, and the last one is ${seconds(ageMs)} old`;
      await durable();
      return null;
    }),
    check('delivery', ({ delivery: { oldestStepMs } }) =>
      oldestStepMs > STEP_LIMIT_MS ? `an attempt to deliver should have ended, and has been under way for ${seconds(oldestStepMs)}` : null,
    ),
  ];
}
