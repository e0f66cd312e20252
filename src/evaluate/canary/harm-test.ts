/** Evidence of harm of one check: by requests while pods are few or unnamed, from then on by pods, of which none can bring it about alone. */
import { LANE_GROUPS } from '../../model/lane.ts';
import type { DurationMs } from '../../model/time.ts';
import { HarmProcess, type HarmProcessState } from './harm-process.ts';
import { logAdd } from './log-sum.ts';
import type { ProcessRules } from './process-rules.ts';

/** One witness for each group of pods that is left out. */
const QUICK = { count: LANE_GROUPS, patience: 1 };
/** Half a minute of five-second windows: chance makes the groups differ less over a longer time. */
const PATIENT = { count: LANE_GROUPS, patience: 6 };

export interface HarmTestState {
  /** One process: all requests. Then the quick and, where there is one, the patient one. */
  readonly processes: readonly HarmProcessState[];
  readonly isByPod: boolean;
  readonly hasPods: boolean;
}

/**
 * By pods the wealth is the mean of two, and both have as witnesses the canary without one group of its pods, without the second, without the third, of
 * which the least convinced counts. Trouble of a single group, however bad and long, leaves one witness as it was, so it raises neither.
 *
 * - The quick one needs no window cap, which is there to forgive a pod's incident; its witnesses agree after each window. Incidents of different pods
 *   that do not fall into the same window never add up.
 * - The patient one keeps the cap, and its witnesses agree every half minute, which finds small harm sooner.
 *
 * A check without window cap has the quick one alone. Both begin as copies of the wealth by requests when pods are first told apart, so the wealth goes
 * on from where it was. In blocks in which pods are not told apart all witnesses see all requests, and the window cap holds for both.
 */
export class HarmTest {
  readonly #isCapped: boolean;
  #quick: HarmProcess;
  #patient: HarmProcess | null = null;
  #hasPods = false;
  #isByPod = false;

  constructor(rules: ProcessRules, bets: number, startMs: DurationMs) {
    this.#isCapped = rules.windowCap < Infinity;
    this.#quick = new HarmProcess(rules, bets, startMs);
  }

  /** ln of the wealth; 0 before data. */
  get logE(): number {
    return this.#patient === null ? this.#quick.logE : logAdd(this.#quick.logE, this.#patient.logE) - Math.LN2;
  }

  /** Whether the last block was judged by pods. */
  get isByPod(): boolean {
    return this.#isByPod;
  }

  /** Incident windows, the open one included, in which the bets gained on average. */
  get incidentWindows(): number {
    return this.#quick.incidentWindows;
  }

  /** Plays a block as all requests show it: log evidence per bet. */
  update(atMs: DurationMs, evidence: Float64Array): void {
    this.#isByPod = false;
    this.#quick.update(atMs, evidence);
    this.#patient?.update(atMs, evidence);
  }

  /** Plays a block as it is without each of the groups of pods: log evidence per group, then per bet. */
  updateByPod(atMs: DurationMs, evidence: Float64Array): void {
    this.#isByPod = true;
    if (!this.#hasPods) {
      this.#hasPods = true;
      if (this.#isCapped) this.#patient = this.#quick.witnessedBy(PATIENT);
      this.#quick = this.#quick.witnessedBy(QUICK);
    }
    this.#quick.update(atMs, evidence, true);
    this.#patient?.update(atMs, evidence);
  }

  snapshot(): HarmTestState {
    const processes = this.#patient === null ? [this.#quick] : [this.#quick, this.#patient];
    return { processes: processes.map((each) => each.snapshot()), isByPod: this.#isByPod, hasPods: this.#hasPods };
  }

  static restore(rules: ProcessRules, { processes, isByPod, hasPods }: HarmTestState): HarmTest {
    const [quick, patient] = processes;
    const restored = new HarmTest(rules, 1, 0);
    if (quick !== undefined) restored.#quick = HarmProcess.restore(rules, quick, hasPods ? QUICK : undefined);
    if (patient !== undefined) restored.#patient = HarmProcess.restore(rules, patient, PATIENT);
    restored.#isByPod = isByPod;
    restored.#hasPods = hasPods;
    return restored;
  }
}
