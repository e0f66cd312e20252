/** Wealth of one bet-against-health: grows without bound under real harm, and exceeds 1/alpha with chance at most alpha in a healthy canary. */
import type { DurationMs } from '../../model/time.ts';
import { logAdd, logSumExp } from './log-sum.ts';
import { INITIAL_STAKE, type ProcessRules } from './process-rules.ts';

export interface HarmProcessState {
  readonly base: readonly number[];
  readonly product: readonly number[];
  readonly cash: number;
  readonly window: number;
  readonly incidents: number;
}

/**
 * One conditional e-process over a mixture of bets. Evidence multiplies within an incident window up to a cap; at the window's end it is banked, and an
 * instalment of the cash joins all bets (restarts inside a fixed budget keep the chance of *ever* a false alarm, unlike Shiryaev-Roberts detectors).
 * Blocks must come in order of time.
 */
export class HarmProcess {
  readonly #rules: ProcessRules;
  readonly #base: Float64Array;
  readonly #product: Float64Array;
  readonly #terms: Float64Array;
  #cash = 1 - INITIAL_STAKE;
  #window: number;
  #incidents = 0;
  #logE = 0;

  /** `startMs` is when its money starts to enter: instalments are paid for time watched from there on. */
  constructor(rules: ProcessRules, bets: number, startMs: DurationMs) {
    this.#rules = rules;
    this.#base = new Float64Array(bets).fill(Math.log(INITIAL_STAKE));
    this.#product = new Float64Array(bets);
    this.#terms = new Float64Array(bets);
    this.#window = Math.floor(startMs / rules.windowMs);
  }

  /** ln of the wealth now; 0 before data. */
  get logE(): number {
    return this.#logE;
  }

  /** Money not yet in the game, [0, 0.5]. */
  get cash(): number {
    return this.#cash;
  }

  /** Incident windows, the open one included, in which the bets gained on average. */
  get incidentWindows(): number {
    return this.#incidents + (this.#gains() ? 1 : 0);
  }

  /** Plays the block that ended at `atMs`: log evidence per bet, already tempered and capped. */
  update(atMs: DurationMs, evidence: Float64Array): void {
    const window = Math.floor(atMs / this.#rules.windowMs);
    if (window !== this.#window) this.#turnTo(window);
    for (let j = 0; j < evidence.length; j++) this.#product[j] = (this.#product[j] as number) + (evidence[j] as number);
    this.#logE = this.#wealth();
  }

  snapshot(): HarmProcessState {
    return {
      base: Array.from(this.#base),
      product: Array.from(this.#product),
      cash: this.#cash,
      window: this.#window,
      incidents: this.#incidents,
    };
  }

  static restore(rules: ProcessRules, state: HarmProcessState): HarmProcess {
    const restored = new HarmProcess(rules, state.base.length, 0);
    restored.#base.set(state.base);
    restored.#product.set(state.product);
    restored.#cash = state.cash;
    restored.#window = state.window;
    restored.#incidents = state.incidents;
    restored.#logE = restored.#wealth();
    return restored;
  }

  #turnTo(window: number): void {
    if (this.#gains()) this.#incidents++;
    const instalment = Math.min(this.#cash, this.#rules.instalment * (window - this.#window));
    const joining = Math.log(instalment);
    this.#cash -= instalment;
    this.#window = window;
    for (let j = 0; j < this.#base.length; j++) {
      const banked = (this.#base[j] as number) + Math.min(this.#product[j] as number, this.#rules.windowCap);
      this.#base[j] = logAdd(banked, joining);
      this.#product[j] = 0;
    }
  }

  #wealth(): number {
    for (let j = 0; j < this.#base.length; j++) {
      this.#terms[j] = (this.#base[j] as number) + Math.min(this.#product[j] as number, this.#rules.windowCap);
    }
    return logAdd(Math.log(this.#cash), logSumExp(this.#terms) - Math.log(this.#terms.length));
  }

  #gains(): boolean {
    for (let j = 0; j < this.#product.length; j++) this.#terms[j] = Math.min(this.#product[j] as number, this.#rules.windowCap);
    return logSumExp(this.#terms) > Math.log(this.#terms.length);
  }
}
