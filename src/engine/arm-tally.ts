/** Counts what came of one release since its series take part in a run: how much, how much too late, how much without latency. */
import type { ArmTelemetry, Timing } from '../decide/trust.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';

/**
 * Lateness is that of at least the last minute and the last so many spans: judging waits longer once stragglers were seen, and what came before
 * that must not keep a run from its verdict for the rest of its time.
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

export class ArmTally {
  readonly #from = new Map<number, Totals>();
  /** All that came too late. */
  late = 0;
  #recentFrom: Punctual = { received: 0, late: 0 };
  #mark: Punctual = { received: 0, late: 0 };
  #markedAt: EpochMs = Number.NEGATIVE_INFINITY;

  bind(series: number, window: SlidingWindow): void {
    this.#from.set(series, {
      received: window.received(series),
      late: window.behindWatermark(series),
      weight: window.receivedWeight(series),
      untimed: window.withoutLatency(series),
    });
  }

  /** Of all series, at `at` of event time; it never goes back. */
  tally(window: SlidingWindow, at: EpochMs): ArmTelemetry {
    let received = 0;
    let late = 0;
    let weight = 0;
    for (const [series, from] of this.#from) {
      received += window.received(series) - from.received;
      late += window.behindWatermark(series) - from.late;
      weight += window.receivedWeight(series) - from.weight;
    }
    this.late = late;
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
