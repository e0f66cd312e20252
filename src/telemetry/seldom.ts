/** Lets a line be written once a minute for each thing it is about: what comes again and again must not fill the log. */
import type { DurationMs } from '../model/time.ts';

const EVERY_MS: DurationMs = 60_000;

/** Keys come from closed sets: they are kept. */
export class Seldom<Key extends string> {
  readonly #toldAtMs = new Map<Key, DurationMs>();

  /** True at most once a minute; then it is to be told. */
  isDue(key: Key): boolean {
    const nowMs = performance.now();
    if (nowMs - (this.#toldAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return false;
    this.#toldAtMs.set(key, nowMs);
    return true;
  }
}
