/** The spans of one simulated rollout, second by second, already counted as stage A would count them. */
import { LANES } from '../../../src/model/lane.ts';
import type { SeriesInfo } from '../../../src/model/series.ts';
import { LATENESS_BINS, type ReleaseArrivals, type SlotDeltas, TRACE_BYTES } from '../../../src/model/slot-deltas.ts';
import { SLOT_MS, slotOf } from '../../../src/model/time.ts';
import { Arm } from './arm.ts';
import { Latencies } from './latencies.ts';
import { Pod } from './pod.ts';
import { Random } from './random.ts';
import { BASE_ERROR_RATIO, Surroundings } from './surroundings.ts';
import { canaryShare, type Degradation, type Traffic, WORLDS, type World } from './worlds.ts';

export const SERVICE = 'shop';
export const ENDPOINT = 'GET /';
export const START_MS = 1_800_000_000_000;
/** Requests per second of the service for each of the canary's. */
const SERVICE_FACTOR = 20;
const COLD_FACTOR = 1.5;
const COLD_TAU_SEC = 30;

const RELEASES = ['1', '2'] as const;
export const SERIES: readonly SeriesInfo[] = RELEASES.map((version, id) => ({
  id,
  service: SERVICE,
  release: { name: version, attributes: new Map([['service.version', version]]) },
  endpoint: ENDPOINT,
  kind: 'http',
  thresholdsNs: [],
  rules: [],
}));

const HEALTHY: Degradation = {};
const usual = new Latencies();
const tails = new Map<number, Latencies>();

function latenciesOf(tailFactor: number | undefined): Latencies {
  if (tailFactor === undefined) return usual;
  const known = tails.get(tailFactor) ?? new Latencies(tailFactor);
  tails.set(tailFactor, known);
  return known;
}

interface Team {
  readonly arm: Arm;
  readonly pods: readonly Pod[];
}

/** Both releases in one second. Everything in it is overwritten by the next. */
export class Stream {
  readonly baseline: Arm;
  readonly canary: Arm;
  /** What the engine merges. */
  readonly deltas: SlotDeltas & { size: number };
  /** Seconds since the canary's start; negative before. */
  second: number;
  readonly #traffic: Traffic;
  readonly #world: World;
  readonly #random: Random;
  readonly #surroundings: Surroundings;
  readonly #teams: readonly Team[];
  readonly #sequence = { source: 'simulation', epoch: '1', sequence: 0 };
  readonly #announced: SeriesInfo[] = [...SERIES];
  readonly #releases: readonly ReleaseArrivals[] = RELEASES.map((release) => ({ release, lateness: new Uint32Array(LATENESS_BINS) }));
  readonly #heard: ReleaseArrivals[] = [];
  readonly #arrivals = { service: SERVICE, maxEndMs: 0, releases: this.#heard };

