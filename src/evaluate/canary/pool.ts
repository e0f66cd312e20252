/** Checks across all endpoints at once: finds a small harm that every endpoint shares and none can prove alone. */
import type { DurationMs } from '../../model/time.ts';
import type { CheckRule } from './check-rule.ts';
import { HarmProcess, type HarmProcessState } from './harm-process.ts';
import { logSumExp } from './log-sum.ts';

const UNPLAYED = { logE: 0 };

export interface PoolState {
  readonly processes: readonly (HarmProcessState | null)[];
}

/**
 * One more harm process per metric. Its block is a slot: the sum of the tempered and capped evidence of all endpoints whose block closed in it (their
 * requests are different ones, so the product of their e-values is one), capped once more like any block.
 */
export class Pool {
  readonly #rules: readonly CheckRule[];
  readonly #evidence: readonly Float64Array[];
  readonly #processes: (HarmProcess | null)[];
  #hasEvidence = false;
  #logWealth = 0;

  constructor(rules: readonly CheckRule[]) {
    this.#rules = rules;
    this.#evidence = rules.map((rule) => new Float64Array(rule.harm.bets.length));
    this.#processes = rules.map(() => null);
    this.#weigh();
  }

  /** ln of the weighted mean of its processes' wealth. */
  get logWealth(): number {
    return this.#logWealth;
  }

  /** ln of the wealth of one metric's process. */
  logE(check: number): number {
    return this.#processes[check]?.logE ?? 0;
  }

  /** The wealths of all metrics, in the rules' order. */
  get wealths(): readonly { readonly logE: number }[] {
    return this.#processes.map((wealth) => wealth ?? UNPLAYED);
  }

  incidentWindows(check: number): number {
    return this.#processes[check]?.incidentWindows ?? 0;
  }

  /** Adds one endpoint's evidence of this slot. */
  add(check: number, evidence: Float64Array): void {
    const sum = this.#evidence[check] as Float64Array;
    for (let j = 0; j < sum.length; j++) sum[j] = (sum[j] as number) + (evidence[j] as number);
    this.#hasEvidence = true;
  }

  /** Bets the slot's evidence, if `isPlaying`, and forgets it. */
  endSlot(atMs: DurationMs, isPlaying: boolean): void {
    if (!this.#hasEvidence) return;
    this.#hasEvidence = false;
    this.#rules.forEach((rule, check) => {
      const evidence = this.#evidence[check] as Float64Array;
      if (isPlaying && evidence.some((value) => value !== 0)) {
        for (let j = 0; j < evidence.length; j++) evidence[j] = Math.min(evidence[j] as number, rule.limits.blockCap);
        const wealth = this.#processes[check] ?? new HarmProcess(rule.harmRules, evidence.length, atMs);
        this.#processes[check] = wealth;
        wealth.update(atMs, evidence);
      }
      evidence.fill(0);
    });
    this.#weigh();
  }

  snapshot(): PoolState {
    return { processes: this.#processes.map((wealth) => wealth?.snapshot() ?? null) };
  }

  static restore(rules: readonly CheckRule[], state: PoolState): Pool {
    const restored = new Pool(rules);
    rules.forEach((rule, check) => {
      const saved = state.processes[check] ?? null;
      restored.#processes[check] = saved === null ? null : HarmProcess.restore(rule.harmRules, saved);
    });
    restored.#weigh();
    return restored;
  }

  #weigh(): void {
    this.#logWealth = logSumExp(this.#rules.map((rule, check) => Math.log(rule.weight) + this.logE(check)));
  }
}
