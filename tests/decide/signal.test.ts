/** A signal's identity: the same everywhere, different for everything that differs. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { signalId } from '../../src/decide/signal.ts';
import type { Rollout } from '../../src/model/rollout.ts';

const rollout: Rollout = {
  id: 'checkout-42',
  service: 'checkout',
  generation: 7,
  baseline: { 'service.version': '1.4.2' },
  canary: { 'service.version': '1.5.0' },
  policyId: 'p1',
  startedAt: 0,
  deadline: 3_600_000,
  origin: 'api',
  target: null,
  canaryShare: null,
};

describe('a signal', () => {
  it('has an identity that does not depend on when or why it was decided', () => {
    expect(signalId({ ...rollout, startedAt: 5, deadline: 6 }, 'rollback')).toBe(signalId(rollout, 'rollback'));
    expect(signalId(rollout, 'rollback')).toMatch(/^sig_[0-9a-f]{40}$/);
  });

  it.each<[string, Partial<Rollout>]>([
    ['rollout', { id: 'checkout-43' }],
    ['generation', { generation: 8 }],
    ['policy', { policyId: 'p2' }],
  ])('differs by %s', (_, change) => {
    expect(signalId({ ...rollout, ...change }, 'rollback')).not.toBe(signalId(rollout, 'rollback'));
  });

  test.prop([fc.string(), fc.string(), fc.string(), fc.string()])('cannot be forged by ids that run together', (a, b, c, d) => {
    const one = signalId({ ...rollout, id: a, policyId: b }, 'rollback');
    const two = signalId({ ...rollout, id: c, policyId: d }, 'rollback');
    expect(one === two).toBe(a === c && b === d);
  });
});
