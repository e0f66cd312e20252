/** Compares a canary with its baseline, second by second, on all endpoints of a service: the state of one analysis run's test. */
import { PermanentError } from '../../model/errors.ts';
import type { HistogramLayout } from '../../model/histogram-layout.ts';
import type { CanaryPolicy } from '../../model/policy.ts';
import { OVERFLOW_ENDPOINT } from '../../model/series.ts';
import { type EpochMs, type SlotIndex, slotStartMs } from '../../model/time.ts';
import type { ArmSlot } from './arm-slot.ts';
import { HARM_BETS, SAFE_BETS } from './block-evidence.ts';
import { type CanaryComparisonState, type CanaryJudgement, withDetails } from './canary-judgement.ts';
import { ALL_ENDPOINTS } from './check-name.ts';
import { type CheckRule, checkRules } from './check-rule.ts';
import { decisiveCheck, SILENCE } from './decisive-check.ts';
import { EndpointBook } from './endpoint-book.ts';
import type { EndpointComparison, Scratch } from './endpoint-comparison.ts';
import { EndpointSettings } from './endpoint-settings.ts';
import { isSilenceHarm } from './guard-judgements.ts';
import { GUARD_MONEY, Guards } from './guards.ts';
import { isCriticalProven } from './health-proof.ts';
import { Muted } from './muted.ts';
import { NO_OVERFLOW, overflowing } from './overflow.ts';
import { PodPresence } from './pod-presence.ts';
import { Pool } from './pool.ts';
import { Portfolio } from './portfolio.ts';
import { PROCESS_LIMITS, type ProcessLimits } from './process-rules.ts';
import { Prospects } from './prospects.ts';
import { RunHistory } from './run-history.ts';
import { decidedBy, healthQuestion, runOutcome } from './run-outcome.ts';
import { RunTime } from './run-time.ts';
import type { DecisiveCheck, Standing } from './standing.ts';

/** Endpoints that are none: requests of either are counted and not judged. A span of the second's name would pass for the service as a whole. */
const RESERVED: ReadonlySet<string> = new Set([OVERFLOW_ENDPOINT, ALL_ENDPOINTS]);

/**
 * A conditional e-process portfolio: every block compares the releases only within itself, so load, drift and shared outages cancel; wealth that ever
 * reaches 1/alpha has chance at most alpha in a healthy canary, however often one looks (Ville). Deterministic: the same slots give the same numbers,
 * to the bit, in whatever order the endpoints of a slot are fed, and over a snapshot and restore between slots.
 */
export class CanaryComparison {
  readonly #policy: CanaryPolicy;
  readonly #layout: HistogramLayout;
  readonly #rules: readonly CheckRule[];
  readonly #settings: EndpointSettings;
  readonly #logLimit: number;
  #endpoints: EndpointBook;
  #portfolio = new Portfolio();
  #pool: Pool;
  #overflow = NO_OVERFLOW;
  #muted = new Muted();
  /** Requests of the endpoints that are judged. */
  #baselineRequests = 0;
  #canaryRequests = 0;
  #time: RunTime;
  #logWealth = 0;
  #proven: DecisiveCheck | null = null;
  #guards: Guards;
  #presence = new PodPresence();
  /** Whether the canary is warming up, as known before the slot that is fed: the same for all of its endpoints. */
  #isWarming: boolean;
  #history = new RunHistory();
  readonly #prospects: Prospects;
  readonly #scratch: Scratch = { harm: new Float64Array(HARM_BETS.length), safe: new Float64Array(SAFE_BETS.length) };

  /** `startSlot` is the run's first slot; `limits` is for tests that show why the limits exist. */
  constructor(policy: CanaryPolicy, layout: HistogramLayout, startSlot: SlotIndex, limits: ProcessLimits = PROCESS_LIMITS) {
    this.#policy = policy;
    this.#layout = layout;
    this.#time = new RunTime(startSlot);
    this.#rules = checkRules(policy, limits);
    this.#settings = new EndpointSettings(policy.endpoints);
    this.#endpoints = new EndpointBook(this.#rules, layout);
    this.#pool = new Pool(this.#rules);
    this.#guards = new Guards(policy, layout, limits);
    this.#prospects = new Prospects(policy, this.#rules, layout);
    this.#logLimit = Math.log(1 / policy.alpha);
    this.#isWarming = this.#isWarmup();
  }

