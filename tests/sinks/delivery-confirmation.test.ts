/** What was taken is not done: a delivery stays open until its effect is seen, something newer comes, or people were told that nothing came of it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../src/model/errors.ts';
import type { DeliveryState } from '../../src/model/rollout.ts';
import { ALL_RUN_ACTIONS } from '../../src/sinks/sink.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import { DeliveryStand } from './delivery-stand.ts';

let stand: DeliveryStand;
beforeEach(() => {
  stand = new DeliveryStand();
});
afterEach(() => stand.stop());

const SEEN = { state: 'confirmed', rolledBackTo: '7c9f', detail: 'the stable release serves' } as const;
const OVER = { state: 'superseded', detail: 'revision 9 is being rolled out' } as const;

describe('a signal that was taken', () => {
  it('is looked for after 1, 2 and then every 5 s until its effect is there', async () => {
    const looked: number[] = [];
    stand.deploy.look = () => {
      looked.push(stand.time.now - DECIDED_AT);
      return looked.length < 5 ? { state: 'not_yet', detail: 'under way' } : SEEN;
    };
    stand.decide(stand.start());
    await stand.until('acknowledged');
    expect(stand.entry()).toMatchObject({ isOpen: true });
    expect(stand.telemetry.value('deliveries_unconfirmed')).toBe(1);
    await stand.passUntil(30_000);
    expect(looked).toEqual([1_000, 3_000, 8_000, 13_000, 18_000]);
    expect(stand.entry()).toMatchObject({ state: 'confirmed', isOpen: false, attempts: 1, escalatedAt: null });
    expect(stand.telemetry.value('deliveries_unconfirmed')).toBe(0);
    expect(stand.deploy.taken).toHaveLength(1);
    expect(stand.told).toEqual([]);
    expect(stand.time.waiting).toBe(0);
  });

  it('is over when the object has moved on', async () => {
    stand.deploy.look = () => OVER;
    stand.decide(stand.start());
    await stand.passUntil(1_000);
    expect(stand.entry()).toMatchObject({ state: 'superseded', isOpen: false });
  });

  it.each([
    ['nothing of it is seen', () => ({ state: 'not_yet' as const, detail: 'revision 8 still serves' })],
    [
      'it cannot be looked at',
      () => {
        throw new RetryableError('network', 'ECONNREFUSED');
      },
    ],
  ])('is told of once when %s for long, is looked for on, and comes to its end', async (_, look) => {
    stand.deploy.look = look;
    stand.decide(stand.start());
    await stand.passUntil(59_000);
    expect(stand.told).toEqual([]);
    await stand.passUntil(61_000);
    expect(stand.told).toMatchObject([{ topic: 'unconfirmed', severity: 'page', labels: { sink: 'deploy', action: 'rollback' } }]);
    expect(stand.entry()).toMatchObject({ state: 'acknowledged', isOpen: true, escalatedAt: DECIDED_AT + 60_000 });
    await stand.passUntil(359_000);
    expect(stand.entry()).toMatchObject({ state: 'acknowledged' });
    await stand.passUntil(370_000);
    expect(stand.entry()).toMatchObject({ state: 'escalated', isOpen: false });
    expect(stand.topics()).toEqual(['unconfirmed']);
    expect(stand.telemetry.value('escalations_total', { topic: 'unconfirmed' })).toBe(1);
    expect(stand.deploy.taken).toHaveLength(1);
  });

  it('is confirmed although people were told that it was not', async () => {
    stand.decide(stand.start());
    await stand.passUntil(100_000);
    stand.deploy.look = () => SEEN;
    await stand.passUntil(110_000);
    expect(stand.entry()).toMatchObject({ state: 'confirmed', isOpen: false, escalatedAt: DECIDED_AT + 60_000 });
  });

  it.each([30_000, 100_000])('is looked for on after a restart at %i ms, and people are told once in all', async (restartAt) => {
    const first = stand.start();
    stand.decide(first);
    await stand.passUntil(restartAt);
    await first.stop();
    stand.start();
    await stand.passUntil(400_000);
    expect(stand.topics()).toEqual(['unconfirmed']);
    expect(stand.entry()).toMatchObject({ state: 'escalated', isOpen: false, escalatedAt: DECIDED_AT + 60_000 });
    expect(stand.deploy.taken).toHaveLength(1);
  });

  it.each<['confirmed' | 'dry_run', DeliveryState]>([
    ['confirmed', 'confirmed'],
    ['dry_run', 'dry_run'],
  ])('as %s is done with that', async (receipt, state) => {
    stand.deploy.take = () => receipt;
    stand.decide(stand.start());
    await stand.until(state);
    expect(stand.entry()).toMatchObject({ isOpen: false });
    expect([stand.deploy.looks, stand.time.waiting]).toEqual([0, 0]);
  });
});

describe('an effect that may be there already', () => {
  /** A process that died after it had sent, before the answer. */
  function lostAnswer(): void {
    const { id } = stand.decide(null);
    stand.store.journal.mark(id, 'deploy', {
      ...{ state: 'sent', isOpen: true, attempts: 1, lastError: null, escalatedAt: null, at: DECIDED_AT },
    });
  }

  it('is looked for after a restart, and nothing is sent again when it is there', async () => {
    lostAnswer();
    stand.deploy.look = () => SEEN;
    stand.start();
    await stand.until('confirmed');
    expect(stand.entry()).toMatchObject({ isOpen: false, attempts: 1 });
    expect(stand.deploy.taken).toEqual([]);
  });

  it('and is not what is seen is for the sink to decide: nobody knows whether anything was sent before', async () => {
    lostAnswer();
    stand.deploy.look = () => OVER;
    stand.deploy.take = () => {
      throw new PermanentError('superseded', 'revision 9 is being rolled out');
    };
    stand.start();
    await stand.until('superseded');
    expect(stand.entry()).toMatchObject({ isOpen: false, attempts: 2 });
  });

  it.each([
    ['is not there', () => ({ state: 'not_yet' as const, detail: '' })],
    [
      'cannot be looked for',
      () => {
        throw new RetryableError('network', 'ECONNREFUSED');
      },
    ],
  ])('that %s is sent for again', async (_, look) => {
    lostAnswer();
    stand.deploy.look = look;
    stand.start();
    await stand.until('acknowledged');
    expect(stand.entry()).toMatchObject({ attempts: 2 });
    expect(stand.deploy.looks).toBe(1);
  });

  it('is left to the replica that acts first for 5 s, and then looked for before anything is sent', async () => {
    stand.standby = true;
    stand.decide(stand.start());
    await stand.passUntil(4_999);
    expect([stand.deploy.taken, stand.deploy.looks]).toEqual([[], 0]);
    stand.deploy.look = () => SEEN;
    await stand.passUntil(5_000);
    expect(stand.entry()).toMatchObject({ state: 'confirmed', attempts: 0 });
    expect(stand.deploy.taken).toEqual([]);
  });

  it('is brought about when the replica that acts first does not', async () => {
    stand.standby = true;
    stand.decide(stand.start());
    await stand.passUntil(5_000);
    expect(stand.entry()).toMatchObject({ state: 'acknowledged', attempts: 1 });
  });

  it('is no reason to wait where nothing can be read back', async () => {
    stand.standby = true;
    stand.sinks.set('deploy', { name: 'deploy', actions: ALL_RUN_ACTIONS, deliver: async () => 'acknowledged' });
    stand.decide(stand.start());
    await stand.until('acknowledged');
    expect(stand.time.now).toBe(DECIDED_AT);
    expect(stand.entry()).toMatchObject({ isOpen: false });
  });
});

