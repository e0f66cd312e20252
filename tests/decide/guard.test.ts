/** Limits on acting, whatever the evidence. */
import { describe, expect, it } from 'vitest';
import {
  EMPTY_GUARD,
  type GuardLimits,
  type GuardState,
  guardAfterHarm,
  guardAfterReset,
  guardAfterRollback,
  guardObjection,
  isOfCommonCause,
  rollbacksLastHour,
} from '../../src/decide/guard.ts';

const MINUTE = 60_000;
const commonCause = { services: 3, withinMs: MINUTE };
const limits: GuardLimits = { coolDownMs: 1_800_000, maxRollbacksPerHour: 3, commonCause };

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

function harmed(...proofs: readonly (readonly [service: string, at: number])[]): GuardState {
  return proofs.reduce((state, [service, at]) => guardAfterHarm(state, service, at, commonCause), EMPTY_GUARD);
}

describe('a common cause', () => {
  it('is what the third service within a minute has, and the first two had not', () => {
    const state = harmed(['a', 0], ['b', 20_000]);
    expect(guardObjection(EMPTY_GUARD, 'a', 0, limits)).toBeNull();
    expect(guardObjection(harmed(['a', 0]), 'b', 20_000, limits)).toBeNull();
    expect(guardObjection(state, 'c', 59_999, limits)).toBe('common_cause');
    expect(guardObjection(state, 'c', 60_000, limits)).toBeNull();
  });

  it('takes several canaries of one service for one', () => {
    expect(guardObjection(harmed(['a', 0], ['a', 1000], ['b', 2000]), 'a', 3000, limits)).toBeNull();
  });

  it('goes on while one more turns bad within the span, and ends when none did', () => {
    const state = harmed(['a', 0], ['b', 1000], ['c', 2000], ['d', 50_000]);
    expect(guardObjection(state, 'e', 109_999, limits)).toBe('common_cause');
    expect(guardObjection(state, 'e', 110_000, limits)).toBeNull();
  });

  it('is found whichever order the services are looked at', () => {
    const times = { a: 0, b: 30_000, c: 59_000 } as const;
    const orders = ['abc', 'acb', 'bac', 'bca', 'cab', 'cba'].map((order) => [...order] as ('a' | 'b' | 'c')[]);
    for (const order of orders) {
      const state = harmed(...order.map((service) => [service, times[service]] as const));
      expect(state.commonCause).toEqual({ since: 0, at: 59_000 });
    }
  });

  it('is remembered of harm that was kept back until long after', () => {
    const state = harmed(['a', 0], ['b', 1000], ['c', 2000]);
    expect(guardObjection(state, 'a', 90 * MINUTE, limits, 0)).toBe('common_cause');
    expect(guardObjection(state, 'a', 90 * MINUTE, limits)).toBeNull();
  });

  it('is never spoken of when it is switched off', () => {
    const off = { ...limits, commonCause: { services: 0, withinMs: MINUTE } };
    const state = ['a', 'b', 'c', 'd'].reduce((past, service) => guardAfterHarm(past, service, 0, off.commonCause), EMPTY_GUARD);
    expect(guardObjection(state, 'e', 0, off)).toBeNull();
    expect(state.harms).toEqual([]);
  });

  it('is remembered in little room, however many services turn bad', () => {
    const state = harmed(...Array.from({ length: 5000 }, (_, n) => [`s${n}`, n] as const));
    expect(state.harms).toHaveLength(100);
    expect(isOfCommonCause(state, 5000, commonCause)).toBe(true);
  });
});

it('a reset closes breaker and common cause, and lets services go on cooling down', () => {
  const rolledBack = ['a', 'b', 'c'].reduce((past, service) => guardAfterRollback(past, service, 0), harmed(['a', 0], ['b', 0], ['c', 0]));
  expect(guardObjection(rolledBack, 'd', MINUTE / 2, limits)).toBe('common_cause');
  expect(guardObjection(rolledBack, 'd', MINUTE, limits)).toBe('breaker_open');
  const state = guardAfterReset(rolledBack);
  expect(rollbacksLastHour(state, MINUTE)).toBe(0);
  expect(guardObjection(state, 'd', MINUTE / 2, limits)).toBeNull();
  expect(guardObjection(state, 'a', MINUTE, limits)).toBe('cool_down');
});
