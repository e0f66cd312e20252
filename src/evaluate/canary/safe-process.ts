/** Evidence that a canary is within its margin: reaches 1/beta with chance at most beta when it is beyond the margin from the start. */
import type { DurationMs } from '../../model/time.ts';
import { logSumExp } from './log-sum.ts';
import type { ProcessRules } from './process-rules.ts';

/** Evidence of late goes no further than this: what would once have been proof, for health and as well against it. */
const RECENT = Math.log(20);

export interface SafeProcessState {
  readonly base: readonly number[];
  readonly product: readonly number[];
  readonly recent: readonly number[];
  readonly window: number;
  readonly highest: number;
}

/** The product of all blocks since the start, without restarts, under the same caps as the harm process. */
export class SafeProcess {
  readonly #rules: ProcessRules;
  readonly #base: Float64Array;
  readonly #product: Float64Array;
  readonly #recent: Float64Array;
  readonly #terms: Float64Array;
  #window: number;
  #logE = 0;
  #recentLogE = 0;
  #highest = 0;

  constructor(rules: ProcessRules, bets: number, startMs: DurationMs) {
    this.#rules = rules;
    this.#base = new Float64Array(bets);
    this.#product = new Float64Array(bets);
    this.#recent = new Float64Array(bets);
    this.#terms = new Float64Array(bets);
    this.#window = Math.floor(startMs / rules.windowMs);
  }

  /** ln of the evidence now; 0 before data. */
  get logE(): number {
    return this.#logE;
  }

  /** ln of the evidence of late, between -RECENT and RECENT; 0 before data. No proof of anything, as it forgets: below 0, lately more spoke against health. */
  get recentLogE(): number {
    return this.#recentLogE;
  }

  /** The highest it ever was, >= 0: health once proven stays proven, harm is the other process's business. */
  get highestLogE(): number {
    return this.#highest;
  }

  /** Plays the block that ended at `atMs`: log evidence per bet, already tempered and capped. */
  update(atMs: DurationMs, evidence: Float64Array): void {
    const window = Math.floor(atMs / this.#rules.windowMs);
    const cap = this.#rules.windowCap;
    for (let j = 0; j < evidence.length; j++) {
      let product = this.#product[j] as number;
      if (window !== this.#window) {
        this.#base[j] = (this.#base[j] as number) + Math.min(product, cap);
        product = 0;
      }
      const gained = evidence[j] as number;
      product += gained;
      this.#recent[j] = Math.max(-RECENT, Math.min(RECENT, (this.#recent[j] as number) + gained));
      this.#product[j] = product;
      this.#terms[j] = (this.#base[j] as number) + Math.min(product, cap);
    }
    this.#window = window;
    this.#logE = logSumExp(this.#terms) - Math.log(this.#terms.length);
    this.#terms.set(this.#recent);
    this.#recentLogE = logSumExp(this.#terms) - Math.log(this.#terms.length);
    this.#highest = Math.max(this.#highest, this.#logE);
  }

  snapshot(): SafeProcessState {
    return {
      base: Array.from(this.#base),
      product: Array.from(this.#product),
      recent: Array.from(this.#recent),
      window: this.#window,
      highest: this.#highest,
    };
  }

  static restore(rules: ProcessRules, state: SafeProcessState): SafeProcess {
    const restored = new SafeProcess(rules, state.base.length, 0);
    restored.#base.set(state.base);
    restored.#product.set(state.product);
    restored.#recent.set(state.recent);
    restored.#window = state.window;
    restored.update(state.window * rules.windowMs, new Float64Array(state.base.length));
    restored.#highest = state.highest;
    return restored;
  }
}