describe('a rollback that was seen', () => {
  const followUp = sampleSignal({ id: 'sig_after', action: 'rolled_back', sinks: ['chat'] });
  const told: string[] = [];
  beforeEach(() => {
    told.length = 0;
    stand.sinks.set('chat', {
      name: 'chat',
      actions: new Set(['rolled_back']),
      deliver: async ({ id }) => {
        told.push(id);
        return 'acknowledged';
      },
    });
    stand.deploy.look = () => SEEN;
  });

  it('is told to those who asked for it', async () => {
    stand.decide(stand.start({ followUps: (signal, seen) => (signal.action === 'rollback' && seen.rolledBackTo ? [followUp] : []) }));
    await stand.passUntil(1_000);
    expect(told).toEqual(['sig_after']);
    expect(stand.entry('chat')).toMatchObject({ state: 'acknowledged', isOpen: false, signal: followUp });
  });

  it('is not over before it is kept that others are to be told, and they are told once', async () => {
    const first = stand.start({ followUps: () => [followUp] });
    stand.decide(first);
    await stand.until('acknowledged');
    stand.journalDown = true;
    await stand.passUntil(3_000);
    expect(stand.entry()).toMatchObject({ state: 'acknowledged', isOpen: true });
    await first.stop();
    stand.journalDown = false;
    stand.start({ followUps: (signal) => (signal.action === 'rollback' ? [followUp] : []) });
    await stand.passUntil(6_000);
    expect(stand.entry()).toMatchObject({ state: 'confirmed' });
    expect(told).toEqual(['sig_after']);
  });
});

