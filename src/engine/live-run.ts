/** One analysis run in flight: feeds its comparison slot by slot as the decision watermark passes, and keeps what it said. */
import { isFinal, type RunStep, stepRun } from '../decide/run-state.ts';
import { distrust, type EndpointTiming, isSilence } from '../decide/trust.ts';
import { CanaryComparison, type CanaryComparisonState, type CanaryJudgement } from '../evaluate/canary/comparison.ts';
import type { ProcessLimits } from '../evaluate/canary/process-rules.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { Reason } from '../model/judgement.ts';
import type { CanaryPolicy } from '../model/policy.ts';
import type { AnalysisRun, Rollout, RunState, Verdict } from '../model/rollout.ts';
import { releaseMatches, type SeriesInfo } from '../model/series.ts';
import { type EpochMs, SLOT_MS, type SlotIndex, slotOf, slotStartMs } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import { SlotReading } from '../window/slot-reading.ts';
import { ArmTally } from './arm-tally.ts';

/** Baseline history that primes the reference. */
const PRIME_MS = 15 * 60_000;
const MAX_HISTORY = 200;

/** What the run needs to know of the world around it to decide. */
export interface Surroundings {
  readonly now: EpochMs;
  readonly window: SlidingWindow;
  readonly clockJumped: boolean;
  readonly stateUnknown: boolean;
  readonly sharedFailure: boolean;
  /** Why a rollback is forbidden at `at`, or null. */
  objection(service: string, at: EpochMs): Reason | null;
}

interface Endpoint {
  readonly baseline: number[];
  readonly canary: number[];
  isPrimed: boolean;
}

/** What is saved of a run, as JSON. */
export interface LiveRunState {
  readonly rollout: Rollout;
  readonly sequence: number;
  readonly policy: CanaryPolicy;
  readonly state: RunState;
  readonly history: readonly Verdict[];
  readonly nextSlot: SlotIndex;
  readonly firstCanaryAt: EpochMs | null;
  readonly signalId: string | null;
  readonly final: AnalysisRun | null;
  readonly comparison: CanaryComparisonState | null;
}

export class LiveRun {
  readonly rollout: Rollout;
  readonly policy: CanaryPolicy;
  /** Runs that were started later have larger ones, whatever start their deploy system gave them. */
  readonly sequence: number;
  /** Changed since it was last saved. */
  isDirty = true;
  /** More than evidence changed since: the run was started, said something new, or ended. */
  isNews = true;
  savedAt: EpochMs = Number.NEGATIVE_INFINITY;
  #state: RunState = 'pending';
  #comparison: CanaryComparison | null;
  #said: CanaryJudgement;
  #history: Verdict[] = [];
  #nextSlot: SlotIndex;
  #firstCanaryAt: EpochMs | null = null;
  #signalId: string | null = null;
  #lagMs = 0;
  #final: AnalysisRun | null = null;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #arms = { baseline: new ArmTally(), canary: new ArmTally() };
  readonly #baselineSlot: SlotReading;
  readonly #canarySlot: SlotReading;

  constructor(rollout: Rollout, policy: CanaryPolicy, layout: HistogramLayout, sequence: number, limits?: ProcessLimits) {
    this.rollout = rollout;
    this.sequence = sequence;
    this.policy = policy;
    this.#nextSlot = slotOf(rollout.startedAt);
    this.#comparison = new CanaryComparison(policy, layout, this.#nextSlot, limits);
    this.#said = this.#comparison.judge();
    this.#baselineSlot = new SlotReading();
    this.#canarySlot = new SlotReading();
  }

  get state(): RunState {
    return this.#state;
  }

