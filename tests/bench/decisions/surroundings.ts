/** What happens to the whole service, second by second: load, drift of latency and outages, in both releases alike. */
import type { Random } from './random.ts';

export const BASE_ERROR_RATIO = 0.001;
const DAY_SEC = 86_400;
const SWING_SEC = 900;
const BURST_EVERY_SEC = 600;
const OUTAGE_EVERY_SEC = 900;
const DRIFT_SD = 0.1;
const DRIFT_TAU_SEC = 300;
/** Latency grows with this power of load. */
const LOAD_EXPONENT = 0.25;

/** First-order autoregression with standard deviation `sd` and memory `tau` in steps. */
export class Drift {
  readonly #keep: number;
  readonly #sd: number;
  readonly #noise: number;
  value: number;

  constructor(random: Random, sd: number, tau: number) {
    this.#keep = Math.exp(-1 / tau);
    this.#sd = sd;
    this.#noise = sd * Math.sqrt(1 - this.#keep ** 2);
    this.value = this.#sd * random.normal();
  }

  step(random: Random): void {
    this.value = this.value * this.#keep + this.#noise * random.normal();
  }
}

export class Surroundings {
  /** Requests, relative to the mean. */
  load = 1;
  /** ln of how much slower everything is. */
  logShift = 0;
  errorRatio = BASE_ERROR_RATIO;
  readonly #isShared: boolean;
  readonly #random: Random;
  readonly #dayPhase: number;
  readonly #swingPhase: number;
  readonly #drift: Drift;
  #burstEnd = Number.NEGATIVE_INFINITY;
  #burstLoad = 1;
  #outageEnd = Number.NEGATIVE_INFINITY;
  #outageErrors = 0;
  #outageShift = 0;

  constructor(random: Random, isShared: boolean) {
    this.#random = random;
    this.#isShared = isShared;
    this.#dayPhase = random.between(0, 2 * Math.PI);
    this.#swingPhase = random.between(0, 2 * Math.PI);
    this.#drift = new Drift(random, DRIFT_SD, DRIFT_TAU_SEC);
  }

  /** Goes on to `second`. */
  step(second: number): void {
    if (!this.#isShared) return;
    const random = this.#random;
    if (random.uniform() < 1 / BURST_EVERY_SEC) {
      this.#burstEnd = second + 15 + random.exponential(30);
      this.#burstLoad = random.between(1.5, 3);
    }
    if (random.uniform() < 1 / OUTAGE_EVERY_SEC) {
      this.#outageEnd = second + 3 + random.exponential(8);
      this.#outageErrors = random.between(0.02, 0.15);
      this.#outageShift = random.between(0.2, 0.8);
    }
    this.#drift.step(random);
    const day = 0.4 * Math.sin((2 * Math.PI * second) / DAY_SEC + this.#dayPhase);
    const swing = 0.15 * Math.sin((2 * Math.PI * second) / SWING_SEC + this.#swingPhase);
    const isOut = second < this.#outageEnd;
    this.load = (1 + day + swing) * (second < this.#burstEnd ? this.#burstLoad : 1);
    this.logShift = LOAD_EXPONENT * Math.log(this.load) + this.#drift.value + (isOut ? this.#outageShift : 0);
    this.errorRatio = BASE_ERROR_RATIO + (isOut ? this.#outageErrors : 0);
  }
}
