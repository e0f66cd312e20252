/** A Deployment that is deleted and made again counts its revisions anew: what was judged of the old one says nothing about it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { APPS_API } from '../../src/kubernetes/deployment-object.ts';
import { HttpsKubernetesApi } from '../../src/kubernetes/https-kubernetes-api.ts';
import type { RolloutTarget } from '../../src/model/rollout.ts';
import { rolloutHandlers } from '../../src/service/rollout-watches.ts';
import { ArgoRolloutsSink } from '../../src/sinks/argo-rollouts/argo-rollouts-sink.ts';
import { KubernetesSink } from '../../src/sinks/kubernetes/kubernetes-sink.ts';
import { messageOf } from '../../src/sinks/message.ts';
import { readDeployment } from '../../src/watches/deployments.ts';
import { readingOf } from '../../src/watches/watched-rollout.ts';
import { Live, scenarioConfig } from '../scenarios/live.ts';
import { CANARY, RolloutServer, STABLE } from '../sinks/argo-rollouts-server.ts';
import { failureOf, never } from '../sinks/sink.contract.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';

const parts = { instance: 'test', onEventLost: () => undefined };
const apiAt = (url: string) => new HttpsKubernetesApi({ server: url, tokenFile: null, caFile: null, lease: null }, { env: {} });
const messageFor = (target: RolloutTarget) => messageOf(sampleSignal({ target }), DECIDED_AT);

const annotated = (revision: string) => ({ 'deployment.kubernetes.io/revision': revision });
const templateOf = (image: string) => ({ metadata: { labels: { app: 'cart' } }, spec: { containers: [{ name: 'cart', image }] } });
const deployment = {
  metadata: { name: 'cart', namespace: 'shop', uid: 'new', generation: 2, annotations: annotated('2') },
  spec: { replicas: 1, template: templateOf('cart:v2') },
  status: { observedGeneration: 2 },
};
const replicaSets = ['1', '2'].map((revision) => ({
  metadata: {
    name: `cart-${revision}`,
    annotations: annotated(revision),
    ownerReferences: [{ kind: 'Deployment', name: 'cart', uid: 'new', controller: true }],
  },
  spec: { template: templateOf(`cart:v${revision}`) },
}));

describe('a rollback of a Deployment', () => {
  const patches: string[] = [];
  let server: Server;
  beforeEach(async () => {
    patches.length = 0;
    server = createServer((request, response) => {
      if (request.method === 'PATCH') patches.push(request.url ?? '');
      const answer = request.url?.includes('/replicasets') ? { metadata: {}, items: replicaSets } : deployment;
      request.resume().on('end', () => response.end(JSON.stringify(answer)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => void server.close());

  const sink = () =>
    new KubernetesSink(
      { type: 'kubernetes', name: 'cluster', timeoutMs: 5_000, isDryRun: false, isOwnedByGitOpsToo: false },
      { ...parts, kubernetes: apiAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) },
    );
  const target = { kind: 'Deployment', namespace: 'shop', name: 'cart', fence: '2' } as const;

  it('that was made again since is superseded, although it is at the same revision', async () => {
    expect(await failureOf(sink().deliver(messageFor({ ...target, uid: 'old' }), never))).toMatchObject({ code: 'superseded' });
    expect(await sink().readBack(messageFor({ ...target, uid: 'old' }), never.abort)).toMatchObject({ state: 'superseded' });
    expect(patches).toEqual([]);
  });

  it.each(['new', undefined])('of which the uid is %s is carried out', async (uid) => {
    expect(await sink().deliver(messageFor(uid === undefined ? target : { ...target, uid }), never)).toBe('acknowledged');
    expect(patches).toEqual([`${APPS_API}/namespaces/shop/deployments/cart`]);
  });
});

it('a Rollout that was made again since is not aborted, although it rolls out the same template', async () => {
  const server = await RolloutServer.listen();
  const sink = new ArgoRolloutsSink(
    { type: 'argo-rollouts', name: 'argo', isDryRun: false, onPromote: 'nothing', onBadAfterPromotion: 'undo', timeoutMs: 5_000 },
    { ...parts, kubernetes: apiAt(server.url) },
  );
  const target = { kind: 'Rollout', namespace: 'shop', name: 'checkout', fence: CANARY, previous: STABLE } as const;
  expect(await failureOf(sink.deliver(messageFor({ ...target, uid: 'old' }), never))).toMatchObject({ code: 'superseded' });
  expect(server.changes).toEqual([]);
  expect(await sink.deliver(messageFor({ ...target, uid: 'uid-1' }), never)).toBe('acknowledged');
  await server.stop();
});

it.each([
  ['made again', 'old', 1],
  ['the same', 'new', 0],
])('a watch that finds an object that is %s begins its rollout %s', async (_, uid, begun) => {
  const notes = replicaSets.map(({ metadata: { name } }, index) => ({ name, ownerUid: 'new', revision: index + 1, wanted: 1, pods: 1 }));
  const reading = readDeployment(deployment, notes, 'k8s.replicaset.name');
  const rollout = reading === null ? null : readingOf(reading, deployment.metadata.uid).inFlight;
  if (rollout === null) throw new Error('it is in flight');
  const over = { state: 'rolled_back', signalId: null, rollout: { generation: 2, target: { ...rollout.target, uid } } };
  let starts = 0;
  const handlers = rolloutHandlers({
    run: () => over,
    startRollout: () => {
      starts++;
      return { outcome: 'created', run: over };
    },
    endRollout: () => ({ outcome: 'unknown' }),
  } as unknown as Parameters<typeof rolloutHandlers>[0]);
  expect(await handlers.begin(rollout, 'found')).toBe('done');
  expect(starts).toBe(begun);
});

it.each([
  ['made again', 'new', 'started', 3],
  ['the same', 'old', 'exists', 2],
  ['of unknown identity', undefined, 'exists', 2],
])('a rollout in flight of an object that is %s is told from the one before', (_, uid, kind, generation) => {
  const live = new Live(scenarioConfig());
  const target = { kind: 'Deployment', namespace: 'shop', name: 'cart', fence: '2' } as const;
  const begin = (ofUid: string | undefined) =>
    live.start({ generation: { kind: 'next', atLeast: 2 }, target: ofUid === undefined ? target : { ...target, uid: ofUid } });
  begin('old');
  expect(begin(uid)).toMatchObject({ kind });
  expect(live.run().rollout.generation).toBe(generation);
});
