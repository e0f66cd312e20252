/** What is simulated: one cell is one kind of rollout, many times over. */
import type { ProcessLimits } from '../../../src/evaluate/canary/process-rules.ts';
import type { CanaryPolicy } from '../../../src/model/policy.ts';
import { canaryPolicy } from '../../evaluate/policy.ts';
import type { ComparatorName } from './comparators/create.ts';
import type { ProductSetup } from './product.ts';
import { type Degradation, type Fleet, plainFleet, type Traffic, type WorldName } from './worlds.ts';

export interface Cell {
  /** Unique and stable. */
  readonly id: string;
  readonly traffic: Traffic;
  /** How long a rollout is watched. */
  readonly seconds: number;
  readonly product: ProductSetup | null;
  readonly comparators: readonly ComparatorName[];
  readonly runs: number;
  /** The first so many rollouts are judged by the comparators, too. */
  readonly comparedRuns: number;
}

const HOUR_SEC = 3600;
const WARMUP_MS = 120_000;
/** Promotion must not end a rollout that is watched for a whole hour. */
const WATCHED = { minPassMs: HOUR_SEC * 1000 };
/** Nothing is forgiven but chance. */
const ZERO_TOLERANCE: Partial<CanaryPolicy> = (() => {
  const { latency } = canaryPolicy();
  const none = { ratio: 0, addUs: 0 };
  return {
    latency: { p50: { ...latency.p50, ...none }, p95: { ...latency.p95, ...none }, p99: { ...latency.p99, ...none } },
    errors: { ...canaryPolicy().errors, oddsRatio: 1, addRatio: 0 },
  };
})();
const UNLIMITED: ProcessLimits = { blockCap: Infinity, windowCap: Infinity, isTempered: false };
/** Three canary pods of sixty. */
const THREE_PODS: Fleet = { canaryPods: 3, baselinePods: 57, isNamed: false };

export const OTHERS: readonly ComparatorName[] = ['kayenta', 'flagger', 'zTest', 'zTestTolerant', 'cumulativeBets'];

export const DEGRADATIONS: Readonly<Record<string, Degradation>> = {
  'err 30%': { errorRatio: 0.3 },
  'err 5%': { errorRatio: 0.05 },
  'err 1%': { errorRatio: 0.01 },
  'err 0.5%': { errorRatio: 0.005 },
  'p50 +30%': { slowdown: 1.3 },
  'p50 +20%': { slowdown: 1.2 },
  'p99 x2': { tailFactor: 2 },
  'p99 x1.5': { tailFactor: 1.5 },
};

/** Clearly beyond what promotion asks proof of, whatever the policy's margins are. */
export const BEYOND_MARGIN: Readonly<Record<string, Degradation>> = (() => {
  const { latency, errors } = canaryPolicy();
  return {
    errors: { errorRatio: 0.001 + errors.passAddRatio * 1.2 },
    p50: { slowdown: 1 + latency.p50.passRatio + 0.05 },
    p99: { tailFactor: 1 + latency.p99.passRatio + 0.1 },
  };
})();

interface Change {
  readonly fleet?: Fleet;
  readonly degradation?: Degradation;
  readonly onset?: number;
  readonly seconds?: number;
  readonly policy?: Partial<CanaryPolicy>;
  readonly limits?: ProcessLimits;
  readonly comparators?: readonly ComparatorName[];
  readonly comparedRuns?: number;
  readonly isProductOut?: boolean;
}

function cell(id: string, world: WorldName, rate: number, runs: number, change: Change = {}): Cell {
  const { fleet = plainFleet(rate), degradation = null, onset = 0, seconds = HOUR_SEC, policy = WATCHED, limits } = change;
  return {
    id,
    traffic: { world, rate, fleet, degradation, onset },
    seconds,
    product: change.isProductOut === true ? null : { policy, ...(limits === undefined ? {} : { limits }) },
    comparators: change.comparators ?? [],
    runs,
    comparedRuns: change.comparedRuns ?? runs,
  };
}

/** Healthy canaries at the default tolerances, without warm-up, all methods besides. */
export function healthy(world: WorldName, rate: number, runs: number, comparedRuns = runs): Cell {
  return cell(`healthy/${world}/${rate}`, world, rate, runs, { comparators: OTHERS, comparedRuns });
}

export function zeroTolerance(world: WorldName, rate: number, runs: number): Cell {
  return cell(`zero tolerance/${world}/${rate}`, world, rate, runs, { policy: { ...WATCHED, ...ZERO_TOLERANCE } });
}

/** A cold canary, with the default warm-up or with none. */
export function cold(rate: number, runs: number, hasWarmup: boolean): Cell {
  const policy = { ...WATCHED, warmupMs: hasWarmup ? WARMUP_MS : 0 };
  if (!hasWarmup) return cell(`cold, no warm-up/${rate}`, 'warm', rate, runs, { policy });
  return cell(`cold/${rate}`, 'warm', rate, runs, { policy, comparators: OTHERS });
}

/** Caps and dispersion switched off: what they are good for. */
export function uncapped(world: WorldName, rate: number, runs: number): Cell {
  return cell(`uncapped/${world}/${rate}`, world, rate, runs, { limits: UNLIMITED });
}

/** Comparators alone. */
export function compared(world: WorldName, rate: number, runs: number, comparators: readonly ComparatorName[]): Cell {
  return cell(`compared/${world}/${rate}`, world, rate, runs, { comparators, isProductOut: true });
}

/** Sick from the start, in the world with the most noise. */
export function sick(name: string, rate: number, runs: number, comparators = OTHERS): Cell {
  return cell(`sick/${name}/${rate}`, 'pods', rate, runs, { degradation: degradationOf(name), comparators });
}

/** Sick after half an hour of health. */
export function sickLater(name: string, rate: number, runs: number): Cell {
  return cell(`sick later/${name}/${rate}`, 'pods', rate, runs, { degradation: degradationOf(name), onset: 1800 });
}

/** Healthy canaries that may be promoted, with the default policy but for its warm-up. */
export function promotable(world: WorldName, rate: number, runs: number, warmupSec: 0 | 120): Cell {
  return cell(`promotable/${world}/${rate}/warm-up ${warmupSec} s`, world, rate, runs, {
    policy: { warmupMs: warmupSec * 1000 },
    seconds: 1800,
  });
}

/** Canaries that must not be promoted. */
export function beyondMargin(name: string, world: WorldName, rate: number, runs: number): Cell {
  const degradation = BEYOND_MARGIN[name];
  if (degradation === undefined) throw new RangeError(`no such margin: ${name}`);
  return cell(`beyond margin/${name}/${world}/${rate}`, world, rate, runs, { degradation, policy: {} });
}

/** Three canary pods of sixty, which spans tell apart or not. */
export function threePods(world: WorldName, rate: number, runs: number, isNamed: boolean, name?: string): Cell {
  const what = name === undefined ? world : `${world}/${name}`;
  return cell(`3 pods${isNamed ? ', named' : ''}/${what}/${rate}`, world, rate, runs, {
    fleet: { ...THREE_PODS, isNamed },
    ...(name === undefined ? {} : { degradation: degradationOf(name) }),
  });
}

function degradationOf(name: string): Degradation {
  const degradation = DEGRADATIONS[name];
  if (degradation === undefined) throw new RangeError(`no such degradation: ${name}`);
  return degradation;
}
