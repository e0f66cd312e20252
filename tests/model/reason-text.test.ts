/** What the engineer on call reads. */
import { describe, expect, it } from 'vitest';
import { type ComparisonEvidence, type Judgement, REASONS, type Reason } from '../../src/model/judgement.ts';
import { judgementText, reasonText, verdictText } from '../../src/model/reason-text.ts';
import type { Verdict } from '../../src/model/rollout.ts';
import { availability, burn, criterion, errors, latency, mix, silence, spread } from './evidence.ts';

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
      'errors with counts, estimate, interval and onset',
      { ...judgement(errors, 'harm_proven'), outcome: 'fail' },
      "errors on POST /checkout: canary 41 of 812 bad (5 %), baseline 9 of 15,203 bad (0.059 %); odds of failing 32 times the baseline's " +
        '(95 % interval 14 to 51); the canary is proven worse than the baseline, probably since 12:03:04',
    ],
    [
      'that no single pod can be the cause',
      { ...judgement({ ...errors, level: 'pod', oddsRatio: null, onsetAt: null }, 'harm_proven'), outcome: 'fail' },
      'errors on POST /checkout: canary 41 of 812 bad (5 %), baseline 9 of 15,203 bad (0.059 %); the canary is proven worse than the baseline; ' +
        'no single pod can bring about this evidence',
    ],
    [
      'latency, with the edges that make it bad and what is still needed',
      judgement(latency, 'accumulating'),
      'p99 latency on GET /cart: canary 80 of 800 slower than 210 ms (10 %), baseline 150 of 15,000 slower than its p99 of 180 ms (1 %); ' +
        "odds of being slow 11 times the baseline's (95 % interval 4.5 or more); evidence is still being gathered; nothing is proven either way; " +
        'evidence 23 to 1; 1,097 to 1 are needed',
    ],
    [
      'a canary without requests',
      judgement({ ...errors, oddsRatio: null, canary: { bad: 0, total: 0 } }, 'no_canary'),
      'errors on POST /checkout: canary without requests, baseline 9 of 15,203 bad (0.059 %); no span of the canary is coming',
    ],
    [
      'nothing at all',
      judgement({ ...errors, canary: { bad: 0, total: 0 }, baseline: { bad: 0, total: 0 } }, 'no_data'),
      'errors on POST /checkout: nothing compared yet; no span of the service has come yet',
    ],
    [
      'a pooled latency, whose edges differ from endpoint to endpoint',
      judgement({ ...latency, endpoint: '(all)', canaryEdgeUs: null, baselineEdgeUs: null, oddsRatio: null }, 'muted'),
      'p99 latency on all endpoints together: canary 80 of 800 slow (10 %), baseline 150 of 15,000 slow (1 %); the policy mutes this check',
    ],
    [
      'an error budget that burns',
      { ...judgement(burn, 'burn_proven'), outcome: 'fail' },
      'errors of the canary on all endpoints together: 41 of 812 bad (5 %), limit 1.4 %; baseline 9 of 15,203 bad (0.059 %); ' +
        'the canary alone is proven to burn the error budget, while the baseline does not',
    ],
    [
      'silence',
      { ...judgement(silence, 'silence_proven'), outcome: 'fail' },
      'traffic of the canary: 12 of 15,215 requests (0.079 %), where at least 2.5 % were to be expected; ' +
        'the canary is proven to send far fewer requests than planned',
    ],
    [
      'an absolute limit that is not decided yet',
      judgement(criterion, 'accumulating'),
      'canary on GET /cart: 80 of 800 slower than 500 ms (10 %), limit 5 %; baseline 150 of 15,000 slower than 500 ms (1 %); ' +
        'evidence is still being gathered; nothing is proven either way; evidence 23 to 1; 1,097 to 1 are needed',
    ],
    [
      'different mixtures of requests',
      judgement(mix, 'confounded'),
      '31 % of the traffic goes to other endpoints, beyond chance (limit 20 %); most on GET /search: canary 40 %, baseline 9 %; ' +
        'baseline and canary do not get the same mixture of requests, so routing may explain what differs',
    ],
    [
      'pods that differ too much for the tolerance',
      judgement(spread, 'tolerance_too_small'),
      'p99 latency on GET /cart: 6 pods of the baseline differ by 8 % (standard deviation), the tolerance is 15 %; ' +
        'pods of the baseline differ more among themselves than the tolerance allows for, so it is widened',
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

it.each<[string, ComparisonEvidence['oddsRatio'], string]>([
  ['in between', { estimate: 3, low: 0.4, high: 9 }, "odds of failing 3 times the baseline's (95 % interval 0.4 to 9)"],
  [
    'beyond what is told apart',
    { estimate: 64, low: 20, high: 64 },
    "odds of failing at least 64 times the baseline's (95 % interval 20 or more)",
  ],
  [
    'below it',
    { estimate: 1 / 16, low: 1 / 16, high: 0.5 },
    "odds of failing at most 0.063 times the baseline's (95 % interval 0.5 or less)",
  ],
  ['alike', { estimate: 1.02, low: 0.4, high: 3 }, "odds of failing like the baseline's (95 % interval 0.4 to 3)"],
  ['unknown', { estimate: 1, low: 1 / 16, high: 64 }, '0.059 %); the canary'],
])('odds %s are told as what is known of them', (_name, oddsRatio, text) => {
  expect(judgementText(judgement({ ...errors, oddsRatio }, 'harm_proven'))).toContain(text);
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
        "Errors on POST /checkout: canary 41 of 812 bad (5 %), baseline 9 of 15,203 bad (0.059 %); odds of failing 32 times the baseline's " +
        '(95 % interval 14 to 51), probably since 12:03:04. ' +
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
      [{ ...decisive, evidence: { ...errors, endpoint: '(all)', oddsRatio: null, onsetAt: null, level: 'pod' } }],
      'Roll back: the canary is proven worse than the baseline. ' +
        'Errors on all endpoints together: canary 41 of 812 bad (5 %), baseline 9 of 15,203 bad (0.059 %). ' +
        'Evidence of harm: odds of more than 1,000,000 to 1, and 100 to 1 are needed: ' +
        'if the canary were healthy, evidence this strong would occur in at most 1 of 100 rollouts. ' +
        'No single pod can bring about this evidence.',
    ],
    [
      'a check that weighs most, without a claim since when',
      { ...rollback, decision: 'continue', reason: 'accumulating', logWealth: 1.25 },
      [{ ...decisive, outcome: 'inconclusive', reason: 'accumulating' }],
      'Continue: evidence is still being gathered; nothing is proven either way. ' +
        "Errors on POST /checkout: canary 41 of 812 bad (5 %), baseline 9 of 15,203 bad (0.059 %); odds of failing 32 times the baseline's " +
        '(95 % interval 14 to 51). Evidence of harm: odds of 3.5 to 1, and 100 to 1 are needed.',
    ],
    [
      'the guard that decided',
      { ...rollback, reason: 'silence_proven', decidedBy: 'silence (all)' },
      [{ check: 'silence (all)', outcome: 'fail', reason: 'silence_proven', evidence: silence }],
      'Roll back: the canary is proven to send far fewer requests than planned. ' +
        'Traffic of the canary: 12 of 15,215 requests (0.079 %), where at least 2.5 % were to be expected. ' +
        'Evidence of harm: odds of 455 to 1, and 100 to 1 are needed: if the canary were healthy, evidence this strong would occur in at most 1 of 100 rollouts.',
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
