/** Nothing is late or lost in silence: people are told once of each delivery that needs them, and signals that are held back wait. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../src/model/errors.ts';
import type { SinkRefusal } from '../../src/sinks/sink.ts';
import { DECIDED_AT } from '../store/samples.ts';
import { DeliveryStand } from './delivery-stand.ts';

let stand: DeliveryStand;
beforeEach(() => {
  stand = new DeliveryStand();
});
afterEach(() => stand.stop());

const down = () => {
  throw new RetryableError('network', 'delivering signal to deploy: ECONNREFUSED');
};
const refusal = (code: SinkRefusal) => () => {
  throw new PermanentError(code, `delivering signal to deploy: ${code}`);
};

describe('a signal that does not get through', () => {
  it('is told of a minute after its decision, once, and is tried on until it does', async () => {
    stand.deploy.take = down;
    stand.decide(stand.start());
    await stand.passUntil(59_999);
    expect(stand.told).toEqual([]);
    await stand.passUntil(60_000);
    expect(stand.told).toMatchObject([
      {
        key: `undelivered:${stand.entry()?.signal.id}:deploy`,
        topic: 'undelivered',
        severity: 'page',
        startsAt: DECIDED_AT,
        endsAt: null,
        details: expect.arrayContaining(['last error: delivering signal to deploy: ECONNREFUSED']),
      },
    ]);
    expect(stand.entry()).toMatchObject({ state: 'sent', isOpen: true, escalatedAt: DECIDED_AT + 60_000 });
    const attempts = stand.deploy.taken.length;
    await stand.passUntil(300_000);
    expect(stand.deploy.taken.length).toBeGreaterThan(attempts);
    expect(stand.told).toHaveLength(1);
    stand.deploy.take = () => 'acknowledged';
    await stand.passUntil(330_000);
    expect(stand.entry()).toMatchObject({ state: 'acknowledged', escalatedAt: DECIDED_AT + 60_000 });
  });

  it('is told of on time although its attempt hangs', async () => {
    stand.deploy.take = (_, { abort }) => new Promise((_resolve, reject) => abort.addEventListener('abort', () => reject(down)));
    stand.decide(stand.start());
    await stand.passUntil(60_000);
    expect(stand.topics()).toEqual(['undelivered']);
  });

  it('is told of anew when it got through late and nothing came of it', async () => {
    stand.deploy.take = down;
    stand.decide(stand.start());
    await stand.passUntil(70_000);
    stand.deploy.take = () => 'acknowledged';
    await stand.passUntil(500_000);
    expect(stand.topics()).toEqual(['undelivered', 'unconfirmed']);
    expect(stand.entry()).toMatchObject({ state: 'escalated', isOpen: false });
  });

  it.each([
    ['refused', 60_000],
    // The second attempt comes 30 s after the first one.
    ['misdirected', 30_000],
  ] as const)('because it is %s is tried slowly and told of after %i ms', async (code, afterMs) => {
    stand.deploy.take = refusal(code);
    stand.decide(stand.start());
    await stand.passUntil(afterMs - 1);
    expect(stand.told).toEqual([]);
    await stand.passUntil(afterMs);
    expect(stand.topics()).toEqual(['undelivered']);
    await stand.passUntil(200_000);
    expect(stand.deploy.taken).toHaveLength(7);
    expect(stand.told).toHaveLength(1);
    expect(stand.entry()).toMatchObject({ state: 'sent', isOpen: true });
  });

  it('because acting would do harm is told of at once and never tried again', async () => {
    stand.deploy.take = refusal('declined');
    stand.decide(stand.start());
    await stand.passUntil(0);
    expect(stand.entry()).toMatchObject({ state: 'escalated', isOpen: false, lastError: expect.stringContaining('declined'), attempts: 1 });
    expect(stand.told).toMatchObject([{ topic: 'undelivered', title: expect.stringContaining('was declined by deploy') }]);
    expect([stand.deploy.taken.length, stand.time.waiting]).toEqual([1, 0]);
  });

  it('and expires is told of then, if it was not before', async () => {
    stand.deploy.take = down;
    stand.decide(stand.start(), { notAfter: DECIDED_AT + 20_000 });
    await stand.passUntil(20_001);
    expect(stand.told).toMatchObject([{ topic: 'undelivered', title: expect.stringContaining('expired before deploy took it') }]);
    expect(stand.entry()).toMatchObject({ state: 'expired', isOpen: false, escalatedAt: DECIDED_AT + 20_001 });
    expect(stand.time.waiting).toBe(0);
  });

  it('and expires after it was told of is not told of again', async () => {
    stand.deploy.take = down;
    stand.decide(stand.start(), { notAfter: DECIDED_AT + 100_000 });
    await stand.passUntil(200_000);
    expect(stand.entry()).toMatchObject({ state: 'expired', isOpen: false });
    expect(stand.told).toHaveLength(1);
  });

  it('because we were away is not told of when the first attempt after that gets it through', async () => {
    stand.decide(null);
    stand.time.now += 120_000;
    let told: () => void = () => undefined;
    stand.deploy.take = () => new Promise((resolve) => (told = () => resolve('confirmed')));
    stand.start();
    await stand.passUntil(121_000);
    told();
    await stand.passUntil(300_000);
    expect(stand.entry()).toMatchObject({ state: 'confirmed', isOpen: false });
    expect(stand.told).toEqual([]);
  });

  it('is a ticket and no page when nothing bad is serving for it', async () => {
    stand.deploy.take = down;
    stand.decide(stand.start(), { action: 'promote' });
    await stand.passUntil(60_000);
    expect(stand.told).toMatchObject([{ severity: 'ticket' }]);
  });
});

describe('telling people', () => {
  it('is tried again until some channel takes it, and remembered from then on', async () => {
    let failures = 3;
    stand.channel = async () => {
      if (failures-- > 0) down();
    };
    stand.deploy.take = down;
    stand.decide(stand.start());
    await stand.passUntil(61_000);
    expect(stand.told).toEqual([]);
    expect(stand.entry()).toMatchObject({ escalatedAt: null });
    await stand.passUntil(70_000);
    expect(stand.told).toHaveLength(1);
    expect(stand.entry()).toMatchObject({ escalatedAt: DECIDED_AT + 61_700 });
    expect(stand.telemetry.value('escalations_total', { topic: 'undelivered' })).toBe(1);
  });

  it.each([
    ['undelivered', 100_000, 600_000],
    ['expired', 100_000, 50_000],
  ])('of what is %s is not repeated after a restart', async (_, restartAt, ttlMs) => {
    stand.deploy.take = down;
    const first = stand.start();
    stand.decide(first, { notAfter: DECIDED_AT + ttlMs });
    await stand.passUntil(restartAt);
    await first.stop();
    stand.start();
    await stand.passUntil(300_000);
    expect(stand.told).toHaveLength(1);
  });

  it('is not forgotten by a restart that comes before it was done, not even of what expired', async () => {
    stand.deploy.take = down;
    stand.channel = async () => down();
    const first = stand.start();
    stand.decide(first, { notAfter: DECIDED_AT + 30_000 });
    await stand.passUntil(40_000);
    expect(stand.entry()).toMatchObject({ state: 'expired', isOpen: true, escalatedAt: null });
    await first.stop();
    stand.channel = async () => {};
    stand.start();
    await stand.passUntil(41_000);
    expect(stand.topics()).toEqual(['undelivered']);
    expect(stand.entry()).toMatchObject({ state: 'expired', isOpen: false });
  });

  it('does not wait for a journal that refuses, and is kept when it takes it', async () => {
    stand.deploy.take = down;
    stand.decide(stand.start());
    await stand.passUntil(59_000);
    stand.journalDown = true;
    await stand.passUntil(65_000);
    expect(stand.told).toHaveLength(1);
    expect(stand.entry()).toMatchObject({ escalatedAt: null });
    stand.journalDown = false;
    await stand.passUntil(120_000);
    expect(stand.entry()?.escalatedAt).toBeGreaterThan(DECIDED_AT + 60_000);
    expect(stand.told).toHaveLength(1);
  });

  it('of a journal that holds a signal back is on time too', async () => {
    stand.journalDown = true;
    const delivery = stand.start();
    stand.decide(delivery);
    await stand.passUntil(60_000);
    expect(stand.deploy.taken).toEqual([]);
    expect(stand.topics()).toEqual(['undelivered']);
  });

  it('ends after a day without anybody to tell, and the log says so', async () => {
    stand.channel = async () => down();
    stand.deploy.take = refusal('declined');
    stand.decide(stand.start(), { notAfter: DECIDED_AT + 1_000 });
    await stand.passUntil(24 * 3_600_000 + 60_000);
    expect(stand.entry()).toMatchObject({ state: 'escalated', isOpen: false, escalatedAt: null });
    expect(stand.telemetry.lines.map(({ message }) => message)).toContain('nobody could be told for a day');
    expect(stand.time.waiting).toBe(0);
  });
});

describe('people who were told that somebody is needed', () => {
  const told = () => stand.told.map(({ key, state }) => `${state} ${key.split(':')[0]}`);
  /** Its effect can be seen, so it is not done with being taken. */
  const seen = { state: 'confirmed', detail: 'revision 6 serves' } as const;
  const blind = () => {
    stand.sinks.set('deploy', { name: 'deploy', actions: stand.deploy.actions, deliver: (...given) => stand.deploy.deliver(...given) });
  };

  it('are told when the signal got through after all, and the delivery is open until they are', async () => {
    blind();
    stand.deploy.take = down;
    stand.decide(stand.start());
    await stand.passUntil(70_000);
    stand.deploy.take = () => 'acknowledged';
    stand.channel = async () => down();
    await stand.passUntil(100_000);
    expect(stand.entry()).toMatchObject({ state: 'acknowledged', isOpen: true });
    stand.channel = async () => {};
    await stand.passUntil(140_000);
    expect(told()).toEqual(['firing undelivered', 'resolved undelivered']);
    expect(stand.told[1]).toMatchObject({ key: stand.told[0]?.key, labels: stand.told[0]?.labels, severity: stand.told[0]?.severity });
    expect(stand.told[1]?.endsAt).toBeGreaterThan(DECIDED_AT + 70_000);
    expect(stand.told[1]?.title).toContain('was taken by deploy');
    expect(stand.entry()).toMatchObject({ state: 'acknowledged', isOpen: false, escalatedAt: DECIDED_AT + 60_000 });
    expect(stand.time.waiting).toBe(0);
  });

  it('are told when its effect was seen late, of all that they were told before', async () => {
    stand.deploy.take = down;
    stand.decide(stand.start());
    await stand.passUntil(70_000);
    stand.deploy.take = () => 'acknowledged';
    await stand.passUntil(200_000);
    stand.deploy.look = () => seen;
    await stand.passUntil(210_000);
    expect(told()).toEqual(['firing undelivered', 'firing unconfirmed', 'resolved undelivered', 'resolved unconfirmed']);
    expect(stand.entry()).toMatchObject({ state: 'confirmed', isOpen: false });
  });

  it('are told when something newer took its place', async () => {
    stand.deploy.take = down;
    stand.decide(stand.start());
    await stand.passUntil(70_000);
    stand.current = () => 'superseded';
    await stand.passUntil(110_000);
    expect(told()).toEqual(['firing undelivered', 'resolved undelivered']);
    expect(stand.entry()).toMatchObject({ state: 'superseded', isOpen: false });
  });

  it.each(['before it got through', 'before they could be told', 'after they were told'])(
    'are told once over a restart %s',
    async (when) => {
      blind();
      stand.deploy.take = down;
      const first = stand.start();
      stand.decide(first);
      await stand.passUntil(70_000);
      if (when !== 'before it got through') stand.deploy.take = () => 'acknowledged';
      if (when !== 'after they were told') stand.channel = async () => down();
      await stand.passUntil(110_000);
      await first.stop();
      stand.deploy.take = () => 'acknowledged';
      stand.channel = async () => {};
      stand.start();
      await stand.passUntil(150_000);
      expect(told()).toEqual(['firing undelivered', 'resolved undelivered']);
      expect(stand.entry()).toMatchObject({ state: 'acknowledged', isOpen: false });
      expect(stand.deploy.looks).toBe(0);
    },
  );

  it('are told nothing more of what expired: somebody is needed still', async () => {
    stand.deploy.take = down;
    stand.decide(stand.start(), { notAfter: DECIDED_AT + 100_000 });
    await stand.passUntil(300_000);
    expect(told()).toEqual(['firing undelivered']);
    expect(stand.entry()).toMatchObject({ state: 'expired', isOpen: false });
  });

  it('and those who were told of nothing are not told of its end', async () => {
    stand.deploy.look = () => seen;
    stand.decide(stand.start());
    await stand.passUntil(10_000);
    expect(stand.entry()).toMatchObject({ state: 'confirmed', isOpen: false });
    expect(stand.told).toEqual([]);
  });

  it('cannot be waited for longer than a day, although their channel says nothing', async () => {
    stand.deploy.take = refusal('declined');
    const escalate = (_: unknown, abort: AbortSignal) =>
      new Promise<void>((_resolve, reject) => abort.addEventListener('abort', () => reject(new RetryableError('withdrawn', 'too late'))));
    stand.decide(stand.start({ escalate }), { notAfter: DECIDED_AT + 1_000 });
    await stand.passUntil(24 * 3_600_000 + 60_000);
    expect(stand.entry()).toMatchObject({ state: 'escalated', isOpen: false, escalatedAt: null });
    expect(stand.time.waiting).toBe(0);
  });
});

