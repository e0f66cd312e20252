/** Limits on acting, whatever the evidence. */
import { describe, expect, it } from 'vitest';
import { EMPTY_GUARD, type GuardLimits, guardAfterRollback, guardObjection } from '../../src/decide/guard.ts';

const limits: GuardLimits = { coolDownMs: 1_800_000, maxRollbacksPerHour: 3 };
const MINUTE = 60_000;

describe('the guard', () => {
  it('has nothing against the first rollback', () => {
    expect(guardObjection(EMPTY_GUARD, 'checkout', 0, limits)).toBeNull();
  });

  it('lets a service cool down and others go on', () => {
    const state = guardAfterRollback(EMPTY_GUARD, 'checkout', 0);
    expect(guardObjection(state, 'checkout', 29 * MINUTE, limits)).toBe('cool_down');
    expect(guardObjection(state, 'checkout', 30 * MINUTE, limits)).toBeNull();
    expect(guardObjection(state, 'payment', MINUTE, limits)).toBeNull();
  });

  it('opens the breaker when too many services roll back within an hour, and closes it afterwards', () => {
    const state = ['a', 'b', 'c'].reduce((past, service, i) => guardAfterRollback(past, service, i * MINUTE), EMPTY_GUARD);
    expect(guardObjection(state, 'd', 3 * MINUTE, limits)).toBe('breaker_open');
    expect(guardObjection(state, 'd', 60 * MINUTE, limits)).toBeNull();
  });

  it("keeps a service's long cool-down although services with shorter ones roll back meanwhile", () => {
    const long = { ...limits, coolDownMs: 360 * MINUTE };
    const first = guardAfterRollback(EMPTY_GUARD, 'checkout', 0);
    const state = guardAfterRollback(first, 'payment', 120 * MINUTE);
    expect(guardObjection(state, 'checkout', 180 * MINUTE, long)).toBe('cool_down');
    expect(guardObjection(state, 'checkout', 360 * MINUTE, long)).toBeNull();
  });

  it('forgets what no limit can see any more, so it never grows without bound', () => {
    let state = EMPTY_GUARD;
    for (let i = 0; i < 1_000; i++) state = guardAfterRollback(state, 'checkout', i * 30 * MINUTE);
    expect(state.rollbacks.length).toBeLessThanOrEqual(3);
  });
});
