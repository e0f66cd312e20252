/** What the canary alone must keep: the error budget, absolute limits, and its share of traffic; with money of their own beside the comparisons'. */
import { endpointMatches } from '../../model/endpoint-pattern.ts';
import type { HistogramLayout } from '../../model/histogram-layout.ts';
import type { CanaryPolicy, Criterion } from '../../model/policy.ts';
import type { DurationMs } from '../../model/time.ts';
import { type ArmSlot, countFrom, timedRequests } from './arm-slot.ts';
import { edgeAtOrAbove } from './edges.ts';
import { logAdd, logSumExp } from './log-sum.ts';
import { type ProcessLimits, processRules } from './process-rules.ts';
import { RATIO_BETS, RatioGuard, type RatioGuardState, type RatioRules } from './ratio-guard.ts';
import { SILENCE_BETS, SilenceGuard, type SilenceState } from './silence-guard.ts';

/** Of a run's money, what each kind of guard has; one that is off keeps its as cash. */
export const GUARD_MONEY = 0.05;
/** Of the baseline's requests, what must be counted in a minute before one knows that it does not fail as well. */
const MIN_BASELINE = 10;
/** Failures of the baseline in a minute that say that the trouble is not the canary's alone. */
const SHARED_FAILURES = 10;

export interface GuardsState {
  readonly burn: RatioGuardState | null;
  readonly criteria: readonly RatioGuardState[];
  readonly silence: SilenceState;
}

/** A criterion and its guard; `edge` is the first bucket that is too slow, null when bad is a failed request. */
export interface CriterionGuard {
  readonly criterion: Criterion;
  readonly edge: number | null;
  readonly guard: RatioGuard;
}

/** Of a run's money, what the comparisons have. */
export function othersMoney({ criteria }: CanaryPolicy): number {
  return 1 - (criteria.length > 0 ? 3 : 2) * GUARD_MONEY;
}

export class Guards {
  /** Of a run's money, what the comparisons have. */
  readonly othersMoney: number;
  /** Null: the policy does not ask. */
  #burn: RatioGuard | null;
  #criteria: readonly CriterionGuard[];
  #silence: SilenceGuard;
  readonly #rules: GuardsRules;
  /** Criteria that mean an endpoint, by its name. */
  readonly #meant = new Map<string, readonly CriterionGuard[]>();