  get isOver(): boolean {
    return isFinal(this.#state);
  }

  /** Endpoints that it compares; 0 when it is over. */
  get endpoints(): number {
    return this.#endpoints.size;
  }

  get signalId(): string | null {
    return this.#signalId;
  }

  /** Lets a series take part; one that matches both releases is the canary's. */
  bind(info: SeriesInfo, window: SlidingWindow): void {
    if (this.isOver || info.service !== this.rollout.service) return;
    const arm = this.#armOf(info);
    if (arm === null) return;
    const endpoint = this.#endpoints.get(info.endpoint) ?? { baseline: [], canary: [], isPrimed: false };
    this.#endpoints.set(info.endpoint, endpoint);
    if (endpoint[arm].includes(info.id)) return;
    endpoint[arm].push(info.id);
    this.#arms[arm].bind(info.id, window);
  }

  /** True when spans of this series are judged by this run: its place is reserved. */
  concerns(info: Pick<SeriesInfo, 'service' | 'release'>): boolean {
    return !this.isOver && info.service === this.rollout.service && this.#armOf(info) !== null;
  }

  /**
   * Judges every slot the watermark has passed, one by one, so that the verdict does not depend on how often this is called. Returns the step that
   * changed the verdict, or null when it stands.
   */
  advance(around: Surroundings): RunStep | null {
    if (this.#comparison === null) return null;
    const { window, now } = around;
    const end = slotOf(window.watermark(this.rollout.service, now));
    this.#lagMs = window.lagMs(this.rollout.service) || 0;
    const readable = window.detailFrom;
    if (this.#nextSlot < readable) this.#skip(this.#comparison, Math.min(readable, end));
    let changed: RunStep | null = null;
    while (this.#nextSlot < end && !this.isOver) {
      this.#feed(this.#comparison, window, this.#nextSlot);
      this.#nextSlot++;
      this.isDirty = true;
      changed = this.#decide(around, slotStartMs(this.#nextSlot)) ?? changed;
    }
    if (!this.isOver) changed = this.#decide(around, this.#judgedUpTo()) ?? changed;
    return changed;
  }

  /** Ends the run from outside. */
  end(state: 'superseded' | 'aborted', reason: Reason): void {
    if (this.isOver) return;
    this.#say({ state, decision: 'hold', reason, action: null }, this.#judgedUpTo());
    this.#settle();
  }

  /** Notes which signal told the deploy system. */
  signalled(id: string): void {
    this.#signalId = id;
    if (this.#final !== null) this.#final = { ...this.#final, signalId: id };
    this.isDirty = true;
    this.isNews = true;
  }

  /** Slots up to `slot` are missing: a gap in time, not zeros. */
  skipTo(slot: SlotIndex): void {
    if (this.#comparison !== null && slot > this.#nextSlot) this.#skip(this.#comparison, slot);
  }

  view(): AnalysisRun {
    if (this.#final !== null) return this.#final;
    const { baseline, canary } = this.#arms;
    return {
      rollout: this.rollout,
      state: this.#state,
      verdict: this.#verdict(),
      judgements: this.#said.judgements,
      history: this.#history,
      canaryRequests: this.#said.canaryRequests,
      baselineRequests: this.#said.baselineRequests,
      lateRequests: baseline.late + canary.late,
      firstCanaryAt: this.#firstCanaryAt,
      lagMs: this.#lagMs,
      signalId: this.#signalId,
      trail: [],
      outlook: [],
      exemplars: { baseline: [], canary: [] },
      strictness: 1,
    };
  }

  save(): LiveRunState {
    return {
      rollout: this.rollout,
      sequence: this.sequence,
      policy: this.policy,
      state: this.#state,
      history: this.#history,
      nextSlot: this.#nextSlot,
      firstCanaryAt: this.#firstCanaryAt,
      signalId: this.#signalId,
      final: this.#final,
      comparison: this.#comparison?.snapshot() ?? null,
    };
  }

  static restore(saved: LiveRunState, layout: HistogramLayout): LiveRun {
    const run = new LiveRun(saved.rollout, saved.policy, layout, saved.sequence);
    run.#state = saved.state;
    run.#history = [...saved.history];
    run.#nextSlot = saved.nextSlot;
    run.#firstCanaryAt = saved.firstCanaryAt;
    run.#signalId = saved.signalId;
    run.#final = saved.final;
    run.#comparison = saved.comparison === null ? null : CanaryComparison.restore(saved.policy, layout, saved.comparison);
    if (run.#comparison !== null) run.#said = run.#comparison.judge();
    for (const { name, reference } of saved.comparison?.endpoints ?? []) {
      // The history that primed it is in what was saved.
      run.#endpoints.set(name, { baseline: [], canary: [], isPrimed: reference.chunks.length > 0 });
    }
    run.isDirty = false;
    run.isNews = false;
    return run;
  }

  #armOf(info: Pick<SeriesInfo, 'release'>): 'baseline' | 'canary' | null {
    if (releaseMatches(this.rollout.canary, info.release)) return 'canary';
    return releaseMatches(this.rollout.baseline, info.release) ? 'baseline' : null;
  }

  #feed(comparison: CanaryComparison, window: SlidingWindow, slot: SlotIndex): void {
    for (const [name, endpoint] of this.#endpoints) {
      if (!endpoint.isPrimed && endpoint.baseline.length > 0) {
        endpoint.isPrimed = true;
        for (const past of window.baseline(endpoint.baseline, slotStartMs(slot), PRIME_MS))
          comparison.prime(name, past.endMs, past.reading);
      }
      window.readSlot(endpoint.baseline, slot, this.#baselineSlot);
      window.readSlot(endpoint.canary, slot, this.#canarySlot);
      if (this.#baselineSlot.requests + this.#canarySlot.requests === 0) continue;
      if (this.#canarySlot.requests > 0) this.#firstCanaryAt ??= slotStartMs(slot);
      comparison.feed(name, slot, this.#baselineSlot, this.#canarySlot);
    }
    comparison.endSlot(slot);
    this.#said = comparison.judge();
  }

  #skip(comparison: CanaryComparison, slot: SlotIndex): void {
    comparison.skipTo(slot);
    this.#nextSlot = slot;
    this.isDirty = true;
  }

  #decide(around: Surroundings, at: EpochMs): RunStep | null {
    const { window, now } = around;
    const service = this.rollout.service;
    const newestAt = window.newestAt(service);
    const doubt = distrust({
      now,
      newestAt,
      freshnessMs: this.policy.freshnessMs,
      baseline: this.#arms.baseline.tally(window, at, this.#lagMs),
      canary: this.#arms.canary.tally(window, at, this.#lagMs),
      endpoints: this.#timings(window),
      clockJumped: around.clockJumped,
      stateUnknown: around.stateUnknown,
    });
    const step = stepRun({
      outcome: this.#said.outcome,
      reason: this.#said.reason,
      distrust: doubt,
      objection: around.objection(service, at),
      sharedFailure: around.sharedFailure,
      mode: this.policy.mode,
      onInconclusive: this.policy.onInconclusive,
      at: isSilence(doubt) ? Math.max(at, now) : at,
      deadline: this.rollout.deadline,
    });
    const last = this.#history.at(-1);
    if (last !== undefined && step.state === this.#state && step.decision === last.decision && step.reason === last.reason) return null;
    this.#say(step, at);
    if (this.isOver) this.#settle();
    return step;
  }

  *#timings(window: SlidingWindow): Generator<EndpointTiming> {
    for (const { baseline, canary } of this.#endpoints.values()) {
      yield { baseline: this.#arms.baseline.timing(baseline, window), canary: this.#arms.canary.timing(canary, window) };
    }
  }

  #say(step: RunStep, at: EpochMs): void {
    this.#state = step.state;
    this.#history.push({ ...this.#verdict(), decision: step.decision, reason: step.reason, at });
    if (this.#history.length > MAX_HISTORY) this.#history.splice(1, 1);
    this.isDirty = true;
    this.isNews = true;
  }

  /** A run that is over keeps its last view and lets go of the rest. */
  #settle(): void {
    this.#final = this.view();
    this.#comparison = null;
    this.#endpoints.clear();
  }

  #verdict(): Verdict {
    const last = this.#history.at(-1);
    return {
      decision: last?.decision ?? 'continue',
      reason: last?.reason ?? this.#said.reason,
      at: this.#judgedUpTo(),
      logWealth: this.#said.logWealth,
      logLimit: this.#said.logLimit,
      decidedBy: this.#said.decidedBy,
    };
  }

  #judgedUpTo(): EpochMs {
    return Math.max(slotStartMs(this.#nextSlot), Math.floor(this.rollout.startedAt / SLOT_MS) * SLOT_MS);
  }
}
