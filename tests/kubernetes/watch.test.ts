/** The Kubernetes watch against servers that break off, forget, fall silent or send what cannot be read. */
import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HttpsKubernetesApi } from '../../src/kubernetes/https-kubernetes-api.ts';
import type { KubernetesObject } from '../../src/kubernetes/kubernetes-api.ts';
import { watchWaitMs } from '../../src/kubernetes/watch.ts';
import { ManualTime, until } from '../sinks/manual-time.ts';
import { type Asked, json, type OddServer, oddServer } from './odd-server.ts';

const PODS = '/api/v1/pods';

interface Watching {
  readonly server: OddServer;
  readonly time: ManualTime;
  /** `synced a,b`, `changed a`, `deleted a`, `trouble …`, in order. */
  readonly told: string[];
  stop(): Promise<void>;
}

const object = (name: string, resourceVersion: string) => ({ metadata: { name, resourceVersion } });
const line = (type: string, item: object) => `${JSON.stringify({ type, object: item })}\n`;

/** `watch` answers the requests of the watch, by their number from 0; each list has one pod more than the one before. */
async function watching(watch: (response: ServerResponse, asked: Asked, count: number) => void, path = PODS): Promise<Watching> {
  let lists = 0;
  let watches = 0;
  const server = await oddServer((response, asked) => {
    if (asked.url.searchParams.has('watch')) watch(response.writeHead(200), asked, watches++);
    else
      json(response, 200, {
        metadata: { resourceVersion: `${++lists * 100}` },
        items: Array.from({ length: lists }, (_, at) => object(`p${at}`, '1')),
      });
  });
  const time = new ManualTime(0);
  const timing = { schedule: time.schedule, monotonicMs: () => time.now, random: () => 0 };
  const api = new HttpsKubernetesApi({ server: server.url, tokenFile: null, caFile: null, lease: null }, { env: {}, timing });
  const told: string[] = [];
  const abort = new AbortController();
  const events = {
    onSynced: (items: readonly KubernetesObject[]) => void told.push(`synced ${items.map((item) => item.metadata.name)}`),
    onChanged: (item: KubernetesObject) => void told.push(`changed ${item.metadata.name}`),
    onDeleted: (item: KubernetesObject) => void told.push(`deleted ${item.metadata.name}`),
    onTrouble: (error: Error) => void told.push(`trouble ${error.message}`),
  };
  const done = api.watch(path, events, abort.signal);
  const stop = async () => {
    abort.abort();
    await done;
    await api.close();
  };
  onTestFinished(stop);
  return { server, time, told, stop };
}

