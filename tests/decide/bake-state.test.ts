/** A promotion stands unless harm is proven, trusted and permitted. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { type BakeInput, stepBake } from '../../src/decide/bake-state.ts';
import { isFinal } from '../../src/decide/run-state.ts';
import { REASONS } from '../../src/model/judgement.ts';

const calm: BakeInput = {
  outcome: 'inconclusive',
  reason: 'accumulating',
  distrust: null,
  objection: null,
  mode: 'rollback',
  at: 1_000,
  until: 10_000,
  promotedFor: 'health_proven',
};

describe('a step of a bake', () => {
  it.each<[string, Partial<BakeInput>, string]>([
    ['goes on', {}, 'baking promote baking -'],
    ['is not impressed by health', { outcome: 'pass', reason: 'health_proven' }, 'baking promote baking -'],
    ['goes on past the horizon of a comparison', { reason: 'horizon_reached' }, 'baking promote baking -'],
    ['goes on without a baseline', { reason: 'no_baseline' }, 'baking promote baking -'],
    ['goes on while the telemetry is not trusted', { outcome: 'fail', distrust: 'stale_telemetry' }, 'baking promote baking -'],
    ['ends as promoted, for the reason it was promoted for', { at: 10_000 }, 'promoted promote health_proven -'],
    ['ends as promoted although nothing was heard', { at: 10_000, distrust: 'no_data' }, 'promoted promote health_proven -'],
    [
      'is held in the end when what proved harm is not trusted',
      { outcome: 'fail', reason: 'harm_proven', at: 10_000, distrust: 'late_telemetry' },
      'held hold late_telemetry hold',
    ],
    [
      'tells nobody of that when it only observes',
      { outcome: 'fail', at: 10_000, distrust: 'late_telemetry', mode: 'observe' },
      'held hold late_telemetry -',
    ],
    ['takes back what is harmful', { outcome: 'fail', reason: 'harm_proven' }, 'rolled_back rollback harm_proven rollback'],
    [
      'takes it back at the last moment',
      { outcome: 'fail', reason: 'burn_proven', at: 10_000 },
      'rolled_back rollback burn_proven rollback',
    ],
    ['is held when the guard objects', { outcome: 'fail', reason: 'harm_proven', objection: 'cool_down' }, 'held hold cool_down hold'],
    ['only observes', { outcome: 'fail', reason: 'harm_proven', mode: 'observe' }, 'held hold observe_only -'],
  ])('%s', (_, change, expected) => {
    const step = stepBake({ ...calm, ...change });
    expect(`${step.state} ${step.decision} ${step.reason} ${step.action ?? '-'}`).toBe(expected);
  });

  const anyInput = fc.record({
    outcome: fc.constantFrom('pass' as const, 'fail' as const, 'inconclusive' as const),
    reason: fc.constantFrom(...REASONS),
    distrust: fc.option(fc.constantFrom(...REASONS)),
    objection: fc.option(fc.constantFrom(...REASONS)),
    mode: fc.constantFrom('observe' as const, 'hold' as const, 'rollback' as const),
    at: fc.integer({ min: 0, max: 20_000 }),
    until: fc.constant(10_000),
    promotedFor: fc.constantFrom(...REASONS),
  });

  test.prop([anyInput])('never promotes a second time, and is over when its time is', (input) => {
    const step = stepBake(input);
    expect(step.action).not.toBe('promote');
    expect(step.action === 'rollback').toBe(
      input.outcome === 'fail' && input.distrust === null && input.objection === null && input.mode === 'rollback',
    );
    const isPutOff = input.distrust === 'input_lagging' || input.distrust === 'input_gap';
    if (input.at >= input.until) expect(isFinal(step.state)).toBe(!isPutOff);
  });

  it.each(['input_lagging', 'input_gap'] as const)('is put off, within an hour, while the telemetry is in doubt: %s', (distrust) => {
    const harm = {
      outcome: 'fail',
      reason: 'harm_proven',
      objection: null,
      mode: 'rollback',
      until: 10_000,
      promotedFor: 'health_proven',
    } as const;
    expect(stepBake({ ...harm, distrust, at: 20_000 })).toMatchObject({ state: 'baking', action: null });
    expect(stepBake({ ...harm, distrust: null, at: 20_000 })).toMatchObject({ state: 'rolled_back', action: 'rollback' });
    expect(stepBake({ ...harm, distrust, at: 3_610_000 })).toMatchObject({ state: 'held', reason: distrust, action: 'hold' });
  });
});
