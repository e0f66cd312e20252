/** Stage B: merges slot deltas, evaluates objectives and canaries as the watermark moves, and decides. Pure: time is passed in. */
import type { RunStep } from './decide/run-state.ts';
import { AlertWatch } from './engine/alert-watch.ts';
import { Appearances } from './engine/appearances.ts';
import { ControlDesk } from './engine/control-desk.ts';
import { discovered } from './engine/discovery.ts';
import { dueRuns } from './engine/due-runs.ts';
import { canaryPolicyOf, EngineViews, type ViewGround } from './engine/engine-views.ts';
import { GateBook } from './engine/gate-book.ts';
import type { LiveRun } from './engine/live-run.ts';
import type { Surroundings } from './engine/next-step.ts';
import { ObjectiveFeed } from './engine/objective-feed.ts';
import { retention } from './engine/retention.ts';
import { type RolloutRequest, Rollouts, type StartOutcome } from './engine/rollouts.ts';
import { strictnessOf } from './engine/run-policy.ts';
import { runSignal } from './engine/run-signal.ts';
import { savedRun } from './engine/saved-run.ts';
import { SeriesBook } from './engine/series-book.ts';
import { seriesMeant } from './engine/series-meant.ts';
import { ServiceTraffic } from './engine/service-traffic.ts';
import { TrendBook } from './engine/trend-book.ts';
import { Unobserved } from './engine/unobserved.ts';
import type { ProcessLimits } from './evaluate/canary/process-rules.ts';
import type { Checkpoint, SavedState } from './model/checkpoint.ts';
import type { HistogramLayout } from './model/histogram-layout.ts';
import type { InputDoubt } from './model/judgement.ts';
import type { Policies } from './model/policy.ts';
import type { AnalysisRun, RolloutEnd, Signal } from './model/rollout.ts';
import type { SeriesInfo } from './model/series.ts';
import type { SlotDeltas } from './model/slot-deltas.ts';
import { type DurationMs, type EpochMs, type SlotIndex, slotOf, slotStartMs } from './model/time.ts';
import type { Timing } from './window/punctuality.ts';
import { type MergeOutcome, SlidingWindow } from './window/sliding-window.ts';

/** Until when nothing is decided because state was lost: one more restart must not shorten it. */
const UNKNOWN_NOTE = 'unknown';

/** A verdict that changed, and the signal that tells of it, if any. */
export interface Decision {
  readonly run: AnalysisRun;
  readonly signal: Signal | null;
  /** What broke inside the run, which ends for it; null when nothing did. */
  readonly fault: string | null;
}

export class Engine {
  readonly window: SlidingWindow;
  readonly objectives: ObjectiveFeed;
  readonly rollouts: Rollouts;
  readonly gateBook = new GateBook();
  readonly controls = new ControlDesk();
  readonly alerts: AlertWatch;
  readonly trends: TrendBook;
  readonly traffic: ServiceTraffic;
  readonly views: EngineViews;
  #policies: Policies;
  readonly #series = new SeriesBook();
  readonly #appearances = new Appearances(this.#series);
  readonly #unobserved = new Unobserved();
  #timing: Timing = 'newest';
  /** Of what is merged, as `advance` was told last; to be set where time does not move at all. */
  inputDoubt: InputDoubt | null = null;
  #frozenUntil: EpochMs = Number.NEGATIVE_INFINITY;
  #unknownUntil: EpochMs = Number.NEGATIVE_INFINITY;
  /** Since the last time that time moved on. */
  #stoodStillMs: DurationMs = 0;

