import { describe, expect, it } from 'vitest';
import { DeployState, type SignalMessage } from './deploy-state.ts';

const NOW = 1_800_000_000_000;

function signal(changes: Partial<SignalMessage> = {}): SignalMessage {
  return {
    rolloutId: 'checkout-1.5.0',
    generation: 1,
    service: 'checkout',
    action: 'rollback',
    reason: 'harm_proven',
    summary: 'Roll back.',
    notAfter: NOW + 60_000,
    ...changes,
  };
}

describe('the deploy system', () => {
  it.each([
    ['a rollback of the current attempt moves all traffic back', {}, 'moved_back', 0],
    ['a promotion moves all traffic to the canary', { action: 'promote' }, 'promoted', 1],
    ['a hold leaves traffic where it is', { action: 'hold' }, 'held', 0.5],
    ['an older attempt is refused', { generation: 0 }, 'stale_generation', 0.5],
    ['an attempt that was never started is refused', { generation: 2 }, 'stale_generation', 0.5],
    ['another service is not ours to move', { service: 'payment' }, 'unknown_service', 0.5],
    ['a signal after its time is refused', { notAfter: NOW - 1 }, 'too_late', 0.5],
  ] as const)('%s', (_, changes, effect, weight) => {
    const state = new DeployState('checkout');
    state.start(0.5);
    expect(state.apply('msg_1', signal(changes), NOW)).toBe(effect);
    expect(state.canaryWeight).toBe(weight);
  });

  it('acts once on a message that is delivered twice', () => {
    const state = new DeployState('checkout');
    state.start(0.5);
    expect(state.apply('msg_1', signal(), NOW)).toBe('moved_back');
    state.canaryWeight = 0.2;
    expect(state.apply('msg_1', signal(), NOW)).toBe('duplicate');
    expect(state.canaryWeight).toBe(0.2);
  });

  it('does not let a late rollback hit the next attempt', () => {
    const state = new DeployState('checkout');
    state.start(0.5);
    expect(state.start(0.1)).toBe(2);
    expect(state.apply('msg_1', signal({ generation: 1 }), NOW)).toBe('stale_generation');
    expect(state.canaryWeight).toBe(0.1);
  });

  it('remembers a bounded number of messages', () => {
    const state = new DeployState('checkout');
    state.start(0.5);
    for (let i = 0; i < 1001; i++) state.apply(`msg_${i}`, signal({ action: 'hold' }), NOW);
    expect(state.apply('msg_1000', signal({ action: 'hold' }), NOW)).toBe('duplicate');
    expect(state.apply('msg_0', signal({ action: 'hold' }), NOW)).toBe('held');
  });
});
