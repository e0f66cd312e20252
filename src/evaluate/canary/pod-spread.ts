/** How much the baseline's pods differ from each other all the time: what lies within that says nothing about a release. */
import { LANES, type LaneColumns } from '../../model/lane.ts';
import { laneCountFrom } from './arm-slot.ts';
import type { Edges } from './edges.ts';

/** Lanes that say enough, and slow requests that a lane should have had before it does. */
const MIN_PODS = 3;
const MIN_EXPECTED = 50;
/** 99 % quantiles of chi-square with 2 to 8 degrees of freedom (any table): it is looked at all the time, so 95 % would be exceeded by chance too often. */
const CHI_SQUARE_99: readonly number[] = [9.21, 11.345, 13.277, 15.086, 16.812, 18.475, 20.09];

export interface PodSpreadEstimate {
  /** Lanes that were compared: pods while there are at most nine, as beyond that lanes hold several. */
  readonly pods: number;
  /** Standard deviation of the pods' quantiles relative to the quantile; of lanes, hence too small, when they hold several pods. */
  readonly relativeSd: number;
  /** What it surely is at least (one-sided, 99 %). */
  readonly leastSd: number;
}

export interface PodSpreadState {
  readonly requests: readonly number[];
  readonly surplus: readonly number[];
  readonly slow: number;
  readonly beyond: number;
  readonly distance: number;
}

/**
 * Each lane's slow requests are compared with what its share of all slow requests of the same second would be, so load and drift cancel. What lanes
 * differ by beyond chance, as a probability, becomes a relative difference of latencies by the slope of the distribution between the baseline's edge and
 * the tolerated one.
 */
export class PodSpread {
  /** By lane from 1: requests, and slow ones above the lane's share. */
  readonly #requests = new Float64Array(LANES + 1);
  readonly #surplus = new Float64Array(LANES + 1);
  readonly #slowNow = new Float64Array(LANES + 1);
  /** Of all lanes: slow requests, those beyond what is tolerated, and requests times the relative distance of the two edges. */
  #slow = 0;
  #beyond = 0;
  #distance = 0;

  /** Adds a slot of the baseline. */
  add(lanes: LaneColumns, edges: Edges): void {
    let requests = 0;
    let slow = 0;
    for (let lane = 1; lane <= LANES; lane++) {
      const served = (lanes.requests[lane] as number) - (lanes.failed[lane] as number);
      if (served === 0) continue;
      const slowHere = laneCountFrom(lanes, lane, edges.baseline);
      this.#slowNow[lane] = slowHere;
      this.#beyond += laneCountFrom(lanes, lane, edges.tolerated);
      requests += served;
      slow += slowHere;
    }
    if (requests === 0) return;
    for (let lane = 1; lane <= LANES; lane++) {
      const served = (lanes.requests[lane] as number) - (lanes.failed[lane] as number);
      if (served === 0) continue;
      this.#requests[lane] = (this.#requests[lane] as number) + served;
      this.#surplus[lane] = (this.#surplus[lane] as number) + (this.#slowNow[lane] as number) - (served * slow) / requests;
    }
    this.#slow += slow;
    this.#distance += requests * edges.toleratedRatio;
  }

  /**
   * Method of moments for a random effect among the lanes (DerSimonian and Laird 1986), with binomial noise times the overdispersion `phi`; the least value
   * as if all lanes had equally many requests. Null with fewer than three lanes of enough requests, or where no request lies between the edges.
   */
  estimate(phi: number): PodSpreadEstimate | null {
    const all = this.#requests.reduce((sum, each) => sum + each, 0);
    const chance = this.#slow / all;
    const slope = (this.#slow - this.#beyond) / this.#distance;
    if (!(slope > 0) || !(chance < 1)) return null;
    const noise = phi * chance * (1 - chance);
    let pods = 0;
    let weight = 0;
    let squares = 0;
    let surprise = 0;
    for (let lane = 1; lane <= LANES; lane++) {
      const requests = this.#requests[lane] as number;
      if (requests * chance < MIN_EXPECTED || requests * (1 - chance) < MIN_EXPECTED) continue;
      pods++;
      weight += requests / noise;
      squares += (requests / noise) ** 2;
      surprise += (this.#surplus[lane] as number) ** 2 / (requests * noise);
    }
    if (pods < MIN_PODS) return null;
    const scale = weight - squares / weight;
    const degrees = pods - 1;
    const variance = Math.max(0, surprise - degrees) / scale;
    const least = (Math.max(0, surprise / (CHI_SQUARE_99[degrees - 2] as number) - 1) * degrees) / scale;
    return { pods, relativeSd: Math.sqrt(variance) / slope, leastSd: Math.sqrt(least) / slope };
  }

  snapshot(): PodSpreadState {
    return {
      requests: Array.from(this.#requests),
      surplus: Array.from(this.#surplus),
      slow: this.#slow,
      beyond: this.#beyond,
      distance: this.#distance,
    };
  }

  static restore(state: PodSpreadState): PodSpread {
    const restored = new PodSpread();
    restored.#requests.set(state.requests);
    restored.#surplus.set(state.surplus);
    restored.#slow = state.slow;
    restored.#beyond = state.beyond;
    restored.#distance = state.distance;
    return restored;
  }
}
