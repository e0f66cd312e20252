/** Trouble that comes and goes by itself, such as a group of members that finds together anew, is told only once it lasts. */
import type { DurationMs } from '../../model/time.ts';
import type { Clock } from '../clock.ts';

export class Lasting {
  readonly #limitMs: DurationMs;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #sinceMs: DurationMs | null = null;

  constructor(limitMs: DurationMs, clock: Pick<Clock, 'monotonicMs'>) {
    this.#limitMs = limitMs;
    this.#clock = clock;
  }

  /** To be told at each look whether it is there now. How long it has been seen, or null while that is not too long. */
  tooLongMs(isThere: boolean): DurationMs | null {
    if (!isThere) {
      this.#sinceMs = null;
      return null;
    }
    this.#sinceMs ??= this.#clock.monotonicMs();
    const lastedMs = this.#clock.monotonicMs() - this.#sinceMs;
    return lastedMs > this.#limitMs ? lastedMs : null;
  }
}
