/** The process's clock, and a watch for jumps of the wall clock and for time in which the process stood still. */
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

/** The two clocks may drift apart by this much between two looks before it counts as a jump, and looks may be so far apart. */
const LIMIT_MS = 5_000;

/** What happened between two looks; 0 for nothing out of the ordinary. */
export interface ClockEvents {
  /** By how much the wall clock jumped. */
  readonly jumpMs: DurationMs;
  /** For how long nobody looked: the process was stopped, or starved. */
  readonly pauseMs: DurationMs;
}

/** To be asked several times a second. */
export class ClockWatch {
  readonly #clock: Clock;
  #offsetMs: DurationMs;
  #lookedAt: DurationMs;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lookedAt = clock.monotonicMs();
    this.#offsetMs = clock.now() - this.#lookedAt;
  }

  look(): ClockEvents {
    const at = this.#clock.monotonicMs();
    const offset = this.#clock.now() - at;
    const jumpMs = offset - this.#offsetMs;
    const pauseMs = at - this.#lookedAt;
    this.#offsetMs = offset;
    this.#lookedAt = at;
    return { jumpMs: Math.abs(jumpMs) > LIMIT_MS ? jumpMs : 0, pauseMs: pauseMs > LIMIT_MS ? pauseMs : 0 };
  }
}
