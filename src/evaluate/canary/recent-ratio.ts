/** Bad of total over the last minute of watched time, forgotten in steps of five seconds. */
import type { ArmCounts } from '../../model/judgement.ts';
import type { DurationMs } from '../../model/time.ts';

const STEP_MS = 5000;
const STEPS = 12;

export interface RecentRatioState {
  readonly step: number;
  readonly bad: readonly number[];
  readonly total: readonly number[];
}

export class RecentRatio {
  #step = 0;
  readonly #bad = new Float64Array(STEPS);
  readonly #total = new Float64Array(STEPS);
  #allBad = 0;
  #allTotal = 0;

  /** What was counted in the last 55 to 60 s before the newest addition. */
  get counts(): ArmCounts {
    return { bad: this.#allBad, total: this.#allTotal };
  }

  /** True when more than `limit` of the requests were bad; nothing is not. */
  exceeds(limit: number): boolean {
    return this.#allBad > limit * this.#allTotal;
  }

  /** Counts a slot that ended at `atMs`; slots come in order. */
  add(atMs: DurationMs, bad: number, total: number): void {
    const step = Math.floor(atMs / STEP_MS);
    for (let passed = Math.max(this.#step + 1, step - STEPS + 1); passed <= step; passed++) this.#forget(passed % STEPS);
    this.#step = step;
    const at = step % STEPS;
    this.#bad[at] = (this.#bad[at] as number) + bad;
    this.#total[at] = (this.#total[at] as number) + total;
    this.#allBad += bad;
    this.#allTotal += total;
  }

  snapshot(): RecentRatioState {
    return { step: this.#step, bad: Array.from(this.#bad), total: Array.from(this.#total) };
  }

  static restore(state: RecentRatioState): RecentRatio {
    const restored = new RecentRatio();
    restored.#step = state.step;
    restored.#bad.set(state.bad);
    restored.#total.set(state.total);
    restored.#allBad = restored.#bad.reduce((sum, each) => sum + each, 0);
    restored.#allTotal = restored.#total.reduce((sum, each) => sum + each, 0);
    return restored;
  }

  #forget(at: number): void {
    this.#allBad -= this.#bad[at] as number;
    this.#allTotal -= this.#total[at] as number;
    this.#bad[at] = 0;
    this.#total[at] = 0;
  }
}
