/** One analysis run in flight: feeds its comparison slot by slot as the decision watermark passes, and keeps what it said. */
import { broken, type RunStep } from '../decide/run-state.ts';
import type { CanaryJudgement } from '../evaluate/canary/canary-judgement.ts';
import type { Reason } from '../model/judgement.ts';
import type { CanaryPolicy } from '../model/policy.ts';
import type { AnalysisRun, Rollout, RunState } from '../model/rollout.ts';
import type { SeriesInfo } from '../model/series.ts';
import type { SlotDeltas } from '../model/slot-deltas.ts';
import { type DurationMs, type EpochMs, SLOT_MS, type SlotIndex, slotOf, slotStartMs } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import { Exemplars } from './exemplars.ts';
import { isOldNews, nextStep, type Surroundings } from './next-step.ts';
import { armOf, RunArms } from './run-arms.ts';
import { bakePolicy, runPolicy, type Strictness } from './run-policy.ts';
import { RunRecord } from './run-record.ts';
import { type Bake, type LiveRunState, RUN_FORMAT, type RunStart } from './saved-run.ts';
import { silenced, Trial, type TrialGround } from './trial.ts';

export class LiveRun {
  readonly policy: CanaryPolicy;
  /** Runs that were started later have larger ones, whatever start their deploy system gave them. */
  readonly sequence: number;
  /** Fixed for the run, so that it can be predicted. */
  readonly strictness: Strictness;
  readonly #ground: TrialGround;
  #rollout: Rollout;
  /** Null when the run is over. */
  #trial: Trial | null;
  #said: CanaryJudgement;
  #bake: Bake | null = null;
  #record = new RunRecord();
  #savedAt: EpochMs = Number.NEGATIVE_INFINITY;
  #savedSlot: SlotIndex = Number.POSITIVE_INFINITY;
  #nextSlot: SlotIndex;
  #exemplars: Exemplars;
  #lagMs: DurationMs = 0;
  /** When harm was proven first; null: it was not. */
  #provenAt: EpochMs | null = null;
  readonly #arms = new RunArms();

