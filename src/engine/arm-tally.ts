/** Counts what came of one release since its series take part in a run: how much, how much too late, how much without latency. */
import type { ArmTelemetry, Timing } from '../decide/trust.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import { MAX_LAG_MS } from '../window/punctuality.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';

/**
 * Lateness is that of at least the last minute and the last so many spans: what came before that must not keep a run from its verdict for the rest
 * of its time. It begins anew once judging waits longer for stragglers that were seen: so many spans of a small canary would take ten minutes.
 */
const RECENT_MS: DurationMs = 60_000;
const RECENT_SPANS = 500;

interface Punctual {
  readonly received: number;
  readonly late: number;
}

interface Totals extends Punctual {
  readonly weight: number;
  readonly untimed: number;
}

/** Plain data; null stands for an infinity. */
export interface ArmTallyState {
  readonly from: readonly (readonly [series: number, received: number, late: number, weight: number, untimed: number])[];
  readonly late: number;
  readonly recentFrom: Punctual;
  readonly mark: Punctual;
  readonly markedAt: EpochMs | null;
  readonly longestLagMs: DurationMs | null;
  readonly waitsAt: EpochMs | null;
}

const NOTHING: Totals = { received: 0, late: 0, weight: 0, untimed: 0 };

export class ArmTally {
  /** A series that is not in what was saved came after it. */
  #isRestored = false;
  readonly #from = new Map<number, Totals>();
  /** All that came too late. */
  late = 0;
  #recentFrom: Punctual = { received: 0, late: 0 };
  #mark: Punctual = { received: 0, late: 0 };
  #markedAt: EpochMs = Number.NEGATIVE_INFINITY;
  /** Null before the first tally. */
  #longestLagMs: DurationMs | null = null;
  /** Where judging stood when it last began to wait longer; what ended before may still come too late. */
  #waitsAt: EpochMs = Number.POSITIVE_INFINITY;

  bind(series: number, window: SlidingWindow): void {
    if (this.#from.has(series)) return;
    if (this.#isRestored) {
      this.#from.set(series, NOTHING);
      return;
    }
    this.#from.set(series, {
      received: window.received(series),
      late: window.behindWatermark(series),
      weight: window.receivedWeight(series),
      untimed: window.withoutLatency(series),
    });
  }

  save(): ArmTallyState {
    return {
      from: [...this.#from].map(([series, { received, late, weight, untimed }]) => [series, received, late, weight, untimed] as const),
      late: this.late,
      recentFrom: this.#recentFrom,
      mark: this.#mark,
      markedAt: Number.isFinite(this.#markedAt) ? this.#markedAt : null,
      longestLagMs: this.#longestLagMs,
      waitsAt: Number.isFinite(this.#waitsAt) ? this.#waitsAt : null,
    };
  }

  /** Goes on where it was saved; the window does so, too. */
  restore(saved: ArmTallyState): void {
    this.#isRestored = true;
    for (const [series, received, late, weight, untimed] of saved.from) this.#from.set(series, { received, late, weight, untimed });
    this.late = saved.late;
    this.#recentFrom = saved.recentFrom;
    this.#mark = saved.mark;
    this.#markedAt = saved.markedAt ?? Number.NEGATIVE_INFINITY;
    this.#longestLagMs = saved.longestLagMs;
    this.#waitsAt = saved.waitsAt ?? Number.POSITIVE_INFINITY;
  }

  /** Of all series, judged up to `at` of event time, which never goes back, and `lagMs` behind the newest. */
  tally(window: SlidingWindow, at: EpochMs, lagMs: DurationMs): ArmTelemetry {
    let received = 0;
    let late = 0;
    let weight = 0;
    for (const [series, from] of this.#from) {
      received += window.received(series) - from.received;
      late += window.behindWatermark(series) - from.late;
      weight += window.receivedWeight(series) - from.weight;
    }
    this.late = late;
    const longest = this.#longestLagMs ?? lagMs;
    // Only longer than ever: a lag that goes up and down must not wipe lateness out again and again. At its limit it may not cover what comes.
    if (lagMs > longest) this.#waitsAt = lagMs < MAX_LAG_MS ? at : Number.POSITIVE_INFINITY;
    this.#longestLagMs = Math.max(longest, lagMs);
    if (at > this.#waitsAt) {
      this.#waitsAt = Number.POSITIVE_INFINITY;
      this.#recentFrom = this.#mark = { received, late };
      this.#markedAt = at;
    }
    if (at >= this.#markedAt + RECENT_MS && received >= this.#mark.received + RECENT_SPANS) {
      this.#recentFrom = this.#mark;
      this.#mark = { received, late };
      this.#markedAt = at;
    }
    const recent = { received: received - this.#recentFrom.received, late: late - this.#recentFrom.late };
    return { received, weight, recent };
  }

  /** Of some series. */
  timing(series: readonly number[], window: SlidingWindow): Timing {
    let received = 0;
    let untimed = 0;
    for (const id of series) {
      const from = this.#from.get(id);
      if (from === undefined) continue;
      received += window.received(id) - from.received;
      untimed += window.withoutLatency(id) - from.untimed;
    }
    return { received, untimed };
  }
}
