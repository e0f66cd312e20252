/** What the engineer on call reads. */
import { describe, expect, it } from 'vitest';
import { type ComparisonEvidence, type Judgement, type ObjectiveEvidence, REASONS, type Reason } from '../../src/model/judgement.ts';
import { judgementText, percent, reasonText, verdictText } from '../../src/model/reason-text.ts';
import type { Verdict } from '../../src/model/rollout.ts';

const errors: ComparisonEvidence = {
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
  oddsRatio: null,
  logNeeded: 8,
  onsetAt: null,
  trail: [],
  isCritical: false,
};
const latency: ComparisonEvidence = {
  ...errors,
  metric: 'p99',
  endpoint: 'GET /cart',
  baselineEdgeUs: 204_800,
  canaryEdgeUs: 12_345_678,
  baseline: { bad: 150, total: 15_000 },
  canary: { bad: 80, total: 800 },
};
const availability: ObjectiveEvidence = {
  kind: 'objective',
  objective: 'checkout:availability',
  good: 11_997,
  valid: 12_003,
  sli: 0.9995,
  target: 0.999,
  budgetRemaining: 0.5,
};

function judgement(evidence: Judgement['evidence'], reason: Reason): Judgement {
  return { check: 'the check', outcome: 'inconclusive', reason, evidence };
}

describe('reasonText', () => {
  it.each(REASONS)('says what %s means in half a sentence', (reason) => {
    const text = reasonText(reason);
    expect(text).toMatch(/^[a-z][^\n.]{10,}[^.]$/);
    expect(text).not.toContain('_');
  });

  it('never says the same for two reasons', () => {
    expect(new Set(REASONS.map(reasonText)).size).toBe(REASONS.length);
  });
});

describe('judgementText', () => {
  it.each<[string, Judgement, string]>([
    [
      'errors',
      judgement(errors, 'harm_proven'),
      'errors on POST /checkout: canary 41 of 812 bad (5 %), baseline 9 of 15,203 bad (0.059 %); the canary is proven worse than the baseline',
    ],
    [
      'latency, with the edges that make it bad',
      judgement(latency, 'accumulating'),
      'p99 latency on GET /cart: canary 80 of 800 above 12.3 s (10 %), baseline 150 of 15,000 above 205 ms (1 %); ' +
        'evidence is still being gathered; nothing is proven either way',
    ],
    [
      'a canary without requests',
      judgement({ ...errors, canary: { bad: 0, total: 0 } }, 'no_canary'),
      'errors on POST /checkout: canary without requests, baseline 9 of 15,203 bad (0.059 %); no span of the canary is coming',
    ],
    [
      'nothing at all',
      judgement({ ...errors, canary: { bad: 0, total: 0 }, baseline: { bad: 0, total: 0 } }, 'no_data'),
      'errors on POST /checkout: nothing compared yet; no span of the service has come yet',
    ],
    [
      'an objective that is met',
      judgement(availability, 'objective_met'),
      'checkout:availability: 99.95 % of 12,003 requests good, target 99.9 %, 50 % of the error budget is left; the objective is met',
    ],
    [
      'an objective that is breached',
      judgement({ ...availability, sli: 0.9975, budgetRemaining: -1.5 }, 'objective_breached'),
      'checkout:availability: 99.75 % of 12,003 requests good, target 99.9 %, the error budget is overspent by 150 %; ' +
        'the objective is breached: its error budget is spent',
    ],
    [
      'an objective without requests',
      judgement({ ...availability, good: 0, valid: 0, sli: null, budgetRemaining: null }, 'no_data'),
      'checkout:availability: no valid request in its window, target 99.9 %; no span of the service has come yet',
    ],
  ])('tells %s', (_name, given, text) => {
    expect(judgementText(given)).toBe(text);
  });
});

