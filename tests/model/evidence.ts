/** One piece of evidence of each kind, with numbers a person can check. */
import type {
  ComparisonEvidence,
  GuardEvidence,
  ObjectiveEvidence,
  PodSpreadEvidence,
  TrafficMixEvidence,
} from '../../src/model/judgement.ts';

export const NOON = Date.UTC(2026, 0, 2, 12, 0, 0);

export const errors: ComparisonEvidence = {
  kind: 'comparison',
  endpoint: 'POST /checkout',
  metric: 'errors',
  baselineEdgeUs: null,
  canaryEdgeUs: null,
  baseline: { bad: 9, total: 15_203 },
  canary: { bad: 41, total: 812 },
  logE: 7.2,
  weight: 0.25,
  share: 0.9,
  logSafe: 0,
  phi: 1,
  incidentWindows: 4,
  level: 'request',
  oddsRatio: { estimate: 32.3, low: 14.1, high: 51.4 },
  logNeeded: 7,
  onsetAt: NOON + 184_000,
  trail: [
    { at: NOON + 182_000, logE: 0 },
    { at: NOON + 186_000, logE: 3.5 },
    { at: NOON + 190_000, logE: 7.2 },
  ],
  isCritical: false,
};

export const latency: ComparisonEvidence = {
  ...errors,
  metric: 'p99',
  endpoint: 'GET /cart',
  baselineEdgeUs: 180_000,
  canaryEdgeUs: 210_000,
  baseline: { bad: 150, total: 15_000 },
  canary: { bad: 80, total: 800 },
  logE: Math.log(23),
  oddsRatio: { estimate: 11, low: 4.5, high: 64 },
  onsetAt: null,
};

export const burn: GuardEvidence = {
  kind: 'guard',
  guard: 'burn',
  endpoint: '(all)',
  canary: errors.canary,
  baseline: errors.baseline,
  limitRatio: 0.0144,
  edgeUs: null,
  level: 'request',
  logE: Math.log(23),
  logNeeded: 7,
  weight: 0.05,
  share: 0.1,
};

export const silence: GuardEvidence = { ...burn, guard: 'silence', canary: { bad: 12, total: 15_215 }, limitRatio: 0.025 };

export const criterion: GuardEvidence = {
  ...burn,
  guard: 'criterion',
  endpoint: 'GET /cart',
  canary: latency.canary,
  baseline: latency.baseline,
  limitRatio: 0.05,
  edgeUs: 500_000,
};

export const mix: TrafficMixEvidence = {
  kind: 'mix',
  distance: 0.31,
  limit: 0.2,
  baselineRequests: 15_000,
  canaryRequests: 800,
  endpoints: [{ endpoint: 'GET /search', baselineShare: 0.09, canaryShare: 0.4 }],
};

export const spread: PodSpreadEvidence = {
  kind: 'spread',
  endpoint: 'GET /cart',
  metric: 'p99',
  pods: 6,
  relativeSd: 0.08,
  toleranceRatio: 0.15,
};

export const availability: ObjectiveEvidence = {
  kind: 'objective',
  objective: 'checkout:availability',
  good: 11_997,
  valid: 12_003,
  sli: 0.9995,
  target: 0.999,
  budgetRemaining: 0.5,
};