  /** `limits` is for tests that show why the limits exist. */
  constructor(policies: Policies, layout: HistogramLayout, limits?: ProcessLimits) {
    this.#policies = policies;
    this.window = new SlidingWindow({ layout });
    this.objectives = new ObjectiveFeed(policies, layout);
    this.rollouts = new Rollouts(layout, limits);
    this.alerts = new AlertWatch(policies);
    this.trends = new TrendBook(policies);
    this.traffic = new ServiceTraffic(layout);
    this.views = new EngineViews(this.#ground());
  }

  /** Adds a flush. The same origin twice changes nothing. */
  merge(deltas: SlotDeltas): MergeOutcome {
    for (const info of deltas.announced) if (this.#series.add(info)) this.#bind(info);
    const heard = this.#series.noteFirstSlots(deltas);
    const outcome = this.window.merge(deltas);
    if (!outcome.duplicate) for (const book of [this.objectives, this.traffic]) book.add(deltas, outcome.firstRow);
    this.#appearances.add(heard);
    if (this.#timing === 'newest') this.#discover(Number.POSITIVE_INFINITY);
    if (!outcome.duplicate) for (const run of this.rollouts.active()) run.look(deltas, outcome.firstRow);
    return outcome;
  }

  /**
   * Moves time on: rolls windows up and judges every run as far as its watermark allows. `now` is the wall clock, or the stream's own: in a replay, and where
   * sources tell how far their counts are complete (`complete`: then some of what is merged may be of later times). In `doubt` no run promotes or rolls back.
   */
  advance(now: EpochMs, doubt: InputDoubt | null = null, timing: Timing = 'newest'): readonly Decision[] {
    this.inputDoubt = doubt;
    this.#timing = timing;
    this.#discover(now);
    const decisions: Decision[] = [];
    for (const run of this.rollouts.active()) this.#advanceRun(run, now, decisions);
    this.window.neededFrom = timing === 'complete' ? this.#neededFrom() : Number.POSITIVE_INFINITY;
    this.window.advance(now, timing);
    this.objectives.notObserved(now - this.#stoodStillMs, now);
    this.#stoodStillMs = 0;
    this.objectives.advance(this.window.frozenBefore);
    this.alerts.advance(this.objectives, now, { window: this.window, isKnown: !this.#isStateUnknown(now), timing });
    this.trends.advance(this.window, (rule) => seriesMeant(rule, this.#series));
    return decisions;
  }

  startRollout(request: RolloutRequest, now: EpochMs): StartOutcome {
    const policy = canaryPolicyOf(this.#policies, request.service);
    const strictness = strictnessOf(policy, this.objectives.tightestBudget(request.service, this.window.newestAt(request.service)));
    const outcome = this.rollouts.start(request, policy, strictness, now);
    if (outcome.kind === 'started') for (const info of this.#series.of(request.service)) outcome.run.bind(info, this.window);
    return outcome;
  }

  abortRollout(id: string): AnalysisRun | null {
    const run = this.rollouts.find(id);
    run?.end('aborted', 'aborted');
    return run?.view() ?? null;
  }

  /** The deploy system itself ended the rollout. What is about the time after goes on: a bake, and a comparison with what served before. */
  endRollout(id: string, how: RolloutEnd): AnalysisRun | null {
    const run = this.rollouts.find(id);
    const goesOn = run?.isBaking === true || (how === 'through' && run?.policy.baseline.kind === 'previous');
    if (!goesOn) run?.end('aborted', 'rollout_over');
    return run?.view() ?? null;
  }

  /** The wall clock jumped by `jumpMs`: nothing is decided until `until`, by the new time. */
  clockJumped(jumpMs: DurationMs, until: EpochMs): void {
    this.window.notListened(jumpMs);
    this.#frozenUntil = until;
  }

  /** Nothing was taken in for `ms`, which says nothing about the senders. */
  stoodStill(ms: DurationMs): void {
    this.window.notListened(ms);
    this.#stoodStillMs += ms;
  }

  /** Spans that arrived between the two moments may be missing: runs pass over that time, and timeslices that touch it are not judged. */
  notObserved(fromMs: EpochMs, toMs: EpochMs): void {
    this.#unobserved.add(fromMs, toMs);
    this.objectives.notObserved(fromMs, toMs);
  }

  /** State could not be read back as it was: nothing is decided until `until`. */
  markStateUnknown(until: EpochMs): void {
    this.#unknownUntil = until;
  }

  /** Takes new policies. Runs in flight keep theirs: it is part of their signal's identity. */
  reconfigure(policies: Policies): void {
    this.#policies = policies;
    this.objectives.reconfigure(policies, this.#series.all());
    this.alerts.reconfigure(policies);
    this.trends.reconfigure(policies);
  }

  /** True when spans of this service and release are part of a run in flight. */
  isUnderAnalysis(info: Pick<SeriesInfo, 'service' | 'release'>): boolean {
    for (const run of this.rollouts.active()) if (run.concerns(info)) return true;
    return false;
  }

  /** True when some release of the service has this endpoint. */
  hasEndpoint(service: string, endpoint: string): boolean {
    return this.#series.of(service).some((info) => info.endpoint === endpoint);
  }

  /** What changed since the last call, to be stored in one transaction; `bounded` leaves runs with much evidence and nothing new for later. */
  checkpoint(at: EpochMs, extent: 'bounded' | 'whole' = 'whole'): Checkpoint {
    const { slots, notes } = this.window.checkpoint();
    const objectives = this.objectives.checkpoint();
    const runs = extent === 'bounded' ? dueRuns(this.rollouts.all()) : [...this.rollouts.all()].filter((run) => run.isDirty);
    for (const run of runs) run.markSaved(at);
    return {
      at,
      series: this.#series.takeUnsaved(),
      slots,
      countKeys: objectives.countKeys,
      counts: objectives.counts,
      runs: runs.map((run) => ({ id: run.rollout.id, json: JSON.stringify(run.save()) })),
      notes: [
        ...notes,
        ...objectives.notes,
        ...this.alerts.snapshot(),
        ...this.trends.snapshot(),
        ...this.controls.snapshot(),
        ...this.gateBook.snapshot(),
        ...this.#appearances.snapshot(this.window.newestSlot),
        ...this.#unobserved.snapshot(slotStartMs(this.window.newestSlot)),
        ...(Number.isFinite(this.#unknownUntil) ? [{ key: UNKNOWN_NOTE, json: JSON.stringify(this.#unknownUntil) }] : []),
      ],
      ...retention(this.window, this.#policies),
    };
  }

  /**
   * Takes up saved state at `now`. `gap`: what happened since the last checkpoint is unknown, and runs skip it. `exact`: what is merged next is what came right
   * after it. A run that was saved before the window was is fed from the window's slots then; of what lies before its single slots, a gap stays.
   */
  restore(saved: SavedState, now: EpochMs, continuity: 'gap' | 'exact' = 'gap'): void {
    const isExact = continuity === 'exact';
    for (const info of saved.series) if (this.#series.addSaved(info)) this.#bind(info);
    this.window.restore(saved.slots, saved.notes, saved.series, continuity);
    this.objectives.restore(saved, isExact ? null : now);
    this.alerts.restore(saved.notes, this.#policies);
    this.trends.restore(saved.notes);
    this.gateBook.restoreFrom(saved.notes);
    const unknown = saved.notes.find((note) => note.key === UNKNOWN_NOTE);
    if (unknown !== undefined) this.#unknownUntil = JSON.parse(unknown.json) as EpochMs;
    this.#unobserved.restore(saved.notes);
    if (isExact) {
      this.#timing = 'complete';
      this.#appearances.restore(saved.notes);
    }
    this.controls.restore(saved.notes);
    const runs = saved.runs.map((run) => savedRun(run.json));
    this.rollouts.restore(runs, continuity);
    for (const run of this.rollouts.active()) {
      for (const info of this.#series.of(run.rollout.service)) run.bind(info, this.window);
      if (!isExact) run.skipTo(slotOf(now));
    }
  }

  #ground(): ViewGround {
    const { window, objectives, rollouts, gateBook, controls, alerts, trends } = this;
    const isStateUnknown = (now: EpochMs): boolean => this.#isStateUnknown(now);
    const policies = (): Policies => this.#policies;
    const rooms = { window, objectives, rollouts, gateBook, controls, alerts, trends, series: this.#series, isStateUnknown };
    return {
      ...rooms,
      inputDoubt: () => this.inputDoubt,
      get policies() {
        return policies();
      },
    };
  }

  #isStateUnknown(now: EpochMs): boolean {
    return now < Math.max(this.#unknownUntil, this.#frozenUntil);
  }

  /** One run that breaks must not keep those behind it from being judged. */
  #advanceRun(run: LiveRun, now: EpochMs, decisions: Decision[]): void {
    try {
      const around = this.#surroundings(run, now);
      for (let step = run.advance(around); step !== null; step = run.advance(around)) decisions.push(this.#decided(run, step, now));
    } catch (error) {
      const fault = error instanceof Error ? (error.stack ?? error.message) : String(error);
      decisions.push({ ...this.#decided(run, run.breakDown(), now), fault });
    }
  }

  #surroundings(run: LiveRun, now: EpochMs): Surroundings {
    const { controls } = this;
    const policies = this.#policies;
    const { id, service } = run.rollout;
    const limits = { ...policies, coolDownMs: run.policy.coolDownMs };
    return {
      now,
      timing: this.#timing,
      window: this.window,
      unobserved: (at, lagMs) => this.#unobserved.to(at, lagMs),
      clockJumped: now < this.#frozenUntil,
      stateUnknown: now < this.#unknownUntil,
      inputDoubt: this.inputDoubt,
      objectiveBurns: this.objectives.isBurningFast(service, this.window.newestAt(service)),
      ceiling: controls.book.modeOf(service, id, now),
      objection: (at, provenAt) => controls.objection(service, at, provenAt, limits),
      harmProven: (at) => controls.harmProven(service, at, policies),
    };
  }

  #decided(run: LiveRun, step: RunStep, now: EpochMs): Decision {
    const signal = runSignal(run, step, now);
    if (signal?.action === 'rollback') this.controls.rolledBack(run.rollout.service, run.view().verdict.at);
    if (signal !== null) run.signalled(signal.id);
    return { run: run.view(), signal, fault: null };
  }

  #bind(info: SeriesInfo): void {
    this.traffic.bind(info);
    this.objectives.bind(info);
    for (const run of this.rollouts.active()) run.bind(info, this.window);
  }

  /** Of what appeared by `now`: what it is to be compared with may come by another source, so it waits until all have come there. */
  #discover(now: EpochMs): void {
    for (const info of this.#appearances.due(now)) this.#discoverBy(info);
  }

  /** First slot that a run would be fed again if everything was to be gone on with from what is saved. */
  #neededFrom(): SlotIndex {
    return Math.min(...[...this.rollouts.active()].map(({ savedSlot }) => savedSlot));
  }

  #discoverBy(info: SeriesInfo): void {
    const policy = canaryPolicyOf(this.#policies, info.service);
    if ((policy.track === null && policy.trackBy === null) || this.isUnderAnalysis(info) || this.rollouts.isAnnounced(info.service)) return;
    const firstAt = this.#series.firstAt(info);
    const pair = discovered({
      info,
      firstAt,
      policy,
      seen: this.#series.seenOf(info.service),
      requestsOf: (series, windowMs) => this.window.counts(series, firstAt - windowMs, firstAt).requests,
    });
    if (pair === null) return;
    this.startRollout({ service: info.service, ...pair, generation: 1, startedAt: firstAt, origin: 'policy', target: null }, firstAt);
  }
}
