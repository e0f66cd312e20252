/** What a run has said: its state, the verdicts at which it changed its mind, and the view that is shown of it. */
import { isFinal, type RunStep } from '../decide/run-state.ts';
import type { CanaryJudgement } from '../evaluate/canary/canary-judgement.ts';
import type { AnalysisRun, RunState, Verdict } from '../model/rollout.ts';
import type { EpochMs } from '../model/time.ts';

const MAX_HISTORY = 200;

export interface RunRecordState {
  readonly state: RunState;
  readonly history: readonly Verdict[];
  readonly firstCanaryAt: EpochMs | null;
  readonly signalId: string | null;
  readonly final: AnalysisRun | null;
}

/** What a view shows and the record does not know. */
export type Shown = Pick<AnalysisRun, 'rollout' | 'lateRequests' | 'lagMs' | 'exemplars' | 'strictness'>;

export class RunRecord {
  /** Changed since it was last saved. */
  isDirty = true;
  /** More than evidence changed since: the run was started, said something new, or ended. */
  isNews = true;
  firstCanaryAt: EpochMs | null = null;
  #state: RunState = 'pending';
  #history: Verdict[] = [];
  #signalId: string | null = null;
  #final: AnalysisRun | null = null;

  get state(): RunState {
    return this.#state;
  }

  get isOver(): boolean {
    return isFinal(this.#state);
  }

  get signalId(): string | null {
    return this.#signalId;
  }

  /** The last view of a run that is over. */
  get final(): AnalysisRun | null {
    return this.#final;
  }

  /** Notes a step that is judged up to `at`; false when it says what was said already. */
  say(step: RunStep, said: CanaryJudgement, at: EpochMs): boolean {
    const last = this.#history.at(-1);
    if (last !== undefined && step.state === this.#state && step.decision === last.decision && step.reason === last.reason) return false;
    this.#state = step.state;
    const verdict = { ...this.verdict(said, at), decision: step.decision, reason: step.reason };
    // Views that were given away stay as they were.
    this.#history = [...this.#history, verdict];
    if (this.#history.length > MAX_HISTORY) this.#history.splice(1, 1);
    this.news();
    return true;
  }

  /** Notes which signal told the deploy system. */
  signalled(id: string): void {
    this.#signalId = id;
    if (this.#final !== null) this.#final = { ...this.#final, signalId: id };
    this.news();
  }

  news(): void {
    this.isDirty = true;
    this.isNews = true;
  }

  verdict(said: CanaryJudgement, at: EpochMs): Verdict {
    const last = this.#history.at(-1);
    return {
      decision: last?.decision ?? 'continue',
      reason: last?.reason ?? said.reason,
      at,
      logWealth: said.logWealth,
      logLimit: said.logLimit,
      decidedBy: said.decidedBy,
    };
  }

  view(shown: Shown, said: CanaryJudgement, at: EpochMs): AnalysisRun {
    return {
      ...shown,
      state: this.#state,
      verdict: this.verdict(said, at),
      judgements: said.judgements,
      history: this.#history,
      canaryRequests: said.canaryRequests,
      baselineRequests: said.baselineRequests,
      firstCanaryAt: this.firstCanaryAt,
      signalId: this.#signalId,
      trail: said.trail,
      outlook: said.outlook,
    };
  }

  /** The run is over and this stays of it: the evidence of `view` under the last words. */
  settle(view: AnalysisRun): void {
    const { decision, reason } = this.#history.at(-1) ?? view.verdict;
    this.#final = { ...view, state: this.#state, verdict: { ...view.verdict, decision, reason }, history: this.#history };
  }

  save(): RunRecordState {
    return {
      state: this.#state,
      history: this.#history,
      firstCanaryAt: this.firstCanaryAt,
      signalId: this.#signalId,
      final: this.#final,
    };
  }

  static restore(saved: RunRecordState): RunRecord {
    const record = new RunRecord();
    record.#state = saved.state;
    record.#history = [...saved.history];
    record.firstCanaryAt = saved.firstCanaryAt;
    record.#signalId = saved.signalId;
    record.#final = saved.final;
    record.isDirty = false;
    record.isNews = false;
    return record;
  }
}
