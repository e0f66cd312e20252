/** Every formula of the comparison against the published vectors. */
import { describe, expect, it } from 'vitest';
import { betTable, harmEvidence, logMgfBound, safeEvidence, temper } from '../../../src/evaluate/canary/block-evidence.ts';
import { BaselineDispersion, PairDispersion } from '../../../src/evaluate/canary/dispersion.ts';
import { type BucketScale, edgeAtOrAbove, edgesAt } from '../../../src/evaluate/canary/edges.ts';
import { HarmProcess } from '../../../src/evaluate/canary/harm-process.ts';
import { logSumExp } from '../../../src/evaluate/canary/log-sum.ts';
import { INITIAL_STAKE } from '../../../src/evaluate/canary/process-rules.ts';
import { ReferenceHistogram } from '../../../src/evaluate/canary/reference-histogram.ts';
import { SafeProcess } from '../../../src/evaluate/canary/safe-process.ts';
import { expectVector, vectors } from '../vectors.ts';

describe('published vectors', () => {
  it.each(vectors.logM)('bound the moment generating function: g $g, k $k, nc $nc, nb $nb, psi0 $psi0', ({ g, k, nc, nb, psi0, logM }) => {
    expectVector(logMgfBound(g, k, nc, nb, psi0), logM);
  });

  it.each(vectors.blockHarm)('give the harm evidence of a block: g $g, $xb of $nb and $xc of $nc', (vector) => {
    const out = new Float64Array(1);
    harmEvidence(betTable([vector.g], vector.psi0, vector.delta), vector, out);
    expectVector(out[0] as number, vector.logE);
  });

  it.each(vectors.blockSafe)('give the evidence for health of a block: g $g, $xb of $nb and $xc of $nc', (vector) => {
    const out = new Float64Array(1);
    safeEvidence(betTable([vector.g], 1, vector.delta), vector, out);
    expectVector(out[0] as number, vector.logE);
  });

  it('are followed step by step by the harm process', () => {
    const { params, steps } = vectors.harmProcess;
    expect(params.pi0).toBe(INITIAL_STAKE);
    const windowMs = params.superSec * 1000;
    const rules = { windowMs, windowCap: params.superCap, instalment: ((1 - params.pi0) * params.superSec) / params.horizon };
    const table = betTable(params.grid, params.psi0, params.delta);
    const process = new HarmProcess(rules, params.grid.length, 0);
    const out = new Float64Array(params.grid.length);
    for (const step of steps) {
      harmEvidence(table, step, out);
      temper(out, step.phi, params.blockCap);
      process.update(step.t * 1000, out);
      expectVector(process.logE, step.logE);
      expectVector(process.cash, step.cash);
    }
  });

  it('are followed step by step by the safe process', () => {
    const { params, steps } = vectors.safeProcess;
    const rules = { windowMs: params.superSec * 1000, windowCap: params.superCap, instalment: 0 };
    const table = betTable(params.grid, 1, params.delta);
    const process = new SafeProcess(rules, params.grid.length, 0);
    const out = new Float64Array(params.grid.length);
    for (const step of steps) {
      safeEvidence(table, step, out);
      temper(out, step.phi, params.blockCap);
      process.update(step.t * 1000, out);
      expectVector(process.logE, step.logE);
    }
  });

  it('are followed step by step by the dispersion among baseline blocks', () => {
    const dispersion = new BaselineDispersion();
    for (const { n, x, dt, ratio } of vectors.dispersion.steps) {
      dispersion.update(n, x, dt * 1000);
      expectVector(dispersion.ratio, ratio);
    }
  });

  it('are followed step by step by the dispersion among pairs of windows', () => {
    const { params, steps } = vectors.pairDispersion;
    const dispersion = new PairDispersion(params.superSec * 1000, params.psi0);
    for (const step of steps) {
      dispersion.update(step.t * 1000, step);
      expectVector(dispersion.ratio, step.ratio);
    }
  });

  it('give the wealth of a portfolio', () => {
    const { w, logE, logW, alpha, rollback } = vectors.portfolio;
    const wealth = logSumExp(w.map((weight, index) => Math.log(weight) + (logE[index] as number)));
    expectVector(wealth, logW);
    expect(wealth >= Math.log(1 / alpha)).toBe(rollback);
  });

  it.each(vectors.thresholds.tests)('put the edges at q $q', ({ q, r, a, baselineEdge, canaryEdge, baselineShareAbove }) => {
    const { edges, counts } = vectors.thresholds;
    const scale: BucketScale = {
      size: counts.length,
      lowestUs: (index) => edges[index] as number,
      index: (value) => edges.findLastIndex((edge) => edge <= value),
    };
    const reference = new ReferenceHistogram(counts.length);
    reference.add(0, { requests: 1000, failed: 0, size: counts.length, buckets: counts.map((_, index) => index), counts });
    const bucket = reference.edge(q);
    expect(edges[bucket]).toBe(baselineEdge);
    expect(counts.slice(bucket).reduce((sum, count) => sum + count, 0) / 1000).toBeCloseTo(baselineShareAbove, 9);
    expect(edges[edgeAtOrAbove(scale, Math.max(baselineEdge * (1 + r), baselineEdge + a))]).toBe(canaryEdge);
    const tolerance = { ratio: r, addUs: a, passRatio: r, passAddUs: a };
    expect(edgesAt(reference, scale, { q, tolerance }, 0, false)?.canary).toBe(edges.indexOf(canaryEdge));
  });
});