describe('a signal that an operator holds back', () => {
  it('waits, is asked about every second, and is sent when it may be', async () => {
    let asked = 0;
    stand.current = () => {
      asked++;
      return 'wait';
    };
    stand.decide(stand.start());
    await stand.passUntil(10_500);
    expect(asked).toBe(11);
    expect(stand.entry()).toMatchObject({ state: 'pending', attempts: 0, isOpen: true });
    stand.current = () => 'send';
    await stand.passUntil(11_500);
    expect(stand.entry()).toMatchObject({ state: 'acknowledged', attempts: 1 });
    expect(stand.telemetry.value('signal_send_seconds')).toBe(11);
  });

  it('may expire, and people are told', async () => {
    stand.current = () => 'wait';
    stand.decide(stand.start(), { notAfter: DECIDED_AT + 5_000 });
    await stand.passUntil(6_000);
    expect(stand.entry()).toMatchObject({ state: 'expired', isOpen: false, attempts: 0 });
    expect(stand.topics()).toEqual(['undelivered']);
    expect(stand.deploy.taken).toEqual([]);
  });
});

describe('a process that stood still', () => {
  it.each([
    ['superseded', 'superseded'],
    ['expired', 'expired'],
    ['wait', 'sent'],
  ] as const)('after journalling sends nothing that is %s meanwhile', async (answer, state) => {
    let asked = 0;
    stand.current = () => (asked++ === 0 ? 'send' : answer);
    stand.decide(stand.start());
    await stand.passUntil(0);
    expect(stand.entry()).toMatchObject({ state });
    expect(stand.deploy.taken).toEqual([]);
  });

  it('while its sink connected sends nothing that is superseded meanwhile', async () => {
    let asked = 0;
    stand.current = () => (asked++ < 2 ? 'send' : 'superseded');
    stand.decide(stand.start());
    await stand.passUntil(1_000);
    expect(stand.entry()).toMatchObject({ state: 'superseded', isOpen: false });
    expect(stand.deploy.taken).toEqual([]);
  });
});