  /** `before` seconds of the baseline alone come first. */
  constructor(traffic: Traffic, before: number, seed: readonly number[]) {
    const { fleet } = traffic;
    this.#traffic = traffic;
    this.#world = WORLDS[traffic.world];
    // Their own streams: what the pods draw does not change with the requests that are drawn.
    this.#random = new Random(...seed, 0);
    this.#surroundings = new Surroundings(new Random(...seed, 1), this.#world.isShared);
    this.baseline = new Arm(fleet.isNamed);
    this.canary = new Arm(fleet.isNamed);
    const team = (arm: Arm, pods: number, stream: number) => ({
      arm,
      pods: Array.from({ length: pods }, (_, pod) => new Pod(new Random(...seed, stream, pod), this.#world)),
    });
    this.#teams = [team(this.baseline, fleet.baselinePods, 2), team(this.canary, fleet.canaryPods, 3)];
    this.second = -before - 1;
    const cells = this.baseline.cells.length * 2;
    this.deltas = {
      origin: this.#sequence,
      announced: this.#announced,
      arrivals: [this.#arrivals],
      size: 2,
      series: Int32Array.of(0, 1),
      slot: new Int32Array(2),
      count: new Uint32Array(2),
      failed: new Uint32Array(2),
      timed: new Uint32Array(2),
      weight: new Float64Array(2),
      failedWeight: new Float64Array(2),
      timedWeight: new Float64Array(2),
      slowestNs: new Float64Array(2),
      slowestTrace: new Uint8Array(2 * TRACE_BYTES),
      failedNs: new Float64Array(2),
      failedTrace: new Uint8Array(2 * TRACE_BYTES),
      slowStart: new Uint32Array(3),
      slow: new Uint32Array(0),
      slowWeight: new Float64Array(0),
      cellStart: new Uint32Array(3),
      cells: new Uint16Array(cells),
      cellCounts: new Uint32Array(cells),
    };
  }

  /** Goes on to the next second. */
  next(): void {
    this.second++;
    this.#surroundings.step(this.second);
    for (const { pods } of this.#teams) for (const pod of pods) pod.step(this.second);
    const share = canaryShare(this.#world, this.second);
    this.#serve(this.#teams[0] as Team, 1 - share, HEALTHY, 0);
    const { degradation, onset } = this.#traffic;
    const cold = this.#world.isCold ? Math.log(1 + COLD_FACTOR * Math.exp(-this.second / COLD_TAU_SEC)) : 0;
    this.#serve(this.#teams[1] as Team, share, this.second >= onset ? (degradation ?? HEALTHY) : HEALTHY, share > 0 ? cold : 0);
    this.#fillDeltas();
  }

  #serve({ arm, pods }: Team, share: number, sick: Degradation, cold: number): void {
    const random = this.#random;
    const around = this.#surroundings;
    const latencies = latenciesOf(sick.tailFactor);
    const rate = (SERVICE_FACTOR * this.#traffic.rate * around.load * share) / pods.length;
    const sickShift = sick.slowdown === undefined ? cold : cold + Math.log(sick.slowdown);
    arm.clear();
    for (let index = 0; rate > 0 && index < pods.length; index++) {
      const pod = pods[index] as Pod;
      const lane = this.#traffic.fleet.isNamed ? 1 + (index % LANES) : 0;
      const shift = around.logShift + pod.logShift + sickShift;
      const usualErrors = sick.errorRatio === undefined ? around.errorRatio : around.errorRatio + sick.errorRatio - BASE_ERROR_RATIO;
      const errorRatio = Math.min(1, usualErrors + pod.errorRatio);
      arm.add(random, latencies, lane, random.poisson(rate * errorRatio), shift, true);
      const served = random.poisson(rate * (1 - errorRatio));
      const held = pod.pauseUs === 0 ? 0 : heldUp(random, served, pod.pauseUs / 1e6);
      for (let i = 0; i < held; i++) arm.addOne(lane, latencies.draw(random, shift) + pod.pauseUs * random.uniform());
      arm.add(random, latencies, lane, served - held, shift, false);
    }
    arm.drain();
  }

  #fillDeltas(): void {
    const { deltas } = this;
    const slot = slotOf(START_MS) + this.second;
    this.#sequence.sequence++;
    if (this.#sequence.sequence === 2) this.#announced.length = 0;
    this.#arrivals.maxEndMs = (slot + 1) * SLOT_MS - 1;
    this.#heard.length = 0;
    let row = 0;
    let cell = 0;
    for (const [series, { arm }] of this.#teams.entries()) {
      if (arm.requests === 0) continue;
      const release = this.#releases[series] as ReleaseArrivals;
      release.lateness[0] = arm.requests;
      this.#heard.push(release);
      deltas.series[row] = series;
      deltas.slot[row] = slot;
      deltas.count[row] = deltas.timed[row] = deltas.weight[row] = deltas.timedWeight[row] = arm.requests;
      deltas.failed[row] = deltas.failedWeight[row] = arm.failed;
      deltas.cellStart[row] = cell;
      deltas.cells.set(arm.cells.subarray(0, arm.cellSize), cell);
      deltas.cellCounts.set(arm.cellCounts.subarray(0, arm.cellSize), cell);
      cell += arm.cellSize;
      row++;
    }
    deltas.size = row;
    deltas.cellStart[row] = cell;
  }
}

/** How many of the requests that a second serves fall into a pause of `seconds` and wait for its end. */
function heldUp(random: Random, served: number, seconds: number): number {
  let held = 0;
  for (let i = 0; i < served; i++) if (random.uniform() < seconds) held++;
  return held;
}
