/** One analysis run in flight: feeds its comparison slot by slot as the decision watermark passes, and keeps what it said. */
import { type RunStep, stepRun } from '../decide/run-state.ts';
import { distrust, isSilence } from '../decide/trust.ts';
import { CanaryComparison, type CanaryComparisonState, type CanaryJudgement } from '../evaluate/canary/comparison.ts';
import type { ProcessLimits } from '../evaluate/canary/process-rules.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { Reason } from '../model/judgement.ts';
import type { CanaryPolicy } from '../model/policy.ts';
import type { AnalysisRun, Rollout, RunState } from '../model/rollout.ts';
import type { SeriesInfo } from '../model/series.ts';
import { type DurationMs, type EpochMs, SLOT_MS, type SlotIndex, slotOf, slotStartMs } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import { SlotReading } from '../window/slot-reading.ts';
import { armOf, RunArms } from './run-arms.ts';
import { RunRecord, type RunRecordState } from './run-record.ts';

/** Baseline history that primes the reference. */
const PRIME_MS = 15 * 60_000;

/** What the run needs to know of the world around it to decide. */
export interface Surroundings {
  readonly now: EpochMs;
  readonly window: SlidingWindow;
  readonly clockJumped: boolean;
  readonly stateUnknown: boolean;
  /** An objective of the service is burning fast. */
  readonly objectiveBurns: boolean;
  /** Why a rollback is forbidden at `at`, or null. */
  objection(service: string, at: EpochMs): Reason | null;
}

/** What is saved of a run, as JSON. */
export interface LiveRunState extends RunRecordState {
  readonly rollout: Rollout;
  readonly sequence: number;
  readonly policy: CanaryPolicy;
  readonly nextSlot: SlotIndex;
  readonly comparison: CanaryComparisonState | null;
}

export class LiveRun {
  readonly policy: CanaryPolicy;
  /** Runs that were started later have larger ones, whatever start their deploy system gave them. */
  readonly sequence: number;
  #rollout: Rollout;
  #comparison: CanaryComparison | null;
  #said: CanaryJudgement;
  #record = new RunRecord();
  #savedAt: EpochMs = Number.NEGATIVE_INFINITY;
  #nextSlot: SlotIndex;
  #lagMs: DurationMs = 0;
  readonly #arms = new RunArms();
  readonly #baselineSlot = new SlotReading();
  readonly #canarySlot = new SlotReading();

  constructor(rollout: Rollout, policy: CanaryPolicy, layout: HistogramLayout, sequence: number, limits?: ProcessLimits) {
    this.#rollout = rollout;
    this.sequence = sequence;
    this.policy = policy;
    this.#nextSlot = slotOf(rollout.startedAt);
    this.#comparison = new CanaryComparison(policy, layout, this.#nextSlot, limits);
    this.#comparison.plan(rollout.canaryShare);
    this.#said = this.#comparison.judge();
  }

  get rollout(): Rollout {
    return this.#rollout;
  }

  get state(): RunState {
    return this.#record.state;
  }

  get isOver(): boolean {
    return this.#record.isOver;
  }

  /** Changed since it was last saved. */
  get isDirty(): boolean {
    return this.#record.isDirty;
  }

  /** More than evidence changed since: the run was started, said something new, or ended. */
  get isNews(): boolean {
    return this.#record.isNews;
  }

  /** When it was last saved; -Infinity before that. */
  get savedAt(): EpochMs {
    return this.#savedAt;
  }

  /** Endpoints that it compares; 0 when it is over. */
  get endpoints(): number {
    return this.#arms.endpoints.size;
  }

  get signalId(): string | null {
    return this.#record.signalId;
  }

