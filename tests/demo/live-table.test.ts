import { describe, expect, it } from 'vitest';
import type { RunWire, StatusWire } from '../../src/api/schemas.ts';
import { renderTable } from '../../src/cli/table.ts';
import { latencyText, liveTable, oddsText, strongest } from './live-table.ts';

type Judged = RunWire['judgements'][number];
type Series = StatusWire['services'][number]['endpoints'][number];

function check(metric: string, outcome: Judged['outcome'], logE: number, endpoint = 'POST /checkout'): Judged {
  return {
    check: `${metric} ${endpoint}`,
    outcome,
    reason: outcome === 'fail' ? 'harm_proven' : 'accumulating',
    evidence: {
      kind: 'comparison',
      endpoint,
      metric,
      baselineEdgeUs: metric === 'errors' ? null : 142_000,
      canaryEdgeUs: metric === 'errors' ? null : 156_000,
      baseline: { bad: 5, total: 100 },
      canary: { bad: 30, total: 100 },
      logE,
      weight: 0.1,
      share: 0.5,
      logSafe: 0,
      phi: 1,
      incidentWindows: 2,
      level: 'request',
      oddsRatio: null,
      logNeeded: 8,
      onsetAt: null,
      trail: [],
      isCritical: false,
    },
  };
}

function series(endpoint: string, release: string, changes: Partial<Series> = {}): Series {
  return {
    endpoint,
    kind: 'http',
    release,
    releaseAttributes: { 'service.version': release },
    requests: 500,
    failed: 1,
    rate: 100,
    errorRatio: 0.002,
    p50Ms: 80,
    p95Ms: 142,
    p99Ms: 1234,
    ...changes,
  };
}

function status(services: Record<string, Series[]>): StatusWire {
  const rest = { newestAt: 1, watermarkAt: 1, lagMs: 1000, lateSpans: 0, seriesInUse: 1, seriesQuota: 500, objectives: [] };
  return {
    now: 1,
    policyRevision: 'r',
    inputs: null,
    watchdog: null,
    windowMs: 5000,
    services: Object.entries(services).map(([service, endpoints]) => ({ service, endpoints, ...rest })),
    runs: [],
  };
}

function run(judgements: Judged[]): RunWire {
  return {
    rollout: {
      id: 'ro',
      service: 'checkout',
      generation: 1,
      baseline: { 'service.version': '1.4.2' },
      canary: { 'service.version': '1.5.0' },
      policyId: 'p',
      startedAt: 1,
      deadline: 2,
      origin: 'api',
      target: null,
      canaryShare: null,
    },
    state: 'running',
    verdict: { decision: 'continue', reason: 'accumulating', at: 1, logWealth: 0, logLimit: 4.6, decidedBy: null },
    judgements,
    history: [],
    canaryRequests: 100,
    baselineRequests: 100,
    lateRequests: 0,
    trail: [],
    outlook: [],
    exemplars: { baseline: [], canary: [] },
    strictness: 1,
    firstCanaryAt: 1,
    lagMs: 1000,
    signalId: null,
    explanation: { verdict: '', judgements: [] },
  };
}

describe('the live table', () => {
  it('shows the service under judgement first, and what speaks against the canary beside the canary', () => {
    const view = status({
      catalog: [series('process orders', '0.9.4')],
      checkout: [series('POST /checkout', '1.4.2'), series('POST /checkout', '1.5.0', { errorRatio: 0.3, p50Ms: null })],
    });
    const { columns, rows } = liveTable(view, run([check('p95', 'inconclusive', 3)]), 200);
    const lines = renderTable(columns, rows).split('\n');
    expect(lines.slice(1).map((line) => line.split(/ {2,}/))).toEqual([
      ['checkout', 'POST /checkout', '1.4.2', '100', '80 ms', '142 ms', '1.23 s', '0.2 %'],
      ['', '1.5.0', '100', '–', '142 ms', '1.23 s', '30.0 %', 'accumulating', 'p95 >156 ms 30.0 % v 5.0 %, 20:1'],
      ['catalog', 'process orders', '0.9.4', '100', '80 ms', '142 ms', '1.23 s', '0.2 %'],
    ]);
  });

  it('fits a terminal of 80 columns', () => {
    const view = status({ checkout: [series('GET /order/{id}', '1.4.2'), series('GET /order/{id}', '1.5.0')] });
    const { columns, rows } = liveTable(view, run([check('p95', 'inconclusive', 3, 'GET /order/{id}')]), 79);
    const lines = renderTable(columns, rows, { width: 79 }).split('\n');
    expect(lines.map((line) => line.length).filter((length) => length > 79)).toEqual([]);
    expect(lines[2]).toContain('accumulating  p95 >156');
  });

  it.each([
    ['a failed check before one with more evidence that is open', [check('p50', 'inconclusive', 9), check('errors', 'fail', 5)], 'errors'],
    ['the one with most evidence among open ones', [check('p50', 'inconclusive', 1), check('p95', 'inconclusive', 2)], 'p95'],
    ['an open check before a passed one', [check('p50', 'pass', -0.1), check('p95', 'inconclusive', -1)], 'p95'],
    ['evidence of harm even where health was proven before', [check('p50', 'pass', 3), check('p95', 'inconclusive', -1)], 'p50'],
  ])('picks %s', (_, judgements, metric) => {
    expect(strongest(judgements, 'POST /checkout')?.evidence).toMatchObject({ metric });
  });

  it('says nothing about an endpoint no check looks at', () => {
    expect(strongest([check('p50', 'fail', 9)], 'GET /order/{id}')).toBeNull();
  });

  it.each([
    [null, '–'],
    [0.25, '0.3 ms'],
    [12.4, '12 ms'],
    [1500, '1.50 s'],
  ])('writes a latency of %j ms as %s', (ms, text) => {
    expect(latencyText(ms)).toBe(text);
  });

  it.each([
    [0, '1.0:1'],
    [5.2, '181:1'],
    [20, '>10⁶:1'],
  ])('writes ln E = %d as odds of %s', (logE, text) => {
    expect(oddsText(logE)).toBe(text);
  });
});
