/** One release's last minute, as a metrics backend would show it: error rate and percentiles. */
import type { ArmSlot } from '../../../../src/evaluate/canary/arm-slot.ts';
import { LAYOUT } from '../latencies.ts';

export class Minute {
  requests = 0;
  failed = 0;
  #timed = 0;
  readonly #counts = new Float64Array(LAYOUT.size);

  add(second: ArmSlot): void {
    this.requests += second.requests;
    this.failed += second.failed;
    for (let i = 0; i < second.size; i++) {
      const bucket = second.buckets[i] as number;
      const count = second.counts[i] as number;
      this.#counts[bucket] = (this.#counts[bucket] as number) + count;
      this.#timed += count;
    }
  }

  clear(): void {
    this.requests = 0;
    this.failed = 0;
    this.#timed = 0;
    this.#counts.fill(0);
  }

  /** In [0, 1]; NaN without requests. */
  get errorRatio(): number {
    return this.failed / this.requests;
  }

  /** In ms, interpolated inside the bucket; NaN without requests. */
  quantileMs(q: number): number {
    let below = 0;
    for (let bucket = 0; bucket < LAYOUT.size; bucket++) {
      const count = this.#counts[bucket] as number;
      if (count > 0 && below + count >= q * this.#timed) {
        const lowest = LAYOUT.lowestUs(bucket);
        return (lowest + ((LAYOUT.lowestUs(bucket + 1) - lowest) * (q * this.#timed - below)) / count) / 1000;
      }
      below += count;
    }
    return Number.NaN;
  }
}
