/** One metric of which only values per step are known: higher, lower, no proof of either, or too little to tell. */
import type { JudgedMetric, MetricClass, MetricPair, MetricRule, SeriesStats } from '../../model/series-judge.ts';
import { blockMeans, stepsPerObservation } from './independent-steps.ts';
import { rankSumP } from './rank-sum.ts';
import { spikesP } from './spikes.ts';

/** Chance per direction of finding a difference where there is none: the 98 % two-sided of Kayenta's own judge. */
const ALPHA = 0.01;
/** Chance of each of the two tests by which a direction is looked at. */
const ALPHA_EACH = ALPHA / 2;
/** What looks like harm at this level is not called healthy when the values cannot tell. */
const LEANING = 0.2;

type Side = 'High' | 'Low';

/** What both tests say of one direction. */
interface Look {
  readonly side: Side;
  readonly p: number;
  /** The best that these values could have shown, however they are dealt to the two sides. */
  readonly leastP: number;
}

/**
 * High or Low when ranks or spikes prove it in a direction that is bad, and the effect reaches what is allowed. Values that lean to harm but could not have
 * proven it in any arrangement are `Nodata`, as are too few to prove anything. Outliers are never removed: they are the harm.
 */
export function classifyMetric(pair: MetricPair): JudgedMetric {
  const { rule } = pair;
  const [control, experiment] = readable(pair);
  const effects = effectsOf(control, experiment);
  const { classification, reason } = classified(control, experiment, rule, effects[rule.effect.measure]);
  const { name, id, tags } = pair;
  return {
    ...{ name, id, tags, classification, reason },
    groups: rule.groups,
    control: statsOf(control),
    experiment: statsOf(experiment),
    ratio: Number.isFinite(effects.meanRatio) ? effects.meanRatio : null,
    isCriticalFailure: rule.critical && isCriticalFailure(classification, rule, effects[rule.effect.measure]),
    critical: rule.critical,
    muted: rule.muted,
  };
}

interface Classified {
  readonly classification: MetricClass;
  readonly reason: string;
}

function classified(control: readonly number[], experiment: readonly number[], rule: MetricRule, effect: number): Classified {
  if (control.length === 0 || experiment.length === 0) return withoutData(control, experiment, rule);
  const first = control[0] as number;
  if (control.every((value) => value === first) && experiment.every((value) => value === first)) {
    return { classification: 'Pass', reason: 'all values are the same' };
  }
  const size = stepsPerObservation(control);
  const [ofControl, ofExperiment] = [blockMeans(control, size), blockMeans(experiment, size)];
  const steps = `${experiment.length} steps against ${control.length}${size === 1 ? '' : `, of which ${size} in a row count as one,`}`;
  if (leastPOfSize(ofControl.length, ofExperiment.length) > ALPHA_EACH) {
    return { classification: 'Nodata', reason: `${steps} are too few to prove anything` };
  }
  const looks = looksOf(ofControl, ofExperiment, rule);
  for (const look of looks) {
    if (look.p <= ALPHA_EACH) return proven(look, rule, effect);
  }
  const leaning = looks.find(({ p, leastP }) => p <= LEANING && leastP > ALPHA_EACH);
  if (leaning !== undefined) {
    const looksLike = leaning.side === 'High' ? 'higher' : 'lower';
    return { classification: 'Nodata', reason: `${steps} look ${looksLike}, and no order of these values could prove it` };
  }
  const lowest = Math.min(...looks.map(({ p }) => p));
  return { classification: 'Pass', reason: `no proof of a change for the worse (p ${lowest.toPrecision(2)} in its direction)` };
}

function withoutData(control: readonly number[], experiment: readonly number[], rule: MetricRule): Classified {
  const which = control.length > 0 ? 'the experiment has' : experiment.length > 0 ? 'the control has' : 'neither side has';
  if (rule.mustHaveData) return { classification: 'NodataFailMetric', reason: `${which} no values, and the metric must have them` };
  if (rule.nanStrategy === 'replace') return { classification: 'Pass', reason: 'neither side has values: all count as 0' };
  return { classification: 'Nodata', reason: `${which} no values` };
}

