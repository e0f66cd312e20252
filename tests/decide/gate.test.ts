/** Whether a deploy may go out: every reason by itself, their order, overrides, and what must hold for any facts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { USUAL_GATE } from '../../src/config/gate-policy.ts';
import { gate } from '../../src/decide/gate.ts';
import type { GateFacts } from '../../src/decide/gate-facts.ts';
import { budgetText, signedPercent } from '../../src/decide/gate-text.ts';
import { GATE_REASONS } from '../../src/model/gate-view.ts';
import { counted, DAY, facts, firing, HOUR, INCIDENT, loadTest, NOW, OVERRIDE, QUIET, STEEP } from './gate-facts.ts';

type Row = readonly [name: string, change: Partial<GateFacts>, answer: string, reason: string, text: RegExp];

const policy = (change: Partial<typeof USUAL_GATE>) => ({ ...USUAL_GATE, ...change });
const telemetry = facts().telemetry;
const run = { id: 'ro-1', state: 'running', decision: 'continue', startedAt: NOW - 60_000 } as const;
const rollback = { at: NOW - HOUR, coolDownMs: 2 * HOUR };

const ROWS: readonly Row[] = [
  ['a budget that is left allows', {}, 'allow', 'budget_left', /^budget of availability: 80 % left \(10 bad of 50 allowed\)$/],
  [
    'a low budget warns',
    { objectives: [counted(40, 50_000)] },
    'warn',
    'budget_low',
    /20 % left \(40 bad of 50 allowed\); .* warns below 25 %/,
  ],
  ['exactly a quarter left is not low', { objectives: [counted(3, 4_000)] }, 'allow', 'budget_left', /25 % left \(3 bad of 4 allowed\)$/],
  ['a budget of exactly 0 is spent, and kept', { objectives: [counted(50, 50_000)] }, 'warn', 'budget_spent', /0 % left \(50 bad of 50/],
  [
    'an overspent budget refuses',
    { objectives: [counted(56, 50_000)] },
    'refuse',
    'budget_spent',
    /^budget of availability: -12 % left \(56 bad of 50 allowed\); the gate refuses below 0 %$/,
  ],
  [
    'a young budget that a few bad events overspend warns',
    { objectives: [counted(9, 1_000)] },
    'warn',
    'budget_spent',
    /^budget of availability: -800 % left \(9 bad of 1 allowed\); fewer than 10 bad ones refuse nothing$/,
  ],
  ['and refuses with as many as alert', { objectives: [counted(10, 1_000)] }, 'refuse', 'budget_spent', /-900 % left \(10 bad of 1/],
  [
    'a budget that must be kept in reserve refuses before it is spent',
    { objectives: [counted(40, 50_000)], policy: policy({ refuseBelow: 0.3 }) },
    'refuse',
    'budget_low',
    /20 % left .* refuses below 30 %/,
  ],
  [
    'an overspent budget that is tolerated warns',
    { objectives: [counted(56, 50_000)], policy: policy({ refuseBelow: -0.5 }) },
    'warn',
    'budget_spent',
    /-12 % left/,
  ],
  [
    'the tightest of several budgets counts',
    { objectives: [counted(0, 50_000), counted(40, 50_000, { id: 'b', label: 'latency of GET /cart' })] },
    'warn',
    'budget_low',
    /latency of GET \/cart/,
  ],
  [
    'an objective that pages refuses',
    { objectives: [counted(10, 50_000, { alert: firing('page') })] },
    'refuse',
    'objective_burns',
    /availability burns its budget, page since 2026-11-21 11:50:00 UTC: 36 bad of 2,000 in 60 min \(18 times too fast\), 2 bad of 100 in 5 min/,
  ],
  [
    'an objective that burns slowly warns',
    { objectives: [counted(10, 50_000, { alert: firing('ticket') })] },
    'warn',
    'objective_burns',
    /ticket since/,
  ],
  [
    'burning is not asked about where the policy says so',
    { objectives: [counted(10, 50_000, { alert: firing('page') })], policy: policy({ onBurn: 'allow' }) },
    'allow',
    'objective_burns',
    /page since/,
  ],
  [
    'a large incident warns',
    { objectives: [counted(10, 50_000, { worstIncident: INCIDENT })] },
    'warn',
    'incident_large',
    /spent 30 % of the budget \(15 bad of 50 allowed then\), more than 20 %, most of it by 1\.4\.2/,
  ],
  [
    'a rollout that is being judged refuses',
    { runs: [run] },
    'refuse',
    'rollout_in_flight',
    /rollout ro-1 is being judged since .* continue/,
  ],
  ['a bake allows: the next rollout ends it', { runs: [{ ...run, state: 'baking' }] }, 'allow', 'rollout_in_flight', /still watched/],
  ['a rollback of late refuses', { rollback }, 'refuse', 'rolled_back_lately', /cools down for 2 h, until 2026-11-21 13:00:00 UTC/],
  [
    'a rollback of late warns where the policy says so',
    { rollback, policy: policy({ onCanary: 'warn' }) },
    'warn',
    'rolled_back_lately',
    /rolled back at/,
  ],
  [
    'a steep trend warns',
    { trends: [STEEP] },
    'warn',
    'trend_steep',
    /trend of POST \/checkout .*p95 \+5%\/day for 7d.* 7\.1 % a day over 7 days/,
  ],
  [
    'a load test that failed refuses',
    { loadTest: loadTest('fail') },
    'refuse',
    'load_test_failed',
    /load test of 1\.5\.0 failed at .*: 3 of 40 endpoints/,
  ],
  ['a load test that passed is told', { loadTest: loadTest('pass') }, 'allow', 'load_test_passed', /1\.5\.0 passed/],
  [
    'an inconclusive load test that nobody demands is told',
    { loadTest: loadTest('inconclusive') },
    'allow',
    'load_test_inconclusive',
    /was inconclusive/,
  ],
  [
    'an inconclusive load test that is demanded warns',
    { loadTest: loadTest('inconclusive'), policy: policy({ loadTestMaxAgeMs: DAY }) },
    'warn',
    'load_test_inconclusive',
    /was inconclusive/,
  ],
  [
    'a demanded load test that is missing refuses',
    { policy: policy({ loadTestMaxAgeMs: DAY }) },
    'refuse',
    'load_test_missing',
    /none was handed in/,
  ],
  [
    'a demanded load test that is too old is missing',
    { loadTest: loadTest('pass', NOW - DAY - 1), policy: policy({ loadTestMaxAgeMs: DAY }) },
    'refuse',
    'load_test_missing',
    /not older than 24 h is needed, the last one is of 2026-11-20 11:59:59 UTC/,
  ],
  ['a service without objectives warns', { objectives: [] }, 'warn', 'no_objectives', /no budget to go by/],
  [
    'a service nobody ever heard is unknown',
    { objectives: [], telemetry: { ...telemetry, newestAt: null } },
    'unknown',
    'no_data',
    /no span of shop/,
  ],
  ['objectives without data are unknown', { objectives: [counted(0, 0)] }, 'unknown', 'no_data', /nothing was counted/],
  [
    'one objective of several without data warns',
    { objectives: [counted(0, 0, { id: 'new', label: 'availability of GET /new' }), counted(0, 1000)] },
    'warn',
    'no_data',
    /availability of GET \/new: unknown/,
  ],
  [
    'telemetry that stopped is unknown',
    { telemetry: { ...telemetry, newestAt: NOW - 301_000 } },
    'unknown',
    'stale_telemetry',
    /newest span of shop is of 2026-11-21 11:54:59 UTC, 5 min ago/,
  ],
  [
    'an alert that is frozen although spans came of late warns',
    { objectives: [counted(10, 50_000, { alert: { ...QUIET, isFrozen: true } })] },
    'warn',
    'stale_telemetry',
    /alerts of availability are frozen/,
  ],
  [
    'spans on their way make it unknown',
    { telemetry: { ...telemetry, inputDoubt: 'input_lagging' } },
    'unknown',
    'stale_telemetry',
    /not all spans up to now/,
  ],
  ['lost state is unknown', { telemetry: { ...telemetry, isStateUnknown: true } }, 'unknown', 'state_unknown', /state was lost/],
  [
    'an override turns a refusal into a warning',
    { objectives: [counted(56, 50_000)], override: OVERRIDE },
    'warn',
    'overridden',
    /^overridden by ana until 2026-11-21 13:00:00 UTC: fix for the failing checkout$/,
  ],
];

describe('each reason', () => {
  it.each(ROWS)('%s', (_name, change, answer, reason, text) => {
    const said = gate(facts(change));
    expect(said.answer).toBe(answer);
    const found = said.findings.find((finding) => finding.reason === reason);
    expect(found).toBeDefined();
    expect(found?.answer).toBe(answer);
    expect(said.findings.some((finding) => finding.reason === reason && text.test(finding.text))).toBe(true);
  });

  it('has a row', () => {
    expect(new Set(ROWS.map(([, , , reason]) => reason))).toEqual(new Set(GATE_REASONS));
  });
});

describe('the worst finding is the answer', () => {
  const spent = { objectives: [counted(56, 50_000)] };
  const stale = { telemetry: { ...telemetry, newestAt: NOW - DAY } };

  it.each<[string, Partial<GateFacts>, string, string[]]>([
    ['refuse before unknown', { ...spent, ...stale }, 'refuse', ['budget_spent', 'stale_telemetry']],
    ['unknown before warn', { ...stale, trends: [STEEP] }, 'unknown', ['stale_telemetry', 'trend_steep', 'budget_left']],
    ['warn before allow', { trends: [STEEP] }, 'warn', ['trend_steep', 'budget_left']],
    [
      'what is overridden stays in the list',
      { ...spent, ...stale, override: OVERRIDE },
      'warn',
      ['overridden', 'budget_spent', 'stale_telemetry'],
    ],
    ['an override of nothing is not told', { override: OVERRIDE }, 'allow', ['budget_left']],
    ['an override of a warning is not told', { trends: [STEEP], override: OVERRIDE }, 'warn', ['trend_steep', 'budget_left']],
  ])('%s', (_name, change, answer, reasons) => {
    const said = gate(facts(change));
    expect([said.answer, said.findings.map((finding) => finding.reason)]).toEqual([answer, reasons]);
  });

  it('an alert that fired when telemetry was lost goes on to refuse', () => {
    const alert = { ...firing('page'), isFrozen: true };
    const said = gate(facts({ objectives: [counted(10, 50_000, { alert })], ...stale }));
    expect(said.answer).toBe('refuse');
    expect(said.findings.map((finding) => finding.reason)).toContain('stale_telemetry');
  });
});

describe('for any facts', () => {
  const RANK = { allow: 0, warn: 1, unknown: 2, refuse: 3 };
  const answers = fc.constantFrom('allow' as const, 'warn' as const, 'refuse' as const);
  const anyObjective = fc
    .record({
      bad: fc.nat(200),
      more: fc.nat(100_000),
      alert: fc.constantFrom(QUIET, firing('page'), firing('ticket'), { ...QUIET, isFrozen: true }),
      worstIncident: fc.constantFrom(null, INCIDENT),
    })
    .map(({ bad, more, ...change }) => counted(bad, bad + more, change));
  const anyFacts = fc
    .record({
      policy: fc.record({
        warnBelow: fc.double({ min: -1, max: 1, noNaN: true }),
        refuseBelow: fc.double({ min: -1, max: 1, noNaN: true }),
        onBurn: answers,
        onCanary: answers,
        onTrend: answers,
        warnIncidentAbove: fc.constantFrom(null, 0.2),
        loadTestMaxAgeMs: fc.constantFrom(null, DAY),
      }),
      objectives: fc.array(anyObjective, { maxLength: 4 }),
      runs: fc.constantFrom([], [run]),
      rollback: fc.constantFrom(null, rollback),
      trends: fc.constantFrom([], [STEEP]),
      loadTest: fc.constantFrom(null, loadTest('pass'), loadTest('fail'), loadTest('inconclusive', NOW - 2 * DAY)),
      telemetry: fc.constantFrom(telemetry, { ...telemetry, newestAt: null }, { ...telemetry, newestAt: NOW - DAY }),
    })
    .map(facts);

  it('more bad requests never make the answer better', () => {
    fc.assert(
      fc.property(anyFacts, fc.nat(3), fc.integer({ min: 1, max: 1_000 }), (given, which, more) => {
        const objectives = given.objectives.map((objective, at) => {
          if (at !== which % given.objectives.length || objective.budgetRemaining === null) return objective;
          const bad = objective.bad + more;
          return { ...objective, bad, budgetRemaining: (objective.allowedBad - bad) / objective.allowedBad };
        });
        expect(RANK[gate({ ...given, objectives }).answer]).toBeGreaterThanOrEqual(RANK[gate(given).answer]);
      }),
    );
  });

  it('an override never makes the answer worse, nor better than a warning, and hides no finding', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const without = gate(given);
        const overridden = gate({ ...given, override: OVERRIDE });
        expect(RANK[overridden.answer]).toBe(Math.min(RANK[without.answer], RANK.warn));
        expect(overridden.findings.slice(-without.findings.length)).toEqual(without.findings);
      }),
    );
  });

  it('the answer is that of some finding, and none is worse', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const { answer, findings } = gate(given);
        expect(RANK[answer]).toBe(Math.max(...findings.map((finding) => RANK[finding.answer])));
      }),
    );
  });
});

describe('numbers in words', () => {
  it.each<[number, string]>([
    [1, '100 %'],
    [0, '0 %'],
    [-0.12, '-12 %'],
    [-3, '-300 %'],
    [-1e-9, '< 0 %'],
    [0.0004, '0.04 %'],
  ])('%d of a budget is left: %s', (ratio, text) => {
    expect(signedPercent(ratio)).toBe(text);
  });

  it('what is allowed is rounded down, so that bad beyond it never looks kept', () => {
    expect(budgetText(counted(51, 50_600))).toBe('budget of availability: -0.79 % left (51 bad of 50 allowed)');
  });

  it('a budget of less than one bad request is not said to be of none', () => {
    expect(budgetText(counted(1, 500))).toBe('budget of availability: -100 % left (1 bad of 0.5 allowed)');
  });
});