  /** Baseline history of an endpoint from before its first slot, oldest first: primes the reference that defines "slow". */
  prime(endpoint: string, endMs: EpochMs, baseline: ArmSlot): void {
    if (!RESERVED.has(endpoint) && !this.#settings.of(endpoint).isMuted)
      this.#endpoints.of(endpoint)?.prime(this.#time.relativeMs(endMs), baseline);
  }

  /**
   * Announces, before the first slot, an endpoint that will get so many requests of the baseline: of a recording that is known, so that money is split over
   * all of its endpoints and none has to wait for what newcomers get. Numbers of requests alone, never what became of them. Not part of a snapshot.
   */
  expect(endpoint: string, requests: number): void {
    if (RESERVED.has(endpoint) || this.#settings.of(endpoint).isMuted) return;
    const expected = this.#endpoints.of(endpoint);
    if (expected !== undefined) expected.expectedRequests = requests;
  }

  /** The share of the service's requests that the canary is meant to get from now on, (0, 1]; null: nobody says, so silence cannot be proven. */
  plan(share: number | null): void {
    this.#guards.silence.plan(share, this.#time.watchedMs);
  }

  /** One second of one endpoint. Slots are fed in order, each endpoint once per slot; one that is not fed had nothing. */
  feed(endpoint: string, slot: SlotIndex, baseline: ArmSlot, canary: ArmSlot): void {
    if (slot !== this.#time.nextSlot) throw new RangeError(`feeding slot ${slot}: the next one is ${this.#time.nextSlot}`);
    if (baseline.requests + canary.requests === 0) return;
    const setting = this.#settings.of(endpoint);
    if (setting.isMuted) {
      this.#muted.count(setting.endpoint, baseline, canary);
      return;
    }
    if (canary.requests > 0) {
      if (this.#time.isStarting(this.#policy.warmupMs)) this.#guards.silence.started();
      this.#time.sawCanary(this.#canaryRequests);
    }
    if (baseline.requests > 0) this.#time.sawBaseline();
    this.#guards.silence.count(baseline.requests, canary.requests);
    const comparison = RESERVED.has(endpoint) ? undefined : this.#endpoints.of(endpoint);
    if (comparison === undefined) {
      this.#overflow = overflowing(this.#overflow, baseline, canary);
      return;
    }
    this.#baselineRequests += baseline.requests;
    this.#canaryRequests += canary.requests;
    this.#guards.count(endpoint, baseline, canary);
    this.#history.traffic.count(endpoint, this.#time.watchedMs, baseline.requests, canary.requests);
    const atMs = this.#time.relativeMs(slotStartMs(slot + 1));
    this.#prospects.consider(comparison, atMs);
    comparison.feed({ slot, atMs, isWarmup: this.#isWarming, presence: this.#presence }, baseline, canary);
    this.#presence.note(canary);
  }

  /** Ends the slot for all endpoints; after it the verdict may change. */
  endSlot(slot: SlotIndex): void {
    if (slot !== this.#time.nextSlot) throw new RangeError(`ending slot ${slot}: the next one is ${this.#time.nextSlot}`);
    const isWarmup = this.#isWarmup();
    this.#time.nextSlot = slot + 1;
    const atMs = this.#time.watchedMs;
    const endpoints = this.#endpoints.all;
    let isOpening = false;
    const newcomers: EndpointComparison[] = [];
    for (const endpoint of endpoints) {
      const hasBet = endpoint.closeBlock(slot, atMs, this.#addToPool, this.#scratch);
      if (hasBet) this.#history.closed(endpoint, slot);
      if (hasBet && endpoint.share === 0) newcomers.push(endpoint);
      isOpening ||= hasBet && !this.#portfolio.isOpen;
    }
    this.#admit(isOpening ? endpoints : newcomers);
    this.#pool.endSlot(atMs, this.#portfolio.pool > 0);
    this.#presence.endSlot(slot);
    this.#guards.endSlot(atMs, isWarmup);
    this.#logWealth = this.#guards.logHarm(this.#portfolio.logWealth(endpoints, this.#pool.logWealth));
    if (this.#logWealth >= this.#logLimit && !this.#isTooFew()) this.#proven ??= decisiveCheck(this.#standing());
    this.#history.endSlot(slot, endpoints, this.#pool, this.#shownWealth());
    if (isSilenceHarm(this.#standing())) this.#proven ??= SILENCE;
    this.#isWarming = this.#isWarmup();
  }

  /** A gap in the stream: slots before `slot` are missing, which is not the same as empty. Open blocks are forgotten. */
  skipTo(slot: SlotIndex): void {
    if (slot <= this.#time.nextSlot) return;
    this.#time.skipTo(slot);
    for (const endpoint of this.#endpoints.all) endpoint.dropBlock();
    this.#guards.drop();
    this.#isWarming = this.#isWarmup();
  }

  /** What it says now. Cheap until its lists are read. */
  judge(): CanaryJudgement {
    const standing = this.#standing();
    const [outcome, reason] = runOutcome(standing);
    const spoken = {
      outcome,
      reason,
      logWealth: this.#shownWealth(),
      logLimit: this.#logLimit,
      decidedBy: decidedBy(standing),
      canaryRequests: this.#canaryRequests + this.#overflow.canaryRequests,
      baselineRequests: this.#baselineRequests + this.#overflow.baselineRequests,
      elapsedMs: this.#time.elapsedMs,
      isCriticalProven: isCriticalProven(healthQuestion(standing)),
      isSharedFailure: this.#guards.isSharedFailure,
    };
    return withDetails(spoken, standing);
  }

  /** Plain data without NaN or infinities, exact over JSON. To be taken between slots. */
  snapshot(): CanaryComparisonState {
    return {
      version: 2,
      buckets: this.#layout.size,
      time: this.#time.snapshot(),
      proven: this.#proven,
      guards: this.#guards.snapshot(),
      presence: this.#presence.snapshot(),
      overflow: this.#overflow,
      muted: this.#muted.snapshot(),
      portfolio: this.#portfolio.snapshot(),
      pool: this.#pool.snapshot(),
      endpoints: this.#endpoints.snapshot(),
      history: this.#history.snapshot(),
      hopeless: this.#prospects.snapshot(),
    };
  }

  /** Continues from a snapshot taken under the same policy and layout. Throws PermanentError `state_mismatch` when the state is of another kind. */
  static restore(
    policy: CanaryPolicy,
    layout: HistogramLayout,
    state: CanaryComparisonState,
    limits: ProcessLimits = PROCESS_LIMITS,
  ): CanaryComparison {
    if (state.version !== 2 || state.buckets !== layout.size) {
      throw new PermanentError('state_mismatch', `restoring a comparison: version ${state.version} with ${state.buckets} buckets`);
    }
    const restored = new CanaryComparison(policy, layout, state.time.startSlot, limits);
    restored.#time = RunTime.restore(state.time);
    restored.#proven = state.proven;
    restored.#guards = Guards.restore(policy, layout, limits, state.guards);
    restored.#presence = PodPresence.restore(state.presence);
    restored.#isWarming = restored.#isWarmup();
    restored.#prospects.restore(state.hopeless, state.endpoints);
    restored.#history = RunHistory.restore(state.history);
    restored.#overflow = state.overflow;
    restored.#muted = Muted.restore(state.muted);
    restored.#portfolio = Portfolio.restore(state.portfolio);
    restored.#pool = Pool.restore(restored.#rules, state.pool);
    restored.#endpoints = EndpointBook.restore(restored.#rules, layout, state.endpoints);
    for (const { baselineRequests, canaryRequests } of state.endpoints) {
      restored.#baselineRequests += baselineRequests;
      restored.#canaryRequests += canaryRequests;
    }
    restored.#logWealth = restored.#guards.logHarm(restored.#portfolio.logWealth(restored.#endpoints.all, restored.#pool.logWealth));
    return restored;
  }

  readonly #addToPool = (check: number, evidence: Float64Array): void => this.#pool.add(check, evidence);

  /** Endpoints of which the baseline knows nothing wait without money until it does. */
  #admit(endpoints: readonly EndpointComparison[]): void {
    const candidates = endpoints.map((endpoint) => ({
      endpoint,
      weight: this.#settings.of(endpoint.name).weight * this.#prospects.weightOf(endpoint.name),
      traffic: endpoint.traffic(this.#time.elapsedMs),
      share: 0,
    }));
    const known = candidates.filter((candidate) => candidate.traffic > 0);
    this.#portfolio.admit(known);
    for (const { endpoint, share } of known) endpoint.share = share;
  }

  /** The larger of the two wealths of which either proves something alone. */
  #shownWealth(): number {
    const { silence } = this.#guards;
    return silence.isOn ? Math.max(this.#logWealth, Math.log(GUARD_MONEY) + silence.logE) : this.#logWealth;
  }

  /** Requests of endpoints that can be compared; what cannot be compared proves nothing. */
  #isTooFew(): boolean {
    return Math.min(this.#canaryRequests, this.#baselineRequests) < this.#policy.minRequests;
  }

  #isWarmup(): boolean {
    return this.#time.sinceCanaryMs < this.#policy.warmupMs;
  }

  #standing(): Standing {
    return {
      endpoints: this.#endpoints.all,
      rules: this.#rules,
      pool: this.#pool,
      poolShare: this.#portfolio.pool,
      guards: this.#guards,
      history: this.#history,
      time: this.#time,
      isOpen: this.#portfolio.isOpen,
      proven: this.#proven,
      baselineRequests: this.#baselineRequests,
      canaryRequests: this.#canaryRequests,
      logWealth: this.#logWealth,
      policy: this.#policy,
      overflow: this.#overflow,
      muted: this.#muted,
      settings: this.#settings,
      logTotal: this.#guards.logTotal(this.#logWealth),
      logLimit: this.#logLimit,
      logProof: Math.log(1 / this.#policy.beta),
      isTooFew: this.#isTooFew(),
      isWarmup: this.#isWarmup(),
      isOver: this.#time.elapsedMs >= this.#policy.horizonMs,
      layout: this.#layout,
    };
  }
}