  constructor(start: RunStart, ground: TrialGround) {
    const { rollout, policy, strictness } = start;
    this.#ground = ground;
    this.#rollout = rollout;
    this.sequence = start.sequence;
    this.policy = policy;
    this.strictness = strictness;
    this.#nextSlot = slotOf(rollout.startedAt);
    this.#exemplars = new Exemplars(this.#nextSlot);
    this.#trial = Trial.ofRun(runPolicy(policy, strictness), ground, this.#nextSlot);
    this.#trial.plan(rollout.canaryShare);
    this.#said = this.#trial.said;
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

  /** First slot that would be judged if it went on from where it was saved last; Infinity before that, and when it is over. */
  get savedSlot(): SlotIndex {
    return this.isOver ? Number.POSITIVE_INFINITY : this.#savedSlot;
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

  /** Looks at a flush that was merged, from `firstRow` on, for requests to show. */
  look(deltas: SlotDeltas, firstRow: number): void {
    if (!this.isOver && this.#exemplars.add(deltas, firstRow, this.#arms.endpoints)) this.#record.isDirty = true;
  }

  /** True when spans of this series are judged by this run: its place is reserved. */
  concerns(info: Pick<SeriesInfo, 'service' | 'release'>): boolean {
    return !this.isOver && armOf(this.#rollout, info) !== null;
  }

  /** The share of requests that the canary is meant to get from now on, (0, 1]; null: nobody knows. */
  plan(canaryShare: number | null): void {
    if (this.isOver || canaryShare === this.#rollout.canaryShare) return;
    this.#rollout = { ...this.#rollout, canaryShare };
    this.#trial?.plan(canaryShare);
    this.#record.news();
  }

  /**
   * Judges every slot the watermark has passed, one by one, so that the verdict does not depend on how often this is called. Returns a step that
   * changed the verdict, after which there may be more to judge, or null when it stands.
   */
  advance(around: Surroundings): RunStep | null {
    const { window, now, timing } = around;
    const trial = this.#isPromoted ? this.#beginBake(window) : this.#trial;
    if (trial === null) return null;
    const end = slotOf(window.watermark(this.#rollout.service, now, timing));
    this.#lagMs = window.lagMs(this.#rollout.service) || 0;
    const readable = window.detailFrom;
    if (this.#nextSlot < readable) this.#skip(trial, Math.min(readable, end));
    let changed: RunStep | null = null;
    while (this.#nextSlot < end && !this.isOver) {
      const missingTo = around.unobserved(slotStartMs(this.#nextSlot), this.#lagMs);
      if (missingTo !== null) this.#skip(trial, Math.min(slotOf(missingTo) + 1, end));
      else this.#feed(trial, window);
      const at = slotStartMs(this.#nextSlot);
      changed = this.#decide(isOldNews(at, this.policy, around) ? { ...around, inputDoubt: 'input_lagging' } : around, at) ?? changed;
      if (changed !== null && this.#isPromoted) return changed;
    }
    if (!this.isOver) changed = this.#decide(around, this.#judgedUpTo()) ?? changed;
    return changed;
  }

  /** Ends the run from outside. */
  end(state: 'superseded' | 'aborted', reason: Reason): void {
    if (this.isOver) return;
    // Nobody is told to hold what was promoted long ago.
    const decision = this.state === 'baking' ? 'promote' : 'hold';
    this.#record.say({ state, decision, reason, action: null }, this.#said, this.#judgedUpTo());
    this.#settle();
  }

  /** Begun to bake: the deploy system has its answer. */
  get isBaking(): boolean {
    return this.#bake !== null;
  }

  /** Ends a bake before its time because its place is needed: the promotion stands. */
  cutShort(): void {
    if (this.#bake === null) return;
    const { reason } = this.#bake.promotion.verdict;
    this.#record.say({ state: 'promoted', decision: 'promote', reason, action: null }, this.#said, this.#judgedUpTo());
    this.#settle();
  }

  /** Ends a run that threw, without asking anything of its test again. A promotion stands: nothing speaks against it. */
  breakDown(): RunStep {
    this.#said = silenced(this.#said);
    const step: RunStep =
      this.state === 'baking'
        ? { state: 'promoted', decision: 'promote', reason: this.#bake?.promotion.verdict.reason ?? 'baking', action: null }
        : broken(this.policy.mode);
    this.#record.say(step, this.#said, this.#judgedUpTo());
    this.#settle();
    return step;
  }

  /** Notes which signal told the deploy system. */
  signalled(id: string): void {
    this.#record.signalled(id);
  }

  /** Slots up to `slot` are missing: a gap in time, not zeros. */
  skipTo(slot: SlotIndex): void {
    if (this.#trial !== null && slot > this.#nextSlot) this.#skip(this.#trial, slot);
  }

  view(): AnalysisRun {
    if (this.#record.final !== null) return this.#record.final;
    const shown = {
      rollout: this.#rollout,
      lateRequests: this.#arms.late,
      lagMs: this.#lagMs,
      exemplars: this.#exemplars.view(),
      strictness: this.strictness.factor,
    };
    return this.#record.view(shown, this.#said, this.#judgedUpTo());
  }

  /** Notes that what `save` gives is saved. */
  markSaved(at: EpochMs): void {
    this.#record.isDirty = false;
    this.#record.isNews = false;
    this.#savedAt = at;
    this.#savedSlot = this.#nextSlot;
  }

  save(): LiveRunState {
    return {
      format: RUN_FORMAT,
      rollout: this.#rollout,
      sequence: this.sequence,
      policy: this.policy,
      strictness: this.strictness,
      nextSlot: this.#nextSlot,
      ...this.#record.save(),
      bake: this.#bake,
      provenAt: this.#provenAt,
      source: null,
      comparison: null,
      exemplars: this.isOver ? null : this.#exemplars.snapshot(),
      arms: this.isOver ? null : this.#arms.save(),
      ...this.#trial?.save(),
    };
  }

  /** `exact`: it goes on as though it had never stopped; else what came of its releases is counted anew. */
  static restore(saved: LiveRunState, ground: TrialGround, continuity: 'gap' | 'exact' = 'gap'): LiveRun {
    const run = new LiveRun(saved, ground);
    run.#record = RunRecord.restore(saved);
    run.#nextSlot = saved.nextSlot;
    run.#savedSlot = saved.nextSlot;
    run.#bake = saved.bake;
    run.#provenAt = saved.provenAt ?? null;
    if (saved.exemplars !== null) run.#exemplars = new Exemplars(slotOf(saved.rollout.startedAt), saved.exemplars);
    run.#trial = null;
    if (saved.comparison !== null && saved.source !== null) {
      const policy = (saved.bake === null ? runPolicy : bakePolicy)(saved.policy, saved.strictness);
      run.#trial = Trial.restore(policy, ground, { comparison: saved.comparison, source: saved.source });
      run.#said = run.#trial.said;
    }
    for (const { name, reference } of saved.comparison?.endpoints ?? []) {
      // The history that primed it is in what was saved.
      run.#arms.endpoints.set(name, { baseline: [], canary: [], isPrimed: reference.chunks.length > 0 });
    }
    if (continuity === 'exact' && saved.arms != null) run.#arms.restore(saved.arms);
    return run;
  }

  /** It was promoted a moment ago and has not begun to bake. */
  get #isPromoted(): boolean {
    return this.state === 'baking' && this.#bake === null;
  }

  #feed(trial: Trial, window: SlidingWindow): void {
    const { baseline } = this.policy;
    const canaryRequests = trial.feed(this.#arms, window, this.#nextSlot, baseline.kind === 'previous' ? baseline.shiftMs : 0);
    if (canaryRequests > 0) this.#record.firstCanaryAt ??= slotStartMs(this.#nextSlot);
    this.#said = trial.said;
    this.#nextSlot++;
    this.#record.isDirty = true;
  }

  #skip(trial: Trial, slot: SlotIndex): void {
    trial.skipTo(slot);
    this.#nextSlot = slot;
    this.#record.isDirty = true;
  }

  /** The run's evidence has done its work; the bake begins without any. */
  #beginBake(window: SlidingWindow): Trial | null {
    if (this.#trial === null) return null;
    this.#bake = { until: this.#judgedUpTo() + this.policy.bakeMs, promotion: this.view() };
    const policy = bakePolicy(this.policy, this.strictness);
    this.#trial = this.#trial.bake(policy, this.#ground, this.#nextSlot, this.#arms, window);
    this.#said = this.#trial.said;
    this.#record.news();
    return this.#trial;
  }

  #decide(around: Surroundings, at: EpochMs): RunStep | null {
    const said = this.#said;
    const standing = {
      rollout: this.#rollout,
      policy: this.policy,
      bake: this.#bake,
      arms: this.#arms,
      said,
      reason: this.#trial?.reason ?? said.reason,
      isLive: this.#trial?.isLive ?? true,
      lagMs: this.#lagMs,
      at,
      provenAt: this.#provenAt,
    };
    const step = nextStep(standing, around);
    if (step.isHarm === true && this.#provenAt === null) {
      this.#provenAt = at;
      around.harmProven(at);
    }
    if (!this.#record.say(step, said, at)) return null;
    if (this.isOver) this.#settle();
    return step;
  }

  /** A run that is over keeps its last view and lets go of the rest. A bake of which nothing came leaves what the release was promoted for. */
  #settle(): void {
    this.#record.settle(this.#bake === null || this.#said.outcome === 'fail' ? this.view() : this.#bake.promotion);
    this.#bake = null;
    this.#trial = null;
    this.#arms.endpoints.clear();
  }

  #judgedUpTo(): EpochMs {
    return Math.max(slotStartMs(this.#nextSlot), Math.floor(this.#rollout.startedAt / SLOT_MS) * SLOT_MS);
  }
}
