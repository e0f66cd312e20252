/** How late one service's spans come, and so how long judging waits for stragglers: the decision watermark. */
import { LATENESS_BINS, type ServiceArrivals } from '../model/slot-deltas.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

/** Share of spans that must have come before a slot is judged. */
const QUANTILE = 0.999;
const BIN_MS = 1000;
const MIN_LAG_MS = 1000;
const MAX_LAG_MS = 60_000;
/** Until this many spans were seen, lag is at least EARLY_LAG_MS: five seconds is how often OpenTelemetry SDKs export. */
const EARLY_SPANS = 1000;
const EARLY_LAG_MS = 5000;
/** Lateness is forgotten by half in this much event time, in steps so that the cut of flushes matters little. */
const HALF_LIFE_MS = 600_000;
const DECAY_STEP_MS = 10_000;
/** A service that was silent for this long is moved on by the wall clock, this far behind it. */
export const IDLE_MS: DurationMs = 60_000;

export interface SavedPunctuality {
  readonly newestAt: number;
  readonly mark: number;
  readonly spans: number;
  readonly decayedTo: number;
  readonly lateness: readonly number[];
}

export class Punctuality {
  /** Latest end time seen; -Infinity before the first span. */
  newestAt: EpochMs = Number.NEGATIVE_INFINITY;
  /** Highest watermark given out so far: slots that end at or before it may have been judged. */
  mark: EpochMs = Number.NEGATIVE_INFINITY;
  /** Wall clock when last heard, as far as it was told; NaN until it is. */
  heardAt: EpochMs = Number.NaN;
  #spans = 0;
  #decayedTo = Number.NaN;
  readonly #lateness = new Float64Array(LATENESS_BINS);

  add(arrivals: ServiceArrivals, now: EpochMs): void {
    this.heardAt = now;
    this.newestAt = Math.max(this.newestAt, arrivals.maxEndMs);
    this.#decay();
    for (let bin = 0; bin < LATENESS_BINS; bin++) {
      const count = arrivals.lateness[bin] ?? 0;
      this.#lateness[bin] = (this.#lateness[bin] as number) + count;
      this.#spans += count;
    }
  }

  /** Upper edge of the bin that holds p99.9 of recent lateness, 1 to 60 s; at least 5 s until 1,000 spans were seen. */
  get lagMs(): DurationMs {
    let total = 0;
    for (const count of this.#lateness) total += count;
    let below = 0;
    let bin = 0;
    for (; bin < LATENESS_BINS - 1; bin++) {
      below += this.#lateness[bin] as number;
      if (below >= QUANTILE * total) break;
    }
    const atLeast = this.#spans < EARLY_SPANS ? EARLY_LAG_MS : MIN_LAG_MS;
    return Math.min(MAX_LAG_MS, Math.max(atLeast, (bin + 1) * BIN_MS));
  }

  /**
   * Event time up to which this service may be judged: latest end time - lag, or `now` - 60 s once nothing was heard for 60 s. Never
   * later than `now`, never earlier than it was (should the wall clock step back). -Infinity before the first span.
   */
  watermark(now: EpochMs): EpochMs {
    if (Number.isNaN(this.heardAt)) this.heardAt = now;
    if (this.newestAt === Number.NEGATIVE_INFINITY) return this.mark;
    const heard = this.newestAt - this.lagMs;
    const isSilent = now - this.heardAt >= IDLE_MS;
    const reached = Math.min(now, isSilent ? Math.max(heard, now - IDLE_MS) : heard);
    this.mark = Math.max(this.mark, reached);
    return this.mark;
  }

  saved(): SavedPunctuality {
    const used = this.#lateness.findLastIndex((count) => count > 0) + 1;
    const lateness = [...this.#lateness.subarray(0, used)];
    return { newestAt: this.newestAt, mark: this.mark, spans: this.#spans, decayedTo: this.#decayedTo, lateness };
  }

  restore(saved: SavedPunctuality): void {
    this.newestAt = saved.newestAt;
    this.mark = saved.mark ?? Number.NEGATIVE_INFINITY;
    this.#spans = saved.spans;
    this.#decayedTo = saved.decayedTo;
    this.#lateness.set(saved.lateness);
  }

  #decay(): void {
    const to = Math.floor(this.newestAt / DECAY_STEP_MS) * DECAY_STEP_MS;
    if (Number.isNaN(this.#decayedTo)) this.#decayedTo = to;
    if (to <= this.#decayedTo) return;
    const factor = 2 ** ((this.#decayedTo - to) / HALF_LIFE_MS);
    for (let bin = 0; bin < LATENESS_BINS; bin++) this.#lateness[bin] = (this.#lateness[bin] as number) * factor;
    this.#decayedTo = to;
  }
}
