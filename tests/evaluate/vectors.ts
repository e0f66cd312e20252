/** The published test vectors of the conditional e-process, recomputed from the formulas by an independent program. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

interface BlockVector {
  readonly nb: number;
  readonly nc: number;
  readonly xb: number;
  readonly xc: number;
}

interface Step extends BlockVector {
  readonly t: number;
  readonly phi: number;
  readonly logE: number;
}

export interface Vectors {
  readonly logM: readonly {
    readonly g: number;
    readonly k: number;
    readonly nc: number;
    readonly nb: number;
    readonly psi0: number;
    readonly logM: number;
  }[];
  readonly blockHarm: readonly (BlockVector & {
    readonly g: number;
    readonly psi0: number;
    readonly delta: number;
    readonly logE: number;
  })[];
  readonly blockSafe: readonly (BlockVector & { readonly g: number; readonly delta: number; readonly logE: number })[];
  readonly harmProcess: {
    readonly params: {
      readonly grid: readonly number[];
      readonly psi0: number;
      readonly delta: number;
      readonly blockCap: number;
      readonly superSec: number;
      readonly superCap: number;
      readonly pi0: number;
      readonly horizon: number;
    };
    readonly steps: readonly (Step & { readonly cash: number })[];
  };
  readonly safeProcess: {
    readonly params: {
      readonly grid: readonly number[];
      readonly delta: number;
      readonly blockCap: number;
      readonly superSec: number;
      readonly superCap: number;
    };
    readonly steps: readonly Step[];
  };
  readonly dispersion: {
    readonly steps: readonly { readonly n: number; readonly x: number; readonly dt: number; readonly ratio: number }[];
  };
  readonly pairDispersion: {
    readonly params: { readonly superSec: number; readonly psi0: number };
    readonly steps: readonly (BlockVector & { readonly t: number; readonly ratio: number })[];
  };
  readonly portfolio: {
    readonly w: readonly number[];
    readonly logE: readonly number[];
    readonly alpha: number;
    readonly logW: number;
    readonly rollback: boolean;
  };
  readonly oddsRatioCS: {
    readonly params: { readonly lo: number; readonly hi: number; readonly G: number; readonly gamma: number };
    readonly blocks: readonly BlockVector[];
    readonly phi1: { readonly est: number; readonly lo: number; readonly hi: number };
    readonly phi1_5: { readonly est: number; readonly lo: number; readonly hi: number };
  };
  readonly guards: {
    readonly slo: { readonly g: number; readonly nc: number; readonly xc: number; readonly pMax: number; readonly logE: number };
    readonly traffic: { readonly g: number; readonly N: number; readonly nc: number; readonly sMin: number; readonly logE: number };
  };
  readonly thresholds: {
    readonly edges: readonly number[];
    readonly counts: readonly number[];
    readonly tests: readonly {
      readonly q: number;
      readonly r: number;
      readonly a: number;
      readonly baselineEdge: number;
      readonly canaryEdge: number;
      readonly baselineShareAbove: number;
    }[];
  };
}

export const vectors: Vectors = JSON.parse(readFileSync(new URL('../fixtures/statistics-vectors.json', import.meta.url), 'utf8'));

/** The vectors' own tolerance: 1e-6 of the expected value, or of 1. */
export function expectVector(actual: number, expected: number): void {
  expect(Math.abs(actual - expected), `${actual} should be ${expected}`).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(expected)));
}
