/** How much more unevenly bad requests fall than chance would have it: errors and slow requests come in clumps, and evidence is tempered by it. */

import type { DurationMs } from '../../model/time.ts';
import { type Block, expectedBad } from './block-evidence.ts';

const HALF_LIFE_MS = 600_000;

/** Prior observations without overdispersion, and the largest a single one may be, so that one incident does not own the estimate. */
const BASELINE_PRIOR = 5;
const BASELINE_LIMIT = 64;
const PAIR_PRIOR = 10;
const PAIR_LIMIT = 100;
/** A window says something about clumping only when chance alone would move its count by about this variance. */
const PAIR_MIN_VARIANCE = 0.5;

export interface BaselineDispersionState {
  readonly requests: number;
  readonly bad: number;
  readonly numerator: number;
  readonly denominator: number;
}

/** Compares successive baseline blocks with each other: the hypergeometric chi-square of two neighbours has mean 1 without clumps. */
export class BaselineDispersion {
  #requests = 0;
  #bad = 0;
  #numerator = BASELINE_PRIOR;
  #denominator = BASELINE_PRIOR;

  /** Estimated overdispersion; 1 without any, may be below 1. */
  get ratio(): number {
    return this.#numerator / this.#denominator;
  }

  /** A baseline block of `requests`, `bad` of them, that lasted `durationMs`. Blocks without requests are passed over. */
  update(requests: number, bad: number, durationMs: DurationMs): void {
    if (requests === 0) return;
    const n = this.#requests + requests;
    const k = this.#bad + bad;
    if (this.#requests > 0 && k > 0 && k < n) {
      const variance = (k * (n - k) * this.#requests * requests) / (n * n * (n - 1));
      const surprise = (bad - (k * requests) / n) ** 2 / variance;
      const kept = 0.5 ** (durationMs / HALF_LIFE_MS);
      this.#numerator = this.#numerator * kept + Math.min(surprise, BASELINE_LIMIT);
      this.#denominator = this.#denominator * kept + 1;
    }
    this.#requests = requests;
    this.#bad = bad;
  }

  snapshot(): BaselineDispersionState {
    return { requests: this.#requests, bad: this.#bad, numerator: this.#numerator, denominator: this.#denominator };
  }

  static restore(state: BaselineDispersionState): BaselineDispersion {
    const restored = new BaselineDispersion();
    restored.#requests = state.requests;
    restored.#bad = state.bad;
    restored.#numerator = state.numerator;
    restored.#denominator = state.denominator;
    return restored;
  }
}

export interface PairDispersionState {
  readonly window: number;
  readonly bad: number;
  readonly expected: number;
  readonly variance: number;
  readonly allBad: number;
  readonly allExpected: number;
  readonly last: number | null;
  readonly numerator: number;
  readonly denominator: number;
}

/**
 * Compares the canary's surplus of bad requests in successive incident windows. A constant surplus, which is harm and not clumping, cancels in the
 * difference.
 */
export class PairDispersion {
  readonly #windowMs: DurationMs;
  readonly #psi0: number;
  #window: number;
  #bad = 0;
  #expected = 0;
  #variance = 0;
  #allBad = 1;
  #allExpected = 1;
  #last: number | null = null;
  #numerator = PAIR_PRIOR;
  #denominator = PAIR_PRIOR;

  constructor(windowMs: DurationMs, psi0: number) {
    this.#windowMs = windowMs;
    this.#psi0 = psi0;
    this.#window = 0;
  }

  /** Estimated overdispersion; 1 without any, may be below 1. */
  get ratio(): number {
    return this.#numerator / this.#denominator;
  }

  /** A block that ended at `atMs`. Blocks without one of the releases are passed over. */
  update(atMs: DurationMs, block: Block): void {
    const { nb, nc, xb, xc } = block;
    if (nb === 0 || nc === 0) return;
    const window = Math.floor(atMs / this.#windowMs);
    if (window !== this.#window) {
      if (this.#variance >= PAIR_MIN_VARIANCE) this.#endWindow();
      this.#window = window;
    }
    const k = xb + xc;
    const n = nb + nc;
    this.#bad += xc;
    this.#expected += expectedBad(k, nc, nb, this.#psi0);
    this.#variance += ((k * (n - k)) / n) * (nc / n) * (nb / (n - 1));
  }

  snapshot(): PairDispersionState {
    return {
      window: this.#window,
      bad: this.#bad,
      expected: this.#expected,
      variance: this.#variance,
      allBad: this.#allBad,
      allExpected: this.#allExpected,
      last: this.#last,
      numerator: this.#numerator,
      denominator: this.#denominator,
    };
  }

  static restore(windowMs: DurationMs, psi0: number, state: PairDispersionState): PairDispersion {
    const restored = new PairDispersion(windowMs, psi0);
    restored.#window = state.window;
    restored.#bad = state.bad;
    restored.#expected = state.expected;
    restored.#variance = state.variance;
    restored.#allBad = state.allBad;
    restored.#allExpected = state.allExpected;
    restored.#last = state.last;
    restored.#numerator = state.numerator;
    restored.#denominator = state.denominator;
    return restored;
  }

  #endWindow(): void {
    this.#allBad += this.#bad;
    this.#allExpected += this.#expected;
    const inflation = Math.max(1, this.#allBad / this.#allExpected);
    const surplus = (this.#bad - this.#expected) / Math.sqrt(this.#variance * inflation);
    if (this.#last !== null) {
      this.#numerator += Math.min((surplus - this.#last) ** 2 / 2, PAIR_LIMIT);
      this.#denominator += 1;
    }
    this.#last = surplus;
    this.#bad = 0;
    this.#expected = 0;
    this.#variance = 0;
  }
}
