/** Evidence over time at bounded size: points a fixed step apart, which doubles when they become too many. */
import type { TrailPoint } from '../../model/judgement.ts';
import { type SlotIndex, slotStartMs } from '../../model/time.ts';

/** Wealth is kept to a hundredth of a nat. */
const PER_NAT = 100;

export interface TrailsState {
  readonly step: number;
  readonly ends: readonly SlotIndex[];
  readonly series: readonly (readonly [name: string, series: readonly (readonly number[])[]])[];
}

/**
 * Trails of many checks that share their times, so that each point is one small number. Steps are counted in event time from a fixed origin: which points
 * are kept depends on the slots alone, and what is left of a long run is what a coarser step would have kept from the start.
 */
export class Trails {
  /** Points at most, with the one of now. */
  readonly #capacity: number;
  /** In slots. */
  #step = 1;
  /** The slots that began when each point was taken, ascending. */
  #ends: SlotIndex[] = [];
  /** By name, then by index; those that came later are shorter and end with the others. */
  #series = new Map<string, number[][]>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** True when a point is to be taken at the end of `slot`; `add` it for all names then. */
  begin(slot: SlotIndex): boolean {
    const end = slot + 1;
    if (end % this.#step !== 0) return false;
    this.#ends.push(end);
    return true;
  }

  /** Takes a point of each of the wealths that go by this name. */
  add(name: string, wealths: readonly { readonly logE: number }[]): void {
    let series = this.#series.get(name);
    if (series === undefined) {
      series = wealths.map(() => []);
      this.#series.set(name, series);
    }
    for (let index = 0; index < wealths.length; index++) series[index]?.push(rounded((wealths[index] as { logE: number }).logE * PER_NAT));
  }

  /** Ends what `begin` began. */
  finish(): void {
    // One place is left for the present.
    while (this.#ends.length >= this.#capacity) this.#coarsen();
  }

  /** The points of one wealth, oldest first, and what it is now, at the end of the slot before `next`. */
  points(name: string, index: number, next: SlotIndex, logE: number): readonly TrailPoint[] {
    const values = this.#series.get(name)?.[index] ?? [];
    const from = this.#ends.length - values.length;
    const points = values.map((value, at) => ({ at: slotStartMs(this.#ends[from + at] as number), logE: value / PER_NAT }));
    const now = slotStartMs(next);
    if (points.at(-1)?.at !== now) points.push({ at: now, logE: rounded(logE * PER_NAT) / PER_NAT });
    return points;
  }

  snapshot(): TrailsState {
    return {
      step: this.#step,
      ends: [...this.#ends],
      series: [...this.#series].map(([name, series]) => [name, series.map((values) => [...values])]),
    };
  }

  static restore(capacity: number, state: TrailsState): Trails {
    const restored = new Trails(capacity);
    restored.#step = state.step;
    restored.#ends = [...state.ends];
    restored.#series = new Map(state.series.map(([name, series]) => [name, series.map((values) => [...values])]));
    return restored;
  }

  #coarsen(): void {
    this.#step *= 2;
    const ends = this.#ends;
    for (const series of this.#series.values()) {
      series.forEach((values, index) => {
        const from = ends.length - values.length;
        series[index] = values.filter((_, at) => (ends[from + at] as number) % this.#step === 0);
      });
    }
    this.#ends = ends.filter((end) => end % this.#step === 0);
  }
}

/** To the nearest whole number, without a negative zero, which would not survive JSON. */
function rounded(value: number): number {
  return Math.round(value) + 0;
}
