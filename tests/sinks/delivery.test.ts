/** Delivery keeps its promises against a real HTTP receiver and a real journal, in time that only the tests move. */
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { RetryableError } from '../../src/model/errors.ts';
import type { Signal } from '../../src/model/rollout.ts';
import { Delivery } from '../../src/sinks/delivery.ts';
import type { DeliveryParts } from '../../src/sinks/delivery-parts.ts';
import { messageOf } from '../../src/sinks/message.ts';
import { PrintSink } from '../../src/sinks/print-sink.ts';
import { ALL_RUN_ACTIONS, type Sink } from '../../src/sinks/sink.ts';
import { WebhookSink } from '../../src/sinks/webhook-sink.ts';
import type { SignalJournal } from '../../src/store/journal.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { DECIDED_AT, sampleCheckpoint, sampleSignal } from '../store/samples.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { webhookConfig } from '../support/sink-configs.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { ManualTime, until } from './manual-time.ts';

const SECRET = `whsec_${Buffer.from('correct-horse-battery-staple').toString('base64')}`;

let receiver: WebhookReceiver;
let store: MemoryStore;
let time: ManualTime;
let telemetry: MemoryTelemetry;
let sinks: Map<string, Sink>;
let printed: string[];
let deliveries: Delivery[];
/** Refuses to be written while this is set. */
let journalDown: boolean;

beforeEach(async () => {
  receiver = await WebhookReceiver.listen([SECRET]);
  store = new MemoryStore();
  time = new ManualTime(DECIDED_AT);
  telemetry = new MemoryTelemetry();
  printed = [];
  deliveries = [];
  journalDown = false;
  const out = new Writable({
    write(chunk, _encoding, done) {
      printed.push(String(chunk).trimEnd());
      done();
    },
  });
  const webhook = webhookConfig({ url: receiver.url, secrets: [new Secret(SECRET)], timeoutMs: 50_000 });
  sinks = new Map<string, Sink>([
    ['deploy', new WebhookSink(webhook, () => time.now)],
    ['terminal', new PrintSink('terminal', out)],
  ]);
});

afterEach(async () => {
  await Promise.all(deliveries.map((delivery) => delivery.stop()));
  await receiver.close();
});

const journal: SignalJournal = {
  pending: () => store.journal.pending(),
  entries: (limit) => store.journal.entries(limit),
  of: (signalId) => store.journal.of(signalId),
  append: (signals) => {
    if (journalDown) throw new RetryableError('store_unavailable', 'disk full');
    return store.journal.append(signals);
  },
  mark: (signalId, sink, change) => {
    if (journalDown) throw new RetryableError('store_unavailable', 'disk full');
    store.journal.mark(signalId, sink, change);
  },
  durable: () => store.journal.durable(),
};

function start(change: Partial<DeliveryParts> = {}): Delivery {
  const { schedule } = time;
  const clock = { now: () => time.now, monotonicMs: () => time.now - DECIDED_AT };
  // Nobody is told unless a test is about that, so that what is scheduled is the next attempt.
  const escalation = { afterMs: Number.POSITIVE_INFINITY, confirmWithinMs: Number.POSITIVE_INFINITY };
  const fixed = { journal, sinks, telemetry, ...clock, isCurrent: () => 'send' as const, schedule, random: () => 0, escalation };
  const delivery = new Delivery({ ...fixed, ...change });
  deliveries.push(delivery);
  return delivery;
}

/** Journals a signal as the service does, and hands it over. */
function decide(delivery: Delivery, change: Partial<Signal> = {}): Signal {
  const signal = sampleSignal(change);
  store.checkpoint(sampleCheckpoint(), [{ signal, decidedAt: DECIDED_AT }]);
  delivery.submit(store.journal.pending().filter((entry) => entry.signal.id === signal.id));
  return signal;
}

const entry = (sink = 'deploy') => store.journal.entries(1_000).find((one) => one.sink === sink);
const settled = (sink = 'deploy') => until(() => !['pending', 'sent'].includes(entry(sink)?.state ?? 'pending'));
const messages = (level: string) => telemetry.lines.filter((line) => line.level === level).map((line) => line.message);