  /** Lets a series take part; one that matches both releases is the canary's. */
  bind(info: SeriesInfo, window: SlidingWindow): void {
    if (!this.isOver && info.service === this.#rollout.service) this.#arms.bind(this.#rollout, info, window);
  }

  /** True when spans of this series are judged by this run: its place is reserved. */
  concerns(info: Pick<SeriesInfo, 'service' | 'release'>): boolean {
    return !this.isOver && armOf(this.#rollout, info) !== null;
  }

  /** The share of requests that the canary is meant to get from now on, (0, 1]; null: nobody knows. */
  plan(canaryShare: number | null): void {
    if (this.isOver || canaryShare === this.#rollout.canaryShare) return;
    this.#rollout = { ...this.#rollout, canaryShare };
    this.#comparison?.plan(canaryShare);
    this.#record.news();
  }

  /**
   * Judges every slot the watermark has passed, one by one, so that the verdict does not depend on how often this is called. Returns the step that
   * changed the verdict, or null when it stands.
   */
  advance(around: Surroundings): RunStep | null {
    if (this.#comparison === null) return null;
    const { window, now } = around;
    const end = slotOf(window.watermark(this.#rollout.service, now));
    this.#lagMs = window.lagMs(this.#rollout.service) || 0;
    const readable = window.detailFrom;
    if (this.#nextSlot < readable) this.#skip(this.#comparison, Math.min(readable, end));
    let changed: RunStep | null = null;
    while (this.#nextSlot < end && !this.isOver) {
      this.#feed(this.#comparison, window, this.#nextSlot);
      this.#nextSlot++;
      this.#record.isDirty = true;
      changed = this.#decide(around, slotStartMs(this.#nextSlot)) ?? changed;
    }
    if (!this.isOver) changed = this.#decide(around, this.#judgedUpTo()) ?? changed;
    return changed;
  }

  /** Ends the run from outside. */
  end(state: 'superseded' | 'aborted', reason: Reason): void {
    if (this.isOver) return;
    this.#record.say({ state, decision: 'hold', reason, action: null }, this.#said, this.#judgedUpTo());
    this.#settle();
  }

  /** Notes which signal told the deploy system. */
  signalled(id: string): void {
    this.#record.signalled(id);
  }

  /** Slots up to `slot` are missing: a gap in time, not zeros. */
  skipTo(slot: SlotIndex): void {
    if (this.#comparison !== null && slot > this.#nextSlot) this.#skip(this.#comparison, slot);
  }

  view(): AnalysisRun {
    if (this.#record.final !== null) return this.#record.final;
    const shown = {
      rollout: this.#rollout,
      lateRequests: this.#arms.late,
      lagMs: this.#lagMs,
      exemplars: { baseline: [], canary: [] },
      strictness: 1,
    };
    return this.#record.view(shown, this.#said, this.#judgedUpTo());
  }

  /** Notes that what `save` gives is saved. */
  markSaved(at: EpochMs): void {
    this.#record.isDirty = false;
    this.#record.isNews = false;
    this.#savedAt = at;
  }

  save(): LiveRunState {
    return {
      rollout: this.#rollout,
      sequence: this.sequence,
      policy: this.policy,
      nextSlot: this.#nextSlot,
      ...this.#record.save(),
      comparison: this.#comparison?.snapshot() ?? null,
    };
  }

  static restore(saved: LiveRunState, layout: HistogramLayout, limits?: ProcessLimits): LiveRun {
    const run = new LiveRun(saved.rollout, saved.policy, layout, saved.sequence, limits);
    run.#record = RunRecord.restore(saved);
    run.#nextSlot = saved.nextSlot;
    run.#comparison = saved.comparison === null ? null : CanaryComparison.restore(saved.policy, layout, saved.comparison, limits);
    if (run.#comparison !== null) run.#said = run.#comparison.judge();
    for (const { name, reference } of saved.comparison?.endpoints ?? []) {
      // The history that primed it is in what was saved.
      run.#arms.endpoints.set(name, { baseline: [], canary: [], isPrimed: reference.chunks.length > 0 });
    }
    return run;
  }

  #feed(comparison: CanaryComparison, window: SlidingWindow, slot: SlotIndex): void {
    for (const [name, endpoint] of this.#arms.endpoints) {
      if (!endpoint.isPrimed && endpoint.baseline.length > 0) {
        endpoint.isPrimed = true;
        for (const past of window.baseline(endpoint.baseline, slotStartMs(slot), PRIME_MS))
          comparison.prime(name, past.endMs, past.reading);
      }
      window.readSlot(endpoint.baseline, slot, this.#baselineSlot);
      window.readSlot(endpoint.canary, slot, this.#canarySlot);
      if (this.#baselineSlot.requests + this.#canarySlot.requests === 0) continue;
      if (this.#canarySlot.requests > 0) this.#record.firstCanaryAt ??= slotStartMs(slot);
      comparison.feed(name, slot, this.#baselineSlot, this.#canarySlot);
    }
    comparison.endSlot(slot);
    this.#said = comparison.judge();
  }

  #skip(comparison: CanaryComparison, slot: SlotIndex): void {
    comparison.skipTo(slot);
    this.#nextSlot = slot;
    this.#record.isDirty = true;
  }

  #decide(around: Surroundings, at: EpochMs): RunStep | null {
    const { window, now } = around;
    const service = this.#rollout.service;
    const doubt = distrust({
      now,
      newestAt: window.newestAt(service),
      freshnessMs: this.policy.freshnessMs,
      baseline: this.#arms.baseline.tally(window, at, this.#lagMs),
      canary: this.#arms.canary.tally(window, at, this.#lagMs),
      endpoints: this.#arms.timings(window),
      clockJumped: around.clockJumped,
      stateUnknown: around.stateUnknown,
    });
    const step = stepRun({
      outcome: this.#said.outcome,
      reason: this.#said.reason,
      distrust: doubt,
      objection: around.objection(service, at),
      objectiveBurns: around.objectiveBurns,
      isSharedFailure: this.#said.isSharedFailure,
      mode: this.policy.mode,
      onInconclusive: this.policy.onInconclusive,
      at: isSilence(doubt) ? Math.max(at, now) : at,
      deadline: this.#rollout.deadline,
    });
    if (!this.#record.say(step, this.#said, at)) return null;
    if (this.isOver) this.#settle();
    return step;
  }

  /** A run that is over keeps its last view and lets go of the rest. */
  #settle(): void {
    this.#record.settle(this.view());
    this.#comparison = null;
    this.#arms.endpoints.clear();
  }

  #judgedUpTo(): EpochMs {
    return Math.max(slotStartMs(this.#nextSlot), Math.floor(this.#rollout.startedAt / SLOT_MS) * SLOT_MS);
  }
}
