/** Each way to be wrong first, then the two ways to be right. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { isFinal, type RunInput, stepRun } from '../../src/decide/run-state.ts';
import { REASONS } from '../../src/model/judgement.ts';

const calm: RunInput = {
  outcome: 'inconclusive',
  reason: 'accumulating',
  distrust: null,
  objection: null,
  objectiveBurns: false,
  isSharedFailure: false,
  isCriticalProven: true,
  mode: 'rollback',
  onInconclusive: 'hold',
  at: 1_000,
  deadline: 10_000,
};

describe.each(['input_lagging', 'input_gap'] as const)('while input is in doubt: %s', (distrust) => {
  const late = { ...calm, distrust, at: 20_000 };

  it.each<[string, Partial<RunInput>, string]>([
    ['harm', { outcome: 'fail', reason: 'harm_proven' }, 'rolled_back'],
    ['health', { outcome: 'pass', reason: 'health_proven' }, 'promoted'],
    ['the end of the time', {}, 'expired'],
    ['the horizon', { reason: 'horizon_reached', at: 5_000 }, 'expired'],
  ])('%s is put off beyond the deadline, not lost', (_, change, then) => {
    expect(stepRun({ ...late, ...change })).toMatchObject({ state: 'running', decision: 'hold', reason: distrust, action: null });
    expect(stepRun({ ...late, ...change, distrust: null }).state).toBe(then);
  });

  it('an hour after the deadline nobody waits any more', () => {
    expect(stepRun({ ...late, outcome: 'fail', at: 3_610_000 })).toMatchObject({ state: 'expired', decision: 'hold', reason: distrust });
  });
});

describe('a step of an analysis run', () => {
  it.each<[string, Partial<RunInput>, string]>([
    ['goes on while evidence accumulates', {}, 'running continue accumulating -'],
    ['holds without canary traffic', { reason: 'no_canary' }, 'running hold no_canary -'],
    ['holds without baseline traffic', { reason: 'no_baseline' }, 'running hold no_baseline -'],
    [
      'holds on stale telemetry although harm is proven',
      { outcome: 'fail', distrust: 'stale_telemetry' },
      'running hold stale_telemetry -',
    ],
    ['holds on late telemetry although health is proven', { outcome: 'pass', distrust: 'late_telemetry' }, 'running hold late_telemetry -'],
    ['rolls back on proven harm', { outcome: 'fail', reason: 'harm_proven' }, 'rolled_back rollback harm_proven rollback'],
    [
      'ends held when the service cools down',
      { outcome: 'fail', reason: 'harm_proven', objection: 'cool_down' },
      'held hold cool_down hold',
    ],
    ['says nothing when it only observes', { outcome: 'fail', reason: 'harm_proven', mode: 'observe' }, 'held hold observe_only -'],
    ['asks to hold when the policy allows no more', { outcome: 'fail', reason: 'harm_proven', mode: 'hold' }, 'held hold harm_proven hold'],
    ['promotes on proven health', { outcome: 'pass', reason: 'health_proven' }, 'promoted promote health_proven promote'],
    [
      'does not promote while an objective burns',
      { outcome: 'pass', reason: 'health_proven', objectiveBurns: true },
      'running hold shared_failure -',
    ],
    [
      'does not promote while the baseline fails as well',
      { outcome: 'pass', reason: 'health_proven', isSharedFailure: true },
      'running hold shared_failure -',
    ],
    ['goes on while an objective burns and nothing is proven', { objectiveBurns: true }, 'running continue accumulating -'],
    ['holds while the baseline fails as well and nothing is proven', { isSharedFailure: true }, 'running hold shared_failure -'],
    [
      'rolls back on harm that is proven although the baseline fails as well',
      { outcome: 'fail', reason: 'harm_proven', isSharedFailure: true },
      'rolled_back rollback harm_proven rollback',
    ],
    [
      'never promotes at the deadline while the baseline fails as well',
      { at: 10_000, onInconclusive: 'promote', isSharedFailure: true },
      'expired hold shared_failure hold',
    ],
    ['holds on proven silence', { reason: 'silence_proven' }, 'running hold silence_proven -'],
    [
      'never promotes proven silence at the deadline',
      { at: 10_000, onInconclusive: 'promote', reason: 'silence_proven' },
      'expired hold silence_proven hold',
    ],
    ...(['burn_proven', 'criterion_breached', 'silence_proven'] as const).map((reason): [string, Partial<RunInput>, string] => [
      `rolls back on ${reason}`,
      { outcome: 'fail', reason },
      `rolled_back rollback ${reason} rollback`,
    ]),
    ['expires at the deadline', { at: 10_000 }, 'expired hold deadline_passed hold'],
    [
      'promotes at the deadline when the policy says so',
      { at: 10_000, onInconclusive: 'promote' },
      'promoted promote deadline_passed promote',
    ],
    [
      'never promotes at the deadline what is critical and not proven',
      { at: 10_000, onInconclusive: 'promote', isCriticalProven: false },
      'expired hold deadline_passed hold',
    ],
    ['never promotes silence', { at: 10_000, onInconclusive: 'promote', reason: 'no_canary' }, 'expired hold no_canary hold'],
    [
      'never promotes on distrust',
      { at: 10_000, onInconclusive: 'promote', distrust: 'stale_telemetry' },
      'expired hold stale_telemetry hold',
    ],
    ['expires at the horizon', { reason: 'horizon_reached' }, 'expired hold horizon_reached hold'],
  ])('%s', (_, change, expected) => {
    const step = stepRun({ ...calm, ...change });
    expect(`${step.state} ${step.decision} ${step.reason} ${step.action ?? '-'}`).toBe(expected);
  });

  const anyInput = fc.record({
    outcome: fc.constantFrom('pass' as const, 'fail' as const, 'inconclusive' as const),
    reason: fc.constantFrom(...REASONS),
    distrust: fc.option(fc.constantFrom(...REASONS)),
    objection: fc.option(fc.constantFrom(...REASONS)),
    objectiveBurns: fc.boolean(),
    isSharedFailure: fc.boolean(),
    isCriticalProven: fc.boolean(),
    mode: fc.constantFrom('observe' as const, 'hold' as const, 'rollback' as const),
    onInconclusive: fc.constantFrom('hold' as const, 'promote' as const),
    at: fc.integer({ min: 0, max: 20_000 }),
    deadline: fc.constant(10_000),
  });

  test.prop([anyInput])('rolls back only on proven, trusted, permitted harm', (input) => {
    const step = stepRun(input);
    const allowed = input.outcome === 'fail' && input.distrust === null && input.objection === null && input.mode === 'rollback';
    expect(step.action === 'rollback').toBe(allowed);
    expect(step.decision === 'rollback').toBe(allowed);
    expect(step.action !== null).toBe(isFinal(step.state) && input.mode !== 'observe');
  });
});
