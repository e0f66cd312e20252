/** An in-memory record of good and bad events, counted anew for every question: what the exact counters must agree with. */
import type { Objective } from '../../src/model/objective.ts';
import type { WindowCounts } from '../../src/model/slo-views.ts';

export class CountedTraffic {
  readonly #events = new Map<string, { at: number; valid: number; bad: number }[]>();

  /** `bad` of `valid` events of an objective at one moment, no earlier than those before. */
  add(objective: string, at: number, valid: number, bad: number): void {
    const events = this.#events.get(objective) ?? [];
    if (at < (events.at(-1)?.at ?? at)) throw new RangeError(`events must come in order, not ${at} after ${events.at(-1)?.at}`);
    events.push({ at, valid, bad });
    this.#events.set(objective, events);
  }

  over({ id }: Pick<Objective, 'id'>, from: number, to: number): WindowCounts {
    let valid = 0;
    let bad = 0;
    const events = this.#events.get(id) ?? [];
    for (let i = events.length - 1; i >= 0; i--) {
      const event = events[i] as (typeof events)[number];
      if (event.at < from) break;
      if (event.at >= to) continue;
      valid += event.valid;
      bad += event.bad;
    }
    return { from, to, valid, bad };
  }

  /** Slices are counted as they are added. */
  closedTo(): number {
    return Number.POSITIVE_INFINITY;
  }

  /** Nothing is known of releases. */
  spenders(): readonly string[] {
    return [];
  }

  total(objective: Pick<Objective, 'id' | 'windowMs'>, at: number): WindowCounts {
    return this.over(objective, at - objective.windowMs, at + 1);
  }
}