describe('verdictText', () => {
  const rollback: Verdict = {
    decision: 'rollback',
    reason: 'harm_proven',
    at: 0,
    logWealth: 6.12,
    logLimit: Math.log(100),
    decidedBy: 'errors POST /checkout',
  };
  const decisive: Judgement = { check: 'errors POST /checkout', outcome: 'fail', reason: 'harm_proven', evidence: errors };

  it.each<[string, Verdict, readonly Judgement[], string]>([
    [
      'a rollback with its numbers and how sure it is',
      rollback,
      [judgement(latency, 'accumulating'), decisive],
      'Roll back: the canary is proven worse than the baseline. ' +
        'Errors on POST /checkout: canary 41 of 812 bad (5 %), baseline 9 of 15,203 bad (0.059 %). ' +
        'Evidence of harm: odds of 455 to 1, and 100 to 1 are needed: if the canary were healthy, evidence this strong would occur in at most 1 of 100 rollouts.',
    ],
    [
      'a rollback without judgements at hand',
      rollback,
      [],
      'Roll back: the canary is proven worse than the baseline. ' +
        'Evidence of harm: odds of 455 to 1, and 100 to 1 are needed: if the canary were healthy, evidence this strong would occur in at most 1 of 100 rollouts.',
    ],
    [
      'evidence that does not suffice, without a claim about its rarity',
      { ...rollback, decision: 'continue', reason: 'accumulating', logWealth: 1.25, decidedBy: null },
      [],
      'Continue: evidence is still being gathered; nothing is proven either way. Evidence of harm: odds of 3.5 to 1, and 100 to 1 are needed.',
    ],
    [
      'a run without evidence yet',
      { ...rollback, decision: 'hold', reason: 'no_canary', logWealth: 0, decidedBy: null },
      [],
      'Hold: no span of the canary is coming. Evidence of harm: odds of 1 to 1, and 100 to 1 are needed.',
    ],
    [
      'no check that has compared nothing yet',
      { ...rollback, decision: 'continue', reason: 'warming_up', logWealth: 0 },
      [{ ...decisive, evidence: { ...errors, canary: { bad: 0, total: 0 }, baseline: { bad: 0, total: 0 } } }],
      'Continue: the canary is warming up; only severe harm counts. Evidence of harm: odds of 1 to 1, and 100 to 1 are needed.',
    ],
    [
      'odds that no one needs to the digit',
      { ...rollback, logWealth: 40 },
      [{ ...decisive, evidence: { ...errors, endpoint: '(all)' } }],
      'Roll back: the canary is proven worse than the baseline. ' +
        'Errors on all endpoints together: canary 41 of 812 bad (5 %), baseline 9 of 15,203 bad (0.059 %). ' +
        'Evidence of harm: odds of more than 1,000,000 to 1, and 100 to 1 are needed: ' +
        'if the canary were healthy, evidence this strong would occur in at most 1 of 100 rollouts.',
    ],
    [
      'evidence that speaks for the canary',
      { ...rollback, decision: 'continue', reason: 'accumulating', logWealth: -5, decidedBy: null },
      [],
      'Continue: evidence is still being gathered; nothing is proven either way. ' +
        'Evidence of harm: odds of less than 0.1 to 1, and 100 to 1 are needed.',
    ],
    [
      'a hold before there is any evidence',
      { ...rollback, decision: 'hold', reason: 'no_canary', logWealth: Number.NEGATIVE_INFINITY, decidedBy: null },
      [],
      'Hold: no span of the canary is coming.',
    ],
  ])('tells %s', (_name, verdict, judgements, text) => {
    expect(verdictText(verdict, judgements)).toBe(text);
  });
});

describe('percent', () => {
  it.each([
    [0, '0 %'],
    [1, '100 %'],
    [0.5, '50 %'],
    [0.05, '5 %'],
    [0.0512, '5.1 %'],
    [0.000592, '0.059 %'],
    [0.999, '99.9 %'],
    [0.99955, '99.955 %'],
    [0.999996, '99.9996 %'],
    [1e-9, '< 0.0001 %'],
    [1 - 1e-9, '> 99.9999 %'],
    [1.5, '150 %'],
    [0.1, '10 %'],
  ])('writes %d as %s', (ratio, text) => {
    expect(percent(ratio)).toBe(text);
  });
});