describe('a delivery', () => {
  it('is journalled as sent before it is sent, and as acknowledged after', async () => {
    const states: unknown[] = [];
    receiver.answer(() => {
      states.push(entry()?.state, entry()?.attempts);
      return { status: 200 };
    });
    const signal = decide(start());
    await settled();
    expect(states).toEqual(['sent', 1]);
    expect(entry()).toMatchObject({ state: 'acknowledged', attempts: 1, lastError: null });
    expect(receiver.requests).toMatchObject([{ id: signal.id, body: messageOf(signal, DECIDED_AT).body, verified: [true] }]);
    expect(telemetry.value('deliveries_total', { sink: 'deploy', result: 'acknowledged' })).toBe(1);
    expect(telemetry.value('deliveries_pending')).toBe(0);
    expect(telemetry.lines).toMatchObject([
      { level: 'info', message: 'signal delivered', fields: { signal: signal.id, rollout: 'checkout-42', sink: 'deploy' } },
    ]);
  });

  it('repeats the same bytes under the same id, quickly at first, until it gets through', async () => {
    receiver.answer((_, index) => ({ status: index < 10 ? 503 : 200 }));
    const signal = decide(start());
    const waits: number[] = [];
    while (waits.length < 10) waits.push(await time.next());
    await settled();
    expect(waits).toEqual([200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 30_000, 30_000]);
    expect(new Set(receiver.requests.map((request) => request.body)).size).toBe(1);
    expect(new Set(receiver.requests.map((request) => request.id))).toEqual(new Set([signal.id]));
    expect(receiver.requests.every((request) => request.verified[0])).toBe(true);
    expect(receiver.requests.at(-1)?.timestamp).toBe(Math.floor((DECIDED_AT + 128_700) / 1_000));
    expect(entry()).toMatchObject({ state: 'acknowledged', attempts: 11 });
    expect(telemetry.value('deliveries_total', { result: 'failed' })).toBe(10);
  });

  it('shows each attempt as a span of its rollout, with what came of it', async () => {
    receiver.answer((_, index) => ({ status: index === 0 ? 503 : 200 }));
    const signal = decide(start());
    await time.next();
    await settled();
    const rollout = { id: signal.rolloutId, generation: signal.generation };
    expect(telemetry.spans).toMatchObject([
      { name: 'delivery', rollout, attributes: { sink: 'deploy', attempt: 1, outcome: 'failed' }, error: expect.stringContaining('503') },
      { name: 'delivery', rollout, attributes: { sink: 'deploy', attempt: 2, outcome: 'taken', 'signal.id': signal.id } },
    ]);
    expect(telemetry.spans[1]).not.toHaveProperty('error');
  });

  it('is repeated with the same id and bytes when the answer was lost', async () => {
    receiver.answer((_, index) => (index === 0 ? 'lost' : { status: 200 }));
    decide(start());
    await time.next();
    await settled();
    const [first, second] = receiver.requests;
    expect([second?.id, second?.body]).toEqual([first?.id, first?.body]);
  });

  it('waits as long as it is asked to when that is longer', async () => {
    receiver.answer((_, index) => (index === 0 ? { status: 429, headers: { 'retry-after': '7' } } : { status: 200 }));
    decide(start());
    expect(await time.next()).toBe(7_000);
    await settled();
  });

  it.each([
    [422, 'refused', 'warn', 'sink refuses the signal'],
    [404, 'misdirected', 'error', 'sink cannot be reached as configured'],
    [302, 'misdirected', 'error', 'sink cannot be reached as configured'],
  ])('is not dropped on %i but tried slowly, and said so', async (status, result, level, text) => {
    receiver.answer((_, index) => ({ status: index < 2 ? status : 200 }));
    decide(start());
    expect([await time.next(), await time.next()]).toEqual([30_000, 30_000]);
    await settled();
    expect(entry()?.state).toBe('acknowledged');
    expect(messages(level).filter((message) => message === text)).toHaveLength(2);
    expect(telemetry.value('deliveries_total', { result })).toBe(2);
  });

  it('ends when the other side has moved on', async () => {
    receiver.answer(() => ({ status: 409 }));
    decide(start());
    await settled();
    expect(entry()).toMatchObject({ state: 'superseded', attempts: 1, lastError: expect.stringContaining('409') });
    expect(time.waiting).toBe(0);
    expect(messages('warn')).toEqual(['signal superseded']);
  });

  it('ends when its rollout is superseded between two attempts', async () => {
    let current: 'send' | 'superseded' = 'send';
    receiver.answer(() => {
      current = 'superseded';
      return { status: 503 };
    });
    decide(start({ isCurrent: () => current }));
    await time.next();
    await settled();
    expect(entry()).toMatchObject({ state: 'superseded', attempts: 1 });
    expect(receiver.requests).toHaveLength(1);
  });

  it.each([
    ['its time has passed', { notAfter: DECIDED_AT - 1 }, 'send'],
    ['its evidence is called stale', {}, 'expired'],
  ] as const)('is never sent when %s', async (_, change, answer) => {
    decide(start({ isCurrent: () => answer }), change);
    await settled();
    expect(entry()).toMatchObject({ state: 'expired', attempts: 0 });
    expect(receiver.requests).toHaveLength(0);
    expect(messages('error')).toEqual(['signal expired undelivered']);
  });

  it('expires on time while it waits to be repeated', async () => {
    receiver.answer(() => ({ status: 400 }));
    decide(start(), { notAfter: DECIDED_AT + 10_000 });
    expect(await time.next()).toBe(10_001);
    await settled();
    expect(entry()?.state).toBe('expired');
    expect(receiver.requests).toHaveLength(1);
  });

  it('outlives a jump of the wall clock, and expires when its time has really passed', async () => {
    let jumpedMs = 0;
    receiver.answer(() => {
      jumpedMs = 3_600_000;
      return { status: 503 };
    });
    decide(start({ now: () => time.now + jumpedMs }), { notAfter: DECIDED_AT + 60_000 });
    while (receiver.requests.length < 3) await time.next();
    expect(entry()?.state).toBe('sent');
    while (time.now <= DECIDED_AT + 60_000) await time.next();
    await settled();
    expect(entry()?.state).toBe('expired');
  });

  it('is reported once when it is not through after a minute', async () => {
    receiver.answer(() => ({ status: 503 }));
    decide(start({ escalation: { afterMs: 60_000, confirmWithinMs: 60_000 } }));
    while (time.now < DECIDED_AT + 200_000) await time.next();
    expect(messages('error')).toEqual(['signal still not delivered']);
  });

  it('is one delivery however often it is submitted', async () => {
    receiver.answer(() => ({ status: 503 }));
    const delivery = start();
    decide(delivery);
    delivery.resume();
    await until(() => time.waiting > 0);
    delivery.resume();
    receiver.answer(() => ({ status: 200 }));
    await time.next();
    await settled();
    delivery.submit(store.journal.entries(10));
    expect(receiver.requests).toHaveLength(2);
  });

  it('to a sink that is not configured waits until it is', async () => {
    const delivery = start();
    decide(delivery, { sinks: ['later'] });
    expect(await time.next()).toBe(30_000);
    await until(() => time.waiting > 0);
    expect(entry('later')).toMatchObject({ state: 'pending', attempts: 0, lastError: 'no sink of this name is configured' });
    sinks.set('later', sinks.get('terminal') as Sink);
    await time.next();
    await settled('later');
    expect(printed).toHaveLength(1);
  });

  it('survives a faulty sink, whose words are not repeated', async () => {
    let calls = 0;
    sinks.set('faulty', {
      name: 'faulty',
      actions: ALL_RUN_ACTIONS,
      deliver: async () => {
        if (calls++ === 0) throw new TypeError(`cannot read ${SECRET}`);
        return 'acknowledged';
      },
    });
    decide(start(), { sinks: ['faulty'] });
    await time.next();
    await settled('faulty');
    expect(entry('faulty')).toMatchObject({ state: 'acknowledged', lastError: 'unexpected TypeError' });
    expect(JSON.stringify(telemetry.lines)).not.toContain(SECRET);
  });
});

