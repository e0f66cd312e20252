/** A run that is rolled back, with every part of it filled, and the longest run there can be. */
import type { Judgement } from '../../src/model/judgement.ts';
import type { AnalysisRun } from '../../src/model/rollout.ts';
import { burn, criterion, errors, latency, mix, NOON, silence, spread } from './evidence.ts';

const CHECKS: readonly Judgement[] = [
  { check: 'p99 GET /cart', outcome: 'inconclusive', reason: 'accumulating', evidence: latency },
  { check: 'errors POST /checkout', outcome: 'fail', reason: 'harm_proven', evidence: errors },
  {
    check: 'p50 GET /cart',
    outcome: 'pass',
    reason: 'health_proven',
    evidence: { ...latency, metric: 'p50', logE: -2, oddsRatio: { estimate: 1.02, low: 0.91, high: 1.13 } },
  },
  { check: 'burn (all)', outcome: 'inconclusive', reason: 'accumulating', evidence: burn },
  { check: 'traffic mix', outcome: 'pass', reason: 'accumulating', evidence: mix },
  { check: 'p99 spread GET /cart', outcome: 'inconclusive', reason: 'tolerance_too_small', evidence: spread },
];

export const rolledBack: AnalysisRun = {
  rollout: {
    id: 'ro-1',
    service: 'shop',
    generation: 7,
    baseline: { 'service.version': '1.4.2' },
    canary: { 'service.version': '1.5.0' },
    policyId: 'policy-1',
    startedAt: NOON,
    deadline: NOON + 3_600_000,
    origin: 'api',
    target: null,
    canaryShare: 0.05,
  },
  state: 'rolled_back',
  verdict: {
    decision: 'rollback',
    reason: 'harm_proven',
    at: NOON + 190_000,
    logWealth: 6.12,
    logLimit: Math.log(100),
    decidedBy: 'errors POST /checkout',
  },
  judgements: CHECKS,
  history: [
    { decision: 'hold', reason: 'no_canary', at: NOON, logWealth: 0, logLimit: Math.log(100), decidedBy: null },
    {
      decision: 'rollback',
      reason: 'harm_proven',
      at: NOON + 190_000,
      logWealth: 6.12,
      logLimit: Math.log(100),
      decidedBy: 'errors POST /checkout',
    },
  ],
  canaryRequests: 812,
  baselineRequests: 15_203,
  lateRequests: 3,
  firstCanaryAt: NOON + 12_000,
  lagMs: 5_000,
  signalId: 'sig_5f0c',
  trail: errors.trail,
  outlook: [
    {
      check: 'p99 GET /cart',
      endpoint: 'GET /cart',
      metric: 'p99',
      effect: { kind: 'latency', ratio: 1.5 },
      neededMs: 2_400_000,
      smallest: { kind: 'latency', ratio: 1.42 },
      isJudgeable: true,
    },
    {
      check: 'errors GET /admin',
      endpoint: 'GET /admin',
      metric: 'errors',
      effect: { kind: 'errors', addRatio: 0.005 },
      neededMs: null,
      smallest: null,
      isJudgeable: false,
    },
  ],
  exemplars: {
    canary: [
      {
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        endpoint: 'POST /checkout',
        at: NOON + 185_000,
        durationMs: 12,
        failed: true,
      },
      { traceId: '5bf92f3577b34da6a3ce929d0e0e4736', endpoint: 'GET /cart', at: NOON + 186_000, durationMs: 1_234, failed: false },
    ],
    baseline: [{ traceId: '6bf92f3577b34da6a3ce929d0e0e4736', endpoint: 'GET /cart', at: NOON + 100_000, durationMs: 400, failed: false }],
  },
  strictness: 0.6,
};

/** 1,000 endpoints, each with all that can be said, and nothing proven. */
export function longest(): AnalysisRun {
  const endpoints = Array.from({ length: 1_000 }, (_, index) => `GET /${'very-long-'.repeat(30)}${index}`);
  const judgements = endpoints.flatMap((endpoint, index): Judgement[] => [
    { check: `errors ${endpoint}`, outcome: 'inconclusive', reason: 'accumulating', evidence: { ...errors, endpoint, phi: 3 } },
    { check: `p99 ${endpoint}`, outcome: 'inconclusive', reason: 'too_few_samples', evidence: { ...latency, endpoint } },
    { check: `p95 ${endpoint}`, outcome: 'inconclusive', reason: 'warming_up', evidence: { ...latency, endpoint, metric: 'p95' } },
    { check: `p50 ${endpoint}`, outcome: 'inconclusive', reason: 'not_judgeable', evidence: { ...latency, endpoint, metric: 'p50' } },
    { check: `limit ${endpoint}`, outcome: 'fail', reason: 'criterion_breached', evidence: { ...criterion, endpoint } },
    ...(index > 3 ? [] : [{ check: 'traffic mix', outcome: 'inconclusive', reason: 'confounded', evidence: mix } as const]),
    { check: `spread ${endpoint}`, outcome: 'inconclusive', reason: 'tolerance_too_small', evidence: { ...spread, endpoint } },
  ]);
  return {
    ...rolledBack,
    state: 'running',
    verdict: { ...rolledBack.verdict, decision: 'hold', reason: 'horizon_reached', decidedBy: judgements[0]?.check ?? null },
    judgements: [...judgements, { check: 'silence', outcome: 'fail', reason: 'silence_proven', evidence: silence }],
    history: Array.from({ length: 200 }, () => rolledBack.verdict),
    trail: Array.from({ length: 128 }, (_, index) => ({ at: NOON + index * 1_000, logE: index / 30 })),
    outlook: Array.from({ length: 100 }, () => rolledBack.outlook).flat(),
    exemplars: {
      canary: Array.from({ length: 30 }, () => rolledBack.exemplars.canary).flat(),
      baseline: Array.from({ length: 30 }, () => rolledBack.exemplars.canary).flat(),
    },
  };
}
