/** What operators allow at most: which signals may leave, and what becomes of a step whose signal may not. */
import { describe, expect, it } from 'vitest';
import { lowerMode, mayLeave, underCeiling } from '../../src/decide/ceiling.ts';
import type { RunStep } from '../../src/decide/run-state.ts';
import type { PolicyMode } from '../../src/model/policy.ts';
import type { SignalAction } from '../../src/model/rollout.ts';

const ROLLBACK: RunStep = { state: 'rolled_back', decision: 'rollback', reason: 'harm_proven', action: 'rollback', isHarm: true };
const HELD: RunStep = { state: 'held', decision: 'hold', reason: 'breaker_open', action: 'hold', isHarm: true };

describe('under a ceiling', () => {
  it.each<[PolicyMode, readonly SignalAction[]]>([
    ['rollback', ['rollback', 'promote', 'hold', 'rolled_back']],
    ['hold', ['promote', 'hold', 'rolled_back']],
    ['observe', ['rolled_back']],
  ])('%s leave %j', (ceiling, expected) => {
    const actions: readonly SignalAction[] = ['rollback', 'promote', 'hold', 'rolled_back'];
    expect(actions.filter((action) => mayLeave(action, ceiling))).toEqual(expected);
  });

  it('the stricter of two counts', () => {
    expect(lowerMode('hold', 'observe')).toBe('observe');
    expect(lowerMode('hold', 'rollback')).toBe('hold');
    expect(lowerMode('rollback', 'rollback')).toBe('rollback');
  });

  it('a rollback is put off and its harm still known, in a run and in a bake', () => {
    const off = { decision: 'hold', reason: 'overridden', action: null, isHarm: true };
    expect(underCeiling(ROLLBACK, 'hold', false)).toEqual({ ...off, state: 'running' });
    expect(underCeiling(ROLLBACK, 'observe', true)).toEqual({ ...off, state: 'baking' });
  });

  it('what would have been held anyway is held for its own reason', () => {
    expect(underCeiling(HELD, 'hold', false)).toBe(HELD);
    expect(underCeiling(HELD, 'observe', false)).toMatchObject({ state: 'running', reason: 'overridden' });
  });

  it('what says nothing goes on', () => {
    const going: RunStep = { state: 'running', decision: 'continue', reason: 'accumulating', action: null };
    expect(underCeiling(going, 'observe', false)).toBe(going);
  });
});
