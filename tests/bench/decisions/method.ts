/** What every way of judging a rollout has in common here: it sees both releases second by second and says when it would roll back. */
import type { ArmSlot } from '../../../src/evaluate/canary/arm-slot.ts';

/** Requests of each release in one second, or in the seconds before the canary those of the baseline. Reused: copy what is kept. */
export interface Seconds {
  readonly baseline: ArmSlot;
  readonly canary: ArmSlot;
}

/** Seconds since the start of the canary, by event time; null when it never happened. */
export interface Said {
  readonly rollback: number | null;
  readonly promote: number | null;
  /** When it first asked to wait because it could not trust what it saw; the end of its time is no such moment. */
  readonly hold: number | null;
}

export interface Comparator {
  /** True when another second cannot change what it says. */
  readonly isDone: boolean;
  readonly said: Said;
  /** `second` is negative before the canary's start. */
  tick(second: number, seconds: Seconds): void;
}
