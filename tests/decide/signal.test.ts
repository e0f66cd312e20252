/** A signal's identity: the same everywhere, different for everything that differs. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { rolledBackSignal, signalId } from '../../src/decide/signal.ts';
import type { Rollout } from '../../src/model/rollout.ts';
import { sampleSignal } from '../store/samples.ts';

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

describe('the signal that a rollback was done', () => {
  const target = { kind: 'Rollout', namespace: 'shop', name: 'checkout', fence: '7c9f' } as const;
  const asked = sampleSignal({ target, toldAfter: ['chat'], evidenceAt: 1_000, notAfter: 601_000 });

  it('has an identity that follows from the rollback, whatever was seen and whenever', () => {
    const one = rolledBackSignal(asked, { detail: 'aborted' }, ['chat'], 5_000);
    const two = rolledBackSignal({ ...asked, summary: 'otherwise' }, { detail: 'seen late', rolledBackTo: '5d1a' }, ['chat'], 9_000);
    expect(one.id).toBe(signalId({ id: asked.rolloutId, generation: asked.generation, policyId: asked.policyId }, 'rolled_back'));
    expect(two.id).toBe(one.id);
    expect(one.id).not.toBe(asked.id);
  });

  it('says what serves now and goes to those who are told, for as long as the rollback was worth asking for', () => {
    const signal = rolledBackSignal(asked, { detail: 'aborted\u001b[2J', rolledBackTo: '5d1a' }, ['chat'], 700_000);
    expect(signal).toMatchObject({
      action: 'rolled_back',
      summary: 'Rollout shop/checkout was rolled back to 5d1a: aborted\\u{1b}[2J',
      rolledBackTo: '5d1a',
      sinks: ['chat'],
      notAfter: 1_300_000,
      evidenceDigest: asked.evidenceDigest,
    });
    expect(signal).not.toHaveProperty('toldAfter');
  });

  it('is of a bounded length, whatever the deploy system says', () => {
    const { summary, rolledBackTo } = rolledBackSignal(asked, { detail: 'x'.repeat(1e6), rolledBackTo: 'y'.repeat(1e6) }, [], 0);
    expect(summary.length).toBeLessThan(1_000);
    expect(rolledBackTo?.length).toBeLessThan(1_000);
  });
});
