/** Facts about a healthy service, to be spoilt by tests of the gate. */
import { USUAL_GATE } from '../../src/config/gate-policy.ts';
import type { GateFacts, GateObjective } from '../../src/decide/gate-facts.ts';
import { allowedBad } from '../../src/model/error-budget.ts';
import type { GateOverride, LoadTestResult } from '../../src/model/gate-view.ts';
import type { Tier } from '../../src/model/objective.ts';
import type { AlertView, IncidentView, TrendView } from '../../src/model/slo-views.ts';

export const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export const QUIET: AlertView = { severity: null, since: null, isFrozen: false, tiers: [] };

/** An objective of 99.9 % that counted `bad` of `valid`. */
export function counted(bad: number, valid: number, change: Partial<GateObjective> = {}): GateObjective {
  const allowed = allowedBad(0.999, valid);
  return {
    id: 'shop:availability',
    label: 'availability',
    bad,
    allowedBad: allowed,
    budgetRemaining: valid === 0 ? null : (allowed - bad) / allowed,
    minBad: 10,
    alert: QUIET,
    worstIncident: null,
    ...change,
  };
}

export function facts(change: Partial<GateFacts> = {}): GateFacts {
  return {
    service: 'shop',
    now: NOW,
    policy: USUAL_GATE,
    objectives: [counted(10, 50_000)],
    runs: [],
    rollback: null,
    trends: [],
    loadTest: null,
    telemetry: { newestAt: NOW - 2_000, staleAfterMs: 300_000, isStateUnknown: false, inputDoubt: null },
    override: null,
    ...change,
  };
}

const FAST: Tier = { severity: 'page', longMs: HOUR, shortMs: 300_000, budgetShare: 0.02, burnRate: 14.4 };

/** A tier that fires with 36 bad of 2,000 in its long window. */
export function firing(severity: 'page' | 'ticket'): AlertView {
  const long = { from: NOW - HOUR, to: NOW, valid: 2_000, bad: 36 };
  const short = { from: NOW - 300_000, to: NOW, valid: 100, bad: 2 };
  const tier = { ...FAST, severity };
  const reading = { tier, long, short, longBurn: 18, shortBurn: 20, longSpent: 0.03, isFiring: true, why: 'rate' } as const;
  return { severity, since: NOW - 600_000, isFrozen: false, tiers: [reading] };
}

export const INCIDENT: IncidentView = {
  objective: 'shop:availability',
  startedAt: NOW - 3 * DAY,
  detectedAt: NOW - 3 * DAY + 60_000,
  endedAt: NOW - 3 * DAY + HOUR,
  severity: 'page',
  bad: 15,
  budgetShare: 0.3,
  releases: ['1.4.2'],
};

export const STEEP: TrendView = {
  id: 'shop:trend:p95',
  text: 'p95 +5%/day for 7d',
  endpoint: 'POST /checkout',
  outcome: 'too_steep',
  growthPerDay: 0.071,
  days: [1, 2, 3, 4, 5, 6, 7],
  reachedAt: null,
};

export function loadTest(outcome: LoadTestResult['outcome'], at = NOW - HOUR): LoadTestResult {
  return { service: 'shop', outcome, candidate: '1.5.0', at, summary: '3 of 40 endpoints slower than allowed' };
}

export const OVERRIDE: GateOverride = {
  service: 'shop',
  by: 'ana',
  reason: 'fix for the failing checkout',
  at: NOW - 60_000,
  until: NOW + HOUR,
};
