/** Proves that a canary gets less than half of the traffic that was planned for it: a release that crashes sends no failures. */
import type { ArmCounts } from '../../model/judgement.ts';
import type { DurationMs } from '../../model/time.ts';
import { Guard, type GuardRules, type GuardState } from './guard.ts';

/** Bets on "the canary gets only g times half of its planned share". */
export const SILENCE_BETS: readonly number[] = [0.1, 0.3, 0.6];
/** Of the planned share, what a healthy canary gets at least. */
const LEAST_OF_PLAN = 0.5;
/** A larger share is asked for only this long after it was planned: pods start, routes change. */
const SETTLING_MS = 60_000;
/** A canary is back when it gets its least share of requests of which so many were planned for it. */
const BACK_REQUESTS = 10;

export interface SilenceState {
  readonly guard: GuardState;
  readonly planned: number | null;
  readonly settled: { readonly share: number; readonly untilMs: DurationMs } | null;
  readonly baselineRequests: number;
  readonly canaryRequests: number;
  readonly isProven: boolean;
  readonly back: readonly [canary: number, all: number];
}

export class SilenceGuard {
  readonly #rules: GuardRules;
  /** Evidence beyond which silence is proven by this guard alone. */
  readonly #logProof: number;
  #guard: Guard;
  #planned: number | null = null;
  /** The share that was in force when a larger one was planned, while that settles. */
  #settled: SilenceState['settled'] = null;
  #baselineRequests = 0;
  #canaryRequests = 0;
  #isProven = false;
  /** Requests since silence was proven, towards seeing the canary again. */
  #backCanary = 0;
  #backAll = 0;
  #openBaseline = 0;
  #openCanary = 0;

  constructor(rules: GuardRules, logProof: number) {
    this.#rules = rules;
    this.#logProof = logProof;
    this.#guard = new Guard(rules);
  }

  /** False while nobody said what share is planned. */
  get isOn(): boolean {
    return this.#planned !== null;
  }

  /** The share of requests that the canary is meant to get, (0, 1]; null when nobody said. */
  get planned(): number | null {
    return this.#planned;
  }

  get logE(): number {
    return this.#guard.logE;
  }

  get logProof(): number {
    return this.#logProof;
  }

  /** True from the proof until the canary is back. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** The share of requests that the canary must not fall below now; 0 without a plan, and while the first one of a run that goes on settles. */
  get leastShare(): number {
    return LEAST_OF_PLAN * (this.#inForce ?? 0);
  }

  /** Requests while there was a plan: of the canary, and of those of both releases. */
  get canary(): ArmCounts {
    return { bad: this.#canaryRequests, total: this.#canaryRequests + this.#baselineRequests };
  }

  get baseline(): ArmCounts {
    return { bad: this.#baselineRequests, total: this.#canaryRequests + this.#baselineRequests };
  }

  /** What share is planned from now on, (0, 1]; null: nobody knows. Without a plan there is no proof either. */
  plan(share: number | null, atMs: DurationMs): void {
    if (share === this.#planned) return;
    // Of a share that has not settled nothing is asked yet, also not by the next plan. With the first plan a run may begin; later it is news like any other.
    const before = this.#inForce ?? (atMs === 0 ? 1 : 0);
    this.#settled = share !== null && share > before ? { share: before, untilMs: atMs + SETTLING_MS } : null;
    this.#planned = share;
    if (share === null) this.#forgive();
  }

  count(baselineRequests: number, canaryRequests: number): void {
    this.#openBaseline += baselineRequests;
    this.#openCanary += canaryRequests;
  }

  drop(): void {
    this.#openBaseline = 0;
    this.#openCanary = 0;
  }

  /** Ends the slot, `atMs` of watched time. */
  endSlot(atMs: DurationMs): void {
    const canary = this.#openCanary;
    const all = canary + this.#openBaseline;
    this.drop();
    if (this.#settled !== null && atMs >= this.#settled.untilMs) this.#settled = null;
    if (this.#planned === null || all === 0) return;
    this.#baselineRequests += all - canary;
    this.#canaryRequests += canary;
    // Every slot is played, also those without baseline: to leave them out would leave out those in which the canary got all there was.
    if (this.leastShare > 0) this.#guard.bet(atMs, canary, all, this.leastShare);
    if (this.#isProven) this.#watch(canary, all);
    else if (this.#guard.logE >= this.#logProof) this.#isProven = true;
  }

  snapshot(): SilenceState {
    return {
      guard: this.#guard.snapshot(),
      planned: this.#planned,
      settled: this.#settled,
      baselineRequests: this.#baselineRequests,
      canaryRequests: this.#canaryRequests,
      isProven: this.#isProven,
      back: [this.#backCanary, this.#backAll],
    };
  }

  static restore(rules: GuardRules, logProof: number, state: SilenceState): SilenceGuard {
    const restored = new SilenceGuard(rules, logProof);
    restored.#guard = Guard.restore(rules, state.guard);
    restored.#planned = state.planned;
    restored.#settled = state.settled;
    restored.#baselineRequests = state.baselineRequests;
    restored.#canaryRequests = state.canaryRequests;
    restored.#isProven = state.isProven;
    [restored.#backCanary, restored.#backAll] = state.back;
    return restored;
  }

  /** The canary sends its first request while it may still be starting: what it did not send before that says nothing of it. */
  started(): void {
    this.#forgive();
  }

  /** The share that is asked for now; null without a plan. */
  get #inForce(): number | null {
    return this.#planned === null ? null : Math.min(this.#planned, this.#settled?.share ?? 1);
  }

  /** A few requests of which the canary got its share say that it is back, long before the wealth of its silence is spent. */
  #watch(canary: number, all: number): void {
    this.#backCanary += canary;
    this.#backAll += all;
    if (this.#backAll * (this.#planned ?? 1) < BACK_REQUESTS) return;
    if (this.#backCanary >= this.leastShare * this.#backAll) this.#forgive();
    this.#backCanary = 0;
    this.#backAll = 0;
  }

  /** Starts anew with the money of a beginner: less than it had, so that no chance of a false proof is added. */
  #forgive(): void {
    this.#isProven = false;
    this.#backCanary = 0;
    this.#backAll = 0;
    if (this.#guard.logE > 0) this.#guard = new Guard(this.#rules);
  }
}
