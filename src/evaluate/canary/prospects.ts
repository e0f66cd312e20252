/** Which endpoints a run cannot judge whatever it does: known from their past, before the money is split. */
import type { CanaryPolicy } from '../../model/policy.ts';
import type { DurationMs } from '../../model/time.ts';
import type { CheckRule } from './check-rule.ts';
import type { BucketScale } from './edges.ts';
import type { EndpointComparison, EndpointState } from './endpoint-comparison.ts';
import { othersMoney } from './guards.ts';
import { isJudgeable } from './outlook.ts';
import { tailOf } from './run-outlook.ts';

/** Of the money it would get, what an endpoint gets that cannot be judged at its traffic: the rest does more good elsewhere. */
const HOPELESS_WEIGHT = 0.1;
/**
 * Share of an endpoint's requests that is thought to go to the canary: the most telling one. A deploy system tells the share of the present step alone, so
 * hope is given up only where no step would do.
 */
const CANARY_SHARE = 0.5;
/** Seconds that a steady rate over the quarter of an hour before a run stands for in a reference that fades with a half-life of ten minutes. */
const PAST_S = 560;

export class Prospects {
  readonly #policy: CanaryPolicy;
  readonly #rules: readonly CheckRule[];
  readonly #scale: BucketScale;
  readonly #considered = new Set<string>();
  readonly #hopeless = new Set<string>();

  constructor(policy: CanaryPolicy, rules: readonly CheckRule[], scale: BucketScale) {
    this.#policy = policy;
    this.#rules = rules;
    this.#scale = scale;
  }

  /**
   * Makes up its mind about an endpoint before its first request of the run is seen, at `atMs`: what comes later must not move money. An endpoint without a
   * past is given every chance.
   */
  consider(endpoint: EndpointComparison, atMs: DurationMs): void {
    if (this.#considered.has(endpoint.name)) return;
    this.#considered.add(endpoint.name);
    const rate = endpoint.reference.requests(atMs) / PAST_S;
    if (rate === 0) return;
    const tail = tailOf(endpoint.reference, this.#scale, atMs);
    const canaryRate = rate * CANARY_SHARE;
    const forecast = { endpoint: endpoint.name, baselineRate: rate - canaryRate, canaryRate, errorRatio: 0, tail };
    const canJudge = this.#rules.some((rule) => {
      // As if it had all the money there is.
      const logNeeded = -Math.log(this.#policy.alpha * othersMoney(this.#policy) * rule.weight);
      return !rule.isSevere && isJudgeable(this.#policy, forecast, rule, logNeeded, 1);
    });
    if (!canJudge) this.#hopeless.add(endpoint.name);
  }

  /** What its weight is multiplied with when money is split, (0, 1]. */
  weightOf(endpoint: string): number {
    return this.#hopeless.has(endpoint) ? HOPELESS_WEIGHT : 1;
  }

  /** Names of those it has no hope for; every endpoint of which a request was seen was considered. */
  snapshot(): readonly string[] {
    return [...this.#hopeless];
  }

  restore(hopeless: readonly string[], endpoints: readonly EndpointState[]): void {
    for (const name of hopeless) this.#hopeless.add(name);
    // Those of which no request was seen were primed only.
    for (const { name, baselineRequests, canaryRequests } of endpoints)
      if (baselineRequests + canaryRequests > 0) this.#considered.add(name);
  }
}
