/** Counts what came of one release since its series take part in a run: how much, how much too late, how much without latency. */
import type { ArmTelemetry, Timing } from '../decide/trust.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';

interface Totals {
  readonly received: number;
  readonly late: number;
  readonly weight: number;
  readonly untimed: number;
}

export class ArmTally {
  readonly #from = new Map<number, Totals>();
  late = 0;

  bind(series: number, window: SlidingWindow): void {
    this.#from.set(series, {
      received: window.received(series),
      late: window.behindWatermark(series),
      weight: window.receivedWeight(series),
      untimed: window.withoutLatency(series),
    });
  }

  /** Of all series. */
  tally(window: SlidingWindow): ArmTelemetry {
    let received = 0;
    let late = 0;
    let weight = 0;
    for (const [series, from] of this.#from) {
      received += window.received(series) - from.received;
      late += window.behindWatermark(series) - from.late;
      weight += window.receivedWeight(series) - from.weight;
    }
    this.late = late;
    return { received, late, weight };
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
