/** A report on objectives, made by hand: one that a release has cost 8 % of its budget, one overspent, one without data. */

import type { ObjectiveReport, SloReport } from '../../src/model/slo-views.ts';
import { tierOf } from '../../src/model/tier.ts';

const AT = Date.UTC(2026, 10, 21, 12, 0, 0);
const HOUR_MS = 3_600_000;
const WINDOW_MS = 28 * 24 * HOUR_MS;
const FAST = tierOf({ severity: 'page', longMs: HOUR_MS, budgetShare: 0.02 }, WINDOW_MS);
const over = (ms: number, valid: number, bad: number) => ({ from: AT - ms, to: AT, valid, bad });

/** 99.9 % of 512,000 requests: 512 may be bad, and 61 were, 41 of them by release 1.5.0. */
export const KEPT: ObjectiveReport = {
  id: 'shop:availability',
  service: 'shop',
  endpoint: null,
  text: 'availability: 99.9%',
  window: '28d rolling',
  unit: 'requests',
  target: 0.999,
  state: 'met',
  counts: over(WINDOW_MS, 512_000, 61),
  sli: 511_939 / 512_000,
  allowedBad: 512,
  budgetRemaining: 451 / 512,
  countedSince: AT - 40 * 24 * HOUR_MS,
  excluded: { valid: 1200, bad: 300 },
  alert: {
    severity: null,
    since: null,
    isFrozen: false,
    tiers: [
      {
        tier: FAST,
        long: over(HOUR_MS, 800, 3),
        short: over(HOUR_MS / 12, 60, 0),
        longBurn: 3.75,
        shortBurn: 0,
        longSpent: 3 / 512,
        isFiring: false,
        why: 'below_long',
      },
    ],
  },
  forecast: { burnRate: 3.75, exhaustedAt: AT + 160 * HOUR_MS, recoveredAt: null },
  coverage: { heardMinutes: 40_280, minutes: 40_320 },
  ledger: {
    from: AT - WINDOW_MS,
    rows: [
      { endpoint: 'POST /checkout', release: '1.5.0', bad: 31, budgetShare: 31 / 512 },
      { endpoint: 'GET /cart\u001b[2J', release: '1.4.2', bad: 20, budgetShare: 20 / 512 },
      { endpoint: 'GET /cart', release: '1.5.0', bad: 10, budgetShare: 10 / 512 },
    ],
  },
  incidents: [
    {
      objective: 'shop:availability',
      startedAt: AT - 30 * HOUR_MS,
      detectedAt: AT - 30 * HOUR_MS + 240_000,
      endedAt: AT - 29 * HOUR_MS,
      severity: 'page',
      bad: 41,
      budgetShare: 0.08,
      releases: ['1.5.0'],
    },
  ],
};

/** 99 % of 4,003 requests, 41 of which were bad. */
export const OVERSPENT: ObjectiveReport = {
  ...KEPT,
  id: 'shop:POST /checkout:availability',
  endpoint: 'POST /checkout',
  text: 'availability: 99%',
  target: 0.99,
  state: 'breached',
  counts: over(WINDOW_MS, 4003, 41),
  sli: 3962 / 4003,
  allowedBad: 40.03,
  budgetRemaining: (40.03 - 41) / 40.03,
  countedSince: AT - 24 * HOUR_MS,
  alert: { ...KEPT.alert, severity: 'page', since: AT - HOUR_MS, isFrozen: true },
  forecast: { burnRate: 0, exhaustedAt: null, recoveredAt: AT + 72 * HOUR_MS },
};

export const EMPTY: ObjectiveReport = {
  ...KEPT,
  id: 'shop:latency',
  text: 'latency: p95 < 300ms',
  target: 0.95,
  state: 'no_data',
  counts: over(WINDOW_MS, 0, 0),
  sli: null,
  allowedBad: 0,
  budgetRemaining: null,
  countedSince: null,
  excluded: { valid: 0, bad: 0 },
  alert: { severity: null, since: null, isFrozen: false, tiers: [] },
  forecast: { burnRate: null, exhaustedAt: null, recoveredAt: null },
  coverage: { heardMinutes: 0, minutes: 0 },
  ledger: { from: AT - WINDOW_MS, rows: [] },
  incidents: [],
};

export const REPORT: SloReport = {
  now: AT,
  policyRevision: 'r1',
  objectives: [KEPT, EMPTY],
  services: [
    {
      service: 'shop',
      delivery: {
        windowMs: WINDOW_MS,
        rollouts: 12,
        rolledBack: 2,
        changeFailRatio: 1 / 6,
        rolloutsPerDay: 12 / 28,
        incidents: 1,
        meanTimeToDetectMs: 240_000,
        meanTimeToRestoreMs: HOUR_MS,
      },
      trends: [
        {
          id: 'shop:trend:p95',
          text: 'p95: +5%/day for 3 days',
          endpoint: 'POST /checkout',
          outcome: 'too_steep',
          growthPerDay: 0.07,
          days: [100, 107, null, 122],
          reachedAt: null,
        },
      ],
      excludedNow: ['weekly-db'],
    },
  ],
};
