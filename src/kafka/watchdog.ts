/** Tells a reader that fell silent from a broker that is away. */
import type { DurationMs } from '../model/time.ts';

/**
 * kafkajs' consumers have been seen to stop without a word (its issue 659). The broker is asked by other means all the time; when it answered
 * for `silentMs` and the reader gave no sign of life in all that time, the reader is at fault. All times are of the monotonic clock.
 */
export class Watchdog {
  readonly #silentMs: DurationMs;
  #signAtMs: number;
  #reachableSinceMs: number | null = null;

  constructor(silentMs: DurationMs, nowMs: number) {
    this.#silentMs = silentMs;
    this.#signAtMs = nowMs;
  }

  sign(nowMs: number): void {
    this.#signAtMs = nowMs;
  }

  /** The broker was asked by other means. */
  asked(isAnswered: boolean, nowMs: number): void {
    if (!isAnswered) this.#reachableSinceMs = null;
    else this.#reachableSinceMs ??= nowMs;
  }

  isSilent(nowMs: number): boolean {
    const since = this.#reachableSinceMs;
    return since !== null && nowMs - since >= this.#silentMs && nowMs - this.#signAtMs >= this.#silentMs;
  }
}
