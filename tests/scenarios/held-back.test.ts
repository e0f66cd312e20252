/** Signals that must not arrive any more, or not now: something newer, their time, or an operator stands in between. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ControlOverride } from '../../src/model/control-view.ts';
import { Delivering } from './delivering.ts';
import { scenarioConfig } from './live.ts';
import { type Pods, WORLD_START, World } from './world.ts';

const V3 = { 'service.version': 'v3' };
const stands: Delivering[] = [];
afterEach(async () => {
  for (const stand of stands.splice(0)) await stand.stop();
});

async function started(change: Parameters<typeof scenarioConfig>[0] = {}): Promise<Delivering> {
  const stand = await Delivering.start(scenarioConfig(change));
  stands.push(stand);
  return stand;
}

const bad = (from: number) => (second: number) => (second < from ? {} : { errorRatio: 0.3 });

/** v2 is bad from second 90 on, v3, which comes at 140, from second 200 on. */
function shop(...more: readonly Pods[]): World {
  return new World([
    { service: 'checkout', version: 'v1', rate: 60 },
    { service: 'checkout', version: 'v2', rate: (second) => (second < 140 ? 30 : 0), behaviour: bad(90) },
    { service: 'checkout', version: 'v3', rate: (second) => (second < 140 ? 0 : 30), behaviour: bad(200) },
    ...more,
  ]);
}

const payment = (from: number): Pods[] => [
  { service: 'payment', version: 'v1', rate: 60 },
  { service: 'payment', version: 'v2', rate: 30, behaviour: bad(from) },
];

/** Rollouts whose signals reached the deploy system, one for each request. */
function rolloutsTold({ live, receiver }: Delivering): (string | undefined)[] {
  const ids = new Map(live.signals.map(({ id, rolloutId }) => [id, rolloutId]));
  return receiver.requests.map(({ id }) => ids.get(id));
}

describe('a newer generation', () => {
  it('that starts between the decision and the first byte ends the signal, and is rolled back itself when it is bad', async () => {
    const stand = await started({ canary: { coolDownMs: 0 } });
    const { live } = stand;
    const submit = live.deliver;
    const waiting: Parameters<typeof submit>[0][] = [];
    live.deliver = (entries) => void waiting.push(entries);
    const world = shop();
    live.play(world, 30);
    live.start();
    live.play(world, 140);
    expect(live.run().state).toBe('rolled_back');
    live.start({ generation: 2, canary: V3, id: 'r2' });
    for (const entries of waiting) submit(entries);
    await stand.becomes('r1', 'superseded', 1000);
    expect(stand.receiver.requests).toEqual([]);

    live.deliver = submit;
    live.play(world, 260);
    expect(live.run('r2').state).toBe('rolled_back');
    await stand.becomes('r2', 'acknowledged', 1000);
    expect(rolloutsTold(stand)).toEqual(['r2']);
  });

  it('that starts while the deploy system is out ends the signal, which is never taken when it is back', async () => {
    const stand = await started({ canary: { coolDownMs: 0 } });
    const { live, receiver } = stand;
    receiver.answer(() => ({ status: 503 }));
    const world = shop();
    live.play(world, 30);
    live.start();
    live.play(world, 140);
    await stand.pass(0);
    expect([receiver.requests.length, stand.stateOf('r1')]).toEqual([1, 'sent']);
    live.start({ generation: 2, canary: V3, id: 'r2' });
    await stand.restart();
    receiver.answer(() => ({ status: 204 }));
    await stand.becomes('r1', 'superseded', 60_000);
    expect(rolloutsTold(stand)).toEqual(['r1']);

    live.play(world, 300);
    await stand.becomes('r2', 'acknowledged', 1000);
    expect(rolloutsTold(stand)).toEqual(['r1', 'r2']);
  });
});

