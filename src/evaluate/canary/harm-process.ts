/** Wealth of one bet-against-health: grows without bound under real harm, and exceeds 1/alpha with chance at most alpha in a healthy canary. */
import type { DurationMs } from '../../model/time.ts';
import { logAdd, logSumExp } from './log-sum.ts';
import { INITIAL_STAKE, type ProcessRules } from './process-rules.ts';

export interface HarmProcessState {
  /** Per witness, then per bet. */
  readonly base: readonly number[];
  readonly product: readonly number[];
  readonly cash: number;
  readonly window: number;
  readonly incidents: number;
  readonly isUncapped: boolean;
}

/**
 * One conditional e-process over a mixture of bets. Evidence multiplies within an incident window up to a cap; at the window's end it is banked, and an
 * instalment of the cash joins all bets (restarts inside a fixed budget keep the chance of *ever* a false alarm, unlike Shiryaev-Roberts detectors).
 * Blocks must come in order of time.
 *
 * With several witnesses each bet is worth what the least convinced of them makes of it. The least of wealths is a wealth again, as its expectation is at
 * most that of each; and lowering a wealth, as the others' is when they agree, is always allowed.
 */
export class HarmProcess {
  readonly #rules: ProcessRules;
  readonly #bets: number;
  readonly #base: Float64Array;
  readonly #product: Float64Array;
  readonly #terms: Float64Array;
  #cash = 1 - INITIAL_STAKE;
  #window: number;
  #incidents = 0;
  #isUncapped = false;
  #logE = 0;

  /** `startMs` is when its money starts to enter: instalments are paid for time watched from there on. */
  constructor(rules: ProcessRules, bets: number, startMs: DurationMs, witnesses = 1) {
    this.#rules = rules;
    this.#bets = bets;
    this.#base = new Float64Array(bets * witnesses).fill(Math.log(INITIAL_STAKE));
    this.#product = new Float64Array(bets * witnesses);
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

  /** The same wealth, from here on with several witnesses. */
  witnessedBy(witnesses: number): HarmProcess {
    const { base, product, ...rest } = this.snapshot();
    const all = (values: readonly number[]) => Array.from({ length: witnesses }, () => values).flat();
    return HarmProcess.restore(this.#rules, { ...rest, base: all(base), product: all(product) }, witnesses);
  }

  /**
   * Plays the block that ended at `atMs`: log evidence, already tempered and capped, per bet, the witnesses' one after the other; that of a single one is
   * taken for all. `isUncapped` lifts the window's cap until the window ends: what was gained under the cap is banked before, so nothing is gained by it.
   */
  update(atMs: DurationMs, evidence: Float64Array, isUncapped = false): void {
    const window = Math.floor(atMs / this.#rules.windowMs);
    if (window !== this.#window) {
      this.#turnTo(window);
      this.#isUncapped = isUncapped;
    } else if (isUncapped && !this.#isUncapped) {
      this.#bank();
      this.#isUncapped = true;
    }
    for (let at = 0; at < this.#product.length; at += this.#bets) {
      const from = evidence.length === this.#bets ? 0 : at;
      for (let j = 0; j < this.#bets; j++) this.#product[at + j] = (this.#product[at + j] as number) + (evidence[from + j] as number);
    }
    this.#logE = this.#wealth();
  }

  /** Of the windows before the open one, all witnesses go on from what the least convinced makes of each bet. */
  agree(): void {
    let hasChanged = false;
    for (let j = 0; j < this.#bets; j++) {
      let least = Infinity;
      for (let at = j; at < this.#base.length; at += this.#bets) least = Math.min(least, this.#base[at] as number);
      for (let at = j; at < this.#base.length; at += this.#bets) {
        hasChanged ||= this.#base[at] !== least;
        this.#base[at] = least;
      }
    }
    if (hasChanged) this.#logE = this.#wealth();
  }

  snapshot(): HarmProcessState {
    return {
      base: Array.from(this.#base),
      product: Array.from(this.#product),
      cash: this.#cash,
      window: this.#window,
      incidents: this.#incidents,
      isUncapped: this.#isUncapped,
    };
  }

  static restore(rules: ProcessRules, state: HarmProcessState, witnesses = 1): HarmProcess {
    const restored = new HarmProcess(rules, state.base.length / witnesses, 0, witnesses);
    restored.#base.set(state.base);
    restored.#product.set(state.product);
    restored.#cash = state.cash;
    restored.#window = state.window;
    restored.#incidents = state.incidents;
    restored.#isUncapped = state.isUncapped;
    restored.#logE = restored.#wealth();
    return restored;
  }

  get #cap(): number {
    return this.#isUncapped ? Infinity : this.#rules.windowCap;
  }

  #bank(): void {
    const cap = this.#cap;
    for (let at = 0; at < this.#base.length; at++) {
      this.#base[at] = (this.#base[at] as number) + Math.min(this.#product[at] as number, cap);
      this.#product[at] = 0;
    }
  }

  #turnTo(window: number): void {
    if (this.#gains()) this.#incidents++;
    const instalment = Math.min(this.#cash, this.#rules.instalment * (window - this.#window));
    const joining = Math.log(instalment);
    this.#cash -= instalment;
    this.#bank();
    this.#window = window;
    for (let at = 0; at < this.#base.length; at++) this.#base[at] = logAdd(this.#base[at] as number, joining);
  }

  #wealth(): number {
    const cap = this.#cap;
    for (let j = 0; j < this.#bets; j++) {
      let least = Infinity;
      for (let at = j; at < this.#base.length; at += this.#bets) {
        least = Math.min(least, (this.#base[at] as number) + Math.min(this.#product[at] as number, cap));
      }
      this.#terms[j] = least;
    }
    return logAdd(Math.log(this.#cash), logSumExp(this.#terms) - Math.log(this.#bets));
  }

  #gains(): boolean {
    const cap = this.#cap;
    for (let j = 0; j < this.#bets; j++) {
      let least = Infinity;
      for (let at = j; at < this.#base.length; at += this.#bets) least = Math.min(least, Math.min(this.#product[at] as number, cap));
      this.#terms[j] = least;
    }
    return logSumExp(this.#terms) > Math.log(this.#bets);
  }
}
