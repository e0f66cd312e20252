/** Rollbacks of Deployments on a real API server with the real Deployment controller. */
import { expect, it, onTestFinished } from 'vitest';
import { APPS_API, type ReplicaSet, revisionOf, SIGNAL_ANNOTATION } from '../../src/kubernetes/deployment-object.ts';
import type { HttpsKubernetesApi } from '../../src/kubernetes/https-kubernetes-api.ts';
import type { KubernetesApi, KubernetesObject } from '../../src/kubernetes/kubernetes-api.ts';
import { RetryableError } from '../../src/model/errors.ts';
import { KubernetesSink } from '../../src/sinks/kubernetes/kubernetes-sink.ts';
import type { Attempt } from '../../src/sinks/sink.ts';
import { DeploymentStand } from './deployment-stand.ts';
import { accountWith, apiFor } from './rig/accounts.ts';
import { describeCluster } from './rig/describe-cluster.ts';

const FOREVER = new AbortController().signal;
const ATTEMPT: Attempt = { abort: FOREVER, mayStillAct: () => true };

describeCluster('a rollback of a Deployment', {}, (cluster) => {
  let known: HttpsKubernetesApi | null = null;
  /** With no more rights than the manifest of this feature gives. */
  const leastApi = async (): Promise<HttpsKubernetesApi> => {
    known ??= apiFor(await accountWith(cluster(), ['act-on-deployments']));
    return known;
  };
  const lost: unknown[] = [];
  const sinkOn = (kubernetes: KubernetesApi, more: { isDryRun?: boolean; isOwnedByGitOpsToo?: boolean } = {}) =>
    new KubernetesSink(
      { type: 'kubernetes', name: 'cluster', timeoutMs: 10_000, isDryRun: false, isOwnedByGitOpsToo: false, ...more },
      { kubernetes, instance: 'test', onEventLost: (error) => void lost.push(error) },
    );
  const sink = async (more: Parameters<typeof sinkOn>[1] = {}) => sinkOn(await leastApi(), more);

  it('puts the previous release back, says so on the object, and is confirmed when its pods serve', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1', 'v2');
    await stand.apply('v3-stuck');
    await stand.atRevision(3);
    const one = await sink();
    expect(await one.deliver(stand.message('3'), ATTEMPT)).toBe('acknowledged');
    expect(await stand.tag()).toBe('v2');
    await expect
      .poll(() => one.readBack(stand.message('3'), FOREVER), { timeout: 30_000 })
      .toMatchObject({
        state: 'confirmed',
        rolledBackTo: 'example.test/shop:v2',
      });
    expect(
      (await stand.events()).map(({ reason, note }) => [reason, note.includes('from revision 3 to the template of revision 2')]),
    ).toEqual([['RolledBack', true]]);
    expect(await stand.revision()).toBe('4');
    expect(lost).toEqual([]);
  });

  it('leaves the same object as kubectl does, but for the two annotations that name the signal', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.apply('v1', { annotations: { 'kubernetes.io/change-cause': 'first', 'shop.test/old': 'yes' } });
    await stand.atRevision(1);
    await stand.patch(
      { op: 'add', path: '/metadata/annotations/kubernetes.io~1change-cause', value: 'second' },
      { op: 'add', path: '/metadata/annotations/shop.test~1new', value: 'yes' },
      { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'example.test/shop:v2' },
    );
    await stand.atRevision(2);
    const before = (await stand.get()).metadata.annotations;
    await (await sink()).deliver(stand.message('2'), ATTEMPT);
    const { spec, metadata } = await stand.atRevision(3);
    // kubectl takes all annotations of the old ReplicaSet, and keeps those of the Deployment that only the controller and kubectl itself understand.
    expect(metadata.annotations).toEqual({
      'kubernetes.io/change-cause': 'first',
      'shop.test/old': 'yes',
      'deployment.kubernetes.io/revision': '3',
      'slipstream.dev/signal': stand.message('2').id,
      'slipstream.dev/rolled-back-from': '2',
    });
    expect(before['shop.test/new']).toBe('yes');
    expect(spec?.template?.metadata?.labels).toEqual({ app: 'shop' });
  });

  it('goes back to the revision that served, and not to a newer one that was replaced before it was through', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1');
    await stand.apply('v2-stuck');
    await stand.atRevision(2);
    await stand.apply('v3-stuck');
    await stand.atRevision(3);
    await expect((await sink()).deliver(stand.message('3', {}, '9'), ATTEMPT)).rejects.toMatchObject({ code: 'declined' });
    expect(await (await sink()).deliver(stand.message('3', {}, '1'), ATTEMPT)).toBe('acknowledged');
    expect(await stand.tag()).toBe('v1');
  });

  it('is done once, however often it is asked for, and by whomever', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1', 'v2');
    const [one, twin] = [await sink(), await sink()];
    expect(await Promise.all([one.deliver(stand.message('2'), ATTEMPT), twin.deliver(stand.message('2'), ATTEMPT)])).toEqual([
      'acknowledged',
      'acknowledged',
    ]);
    await stand.atRevision(3);
    expect(await one.deliver(stand.message('2'), ATTEMPT)).toBe('acknowledged');
    expect([await stand.tag(), await stand.revision()]).toEqual(['v1', '3']);
    expect(await stand.events()).toHaveLength(1);
  });

  it('is recognised as done when the answer to it was lost', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1', 'v2');
    const lossy = new Lossy(await leastApi());
    const one = sinkOn(lossy);
    await expect(one.deliver(stand.message('2'), ATTEMPT)).rejects.toMatchObject({ code: 'network' });
    await stand.atRevision(3);
    expect(await one.deliver(stand.message('2'), ATTEMPT)).toBe('acknowledged');
    await expect.poll(async () => (await one.readBack(stand.message('2'), FOREVER)).state, { timeout: 30_000 }).toBe('confirmed');
    expect([await stand.tag(), await stand.revision()]).toEqual(['v1', '3']);
  });

  it('does nothing to a newer revision, also one that the controller has not counted yet', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1', 'v2', 'v3');
    await expect((await sink()).deliver(stand.message('2'), ATTEMPT)).rejects.toMatchObject({
      code: 'superseded',
      message: expect.stringContaining('at revision 3'),
    });
    await expect((await sink()).readBack(stand.message('2'), FOREVER)).resolves.toMatchObject({ state: 'superseded' });
    expect(await stand.tag()).toBe('v3');
  });

  it('does nothing to a Deployment whose newest template no ReplicaSet has yet: its revision still names the judged one', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1', 'v2');
    const ahead = new (class extends Lossy {
      override jsonPatch = async (): Promise<never> => {
        throw new Error('nothing is to be patched');
      };
      override async get<Item extends KubernetesObject>(...args: Parameters<KubernetesApi['get']>): Promise<Item | null> {
        const item = structuredClone(await super.get<Item>(...args)) as {
          spec: { template: { spec: { containers: { image: string }[] } } };
        } & Item;
        for (const container of item.spec.template.spec.containers) container.image = 'example.test/shop:v3';
        return item;
      }
    })(await leastApi());
    await expect(sinkOn(ahead).deliver(stand.message('2'), ATTEMPT)).rejects.toMatchObject({
      code: 'superseded',
      message: expect.stringContaining('on its way'),
    });
  });

  it('never undoes a rollout that begins between looking and patching', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v0');
    const api = await leastApi();
    const outcomes = new Map<string, number>();
    for (let round = 1; round <= 40; round++) {
      await stand.setImage(`bad${round}`);
      const judged = await stand.revisionWith(`bad${round}`);
      // From well before the patch to well after it.
      const newer = new Promise<void>((resolve) => setTimeout(resolve, (round % 20) * 0.7)).then(() => stand.setImage(`good${round}`));
      const delivered = sinkOn(api)
        .deliver(stand.message(judged, { id: `sig_${round}` }), ATTEMPT)
        .catch((error) => error.code as string);
      const outcome = await delivered;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      expect((await newer).status).toBe(200);
      // Whichever came first: the newer rollout is what the Deployment asks for in the end.
      expect(await stand.tag()).toBe(`good${round}`);
      await stand.revisionWith(`good${round}`);
    }
    // Both sides of the race were met.
    expect([...outcomes.keys()].sort()).toEqual(['acknowledged', 'superseded']);
  });

  it('never undoes a rollout that began right before the patch, while the revision is still the judged one', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v0', 'bad');
    for (let round = 1; round <= 10; round++) {
      const judged = await stand.revision();
      const late = new (class extends Lossy {
        override jsonPatch = async (...args: Parameters<KubernetesApi['jsonPatch']>): Promise<never> => {
          const { body } = await stand.setImage(`good${round}`);
          expect(body.metadata.annotations['deployment.kubernetes.io/revision']).toBe(judged);
          return (await leastApi()).jsonPatch(...args);
        };
      })(await leastApi());
      const outcome = await sinkOn(late)
        .deliver(stand.message(judged, { id: `sig_${round}` }), ATTEMPT)
        .catch((error) => error.code);
      expect([outcome, await stand.tag()]).toEqual(['superseded', `good${round}`]);
      await stand.revisionWith(`good${round}`);
    }
  });

  it('leaves a paused Deployment alone and says so on it', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1', 'v2');
    await stand.patch({ op: 'add', path: '/spec/paused', value: true });
    await expect((await sink()).deliver(stand.message('2'), ATTEMPT)).rejects.toMatchObject({
      code: 'declined',
      message: expect.stringContaining('paused'),
    });
    expect(await stand.tag()).toBe('v2');
    expect((await stand.events()).map(({ reason }) => reason)).toEqual(['RollbackDeclined']);
  });

  it.each([
    ['Argo CD', { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }],
    ['Flux', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } }],
    ['Helm', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }],
  ])('leaves what %s owns alone and says so on it, unless it is told to act on that too', async (owner, marks) => {
    const stand = await DeploymentStand.make(cluster());
    await stand.apply('v1', marks);
    await stand.atRevision(1);
    await stand.apply('v2', marks);
    await stand.atRevision(2);
    await expect((await sink()).deliver(stand.message('2'), ATTEMPT)).rejects.toMatchObject({
      code: 'declined',
      message: expect.stringContaining(owner),
    });
    expect([await stand.tag(), (await stand.events()).map(({ reason }) => reason)]).toEqual(['v2', ['RollbackDeclined']]);
    expect(await (await sink({ isOwnedByGitOpsToo: true })).deliver(stand.message('2'), ATTEMPT)).toBe('acknowledged');
    expect(await stand.tag()).toBe('v1');
  });

  it('has nothing to go back to in a Deployment of one revision', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1');
    await expect((await sink()).deliver(stand.message('1'), ATTEMPT)).rejects.toMatchObject({
      code: 'declined',
      message: expect.stringContaining('no revision before 1'),
    });
  });

  it('changes nothing in a dry run, and leaves no Event', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1', 'v2');
    expect(await (await sink({ isDryRun: true })).deliver(stand.message('2'), ATTEMPT)).toBe('dry_run');
    expect([await stand.tag(), await stand.events()]).toEqual(['v2', []]);
  });

  it('changes nothing when it is no longer to act once the connection is there', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1', 'v2');
    await expect((await sink()).deliver(stand.message('2'), { ...ATTEMPT, mayStillAct: () => false })).rejects.toMatchObject({
      code: 'stale',
    });
    expect(await stand.tag()).toBe('v2');
  });

  it('is settled when the Deployment is gone', async () => {
    const stand = await DeploymentStand.make(cluster());
    await expect((await sink()).deliver(stand.message('2'), ATTEMPT)).rejects.toMatchObject({ code: 'superseded' });
    expect(await (await sink()).readBack(stand.message('2'), FOREVER)).toMatchObject({ state: 'superseded' });
  });

  it('needs a person when it is not allowed', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1', 'v2');
    const nobody = apiFor((await cluster().account(stand.namespace, 'nobody', '')).kubernetes);
    onTestFinished(() => nobody.close());
    await expect(sinkOn(nobody).deliver(stand.message('2'), ATTEMPT)).rejects.toMatchObject({
      code: 'misdirected',
      message: expect.stringContaining('403'),
    });
    await expect(sinkOn(nobody).readBack(stand.message('2'), FOREVER)).rejects.toMatchObject({ code: 'misdirected' });
  });

  it('a hold leaves an Event, once, and nothing else', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1', 'v2');
    const hold = stand.message('2', { action: 'hold', summary: `☃${'x'.repeat(2_000)}` });
    expect(await (await sink()).deliver(hold, ATTEMPT)).toBe('confirmed');
    expect(await (await sink()).deliver(hold, ATTEMPT)).toBe('confirmed');
    const events = await stand.events();
    expect(events.map(({ reason }) => reason)).toEqual(['Held']);
    expect(Buffer.byteLength(events[0]?.note ?? '')).toBeLessThanOrEqual(1_024);
    expect([await stand.tag(), (await stand.get()).metadata.annotations[SIGNAL_ANNOTATION]]).toEqual(['v2', undefined]);
  });

  it('a test of a JSON patch that does not hold is answered with 422, and nothing is changed', async () => {
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1');
    const answer = await stand.patch(
      { op: 'test', path: '/metadata/uid', value: 'another' },
      { op: 'replace', path: '/spec/replicas', value: 7 },
    );
    expect([answer.status, answer.body.reason, (await stand.get()).spec?.replicas]).toEqual([422, 'Invalid', 2]);
  });

  it('the revision lags behind the template while both change at once with the number of pods', async () => {
    // Why the template itself is tested: the controller handles such a change as one of scale first.
    const stand = await DeploymentStand.make(cluster());
    await stand.rolledOut('v1');
    const { body } = await stand.patch({ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'example.test/shop:v2' });
    expect(body.metadata.annotations['deployment.kubernetes.io/revision']).toBe('1');
    await stand.atRevision(2);
    const { items } = await cluster().must('GET', `${APPS_API}/namespaces/${stand.namespace}/replicasets`);
    expect(items.map((set: ReplicaSet) => revisionOf(set)).sort()).toEqual([1, 2]);
  });
});