it('a deploy system that is out for longer than a signal lives gets it no more, and people are told; the next one arrives', async () => {
  const stand = await started();
  const { live, receiver } = stand;
  receiver.answer(() => ({ status: 503 }));
  const world = shop(...payment(760));
  live.play(world, 30);
  live.start();
  live.play(world, 140);
  await stand.becomes('r1', 'expired', 600_000);
  expect(live.now).toBeGreaterThan(WORLD_START + 690_000);
  expect(stand.notices.map(({ topic, service, severity }) => [topic, service, severity])).toContainEqual([
    'undelivered',
    'checkout',
    'page',
  ]);
  const attempts = receiver.requests.length;
  expect(attempts).toBeGreaterThan(5);
  expect(new Set(receiver.requests.map(({ id, body }) => `${id} ${body}`)).size).toBe(1);

  receiver.answer(() => ({ status: 204 }));
  live.play(world, 765);
  live.start({ id: 'r2', service: 'payment' });
  live.play(world, 860);
  await stand.becomes('r2', 'acknowledged', 1000);
  expect([receiver.requests.length, stand.stateOf('r1')]).toEqual([attempts + 1, 'expired']);
});

describe('an operator who lets no rollback leave', () => {
  const hold = (change: Partial<ControlOverride> = {}): ControlOverride => ({
    service: 'checkout',
    rollout: null,
    mode: 'hold',
    by: 'ana',
    reason: 'database is being moved',
    at: WORLD_START,
    until: null,
    ...change,
  });
  const end = (stand: Delivering) =>
    stand.live.engine.controls.book.endOverride({ service: 'checkout', rollout: null }, 'ana', stand.live.now);

  it.each(['hold', 'observe'] as const)(
    '(%s) puts the verdict off over a restart and loses none; other services are rolled back meanwhile',
    async (mode) => {
      const stand = await started();
      const { live } = stand;
      const world = shop(...payment(100));
      live.play(world, 30);
      live.engine.controls.book.override(hold({ mode }));
      live.start();
      live.start({ id: 'r2', service: 'payment' });
      live.play(world, 125);
      expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'overridden' } });
      await stand.restart();
      live.play(world, 135);
      expect(live.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'overridden' } });
      await stand.becomes('r2', 'acknowledged', 1000);
      expect(rolloutsTold(stand)).toEqual(['r2']);

      end(stand);
      live.play(world, 138);
      expect(live.run()).toMatchObject({ state: 'rolled_back', verdict: { decision: 'rollback', reason: 'harm_proven' } });
      await stand.becomes('r1', 'acknowledged', 1000);
      expect(rolloutsTold(stand)).toEqual(['r2', 'r1']);
    },
  );

  it('keeps back what is decided and not sent, until the override ends', async () => {
    const stand = await started();
    const { live, receiver } = stand;
    receiver.answer(() => ({ status: 503 }));
    const world = shop(...payment(100));
    live.play(world, 30);
    live.start();
    live.start({ id: 'r2', service: 'payment' });
    live.play(world, 138);
    await stand.pass(0);
    live.engine.controls.book.override(hold({ at: live.now }));
    receiver.answer(() => ({ status: 204 }));
    await stand.pass(120_000);
    expect([stand.stateOf('r1'), stand.stateOf('r2')]).toEqual(['sent', 'acknowledged']);
    end(stand);
    await stand.becomes('r1', 'acknowledged', 60_000);
    expect(receiver.requests.at(-1)?.id).toBe(live.signalsOf('r1')[0]?.id);
  });

  it('and by it a newer rollout starts: the old one is never rolled back, the new one is', async () => {
    const stand = await started();
    const { live } = stand;
    const world = shop();
    live.play(world, 30);
    live.engine.controls.book.override(hold());
    live.start();
    live.play(world, 138);
    live.start({ id: 'r2', generation: 2, canary: V3 });
    end(stand);
    live.play(world, 190);
    expect(live.run().state).toBe('superseded');
    expect(live.signals).toEqual([]);
    live.play(world, 260);
    await stand.becomes('r2', 'acknowledged', 1000);
    expect(rolloutsTold(stand)).toEqual(['r2']);
  });

  it('by the kill switch holds everything, and lets it go when it is gone', async () => {
    const stand = await started();
    const { live } = stand;
    const world = shop();
    live.play(world, 30);
    live.engine.controls.book.switchedAt = live.now;
    live.start();
    live.play(world, 130);
    expect(live.run().verdict.reason).toBe('overridden');
    live.engine.controls.book.switchedAt = null;
    live.play(world, 138);
    await stand.becomes('r1', 'acknowledged', 1000);
  });
});