describe('a watch', () => {
  it('tells the whole set first, then what changes', async () => {
    const { told } = await watching((response) => {
      response.write(line('ADDED', object('a', '101')) + line('MODIFIED', object('a', '102')));
      response.write(line('DELETED', object('a', '103')));
    });
    await until(() => told.length === 4);
    expect(told).toEqual(['synced p0', 'changed a', 'changed a', 'deleted a']);
  });

  it('asks for bookmarks and an end, and keeps the label selector', async () => {
    const { server, told } = await watching((response) => void response.write('\n'), `${PODS}?labelSelector=app%3Dshop`);
    await until(() => told.length === 1 && server.asked.length === 2);
    expect(Object.fromEntries(server.asked[1]?.url.searchParams ?? [])).toEqual({
      labelSelector: 'app=shop',
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: '100',
      timeoutSeconds: '60',
    });
    expect(server.asked[0]?.url.searchParams.get('labelSelector')).toBe('app=shop');
  });

  it('goes on from a bookmark after the server ended it in good order', async () => {
    const { server, time, told } = await watching((response, _, count) => {
      if (count === 0) response.write(line('BOOKMARK', { metadata: { resourceVersion: '177' } }));
      if (count === 0) setImmediate(() => response.end());
      else response.write(line('ADDED', object('b', '178')));
    });
    // The clock of the test stands still, so that the request seems to have ended at once.
    await until(() => told.some((text) => text.startsWith('trouble')));
    await time.next();
    await until(() => told.includes('changed b'));
    expect(server.asked.map(({ url }) => url.searchParams.get('resourceVersion'))).toEqual([null, '100', '177']);
    expect(told.filter((text) => text.startsWith('synced'))).toHaveLength(1);
  });

  it('goes on behind the last whole line when it is broken off in the middle of one', async () => {
    const { server, time, told } = await watching((response, _, count) => {
      if (count === 0) response.end(`${line('ADDED', object('a', '101'))}{"type":"MODIF`);
      else response.write(line('MODIFIED', object('a', '102')));
    });
    await until(() => told.length === 3);
    await time.next();
    await until(() => told.length === 4);
    expect(told).toEqual(['synced p0', 'changed a', 'trouble watching /api/v1/pods: broken off in the middle of a line', 'changed a']);
    expect(server.asked[2]?.url.searchParams.get('resourceVersion')).toBe('101');
  });

  it.each([
    [
      'a line that says 410 Gone',
      (response: ServerResponse) => response.write(line('ERROR', { code: 410, reason: 'Expired', message: 'too old' })),
    ],
    ['a line that says 500', (response: ServerResponse) => response.write(line('ERROR', { code: 500 }))],
    ['a line that is no JSON', (response: ServerResponse) => response.write('{oops}\n')],
    ['a line that is no event', (response: ServerResponse) => response.write('{"type":"ADDED"}\n')],
    ['a line without end', (response: ServerResponse) => response.write('x'.repeat(9 * 2 ** 20))],
  ])('lists anew after %s', async (_, breaks) => {
    const { time, told } = await watching((response, _asked, count) => void (count === 0 ? breaks(response) : response.write('\n')));
    await until(() => told.length === 2);
    expect(told[1]).toMatch(/^trouble /);
    await time.next();
    await until(() => told.length === 3);
    expect(told[2]).toBe('synced p0,p1');
  });

  it('lists anew when the answer itself is 410', async () => {
    let count = 0;
    const server = await oddServer((response, { url }) => {
      if (!url.searchParams.has('watch')) json(response, 200, { metadata: { resourceVersion: '1' }, items: [] });
      else if (count++ === 0) json(response, 410, { reason: 'Expired' });
    });
    const time = new ManualTime(0);
    const api = new HttpsKubernetesApi(
      { server: server.url, tokenFile: null, caFile: null, lease: null },
      { env: {}, timing: { schedule: time.schedule, monotonicMs: () => time.now, random: () => 0 } },
    );
    const abort = new AbortController();
    let synced = 0;
    let troubles = 0;
    const nothing = () => undefined;
    const events = { onSynced: () => void synced++, onChanged: nothing, onDeleted: nothing, onTrouble: () => void troubles++ };
    const done = api.watch(PODS, events, abort.signal);
    await until(() => troubles === 1);
    await time.next();
    await until(() => synced === 2);
    abort.abort();
    await done;
    await api.close();
  });

  it('gives a silent connection up, and goes on', async () => {
    const { time, told } = await watching((response, _, count) => void response.write(line('ADDED', object(`pod${count}`, '101'))));
    await until(() => told.length === 2);
    // The 60 s that were asked for, and 10 s more.
    expect(await time.next()).toBe(70_000);
    await until(() => told.length === 3);
    expect(told[2]).toBe('trouble watching /api/v1/pods: the connection fell silent');
    await time.next();
    await until(() => told.length === 4);
    expect(told[3]).toBe('changed pod1');
  });

  it('gives up on a server that takes a request and never answers', async () => {
    const { time, told, server } = await watching((response, _, count) => {
      // The head leaves with the first piece.
      if (count === 1) response.write(line('ADDED', object('a', '101')));
    });
    await until(() => told.length === 1 && server.asked.length === 2);
    expect(await time.next()).toBe(15_000);
    await until(() => told.length === 2);
    expect(told[1]).toBe('trouble watching /api/v1/pods: the connection fell silent');
    await time.next();
    await until(() => told.length === 3);
    expect(told[2]).toBe('changed a');
  });

  it('waits longer from failure to failure, and as long as it was asked to', async () => {
    const waits: number[] = [];
    const server = await oddServer((response, _, count) =>
      json(response, count === 3 ? 429 : 503, {}, count === 3 ? { 'retry-after': '20' } : {}),
    );
    const time = new ManualTime(0);
    const api = new HttpsKubernetesApi(
      { server: server.url, tokenFile: null, caFile: null, lease: null },
      { env: {}, timing: { schedule: time.schedule, monotonicMs: () => time.now, random: () => 0 } },
    );
    const abort = new AbortController();
    const nothing = () => undefined;
    const done = api.watch(PODS, { onSynced: nothing, onChanged: nothing, onDeleted: nothing, onTrouble: nothing }, abort.signal);
    for (let turn = 0; turn < 6; turn++) waits.push(await time.next());
    expect(waits).toEqual([200, 400, 800, 20_000, 3_200, 6_400]);
    abort.abort();
    await done;
    await api.close();
  });

  it('outlives a listener that throws', async () => {
    const { url } = await oddServer((response, asked) => {
      if (!asked.url.searchParams.has('watch')) json(response, 200, { metadata: { resourceVersion: '1' }, items: [] });
      else response.writeHead(200).write(line('ADDED', object('a', '2')) + line('ADDED', object('b', '3')));
    });
    const api = new HttpsKubernetesApi({ server: url, tokenFile: null, caFile: null, lease: null }, { env: {} });
    const abort = new AbortController();
    const told: string[] = [];
    const fail = () => {
      throw new Error('listener');
    };
    const events = {
      onSynced: fail,
      onChanged: (item: KubernetesObject) => {
        told.push(item.metadata.name);
        fail();
      },
      onDeleted: fail,
      onTrouble: fail,
    };
    const done = api.watch(PODS, events, abort.signal);
    await until(() => told.length === 2);
    expect(told).toEqual(['a', 'b']);
    abort.abort();
    await done;
    await api.close();
  });

  it('ends when it is stopped, in the middle of a request', async () => {
    const { told, stop } = await watching((response) => void response.write('\n'));
    await until(() => told.length === 1);
    await stop();
    expect(told).toEqual(['synced p0']);
  });
});

describe('the wait after failures', () => {
  it.each([
    [1, 0, 200],
    [1, 1, 100],
    [8, 0, 25_600],
    [9, 0, 30_000],
    [1_000, 0, 30_000],
    [1_000, 0.5, 22_500],
  ])('after %i, by chance %d, is %i ms', (failures, random, waitMs) => {
    expect(watchWaitMs(failures, random)).toBe(waitMs);
  });
});