describe('a journal that cannot be written', () => {
  it('holds the signal back until it can', async () => {
    journalDown = true;
    decide(start());
    expect([await time.next(), await time.next()]).toEqual([200, 500]);
    await until(() => time.waiting > 0);
    expect(receiver.requests).toHaveLength(0);
    expect(messages('error')).toEqual(['journal cannot be written']);
    journalDown = false;
    await time.next();
    await settled();
    expect(receiver.requests).toHaveLength(1);
    expect(telemetry.value('deliveries_total', { result: 'journal_failed' })).toBe(3);
  });

  it('does not make an acknowledged signal go out again', async () => {
    receiver.answer(() => {
      journalDown = true;
      return { status: 200 };
    });
    decide(start());
    await until(() => time.waiting > 0);
    expect(entry()?.state).toBe('sent');
    journalDown = false;
    await time.next();
    await settled();
    expect(entry()?.state).toBe('acknowledged');
    expect(receiver.requests).toHaveLength(1);
  });
});

describe('several deliveries', () => {
  it('a sink that never answers holds up nobody but itself, and only so many at once', async () => {
    receiver.answer(() => 'silent');
    const delivery = start();
    for (let n = 0; n < 20; n++) decide(delivery, { id: `sig_${n}`, sinks: ['deploy', 'terminal'] });
    await until(() => printed.length === 20 && receiver.requests.length >= 16);
    expect(store.journal.pending().map((one) => one.sink)).toEqual(Array(20).fill('deploy'));
    expect(store.journal.pending().filter((one) => one.state === 'sent')).toHaveLength(16);
    expect(receiver.requests).toHaveLength(16);
  });

  it('all get through though memory holds only a few', async () => {
    const delivery = start({ limits: { held: 3 } });
    for (let n = 0; n < 20; n++) decide(delivery, { id: `sig_${n}`, action: n < 10 ? 'promote' : 'rollback', sinks: ['terminal'] });
    expect(telemetry.value('deliveries_pending')).toBe(6);
    await until(() => store.journal.pending().length === 0);
    expect(printed).toHaveLength(20);
    expect(messages('warn')).toContain('deliveries wait in the journal');
  });
});

