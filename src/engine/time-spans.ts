/** A few stretches of time in which something was amiss, never more than there is room for. */
import type { EpochMs } from '../model/time.ts';

export type Span = readonly [fromMs: EpochMs, toMs: EpochMs];

const MAX_SPANS = 64;

/** Stretches that touch are one. Beyond `MAX_SPANS` the two with the least time between them become one: too much is amiss, never too little. */
export class TimeSpans {
  #spans: Span[] = [];

  /** Ascending and apart. */
  get all(): readonly Span[] {
    return this.#spans;
  }

  /** Begin of the first; Infinity when there is none. */
  get firstFrom(): EpochMs {
    return this.#spans[0]?.[0] ?? Number.POSITIVE_INFINITY;
  }

  /** [from, to]; nothing happens when they are no ascending numbers. */
  add([fromMs, toMs]: Span): void {
    if (!(fromMs <= toMs)) return;
    const apart = this.#spans.filter(([from, to]) => to < fromMs || from > toMs);
    const touching = this.#spans.filter(([from, to]) => to >= fromMs && from <= toMs);
    const from = Math.min(fromMs, ...touching.map(([begin]) => begin));
    const to = Math.max(toMs, ...touching.map(([, end]) => end));
    this.#spans = [...apart, [from, to] as const].sort((a, b) => a[0] - b[0]);
    if (this.#spans.length > MAX_SPANS) this.#joinNearest();
  }

  /** The one that `at` lies in, its end not included; null: none. */
  around(at: EpochMs): Span | null {
    return this.#spans.find(([from, to]) => from <= at && at < to) ?? null;
  }

  /** Forgets those that end before `at`. */
  dropBefore(at: EpochMs): void {
    if (this.#spans.some(([, to]) => to < at)) this.#spans = this.#spans.filter(([, to]) => to >= at);
  }

  take(): readonly Span[] {
    const spans = this.#spans;
    this.#spans = [];
    return spans;
  }

  #joinNearest(): void {
    const gapAfter = (i: number): number => (this.#spans[i + 1] as Span)[0] - (this.#spans[i] as Span)[1];
    let nearest = 0;
    for (let i = 1; i < this.#spans.length - 1; i++) if (gapAfter(i) < gapAfter(nearest)) nearest = i;
    const joined: Span = [(this.#spans[nearest] as Span)[0], (this.#spans[nearest + 1] as Span)[1]];
    this.#spans.splice(nearest, 2, joined);
  }
}
