/** Evidence of harm of one check: by requests while pods are few or unnamed, from then on by pods, of which none can bring it about alone. */
import { LANE_GROUPS } from '../../model/lane.ts';
import type { DurationMs } from '../../model/time.ts';
import { HarmProcess, type HarmProcessState } from './harm-process.ts';
import { logAdd } from './log-sum.ts';
import type { ProcessRules } from './process-rules.ts';

/**
 * Patient witnesses agree when both have passed since they did: time, and requests of the canary. Over more of them chance makes the groups differ less, by
 * which small harm is found sooner; over fewer, incidents of different pods are told apart.
 */
const PATIENCE_MS = 30_000;
const PATIENCE_REQUESTS = 1000;

/** How witnesses are asked, as HarmTest explains. */
export type Asking = 'patiently' | 'quickly' | 'both ways';

export interface HarmTestRules {
  readonly harmRules: ProcessRules;
  readonly harm: { readonly bets: ArrayLike<number> };
  readonly asks: Asking;
}

export interface HarmTestState {
  readonly whole: HarmProcessState | null;
  readonly quick: HarmProcessState | null;
  readonly patient: HarmProcessState | null;
  /** When patient witnesses agreed last, and requests of the canary since. */
  readonly agreed: readonly [atMs: DurationMs, requests: number];
  readonly isByPod: boolean;
}

/**
 * By pods the witnesses are the canary without one group of its pods, without the second and without the third, and the least convinced counts. Trouble of a
 * single group, however bad and long, leaves one witness as it was, so it raises no wealth. There are two ways of asking them:
 *
 * - Patiently, with the window cap; they agree every half minute or thousand requests, which finds small harm soonest.
 * - Quickly, without the cap, which is there to forgive an incident of one pod; they agree after every window, so that incidents of different pods that do
 *   not fall into the same window never add up.
 *
 * Failures are asked about both ways, and the wealth is the mean; latencies patiently, as pauses of pods overlap more often than their failures do, and
 * absolute limits too; what is severe quickly. All begin as copies of the wealth by requests when pods are first told apart, so the wealth goes on from
 * where it was. In blocks in which they are not, every witness sees all requests, and the window cap holds: there a single pod's trouble counts.
 */
export class HarmTest {
  readonly #rules: HarmTestRules;
  /** Until pods are told apart, then null. */
  #whole: HarmProcess | null;
  #quick: HarmProcess | null = null;
  #patient: HarmProcess | null = null;
  #agreedMs = 0;
  #requests = 0;
  #isByPod = false;

  constructor(rules: HarmTestRules, startMs: DurationMs) {
    this.#rules = rules;
    this.#whole = new HarmProcess(rules.harmRules, rules.harm.bets.length, startMs);
  }

  /** ln of the wealth; 0 before data. */
  get logE(): number {
    if (this.#quick !== null && this.#patient !== null) return logAdd(this.#quick.logE, this.#patient.logE) - Math.LN2;
    return this.#one?.logE ?? 0;
  }

  /** Whether the last block was judged by pods. */
  get isByPod(): boolean {
    return this.#isByPod;
  }

  /** Incident windows, the open one included, in which the bets gained on average. */
  get incidentWindows(): number {
    return this.#one?.incidentWindows ?? 0;
  }

  /** Plays a block as all requests show it: log evidence per bet. */
  update(atMs: DurationMs, evidence: Float64Array): void {
    this.#isByPod = false;
    this.#whole?.update(atMs, evidence);
    this.#quick?.update(atMs, evidence);
    this.#patient?.update(atMs, evidence);
  }

  /** Plays a block of `requests` of the canary as it is without each of the groups of pods: log evidence per group, then per bet. */
  updateByPod(atMs: DurationMs, requests: number, evidence: Float64Array): void {
    this.#isByPod = true;
    if (this.#whole !== null) {
      if (this.#rules.asks !== 'patiently') this.#quick = this.#whole.witnessedBy(LANE_GROUPS);
      if (this.#rules.asks !== 'quickly') this.#patient = this.#whole.witnessedBy(LANE_GROUPS);
      this.#whole = null;
      this.#agreedMs = atMs;
    }
    this.#quick?.update(atMs, evidence, true);
    this.#quick?.agree();
    this.#patient?.update(atMs, evidence);
    this.#requests += requests;
    if (atMs - this.#agreedMs < PATIENCE_MS || this.#requests < PATIENCE_REQUESTS) return;
    this.#patient?.agree();
    this.#agreedMs = atMs;
    this.#requests = 0;
  }

  snapshot(): HarmTestState {
    return {
      whole: this.#whole?.snapshot() ?? null,
      quick: this.#quick?.snapshot() ?? null,
      patient: this.#patient?.snapshot() ?? null,
      agreed: [this.#agreedMs, this.#requests],
      isByPod: this.#isByPod,
    };
  }

  static restore(rules: HarmTestRules, state: HarmTestState): HarmTest {
    const restored = new HarmTest(rules, 0);
    const { whole, quick, patient } = state;
    restored.#whole = whole && HarmProcess.restore(rules.harmRules, whole);
    restored.#quick = quick && HarmProcess.restore(rules.harmRules, quick, LANE_GROUPS);
    restored.#patient = patient && HarmProcess.restore(rules.harmRules, patient, LANE_GROUPS);
    [restored.#agreedMs, restored.#requests] = state.agreed;
    restored.#isByPod = state.isByPod;
    return restored;
  }

  get #one(): HarmProcess | null {
    return this.#whole ?? this.#patient ?? this.#quick;
  }
}
