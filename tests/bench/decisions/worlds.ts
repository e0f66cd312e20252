/** The worlds that rollouts are simulated in: what happens to the whole service, to one pod, and to nobody but the canary. */

export const WORLD_NAMES = ['iid', 'shared', 'ramp', 'clustered', 'pods', 'warm', 'stall'] as const;
export type WorldName = (typeof WORLD_NAMES)[number];

/** Each world adds to the one before it, except where said. */
export interface World {
  /** Load that swings and bursts, latency that drifts and follows load, outages of a dependency: in both releases alike. */
  readonly isShared: boolean;
  /** The canary's share goes 1 %, 5 %, 25 %, 50 %; else it stays at 5 %. */
  readonly isRamped: boolean;
  /** Pods pause for garbage collection and have bursts of errors, each for itself. */
  readonly isClustered: boolean;
  /** Pods differ in speed, for good and over minutes. */
  readonly hasPodSpeeds: boolean;
  /** The canary starts cold. */
  readonly isCold: boolean;
  /** Pods stall for many seconds. */
  readonly hasStalls: boolean;
}

const IID: World = { isShared: false, isRamped: false, isClustered: false, hasPodSpeeds: false, isCold: false, hasStalls: false };
const SHARED: World = { ...IID, isShared: true };
const CLUSTERED: World = { ...SHARED, isClustered: true };

export const WORLDS: Readonly<Record<WorldName, World>> = {
  iid: IID,
  shared: SHARED,
  ramp: { ...SHARED, isRamped: true },
  clustered: CLUSTERED,
  pods: { ...CLUSTERED, hasPodSpeeds: true },
  warm: { ...CLUSTERED, isCold: true },
  stall: { ...CLUSTERED, hasStalls: true },
};

/** Who serves: the pods of both releases, and whether their spans say which pod they come from. */
export interface Fleet {
  readonly canaryPods: number;
  readonly baselinePods: number;
  readonly isNamed: boolean;
}

/** What is wrong with a canary. */
export interface Degradation {
  /** Share of failing requests instead of the usual one. */
  readonly errorRatio?: number;
  /** All requests take so many times as long. */
  readonly slowdown?: number;
  /** The slow requests behind p99 take so many times as long. */
  readonly tailFactor?: number;
}

/** The traffic of one rollout, but for its seed. */
export interface Traffic {
  readonly world: WorldName;
  /** Requests per second of the canary at a share of 5 %; the service has twenty times as many. */
  readonly rate: number;
  readonly fleet: Fleet;
  readonly degradation: Degradation | null;
  /** Seconds after the start at which the degradation sets in. */
  readonly onset: number;
}

/** One canary pod of 20, as many more as 1,000 requests a second need. */
export function plainFleet(rate: number): Fleet {
  return rate >= 1000 ? { canaryPods: 5, baselinePods: 95, isNamed: false } : { canaryPods: 1, baselinePods: 19, isNamed: false };
}

/** The canary's share of the requests, `second` seconds after the start. */
export function canaryShare(world: World, second: number): number {
  if (second < 0) return 0;
  if (!world.isRamped) return 0.05;
  return second < 600 ? 0.01 : second < 1200 ? 0.05 : second < 2400 ? 0.25 : 0.5;
}