describe('a sink that says itself what became of a signal', () => {
  const report = { signalId: sampleSignal().id, sink: null, outcome: 'done', by: 'pipeline 7', detail: '' } as const;
  beforeEach(() => {
    stand.sinks.set('deploy', { name: 'deploy', actions: ALL_RUN_ACTIONS, awaitsOutcome: true, deliver: async () => 'acknowledged' });
  });

  it('keeps the delivery open until it says that it is done', async () => {
    const delivery = stand.start();
    stand.decide(delivery);
    await stand.until('acknowledged');
    expect(stand.entry()).toMatchObject({ isOpen: true });
    expect(delivery.report(report)).toEqual({ kind: 'kept' });
    expect(stand.entry()).toMatchObject({ state: 'confirmed', isOpen: false });
    expect(delivery.report(report)).toEqual({ kind: 'kept' });
    expect(delivery.report({ ...report, outcome: 'not_done' })).toEqual({ kind: 'over', state: 'confirmed' });
    expect(stand.time.waiting).toBe(0);
  });

  it('has people told when it says that it will not do it, in its own words made safe', async () => {
    const delivery = stand.start();
    stand.decide(delivery);
    await stand.until('acknowledged');
    delivery.report({ ...report, outcome: 'not_done', detail: 'frozen\u001b[2J' });
    await stand.passUntil(1_000);
    expect(stand.told).toMatchObject([{ topic: 'unconfirmed', title: expect.stringContaining('pipeline 7: frozen\\u{1b}[2J') }]);
    expect(stand.entry()).toMatchObject({ state: 'escalated', isOpen: false, lastError: 'pipeline 7: frozen\\u{1b}[2J' });
  });

  it('may say so before its answer to the signal has come', async () => {
    const delivery = stand.start();
    stand.sinks.set('deploy', {
      ...{ name: 'deploy', actions: ALL_RUN_ACTIONS, awaitsOutcome: true },
      deliver: async () => {
        delivery.report(report);
        return 'acknowledged';
      },
    });
    stand.decide(delivery);
    await stand.until('confirmed');
    expect(stand.entry()).toMatchObject({ isOpen: false });
  });

  it('is told of when it says nothing', async () => {
    stand.decide(stand.start());
    await stand.passUntil(400_000);
    expect(stand.topics()).toEqual(['unconfirmed']);
    expect(stand.entry()).toMatchObject({ state: 'escalated', isOpen: false });
  });

  it('is heard after a restart, whatever the delivery holds in memory', async () => {
    const first = stand.start();
    stand.decide(first);
    await stand.until('acknowledged');
    await first.stop();
    const second = stand.start({ limits: { held: 0 } });
    expect(second.report(report)).toEqual({ kind: 'kept' });
    expect(stand.entry()).toMatchObject({ state: 'confirmed' });
  });

  it('is told when what it says cannot be kept', async () => {
    const delivery = stand.start();
    stand.decide(delivery);
    await stand.until('acknowledged');
    stand.journalDown = true;
    expect(delivery.report(report)).toEqual({ kind: 'not_journalled' });
    stand.journalDown = false;
    expect(delivery.report(report)).toEqual({ kind: 'kept' });
    expect(stand.entry()).toMatchObject({ state: 'confirmed' });
  });

  it.each([
    ['a signal that nobody knows', { signalId: 'sig_never' }, 'unknown'],
    ['a sink that it did not go to', { sink: 'chat' }, 'unknown'],
  ] as const)('cannot speak of %s', (_, change, kind) => {
    const delivery = stand.start();
    stand.decide(delivery);
    expect(delivery.report({ ...report, ...change })).toEqual({ kind });
  });

  it('is not waited for where a signal asks for nothing to be done', async () => {
    const delivery = stand.start();
    stand.decide(delivery, { action: 'hold' });
    await stand.until('acknowledged');
    expect(stand.entry()).toMatchObject({ isOpen: false });
    expect(delivery.report(report)).toEqual({ kind: 'not_awaited' });
  });
});
