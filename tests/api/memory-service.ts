/** A small service behind the API that keeps runs in memory: real enough to fence generations and to be asked the same twice. */
import type { AbortOutcome, ApiHandlers, SignalView, SloQuery, StartOutcome, StartRollout } from '../../src/api/handlers.ts';
import type { ReportedOutcome, SignalOutcome } from '../../src/api/signal-outcome-handlers.ts';
import { isOver } from '../../src/api/verdict-view.ts';
import { judgeSeries } from '../../src/evaluate/kayenta-judge/judge-series.ts';
import type { Judgement } from '../../src/model/judgement.ts';
import type { Outlook } from '../../src/model/outlook.ts';
import type { CanaryPolicy, PolicyMode } from '../../src/model/policy.ts';
import type { AnalysisRun } from '../../src/model/rollout.ts';
import type { SloReport } from '../../src/model/slo-views.ts';
import type { LatencyQuery, LatencyView, OutlookQuery, OutlookView, StatusView } from '../../src/model/views.ts';
import type { WhatIfQuery, WhatIfView } from '../../src/model/what-if.ts';
import { allowedRun } from '../../src/service/allowed-run.ts';
import { OVERSPENT, REPORT } from '../model/slo-reports.ts';
import { MemoryGate } from './memory-gate.ts';
import { NO_METRICS } from './memory-metrics.ts';

export const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);

export class MemoryService extends MemoryGate implements ApiHandlers {
  readonly version = '1.2.3';
  readonly metricSource = NO_METRICS;
  mode: PolicyMode = 'rollback';
  ceiling: PolicyMode = 'rollback';
  readonly asked: StartRollout[] = [];
  readonly windows: [number, string | null][] = [];
  readonly askedWhatIf: WhatIfQuery[] = [];
  readonly reported: SignalOutcome[] = [];
  objectives: SloReport['objectives'] = [OVERSPENT, ...REPORT.objectives];
  reasons: string[] = [];
  availability: Judgement = AVAILABILITY;
  readonly judgeSeries = judgeSeries;
  readonly #runs = new Map<string, AnalysisRun>();

  releaseBy(): readonly string[] {
    return ['service.version', 'k8s.replicaset.name'];
  }

