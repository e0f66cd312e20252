/** One sequential test of a canary and what it is fed with: first the run's own, then, with money of its own, that of its bake. */
import type { CanaryComparisonState, CanaryJudgement } from '../evaluate/canary/canary-judgement.ts';
import { CanaryComparison } from '../evaluate/canary/comparison.ts';
import type { ProcessLimits } from '../evaluate/canary/process-rules.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { Reason } from '../model/judgement.ts';
import type { CanaryPolicy } from '../model/policy.ts';
import { type SlotIndex, slotStartMs } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import { SlotReading } from '../window/slot-reading.ts';
import { BaselineFeed, type BaselineFeedState } from './baseline-feed.ts';
import type { KeptBaseline } from './kept-baseline.ts';
import type { RunArms } from './run-arms.ts';

/** Baseline history that primes the reference. */
const PRIME_MS = 15 * 60_000;

/** What all trials share; `limits` is for tests. */
export interface TrialGround {
  readonly layout: HistogramLayout;
  readonly limits?: ProcessLimits | undefined;
}

export interface TrialState {
  readonly source: BaselineFeedState;
  readonly comparison: CanaryComparisonState;
}

export class Trial {
  readonly #comparison: CanaryComparison;
  readonly #source: BaselineFeed;
  #said: CanaryJudgement;
  readonly #baselineSlot = new SlotReading();
  readonly #canarySlot = new SlotReading();

  private constructor(comparison: CanaryComparison, source: BaselineFeed) {
    this.#comparison = comparison;
    this.#source = source;
    this.#said = comparison.judge();
  }

  /** Begins with `slot`; `policy` is the one for this very trial. */
  static ofRun(policy: CanaryPolicy, ground: TrialGround, slot: SlotIndex): Trial {
    const source = new BaselineFeed(policy.baseline.kind === 'previous' ? 'kept' : 'concurrent');
    return new Trial(new CanaryComparison(policy, ground.layout, slot, ground.limits), source);
  }

  /**
   * The trial that follows this one, against the same baseline: as long as it has traffic beside the canary, then against its past. A past that was
   * kept before is compared a second time, by a test of its own.
   */
  bake(policy: CanaryPolicy, ground: TrialGround, slot: SlotIndex, arms: RunArms, window: SlidingWindow): Trial {
    const comparison = new CanaryComparison(policy, ground.layout, slot, ground.limits);
    const { kept } = this.#source;
    const source = kept === null ? new BaselineFeed('fading') : BaselineFeed.of('kept', kept);
    prime(comparison, kept ?? source.keep(arms.endpoints, window, slot, 0), slot);
    return new Trial(comparison, source);
  }

  static restore(policy: CanaryPolicy, ground: TrialGround, saved: TrialState): Trial {
    return new Trial(CanaryComparison.restore(policy, ground.layout, saved.comparison, ground.limits), BaselineFeed.restore(saved.source));
  }

  /** What it says now. */
  get said(): CanaryJudgement {
    return this.#said;
  }

  /** Why it says so. What the canary may be compared with may be used up: time alone proves nothing any more. */
  get reason(): Reason {
    const { outcome, reason, baselineRequests } = this.#said;
    if (outcome !== 'inconclusive' || !this.#source.isUsedUp) return reason;
    return baselineRequests === 0 ? 'no_baseline' : 'baseline_used_up';
  }

  /** True while the canary is compared with the baseline of the same time. */
  get isLive(): boolean {
    return this.#source.isLive;
  }

  /** The share of requests planned for the canary. Its silence can only be told where both releases are to have traffic at the same time. */
  plan(share: number | null): void {
    if (this.#source.kind === 'concurrent') this.#comparison.plan(share);
  }

  /** One slot of all endpoints; slots are fed in order. Returns the canary's requests in it. */
  feed(arms: RunArms, window: SlidingWindow, slot: SlotIndex, shiftMs: number): number {
    const comparison = this.#comparison;
    const source = this.#source;
    if (source.isWaiting && arms.requests('canary', window, slot) > 0) {
      prime(comparison, source.keep(arms.endpoints, window, slot, shiftMs), slot);
    }
    const side = source.side(slot, () => arms.requests('baseline', window, slot));
    const canary = this.#canarySlot;
    let canaryRequests = 0;
    for (const [name, endpoint] of arms.endpoints) {
      if (source.kind === 'concurrent' && !endpoint.isPrimed && endpoint.baseline.length > 0) {
        endpoint.isPrimed = true;
        for (const past of window.baseline(endpoint.baseline, slotStartMs(slot), PRIME_MS))
          comparison.prime(name, past.endMs, past.reading);
      }
      const baseline = source.read(side, name, endpoint.baseline, slot, window, this.#baselineSlot);
      window.readSlot(endpoint.canary, slot, canary);
      canaryRequests += canary.requests;
      if (baseline.requests + canary.requests > 0) comparison.feed(name, slot, baseline, canary);
    }
    comparison.endSlot(slot);
    this.#said = comparison.judge();
    source.endSlot(slot, side, canaryRequests, this.#said.logWealth);
    return canaryRequests;
  }

  /** Slots before `slot` are missing: a gap in time, not zeros. */
  skipTo(slot: SlotIndex): void {
    this.#comparison.skipTo(slot);
    this.#source.skip();
  }

  save(): TrialState {
    return { source: this.#source.save(), comparison: this.#comparison.snapshot() };
  }
}

/** As if the past ended right before `from`: what is known of it does not fade with the time that has gone by since. */
function prime(comparison: CanaryComparison, kept: KeptBaseline, from: SlotIndex): void {
  const sinceMs = slotStartMs(from) - kept.primedToMs;
  for (const endpoint of kept.endpoints()) {
    for (const { endMs, slot } of kept.past(endpoint)) comparison.prime(endpoint, endMs + sinceMs, slot);
  }
}

/** What a test that broke says: how far it had come, and no evidence. */
export function silenced(said: CanaryJudgement): CanaryJudgement {
  const { logWealth, logLimit, canaryRequests, baselineRequests, elapsedMs } = said;
  return {
    outcome: 'inconclusive',
    reason: 'state_unknown',
    logWealth,
    logLimit,
    decidedBy: null,
    judgements: [],
    canaryRequests,
    baselineRequests,
    elapsedMs,
    unproven: [],
    isCriticalProven: false,
    trail: [],
    outlook: [],
    isSharedFailure: false,
  };
}
