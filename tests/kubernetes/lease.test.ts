/** The Lease by which replicas agree on who acts first, with clocks that disagree. */
import { describe, expect, it } from 'vitest';
import { type CallOptions, type KubernetesApi, type KubernetesObject, KubernetesRefusal } from '../../src/kubernetes/kubernetes-api.ts';
import { LeaseHolder } from '../../src/kubernetes/lease.ts';
import { RetryableError } from '../../src/model/errors.ts';
import { ManualTime } from '../sinks/manual-time.ts';

type Stored = KubernetesObject & {
  spec: { holderIdentity: string; renewTime: string; leaseTransitions?: number; leaseDurationSeconds: number };
};

/** One Lease, guarded by its resourceVersion as an API server guards it. */
class LeaseServer implements Pick<KubernetesApi, 'get' | 'create' | 'replace'> {
  stored: Stored | null = null;
  isAway = false;
  #version = 0;

  async get<Item extends KubernetesObject>(_path?: string, _options?: CallOptions): Promise<Item | null> {
    this.#answer();
    return structuredClone(this.stored) as Item | null;
  }
  async create<Item extends KubernetesObject>(_path: string, item: object): Promise<Item> {
    this.#answer();
    if (this.stored !== null) throw new KubernetesRefusal(409, 'AlreadyExists', 'it is there');
    return this.#store(item);
  }
  async replace<Item extends KubernetesObject>(_path: string, item: object): Promise<Item> {
    this.#answer();
    if ((item as Stored).metadata.resourceVersion !== this.stored?.metadata.resourceVersion)
      throw new KubernetesRefusal(409, 'Conflict', 'it changed');
    return this.#store(item);
  }
  #store<Item>(item: object): Item {
    const stored = structuredClone(item) as Stored;
    this.stored = { ...stored, metadata: { ...stored.metadata, resourceVersion: String(++this.#version) } };
    return this.stored as unknown as Item;
  }
  #answer(): void {
    if (this.isAway) throw new RetryableError('network', 'away');
  }
}

function replica(server: LeaseServer, identity: string, time: ManualTime, wallOffsetMs = 0) {
  const turns: boolean[] = [];
  let troubles = 0;
  const holder = new LeaseHolder({
    api: server as unknown as KubernetesApi,
    namespace: 'ops',
    name: 'slipstream',
    identity,
    now: () => Date.UTC(2026, 0, 1) + time.now + wallOffsetMs,
    monotonicMs: () => time.now,
    schedule: time.schedule,
    random: () => 0,
    onTurn: (isHolder) => void turns.push(isHolder),
    onTrouble: () => void troubles++,
  });
  return { holder, turns, troubles: () => troubles };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
}

/** Lets time pass in the steps in which the replicas look. */
async function pass(time: ManualTime, ms: number): Promise<void> {
  for (const end = time.now + ms; time.now < end; ) {
    await time.next();
    await settled();
  }
}

describe('a lease', () => {
  it('is taken by one of two, renewed, and left to it', async () => {
    const [server, time] = [new LeaseServer(), new ManualTime(0)];
    const [a, b] = [replica(server, 'a', time), replica(server, 'b', time)];
    a.holder.start();
    b.holder.start();
    await settled();
    for (let look = 0; look < 60; look++) {
      expect([a.holder.isHolder(), b.holder.isHolder()]).toEqual([true, false]);
      await time.next();
      await settled();
    }
    expect([a.turns, b.turns, server.stored?.spec.leaseTransitions]).toEqual([[true], [], 0]);
  });

  it('is taken over once its holder was not seen to renew it for 15 s, and not before', async () => {
    const [server, time] = [new LeaseServer(), new ManualTime(0)];
    const a = replica(server, 'a', time);
    a.holder.start();
    await settled();
    const waiting = new ManualTime(0);
    const b = replica(server, 'b', waiting);
    b.holder.start();
    await settled();
    await pass(waiting, 14_000);
    expect(b.holder.isHolder()).toBe(false);
    await pass(waiting, 4_000);
    expect(b.holder.isHolder()).toBe(true);
    expect(server.stored?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it.each([-3_600_000, 3_600_000])('is not taken early or late by a clock that is off by %i ms', async (offsetMs) => {
    const [server, time] = [new LeaseServer(), new ManualTime(0)];
    const [a, b] = [replica(server, 'a', time), replica(server, 'b', time, offsetMs)];
    a.holder.start();
    await settled();
    b.holder.start();
    await pass(time, 60_000);
    expect([a.holder.isHolder(), b.holder.isHolder()]).toEqual([true, false]);
  });

  it('is not believed in by a holder that stood still, although nobody has taken it', async () => {
    const [server, time] = [new LeaseServer(), new ManualTime(0)];
    const a = replica(server, 'a', time);
    a.holder.start();
    await settled();
    time.now += 10_000;
    expect(a.holder.isHolder()).toBe(false);
    await time.next();
    await settled();
    expect(a.holder.isHolder()).toBe(true);
  });

  it('is lost after 10 s while the API server is away, and that is told', async () => {
    const [server, time] = [new LeaseServer(), new ManualTime(0)];
    const a = replica(server, 'a', time);
    a.holder.start();
    await settled();
    server.isAway = true;
    await pass(time, 8_000);
    expect(a.holder.isHolder()).toBe(true);
    await pass(time, 2_000);
    expect([a.holder.isHolder(), a.turns, a.troubles() > 3]).toEqual([false, [true, false], true]);
    server.isAway = false;
    await pass(time, 2_000);
    expect(a.turns).toEqual([true, false, true]);
  });

  it('is given up on a stop, so that another takes it at its next look', async () => {
    const [server, time] = [new LeaseServer(), new ManualTime(0)];
    const [a, b] = [replica(server, 'a', time), replica(server, 'b', time)];
    a.holder.start();
    await settled();
    b.holder.start();
    await settled();
    await a.holder.stop();
    expect(a.holder.isHolder()).toBe(false);
    await pass(time, 2_000);
    expect(b.holder.isHolder()).toBe(true);
  });

  it('is left alone by a stop of one who does not hold it, and a stop ends also while the API server is away', async () => {
    const [server, time] = [new LeaseServer(), new ManualTime(0)];
    const [a, b] = [replica(server, 'a', time), replica(server, 'b', time)];
    a.holder.start();
    await settled();
    b.holder.start();
    await settled();
    await b.holder.stop();
    expect(server.stored?.spec.holderIdentity).toBe('a');
    server.isAway = true;
    await a.holder.stop();
    expect(a.troubles()).toBe(1);
  });

  it('holds up a stop for no more than two seconds when the API server says nothing', async () => {
    const [server, time] = [new LeaseServer(), new ManualTime(0)];
    const { holder } = replica(server, 'a', time);
    holder.start();
    await settled();
    expect(holder.isHolder()).toBe(true);
    let askedFor = Number.POSITIVE_INFINITY;
    server.get = (_path?: string, options?: CallOptions) => {
      askedFor = options?.timeoutMs ?? Number.POSITIVE_INFINITY;
      return new Promise((_resolve, reject) =>
        options?.abort.addEventListener('abort', () => reject(new RetryableError('timeout', 'silent'))),
      );
    };
    await holder.stop();
    expect(askedFor).toBeLessThanOrEqual(2_000);
  });

  it('that is taken by somebody else meanwhile is let go at once', async () => {
    const [server, time] = [new LeaseServer(), new ManualTime(0)];
    const a = replica(server, 'a', time);
    a.holder.start();
    await settled();
    await server.replace('', { ...server.stored, spec: { ...server.stored?.spec, holderIdentity: 'z' } });
    await time.next();
    await settled();
    expect([a.holder.isHolder(), server.stored?.spec.holderIdentity]).toEqual([false, 'z']);
  });
});
