/** The Kubernetes client, the Lease and Events against a real API server. */
import { writeFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createEvent } from '../../src/kubernetes/event.ts';
import type { HttpsKubernetesApi } from '../../src/kubernetes/https-kubernetes-api.ts';
import { type KubernetesObject, KubernetesRefusal } from '../../src/kubernetes/kubernetes-api.ts';
import { LeaseHolder } from '../../src/kubernetes/lease.ts';
import { accountWith, apiFor } from './rig/accounts.ts';
import { describeCluster } from './rig/describe-cluster.ts';

const OPTIONS = { abort: new AbortController().signal };

describeCluster('the Kubernetes client', { hasControllers: false }, (cluster) => {
  const admin = async (): Promise<HttpsKubernetesApi> => {
    const api = apiFor((await cluster().admin()).kubernetes);
    onTestFinished(() => api.close());
    return api;
  };
  const maps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
  const map = (name: string, data: Record<string, string> = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

  it('creates, reads, replaces and patches objects', async () => {
    const [api, namespace] = [await admin(), await cluster().namespace()];
    const path = `${maps(namespace)}/one`;
    expect(await api.get(path, OPTIONS)).toBeNull();
    const made = await api.create<KubernetesObject>(maps(namespace), map('one', { a: '1' }), OPTIONS);
    await expect(api.create(maps(namespace), map('one'), OPTIONS)).rejects.toMatchObject({ status: 409, reason: 'AlreadyExists' });
    await api.mergePatch(path, { data: { b: '2' } }, OPTIONS);
    await expect(api.replace(path, { ...map('one'), metadata: made.metadata }, OPTIONS)).rejects.toMatchObject({
      status: 409,
      reason: 'Conflict',
    });
    await api.jsonPatch(
      path,
      [
        { op: 'test', path: '/data/b', value: '2' },
        { op: 'remove', path: '/data/a' },
      ],
      OPTIONS,
    );
    expect(await api.get(path, OPTIONS)).toMatchObject({ data: { b: '2' } });
  });

  it('is refused with 422 when the test of a patch does not hold, and with 404 when there is no such object', async () => {
    const [api, namespace] = [await admin(), await cluster().namespace()];
    await api.create(maps(namespace), map('one', { a: '1' }), OPTIONS);
    const steps = [
      { op: 'test', path: '/data/a', value: '2' },
      { op: 'replace', path: '/data/a', value: '3' },
    ] as const;
    await expect(api.jsonPatch(`${maps(namespace)}/one`, steps, OPTIONS)).rejects.toMatchObject({ status: 422, reason: 'Invalid' });
    await expect(api.jsonPatch(`${maps(namespace)}/two`, steps, OPTIONS)).rejects.toMatchObject({ status: 404, reason: 'NotFound' });
    expect(await api.get(`${maps(namespace)}/one`, OPTIONS)).toMatchObject({ data: { a: '1' } });
  });

  it('stores nothing in a dry run, and is refused there as it would be', async () => {
    const [api, namespace] = [await admin(), await cluster().namespace()];
    const dry = { ...OPTIONS, dryRun: true };
    await api.create(maps(namespace), map('one'), dry);
    expect(await api.get(`${maps(namespace)}/one`, OPTIONS)).toBeNull();
    await expect(api.create(maps(namespace), map('No Name'), dry)).rejects.toBeInstanceOf(KubernetesRefusal);
  });

  it('lists many objects in pages', async () => {
    const [api, namespace] = [await admin(), await cluster().namespace()];
    for (let at = 0; at < 600; at += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, more) => api.create(maps(namespace), map(`map-${at + more}`), OPTIONS)));
    }
    expect(new Set((await api.list(maps(namespace), {}, OPTIONS)).map(({ metadata }) => metadata.name)).size).toBe(600);
  });

  it('is refused with 401 by a token that is not known, and goes on once its file holds a good one', async () => {
    const [{ kubernetes }, good] = [await cluster().account('default', 'late', ''), await cluster().account('default', 'good', '')];
    const api = apiFor(kubernetes);
    onTestFinished(() => api.close());
    await writeFile(kubernetes.tokenFile ?? '', 'unknown');
    await expect(api.get('/api/v1/namespaces/default', OPTIONS)).rejects.toMatchObject({ status: 401, reason: 'Unauthorized' });
    await writeFile(kubernetes.tokenFile ?? '', good.token);
    await expect(api.get('/api/v1/namespaces/default', OPTIONS)).rejects.toMatchObject({ status: 403, reason: 'Forbidden' });
  });

  it('trusts no server whose certificate is not of its own authority', async () => {
    const api = apiFor({ ...(await cluster().admin()).kubernetes, caFile: null });
    onTestFinished(() => api.close());
    await expect(api.get('/version', OPTIONS)).rejects.toMatchObject({
      code: 'network',
      message: expect.stringMatching(/CERT|SIGNED|ISSUER/),
    });
  });

  it.each(['crash', 'orderly'] as const)('keeps a watch whole over a restart of the API server (%s)', async (how) => {
    const [api, namespace] = [await admin(), await cluster().namespace()];
    const abort = new AbortController();
    const known = new Map<string, string>();
    let troubles = 0;
    const note = (item: KubernetesObject & { data?: Record<string, string> }) => void known.set(item.metadata.name, item.data?.value ?? '');
    const done = api.watch<KubernetesObject>(
      maps(namespace),
      {
        onSynced: (items) => {
          known.clear();
          items.forEach(note);
        },
        onChanged: note,
        onDeleted: (item) => void known.delete(item.metadata.name),
        onTrouble: () => void troubles++,
      },
      abort.signal,
    );
    await api.create(maps(namespace), map('stays', { value: '1' }), OPTIONS);
    await api.create(maps(namespace), map('goes', { value: '1' }), OPTIONS);
    await expect
      .poll(() => [...known].sort(), { timeout: 20_000 })
      .toEqual([
        ['goes', '1'],
        ['stays', '1'],
      ]);
    await cluster().stopApiServer(how);
    await cluster().startApiServer();
    await cluster().must('DELETE', `${maps(namespace)}/goes`);
    await cluster().must('PATCH', `${maps(namespace)}/stays`, { data: { value: '2' } }, 'application/merge-patch+json');
    await cluster().must('POST', maps(namespace), map('comes', { value: '1' }));
    await expect
      .poll(() => [...known].sort(), { timeout: 60_000 })
      .toEqual([
        ['comes', '1'],
        ['stays', '2'],
      ]);
    expect(troubles).toBeGreaterThan(0);
    abort.abort();
    await done;
  });

  it('makes an Event once, however often it is told', async () => {
    const [api, namespace] = [await admin(), await cluster().namespace()];
    const made = await api.create<KubernetesObject>(maps(namespace), map('one'), OPTIONS);
    const about = { ...made, apiVersion: 'v1', kind: 'ConfigMap' };
    const event = {
      about,
      key: 'sig_1',
      type: 'Warning',
      reason: 'RolledBack',
      action: 'Rollback',
      note: '☃'.repeat(2_000),
      at: 0,
      instance: 'test',
    } as const;
    expect([await createEvent(api, event, OPTIONS), await createEvent(api, event, OPTIONS)]).toEqual([true, false]);
    const { items } = await cluster().must('GET', `/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ reason: 'RolledBack', regarding: { kind: 'ConfigMap', name: 'one', uid: made.metadata.uid } });
    expect(items[0].note).toMatch(/^☃+…$/);
  });

  it('holds a Lease with the rights of its manifest and no others, one of two replicas, and gives it up', async () => {
    const config = await accountWith(cluster(), ['lease']);
    const api = apiFor(config);
    onTestFinished(() => api.close());
    const troubles: Error[] = [];
    const replica = (identity: string) =>
      new LeaseHolder({
        api,
        namespace: 'slipstream',
        name: 'slipstream',
        identity,
        now: () => Date.now(),
        monotonicMs: () => performance.now(),
        schedule: (task, waitMs) => {
          const timer = setTimeout(task, waitMs / 10);
          return () => clearTimeout(timer);
        },
        random: () => Math.random(),
        onTurn: () => undefined,
        onTrouble: (error) => void troubles.push(error),
      });
    const [a, b] = [replica('a'), replica('b')];
    a.start();
    b.start();
    await expect.poll(() => [a.isHolder(), b.isHolder()].filter(Boolean).length, { timeout: 20_000 }).toBe(1);
    const [holder, other] = a.isHolder() ? [a, b] : [b, a];
    await holder.stop();
    await expect.poll(() => other.isHolder(), { timeout: 20_000 }).toBe(true);
    await other.stop();
    expect(troubles).toEqual([]);
    await expect(api.get('/apis/coordination.k8s.io/v1/namespaces/slipstream/leases/another', OPTIONS)).rejects.toMatchObject({
      status: 403,
    });
    await expect(api.list('/api/v1/namespaces/slipstream/secrets', {}, OPTIONS)).rejects.toMatchObject({ status: 403 });
  });
});