  constructor(policy: CanaryPolicy, layout: HistogramLayout, limits: ProcessLimits) {
    this.othersMoney = othersMoney(policy);
    this.#rules = guardsRules(policy, limits);
    const { burn, criteria, silence, logProof } = this.#rules;
    this.#burn = burn === null ? null : new RatioGuard(burn);
    this.#criteria = policy.criteria.map((criterion, index) => ({
      criterion,
      edge: criterion.edgeUs === null ? null : edgeAtOrAbove(layout, criterion.edgeUs),
      guard: new RatioGuard(criteria[index] as RatioRules),
    }));
    this.#silence = new SilenceGuard(silence, logProof);
  }

  get burn(): RatioGuard | null {
    return this.#burn;
  }

  get criteria(): readonly CriterionGuard[] {
    return this.#criteria;
  }

  get silence(): SilenceGuard {
    return this.#silence;
  }

  /** Of a run's money, what one criterion has. */
  get criterionMoney(): number {
    return this.#criteria.length > 0 ? GUARD_MONEY / this.#criteria.length : 0;
  }

  /** True while the baseline itself fails more than the canary may. */
  get isSharedFailure(): boolean {
    const burn = this.#burn;
    if (burn === null) return false;
    return burn.recent.exceeds(burn.rules.limitRatio) && burn.recent.counts.bad >= SHARED_FAILURES;
  }

  /** One slot of an endpoint that is judged. */
  count(endpoint: string, baseline: ArmSlot, canary: ArmSlot): void {
    const lanes = canary.lanes ?? null;
    this.#burn?.count(baseline.failed, baseline.requests, canary.failed, canary.requests);
    if (lanes !== null) this.#burn?.countPods(lanes, null);
    if (this.#criteria.length === 0) return;
    for (const { edge, guard } of this.#criteriaOf(endpoint)) {
      if (edge === null) guard.count(baseline.failed, baseline.requests, canary.failed, canary.requests);
      else guard.count(tooSlow(baseline, edge), timed(baseline), tooSlow(canary, edge), timed(canary));
      if (lanes !== null) guard.countPods(lanes, edge);
    }
  }

  /** Forgets the open slot, as before a gap in the stream. */
  drop(): void {
    this.#burn?.drop();
    for (const { guard } of this.#criteria) guard.drop();
    this.#silence.drop();
  }

  /** Ends the slot for all guards; `atMs` is watched time. */
  endSlot(atMs: DurationMs, isWarmup: boolean): void {
    this.#burn?.endSlot(atMs, isWarmup);
    for (const { guard } of this.#criteria) guard.endSlot(atMs, isWarmup);
    this.#silence.endSlot(atMs);
  }

  /**
   * ln of the wealth that proves harm, given the comparisons' own. Silence, which is judged apart, counts in it no higher than as the cash it started with:
   * either proof then asks for all of one and no proof for a mixture, and both together happen no more often than the run's total wealth allows.
   */
  logHarm(logOthers: number): number {
    const parts = [
      Math.log(this.othersMoney) + logOthers,
      Math.log(GUARD_MONEY) + (this.#burn?.logE ?? 0),
      Math.log(GUARD_MONEY) + Math.min(0, this.#silence.logE),
    ];
    for (const { guard } of this.#criteria) parts.push(Math.log(this.criterionMoney) + guard.logE);
    return logSumExp(parts);
  }

  /** ln of all the run's wealth, of which checks have shares. */
  logTotal(logHarm: number): number {
    const { logE } = this.#silence;
    return logE <= 0 ? logHarm : logAdd(logHarm, Math.log(GUARD_MONEY) + logE + Math.log1p(-Math.exp(-logE)));
  }

  snapshot(): GuardsState {
    return {
      burn: this.#burn?.snapshot() ?? null,
      criteria: this.#criteria.map(({ guard }) => guard.snapshot()),
      silence: this.#silence.snapshot(),
    };
  }

  static restore(policy: CanaryPolicy, layout: HistogramLayout, limits: ProcessLimits, state: GuardsState): Guards {
    const restored = new Guards(policy, layout, limits);
    const { burn, silence, logProof } = restored.#rules;
    restored.#burn = burn === null || state.burn === null ? restored.#burn : RatioGuard.restore(burn, state.burn);
    restored.#criteria = restored.#criteria.map((each, index) => {
      const saved = state.criteria[index];
      return saved === undefined ? each : { ...each, guard: RatioGuard.restore(each.guard.rules, saved) };
    });
    restored.#silence = SilenceGuard.restore(silence, logProof, state.silence);
    return restored;
  }

  #criteriaOf(endpoint: string): readonly CriterionGuard[] {
    const known = this.#meant.get(endpoint);
    if (known !== undefined) return known;
    const meant = this.#criteria.filter(({ criterion }) => criterion.endpoint === null || endpointMatches(criterion.endpoint, endpoint));
    this.#meant.set(endpoint, meant);
    return meant;
  }
}

interface GuardsRules {
  readonly burn: RatioRules | null;
  readonly criteria: readonly RatioRules[];
  readonly silence: { readonly bets: readonly number[]; readonly wealth: RatioRules['wealth']; readonly blockCap: number };
  /** ln of a guard's wealth that alone is 1/alpha of the run's money. */
  readonly logProof: number;
}

function guardsRules(policy: CanaryPolicy, limits: ProcessLimits): GuardsRules {
  const play = { wealth: processRules(policy, limits, false), blockCap: limits.blockCap };
  const { maxErrorRatio } = policy;
  return {
    burn:
      maxErrorRatio === null
        ? null
        : { ...play, bets: RATIO_BETS, limitRatio: maxErrorRatio, baselineRatio: maxErrorRatio / 2, minBaseline: MIN_BASELINE },
    criteria: policy.criteria.map(({ limitRatio }) => ({
      ...play,
      bets: RATIO_BETS,
      limitRatio,
      baselineRatio: limitRatio,
      minBaseline: 0,
    })),
    silence: { ...play, bets: SILENCE_BETS },
    logProof: Math.log(1 / (policy.alpha * GUARD_MONEY)),
  };
}

/** Requests that kept a client waiting for too long, or in vain. */
function tooSlow(arm: ArmSlot, edge: number): number {
  return arm.failed + countFrom(arm, edge);
}

function timed(arm: ArmSlot): number {
  return arm.failed + timedRequests(arm);
}
