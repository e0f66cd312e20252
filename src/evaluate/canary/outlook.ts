/** What a run can find at the traffic it gets, and how soon: regressions worth finding, the smallest that is found in time, and what stays in the dark. */
import type { Outlook } from '../../model/outlook.ts';
import type { CanaryPolicy, LatencyTolerance } from '../../model/policy.ts';
import type { DurationMs } from '../../model/time.ts';
import { checkName } from './check-name.ts';
import type { CheckMetric, CheckRule } from './check-rule.ts';
import { evidenceRate, provingMs, type Wealth } from './detection-time.ts';

/** The latencies of an endpoint's baseline, as far as planning asks. */
export interface LatencyTail {
  /** The value, in µs, that at most 1 - `q` of the requests exceed; null while too few are known. */
  quantileUs(q: number): number | null;
  /** Share of requests that took longer, in [0, 1]. */
  shareAbove(us: number): number;
}

/** One endpoint during a run. */
export interface EndpointForecast {
  readonly endpoint: string;
  /** Requests per second of each release while the run lasts. */
  readonly baselineRate: number;
  readonly canaryRate: number;
  /** Share of the baseline's requests that fail. */
  readonly errorRatio: number;
  readonly tail: LatencyTail;
}

type Effect = Outlook['effect'];

/** Regressions just worth finding. */
const EFFECTS: ReadonlyMap<CheckMetric, Effect> = new Map<CheckMetric, Effect>([
  ['p50', { kind: 'latency', ratio: 1.25 }],
  ['p95', { kind: 'latency', ratio: 1.3 }],
  ['p99', { kind: 'latency', ratio: 1.5 }],
  ['errors', { kind: 'errors', addRatio: 0.01 }],
]);

/** Longer than this is never. */
const NEVER_MS = 30 * 24 * 3_600_000;
/** Slower than this many times is the worst that is looked for. */
const WORST_RATIO = 20;
const BISECTIONS = 24;
/** Evidence that the mixture of bets on health costs against the best of them. */
const SAFE_MIXTURE_COST = 1;

/** Time from now in which `effect` would be proven by this check alone, given where its process stands; Infinity when never. */
function findingMs(forecast: EndpointForecast, rule: CheckRule, effect: Effect, wealth: Wealth): DurationMs {
  const bad = badUnder(forecast, rule, effect);
  return bad === null ? Infinity : provingMs(rule.harmRules, evidenceRate(rule.harm, { ...forecast, ...bad }), wealth);
}

/** The smallest effect of the check's kind that is proven within `withinMs`; null when none is. */
function smallestEffect(forecast: EndpointForecast, rule: CheckRule, withinMs: DurationMs, wealth: Wealth): Effect | null {
  const isLatency = rule.latency !== null;
  const effect = (size: number): Effect => (isLatency ? { kind: 'latency', ratio: size } : { kind: 'errors', addRatio: size });
  let low = isLatency ? 1 : 0;
  let high = isLatency ? WORST_RATIO : 1 - forecast.errorRatio;
  if (findingMs(forecast, rule, effect(high), wealth) > withinMs) return null;
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (findingMs(forecast, rule, effect(middle), wealth) <= withinMs) high = middle;
    else low = middle;
  }
  return effect(isLatency ? Math.ceil(high * 1000) / 1000 : Math.ceil(high * 100_000) / 100_000);
}

/** True when within the run's horizon harm as large as the pass margin can be proven, or else the health of a canary that is like its baseline. */
export function isJudgeable(policy: CanaryPolicy, forecast: EndpointForecast, rule: CheckRule, logNeeded: number, phi: number): boolean {
  const { horizonMs } = policy;
  const margin = passMargin(policy, forecast, rule);
  if (margin === null) return false;
  if (findingMs(forecast, rule, margin, { logE: 0, logNeeded, elapsedMs: 0, phi }) <= horizonMs) return true;
  return provingHealthMs(policy, forecast, rule, phi) <= horizonMs;
}

/** One check of one endpoint that may be planned for. */
export interface Prospect {
  readonly forecast: EndpointForecast;
  readonly rule: CheckRule;
  readonly wealth: Wealth;
}

