/** Seconds as 2×2 tables with the product's own idea of "slow", so that methods differ in their statistics alone. */
import { countFrom, timedRequests } from '../../../../src/evaluate/canary/arm-slot.ts';
import type { Block } from '../../../../src/evaluate/canary/block-evidence.ts';
import { edgesAt } from '../../../../src/evaluate/canary/edges.ts';
import { ReferenceHistogram } from '../../../../src/evaluate/canary/reference-histogram.ts';
import { canaryPolicy } from '../../../evaluate/policy.ts';
import { LAYOUT } from '../latencies.ts';
import type { Seconds } from '../method.ts';

const { latency } = canaryPolicy();
const RULES = [
  { q: 0.5, tolerance: latency.p50 },
  { q: 0.95, tolerance: latency.p95 },
  { q: 0.99, tolerance: latency.p99 },
];
/** p50, p95, p99 and errors. */
export const TABLES = RULES.length + 1;

/** One second's table of a metric; `xcBeyond` are the canary's bad ones when bad means beyond the tolerance. */
export interface Table extends Block {
  readonly xcBeyond: number;
}

const NOTHING: Table = { nb: 0, nc: 0, xb: 0, xc: 0, xcBeyond: 0 };

/** Shared by the methods of one rollout. */
export class Tables {
  #second = Number.NaN;
  #tables: readonly Table[] = [];
  readonly #reference = new ReferenceHistogram(LAYOUT.size);

  /** The tables of `second`, worked out once; before the canary's start there is nothing in them. */
  at(second: number, { baseline, canary }: Seconds): readonly Table[] {
    if (second === this.#second) return this.#tables;
    this.#second = second;
    const atMs = (second + 1) * 1000;
    if (second >= 0) {
      const [nb, nc] = [timedRequests(baseline), timedRequests(canary)];
      this.#tables = RULES.map((rule) => {
        const edges = edgesAt(this.#reference, LAYOUT, rule, atMs, false);
        if (edges === null) return NOTHING;
        const [xb, xc] = [countFrom(baseline, edges.baseline), countFrom(canary, edges.baseline)];
        return { nb, nc, xb, xc, xcBeyond: countFrom(canary, edges.canary) };
      }).concat({ nb: baseline.requests, nc: canary.requests, xb: baseline.failed, xc: canary.failed, xcBeyond: canary.failed });
    }
    this.#reference.add(atMs, baseline);
    return this.#tables;
  }
}

/** Sums of tables since the start. */
export class CumulatedTables {
  readonly sums: readonly { nb: number; nc: number; xb: number; xc: number; xcBeyond: number }[] = Array.from({ length: TABLES }, () => ({
    ...NOTHING,
  }));

  add(tables: readonly Table[]): void {
    tables.forEach((table, index) => {
      const sum = this.sums[index];
      if (sum === undefined) return;
      sum.nb += table.nb;
      sum.nc += table.nc;
      sum.xb += table.xb;
      sum.xc += table.xc;
      sum.xcBeyond += table.xcBeyond;
    });
  }
}