function proven({ side, p }: Look, { effect: { measure, allowedIncrease, allowedDecrease } }: MetricRule, effect: number): Classified {
  const proof = `${side === 'High' ? 'higher' : 'lower'} than the control (p ${p.toPrecision(2)})`;
  const isBeyond = side === 'High' ? effect >= allowedIncrease : effect <= allowedDecrease;
  if (Number.isNaN(effect) || isBeyond) return { classification: side, reason: proof };
  return { classification: 'Pass', reason: `${proof}, within the allowed effect: ${measure} ${effect.toPrecision(3)}` };
}

function looksOf(control: readonly number[], experiment: readonly number[], { direction }: MetricRule): Look[] {
  const looks: Look[] = [];
  if (direction !== 'decrease') looks.push(look('High', experiment, control));
  if (direction !== 'increase') looks.push(look('Low', negated(experiment), negated(control)));
  return looks.sort((a, b) => a.p - b.p);
}

/** What the clearest of all differences would give: every step of one side above every step of the other. */
function leastPOfSize(n: number, m: number): number {
  let p = 1;
  for (let i = 0; i < n; i++) p *= (n - i) / (n + m - i);
  return p;
}

function look(side: Side, experiment: readonly number[], control: readonly number[]): Look {
  const all = [...experiment, ...control].sort((a, b) => b - a);
  const [top, rest] = [all.slice(0, experiment.length), all.slice(experiment.length)];
  const p = Math.min(rankSumP(experiment, control), spikesP(experiment, control));
  return { side, p, leastP: Math.min(rankSumP(top, rest), spikesP(top, rest)) };
}

/** Without steps that have no value, or with 0 in their place; a side that has none at all is 0 throughout when missing values are. */
function readable({ control, experiment, rule }: MetricPair): readonly [readonly number[], readonly number[]] {
  if (rule.nanStrategy === 'remove') return [control.filter(Number.isFinite), experiment.filter(Number.isFinite)];
  if (![...control, ...experiment].some(Number.isFinite)) return [[], []];
  const filled = (values: readonly number[], other: readonly number[]): number[] =>
    values.length === 0 ? other.map(() => 0) : values.map((value) => (Number.isFinite(value) ? value : 0));
  if (rule.mustHaveData && !(control.some(Number.isFinite) && experiment.some(Number.isFinite))) {
    return [control.filter(Number.isFinite), experiment.filter(Number.isFinite)];
  }
  return [filled(control, experiment), filled(experiment, control)];
}

/** Infinite where the control's mean is 0 and the experiment's above it; NaN, for which no limit can be asked, where both are 0 or their signs differ. */
function effectsOf(control: readonly number[], experiment: readonly number[]): Readonly<Record<'meanRatio' | 'cles', number>> {
  const [c, e] = [statsOf(control).mean, statsOf(experiment).mean];
  const meanRatio = c === 0 && e > 0 ? Number.POSITIVE_INFINITY : c * e < 0 || c <= 0 ? Number.NaN : e / c;
  return { meanRatio, cles: cles(control, experiment) };
}

/** Chance that a value of `experiment` is above one of `control`, ties counted half; NaN when a side is empty. */
function cles(control: readonly number[], experiment: readonly number[]): number {
  const sorted = [...control].sort((a, b) => a - b);
  let halves = 0;
  for (const value of experiment) halves += countBelow(sorted, value, false) + countBelow(sorted, value, true);
  return halves / (2 * control.length * experiment.length);
}

function countBelow(sorted: readonly number[], value: number, orEqual: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = sorted[middle] as number;
    if (at < value || (orEqual && at === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isCriticalFailure(classification: MetricClass, { effect: limits }: MetricRule, effect: number): boolean {
  switch (classification) {
    case 'High':
      return Number.isNaN(effect) || effect >= limits.criticalIncrease;
    case 'Low':
      return Number.isNaN(effect) || effect <= limits.criticalDecrease;
    case 'NodataFailMetric':
      return true;
    case 'Pass':
    case 'Nodata':
      return false;
    default:
      return classification satisfies never;
  }
}

/** All 0 when empty. */
function statsOf(values: readonly number[]): SeriesStats {
  const count = values.length;
  if (count === 0) return { min: 0, max: 0, mean: 0, std: 0, count };
  let [sum, min, max] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const mean = sum / count;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { min, max, mean, std: count < 2 ? 0 : Math.sqrt(squares / (count - 1)), count };
}

function negated(values: readonly number[]): number[] {
  return values.map((value) => -value);
}