/** At most `most` entries, the least certain first; one for each of the prospects whose check is among those that are planned for. */
export function outlooks(policy: CanaryPolicy, prospects: readonly Prospect[], most: number): readonly Outlook[] {
  return (
    prospects
      .flatMap(({ forecast, rule, wealth }) => {
        const effect = EFFECTS.get(rule.metric);
        if (effect === undefined) return [];
        const neededMs = findingMs(forecast, rule, effect, wealth);
        const sketch = {
          check: checkName(rule.metric, forecast.endpoint),
          endpoint: forecast.endpoint,
          metric: rule.metric,
          effect,
          neededMs: neededMs > NEVER_MS ? null : Math.ceil(neededMs / 1000) * 1000,
          isJudgeable: isJudgeable(policy, forecast, rule, wealth.logNeeded, wealth.phi),
        };
        return [{ sketch, smallest: () => smallestEffect(forecast, rule, Math.max(0, policy.horizonMs - wealth.elapsedMs), wealth) }];
      })
      .sort((a, b) => byCertainty(a.sketch, b.sketch))
      .slice(0, most)
      // The search for the smallest is by far the dearest part.
      .map(({ sketch, smallest }) => ({ ...sketch, smallest: smallest() }))
  );
}

/** The least certain first: what cannot be judged, then what takes longest; ties by name. */
function byCertainty(a: Omit<Outlook, 'smallest'>, b: Omit<Outlook, 'smallest'>): number {
  if (a.isJudgeable !== b.isJudgeable) return a.isJudgeable ? 1 : -1;
  const longer = (b.neededMs ?? Infinity) - (a.neededMs ?? Infinity);
  if (longer !== 0 && !Number.isNaN(longer)) return longer;
  return a.check < b.check ? -1 : 1;
}

/** Shares of bad requests when the canary has the effect; null while the quantile is not known. */
function badUnder(forecast: EndpointForecast, rule: CheckRule, effect: Effect): { baselineBad: number; canaryBad: number } | null {
  const { errorRatio, tail } = forecast;
  if (effect.kind === 'errors') return { baselineBad: errorRatio, canaryBad: Math.min(1, errorRatio + effect.addRatio) };
  if (rule.latency === null) return null;
  const { q, tolerance } = rule.latency;
  const valueUs = tail.quantileUs(q);
  if (valueUs === null) return null;
  const edgeUs = Math.max(valueUs * (1 + tolerance.ratio), valueUs + tolerance.addUs);
  return { baselineBad: tail.shareAbove(valueUs), canaryBad: tail.shareAbove(edgeUs / effect.ratio) };
}

function passMargin(policy: CanaryPolicy, { tail }: EndpointForecast, rule: CheckRule): Effect | null {
  if (rule.latency === null) return { kind: 'errors', addRatio: policy.errors.passAddRatio };
  const valueUs = tail.quantileUs(rule.latency.q);
  return valueUs === null ? null : { kind: 'latency', ratio: passUs(rule.latency.tolerance, valueUs) / Math.max(1, valueUs) };
}

function passUs({ passRatio, passAddUs }: LatencyTolerance, valueUs: number): number {
  return Math.max(valueUs * (1 + passRatio), valueUs + passAddUs);
}

/** Time in which a canary that is like its baseline is proven healthy, about. */
function provingHealthMs(policy: CanaryPolicy, forecast: EndpointForecast, rule: CheckRule, phi: number): DurationMs {
  if (rule.safe === null) return Infinity;
  const { errorRatio, tail } = forecast;
  const alike = badUnder(forecast, rule, rule.latency === null ? { kind: 'errors', addRatio: 0 } : { kind: 'latency', ratio: 1 });
  if (alike === null) return Infinity;
  const valueUs = rule.latency === null ? 0 : (tail.quantileUs(rule.latency.q) ?? 0);
  const canaryBad = rule.latency === null ? errorRatio : tail.shareAbove(passUs(rule.latency.tolerance, valueUs));
  const rate = evidenceRate(rule.safe, { ...forecast, baselineBad: alike.baselineBad, canaryBad }, rule.safe.delta > 0) / phi;
  const perWindow = Math.min((rate * rule.safeRules.windowMs) / 1000, rule.safeRules.windowCap);
  return perWindow <= 0 ? Infinity : ((Math.log(1 / policy.beta) + SAFE_MIXTURE_COST) / perWindow) * rule.safeRules.windowMs;
}