/** The API whose answers to patches are lost. */
class Lossy implements KubernetesApi {
  readonly #api: KubernetesApi;

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  get<Item extends KubernetesObject>(...args: Parameters<KubernetesApi['get']>): Promise<Item | null> {
    return this.#api.get<Item>(...args);
  }
  list<Item extends KubernetesObject>(...args: Parameters<KubernetesApi['list']>): Promise<readonly Item[]> {
    return this.#api.list<Item>(...args);
  }
  create<Item extends KubernetesObject>(...args: Parameters<KubernetesApi['create']>): Promise<Item> {
    return this.#api.create<Item>(...args);
  }
  replace<Item extends KubernetesObject>(...args: Parameters<KubernetesApi['replace']>): Promise<Item> {
    return this.#api.replace<Item>(...args);
  }
  mergePatch<Item extends KubernetesObject>(...args: Parameters<KubernetesApi['mergePatch']>): Promise<Item> {
    return this.#api.mergePatch<Item>(...args);
  }
  watch: KubernetesApi['watch'] = (...args) => this.#api.watch(...args);
  jsonPatch = async (...args: Parameters<KubernetesApi['jsonPatch']>): Promise<never> => {
    await this.#api.jsonPatch(...args);
    throw new RetryableError('network', 'the answer was lost');
  };
}