  startRollout(request: StartRollout): StartOutcome {
    this.asked.push(request);
    if (request.service === 'draining') return { outcome: 'unavailable', detail: 'draining', retryAfterMs: 1500 };
    if (request.service === 'broken') throw new Error('canary-4711 leaked from deep inside');
    if (request.service === 'excluded') return { outcome: 'refused', field: '/service', detail: 'is excluded by the configuration' };
    const known = [...this.#runs.values()].filter((run) => run.rollout.service === request.service);
    const newest = Math.max(0, ...known.map((run) => run.rollout.generation));
    const same = this.#runs.get(request.id);
    const generation = generationOf(request, same, newest);
    if (same !== undefined && same.rollout.generation === generation) return { outcome: 'existing', run: same };
    if (generation < newest) return { outcome: 'stale_generation', newest };
    const run = newRun({ ...request, generation });
    this.#runs.delete(request.id);
    this.#runs.set(request.id, run);
    return { outcome: 'created', run };
  }

  put(run: AnalysisRun): void {
    this.#runs.set(run.rollout.id, run);
  }

  run(id: string): AnalysisRun | null {
    return this.#runs.get(id) ?? null;
  }

  policyOf(id: string): Pick<CanaryPolicy, 'mode' | 'minRequests'> | null {
    return this.#runs.has(id) ? { mode: this.mode, minRequests: 50 } : null;
  }

  allowed(run: AnalysisRun): AnalysisRun {
    return allowedRun(run, this.ceiling);
  }

  /** Waits for nothing. */
  settled(id: string, _waitMs: number, _abort: AbortSignal): AnalysisRun | null | Promise<AnalysisRun | null> {
    return this.run(id);
  }

  async runs(): Promise<readonly AnalysisRun[]> {
    return [...this.#runs.values()];
  }

  abort(id: string): AbortOutcome {
    const run = this.#runs.get(id);
    if (run === undefined) return { outcome: 'unknown' };
    if (run.rollout.service === 'draining-later') return { outcome: 'unavailable', detail: 'the store refuses', retryAfterMs: 5_000 };
    const ended: AnalysisRun = { ...run, state: 'aborted', verdict: { ...run.verdict, decision: 'hold', reason: 'aborted' } };
    this.#runs.set(id, ended);
    return { outcome: 'over', run: ended };
  }

  endRollout(id: string): AbortOutcome {
    return this.abort(id);
  }

  status(windowMs: number, service: string | null): StatusView {
    this.windows.push([windowMs, service]);
    return statusOf([...this.#runs.values()], this.availability);
  }

  latency(query: LatencyQuery): LatencyView | null {
    if (query.endpoint !== 'POST /checkout') return null;
    const bucket = { lowMs: 12.4, highMs: 12.5, count: 812 };
    return { ...query, total: 812, failed: 41, quantiles: [{ q: 0.5, ms: 12.5 }], buckets: [bucket], hdr: 'HISTF' };
  }

  outlook(query: OutlookQuery): OutlookView | null {
    if (query.service !== 'shop') return null;
    return {
      ...query,
      withinMs: query.withinMs ?? 3_600_000,
      alpha: 0.01,
      release: '1',
      seenMs: 900_000,
      rate: 40,
      endpoints: 2,
      checks: CHECKS,
    };
  }

  slo({ service, objective }: SloQuery): SloReport {
    const objectives = this.objectives.filter((of) => (service ?? of.service) === of.service && (objective ?? of.id) === of.id);
    return { ...REPORT, objectives };
  }

  whatIf(query: WhatIfQuery): WhatIfView | null {
    if (query.service !== 'shop') return null;
    this.askedWhatIf.push(query);
    const { service, endpoint, text, target, windowMs } = query;
    return {
      ...{ service, endpoint, text, target, windowMs, basis: 'histograms', from: NOW - windowMs, to: NOW, dataFrom: NOW - 3_600_000 },
      ...{ valid: 1000, bad: { least: 40, most: 60 }, bucket: { lowMs: 299, highMs: 300.031, count: 20 }, isSampled: false },
      ...{ allowedBad: 50, sli: { least: 0.94, most: 0.96 }, budgetRemaining: { least: -0.2, most: 0.2 }, outcome: 'undecided' },
    };
  }

  async signals(limit: number): Promise<readonly SignalView[]> {
    return [SIGNAL, { ...SIGNAL, id: 'sig_2', state: 'pending' as const, isOpen: true, lastError: '503' }].slice(0, limit);
  }

  async signal(id: string): Promise<readonly SignalView[]> {
    const last = this.reported.at(-1);
    const state = last === undefined ? SIGNAL.state : last.outcome === 'done' ? 'confirmed' : 'escalated';
    return [{ ...SIGNAL, state } as const].filter((signal) => signal.id === id);
  }

  /** The one signal waits until it is told that it was done; the one of `sig_full` cannot be kept. */
  reportOutcome(outcome: SignalOutcome): ReportedOutcome | Promise<ReportedOutcome> {
    if (outcome.signalId === 'sig_full') return { outcome: 'unavailable', detail: 'the store is full', retryAfterMs: 5_000 };
    if (outcome.signalId !== SIGNAL.id) return { outcome: 'unknown' };
    if (outcome.sink !== null && outcome.sink !== SIGNAL.sink) return { outcome: 'not_awaited' };
    const last = this.reported.at(-1);
    if (last !== undefined && last.outcome !== outcome.outcome) return { outcome: 'over', state: 'confirmed' };
    this.reported.push(outcome);
    return { outcome: 'kept' };
  }

  readiness() {
    return { ready: this.reasons.length === 0, reasons: this.reasons };
  }

  async metrics(): Promise<string> {
    return '# TYPE slipstream_series gauge\nslipstream_series 1\n';
  }
}

export const ERRORS: Judgement = {
  check: 'errors POST /checkout',
  outcome: 'fail',
  reason: 'harm_proven',
  evidence: {
    kind: 'comparison',
    endpoint: 'POST /checkout',
    metric: 'errors',
    baselineEdgeUs: null,
    canaryEdgeUs: null,
    baseline: { bad: 9, total: 15_203 },
    canary: { bad: 41, total: 812 },
    logE: 7.25,
    weight: 0.25,
    share: 0.9,
    logSafe: Number.NEGATIVE_INFINITY,
    phi: 1,
    incidentWindows: 4,
    level: 'request',
    oddsRatio: null,
    logNeeded: 8,
    onsetAt: null,
    trail: [],
    isCritical: false,
  },
};

const CHECKS: readonly Outlook[] = [
  {
    check: 'errors GET /admin\u001b[2J',
    endpoint: 'GET /admin\u001b[2J',
    metric: 'errors',
    effect: { kind: 'errors', addRatio: 0.01 },
    neededMs: null,
    smallest: null,
    isJudgeable: false,
  },
  {
    check: 'p99 POST /checkout',
    endpoint: 'POST /checkout',
    metric: 'p99',
    effect: { kind: 'latency', ratio: 1.5 },
    neededMs: 2_400_000,
    smallest: { kind: 'latency', ratio: 1.42 },
    isJudgeable: true,
  },
];

export const AVAILABILITY: Judgement = {
  check: 'shop:availability',
  outcome: 'pass',
  reason: 'objective_met',
  evidence: {
    kind: 'objective',
    objective: 'shop:availability',
    good: 11_997,
    valid: 12_003,
    sli: 0.9995,
    target: 0.999,
    budgetRemaining: 0.5,
  },
};

/** `next` as the engine has it: the run in flight, or one that is newer than all of the service. */
function generationOf({ generation }: StartRollout, same: AnalysisRun | undefined, newest: number): number {
  if (typeof generation === 'number') return generation;
  const isInFlight = same !== undefined && !isOver(same.state) && same.rollout.generation >= generation.atLeast;
  return isInFlight ? same.rollout.generation : Math.max(newest + 1, generation.atLeast);
}

function newRun(request: StartRollout & { readonly generation: number }): AnalysisRun {
  const startedAt = request.startedAt ?? NOW;
  return {
    rollout: {
      ...request,
      policyId: 'p1',
      startedAt,
      deadline: request.deadline ?? startedAt + 3_600_000,
      canaryShare: null,
    },
    state: 'pending',
    verdict: {
      decision: 'hold',
      reason: 'no_canary',
      at: startedAt,
      logWealth: Number.NEGATIVE_INFINITY,
      logLimit: Math.log(100),
      decidedBy: null,
    },
    judgements: [],
    history: [],
    canaryRequests: 0,
    baselineRequests: 0,
    lateRequests: 0,
    trail: [],
    outlook: [],
    exemplars: { baseline: [], canary: [] },
    strictness: 1,
    firstCanaryAt: null,
    lagMs: Number.NaN,
    signalId: null,
  };
}

/** A run that has proven harm. */
export function harmedRun(id: string, service = 'shop'): AnalysisRun {
  const run = newRun({
    id,
    service,
    generation: 3,
    origin: 'api',
    target: null,
    baseline: { 'service.version': '1' },
    canary: { 'service.version': '2' },
    startedAt: NOW,
    deadline: null,
    canaryShare: null,
  });
  const verdict = {
    decision: 'rollback',
    reason: 'harm_proven',
    at: NOW,
    logWealth: 6.1,
    logLimit: Math.log(100),
    decidedBy: ERRORS.check,
  } as const;
  return {
    ...run,
    state: 'rolled_back',
    verdict,
    judgements: [ERRORS, AVAILABILITY],
    history: [run.verdict, verdict],
    canaryRequests: 812,
    signalId: 'sig_1',
  };
}

function statusOf(runs: readonly AnalysisRun[], judgement: Judgement): StatusView {
  const series = {
    endpoint: 'POST /checkout',
    kind: 'http',
    release: '2',
    releaseAttributes: { 'service.version': '2' },
    requests: 812,
    failed: 41,
    rate: 13.5,
    errorRatio: 41 / 812,
    p50Ms: 12.5,
    p95Ms: 40,
    p99Ms: 95.25,
  } as const;
  const empty = { ...series, release: '1', requests: 0, failed: 0, rate: 0, errorRatio: null, p50Ms: null, p95Ms: null, p99Ms: null };
  return {
    now: NOW,
    policyRevision: 'r1',
    inputs: null,
    watchdog: null,
    windowMs: 60_000,
    services: [
      {
        service: 'shop',
        newestAt: NOW - 100,
        watermarkAt: NOW - 5000,
        lagMs: 4900,
        lateSpans: 2,
        seriesInUse: 2,
        seriesQuota: 500,
        endpoints: [series, empty],
        objectives: [{ id: 'shop:availability', text: 'availability: 99.9%', endpoint: null, windowMs: 28 * 86_400_000, judgement }],
      },
    ],
    runs,
  };
}

const SIGNAL: SignalView = {
  id: 'sig_1',
  rolloutId: 'r-1',
  generation: 3,
  service: 'shop',
  action: 'rollback',
  reason: 'harm_proven',
  summary: 'Roll back.',
  sink: 'deployer',
  state: 'acknowledged',
  attempts: 2,
  lastError: null,
  decidedAt: NOW,
  notAfter: NOW + 900_000,
  isOpen: false,
  escalatedAt: null,
  target: { kind: 'Rollout', namespace: 'shop', name: 'checkout', fence: '7c9f' },
  link: 'https://slipstream.example/v1/rollouts/r-1/explanation',
};