describe('stopping', () => {
  it('breaks off what is in flight, leaves it in the journal, and a new start takes it up with the same bytes', async () => {
    receiver.answer(() => 'silent');
    const first = start();
    decide(first);
    await until(() => receiver.requests.length === 1);
    await first.stop();
    expect(entry()).toMatchObject({ state: 'sent', attempts: 1, lastError: null });
    receiver.answer(() => ({ status: 200 }));
    start().resume();
    await settled();
    expect(entry()).toMatchObject({ state: 'acknowledged', attempts: 2 });
    expect(receiver.requests[1]?.body).toBe(receiver.requests[0]?.body);
    expect(receiver.requests[1]?.id).toBe(receiver.requests[0]?.id);
  });

  it('forgets its waits and takes nothing more', async () => {
    receiver.answer(() => ({ status: 503 }));
    const delivery = start();
    decide(delivery);
    await until(() => time.waiting > 0);
    await delivery.stop();
    expect(time.waiting).toBe(0);
    delivery.resume();
    expect(receiver.requests).toHaveLength(1);
  });
});

it('nothing that is logged, counted or journalled shows a secret', async () => {
  receiver.answer((_, index) => (index === 0 ? 'lost' : index === 1 ? { status: 404, body: SECRET } : { status: 200, body: SECRET }));
  decide(start());
  await time.next();
  await time.next();
  await settled();
  const seen = JSON.stringify([telemetry.lines, store.journal.entries(10)]);
  expect(seen).toContain('signal delivered');
  for (const secret of [SECRET, SECRET.slice(6), 'correct-horse']) expect(seen).not.toContain(secret);
});
