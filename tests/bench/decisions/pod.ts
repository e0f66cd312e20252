/** One pod: its speed, its pauses, its bursts of errors and its stalls, independent of all others. */
import type { Random } from './random.ts';
import { Drift } from './surroundings.ts';
import type { World } from './worlds.ts';

const PAUSE_EVERY_SEC = 30;
const PAUSE_MEDIAN_US = 80_000;
const PAUSE_SIGMA = 0.8;
const BURST_EVERY_SEC = 1200;
const SPEED_SD = 0.03;
const WANDER_SD = 0.02;
const WANDER_TAU_SEC = 120;
const STALL_EVERY_SEC = 3600;
const STALL_MEAN_SEC = 20;
const STALL_FACTOR = 1.6;

export class Pod {
  /** ln of how much slower this pod is now. */
  logShift = 0;
  /** Additional share of failing requests now. */
  errorRatio = 0;
  /** Of a pause in this second; 0 without. */
  pauseUs = 0;
  readonly #world: World;
  readonly #random: Random;
  readonly #speed: number;
  readonly #wander: Drift;
  #burstEnd = Number.NEGATIVE_INFINITY;
  #burstErrors = 0;
  #stallEnd = Number.NEGATIVE_INFINITY;

  constructor(random: Random, world: World) {
    this.#random = random;
    this.#world = world;
    this.#speed = world.hasPodSpeeds ? SPEED_SD * random.normal() : 0;
    this.#wander = new Drift(random, world.hasPodSpeeds ? WANDER_SD : 0, WANDER_TAU_SEC);
  }

  /** Goes on to `second`. */
  step(second: number): void {
    const random = this.#random;
    const { isClustered, hasPodSpeeds, hasStalls } = this.#world;
    if (!isClustered) return;
    this.pauseUs = random.uniform() < 1 / PAUSE_EVERY_SEC ? PAUSE_MEDIAN_US * Math.exp(PAUSE_SIGMA * random.normal()) : 0;
    if (random.uniform() < 1 / BURST_EVERY_SEC) {
      this.#burstEnd = second + random.between(1, 3);
      this.#burstErrors = random.between(0.02, 0.15);
    }
    this.errorRatio = second < this.#burstEnd ? this.#burstErrors : 0;
    if (hasPodSpeeds) this.#wander.step(random);
    if (hasStalls && random.uniform() < 1 / STALL_EVERY_SEC) this.#stallEnd = second + random.exponential(STALL_MEAN_SEC);
    this.logShift = this.#speed + this.#wander.value + (second < this.#stallEnd ? Math.log(STALL_FACTOR) : 0);
  }
}
