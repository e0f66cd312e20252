/** The process's clock, and a watch for jumps of the wall clock against the monotonic one. */
import type { DurationMs, EpochMs } from '../model/time.ts';

export interface Clock {
  /** Wall clock. */
  now(): EpochMs;
  /** Never jumps; only differences mean something. */
  monotonicMs(): DurationMs;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** The two clocks may drift apart by this much between two looks before it counts as a jump. */
const JUMP_MS = 5_000;

/** Tells, at each look, by how much the wall clock jumped since the last one; 0 when it did not. */
export class JumpDetector {
  readonly #clock: Clock;
  #offsetMs: DurationMs;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - clock.monotonicMs();
  }

  look(): DurationMs {
    const offset = this.#clock.now() - this.#clock.monotonicMs();
    const jump = offset - this.#offsetMs;
    this.#offsetMs = offset;
    return Math.abs(jump) > JUMP_MS ? jump : 0;
  }
}
