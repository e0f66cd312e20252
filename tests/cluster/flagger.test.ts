/** Canaries of the real Flagger that ask a running Slipstream, to which spans come: held back, rolled back and promoted by what the spans prove. */
import { afterEach, expect, it } from 'vitest';
import { processDocument, shopDocument } from '../service/config.ts';
import { API_TOKEN, killAll, Running } from '../service/running.ts';
import { HEALTHY, SICK, type Stream, sendLive } from '../service/traffic.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import type { Cluster } from './rig/cluster.ts';
import { deploymentYaml } from './rig/deployments.ts';
import { describeCluster } from './rig/describe-cluster.ts';

const folders = new TemporaryFolders();
const BASELINE_ONLY: readonly Stream[] = HEALTHY.slice(0, 1);
/** Flagger looks no oftener than every 10 s. */
const TICK_MS = 10_000;
const TEST_MS = 300_000;

const stands: FlaggerStand[] = [];
/** Health must show in seconds; latencies of the traffic take 17 values, which says little of their tails. */
const CANARY_POLICY = { minPromote: '20s', bake: '0s', checks: { p95: { muted: true }, p99: { muted: true } } };

afterEach(async () => {
  for (const stand of stands.splice(0)) await stand.stop();
  await killAll();
  folders.clean();
});

/** What Flagger says of a Canary. */
interface Status {
  readonly phase?: string;
  readonly failedChecks?: number;
  readonly canaryWeight?: number;
  readonly lastAppliedSpec?: string;
}

/** A Canary of the Deployment `podinfo`, a running Slipstream that it asks, and the traffic of both releases. */
class FlaggerStand {
  streams = BASELINE_ONLY;
  readonly #cluster: Cluster;
  readonly #namespace: string;
  readonly running: Running;
  #isOver = false;
  readonly #traffic: Promise<void>;

  private constructor(cluster: Cluster, namespace: string, running: Running) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.running = running;
    this.#traffic = this.#send();
  }

  /** The first release serves, and Flagger waits for the next. */
  static async start(cluster: Cluster, analysis: object, provider: 'nginx' | 'kubernetes'): Promise<FlaggerStand> {
    const policy = shopDocument([{ availability: '99%' }], CANARY_POLICY);
    const running = await Running.start({ folder: folders.make(), config: [processDocument(), policy] });
    const namespace = await cluster.namespace();
    cluster.keepPodsReady(namespace);
    const stand = new FlaggerStand(cluster, namespace, running);
    stands.push(stand);
    await stand.release('v1');
    if (provider === 'nginx') await cluster.apply(JSON.stringify(INGRESS), namespace);
    await cluster.apply(JSON.stringify(canary(running.api, provider, analysis)), namespace);
    await stand.until('ready for a release', ({ phase }) => phase === 'Initialized');
    return stand;
  }

  async release(tag: string): Promise<void> {
    await this.#cluster.apply(deploymentYaml('podinfo', tag, { replicas: 1 }), this.#namespace);
  }

  async status(): Promise<Status> {
    const path = `/apis/flagger.app/v1beta1/namespaces/${this.#namespace}/canaries/podinfo`;
    return (await this.#cluster.must('GET', path)).status ?? {};
  }

  async until(what: string, isWanted: (status: Status) => boolean): Promise<Status> {
    const giveUpAt = Date.now() + 90_000;
    for (;;) {
      const status = await this.status();
      if (isWanted(status)) return status;
      if (Date.now() > giveUpAt) {
        throw new Error(`waiting until ${what}: ${JSON.stringify(status)}\n${await this.#cluster.logTail('flagger', 30)}`);
      }
      await new Promise((again) => setTimeout(again, 250));
    }
  }

  /** Each status within so many turns of Flagger. */
  async during(turns: number): Promise<Status[]> {
    const seen: Status[] = [];
    const until = Date.now() + turns * TICK_MS;
    while (Date.now() < until) {
      seen.push(await this.status());
      await new Promise((again) => setTimeout(again, 500));
    }
    return seen;
  }

  /** Messages of the events of the Canary. */
  async events(): Promise<string> {
    const { items } = await this.#cluster.must('GET', `/api/v1/namespaces/${this.#namespace}/events`);
    return items.map(({ message }: { message: string }) => message).join('\n');
  }

  async image(deployment: string): Promise<string> {
    const found = await this.#cluster.must('GET', `/apis/apps/v1/namespaces/${this.#namespace}/deployments/${deployment}`);
    return found.spec.template.spec.containers[0].image;
  }

  /** The newest run; there is one. */
  async run(): Promise<Awaited<ReturnType<Running['run']>>> {
    const { rollouts } = (await this.running.json('/v1/rollouts?limit=1')) as { rollouts: { id: string }[] };
    return this.running.run(rollouts[0]?.id ?? 'none');
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#traffic;
  }

  async #send(): Promise<void> {
    while (!this.#isOver) {
      const now = this.streams;
      await sendLive(this.running, now, () => this.#isOver || this.streams !== now);
    }
  }
}

describeCluster('Flagger asks', { controllers: { flagger: [] } }, (cluster) => {
  it(
    'a canary waits at its weight without a failed check while nothing is known, and goes back as soon as harm is proven',
    async () => {
      const stand = await FlaggerStand.start(cluster(), { stepWeight: 10, maxWeight: 50 }, 'nginx');
      await stand.release('v2');
      await stand.until('the first step is made', ({ canaryWeight }) => canaryWeight === 10);
      for (const { phase, canaryWeight, failedChecks } of await stand.during(2.5)) {
        expect([phase, canaryWeight, failedChecks]).toEqual(['Progressing', 10, 0]);
      }
      expect(await stand.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'no_canary' } });
      expect((await stand.run()).rollout).toMatchObject({ service: 'shop', canaryShare: 0.1, target: { kind: 'Canary', name: 'podinfo' } });
      stand.streams = SICK;
      const { failedChecks, canaryWeight } = await stand.until('it is rolled back', ({ phase }) => phase === 'Failed');
      await stand.stop();
      expect([failedChecks, canaryWeight]).toEqual([0, 0]);
      expect(await stand.events()).toContain('Rolling back podinfo.');
      expect(await stand.events()).not.toContain('threshold reached');
      expect(await stand.image('podinfo-primary')).toBe('example.test/podinfo:v1');
      expect(await stand.run()).toMatchObject({ state: 'rolled_back', verdict: { reason: 'harm_proven' } });
    },
    TEST_MS,
  );

  it(
    'a canary is promoted once it is proven healthy, and waits for that without a failed check',
    async () => {
      const stand = await FlaggerStand.start(cluster(), { iterations: 1 }, 'kubernetes');
      await stand.release('v2');
      await stand.until('it asks for its promotion', ({ phase }) => phase === 'WaitingPromotion');
      for (const { phase, failedChecks } of await stand.during(1.5)) expect([phase, failedChecks]).toEqual(['WaitingPromotion', 0]);
      stand.streams = HEALTHY;
      const { failedChecks } = await stand.until('it is promoted', ({ phase }) => phase === 'Succeeded');
      await stand.stop();
      expect(failedChecks).toBe(0);
      expect(await stand.image('podinfo-primary')).toBe('example.test/podinfo:v2');
      expect(await stand.run()).toMatchObject({ state: 'promoted', verdict: { decision: 'promote', reason: 'health_proven' } });
    },
    TEST_MS,
  );
});

const INGRESS = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'podinfo', annotations: { 'kubernetes.io/ingress.class': 'nginx' } },
  spec: {
    rules: [
      {
        host: 'podinfo.test',
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'podinfo', port: { number: 80 } } } }] },
      },
    ],
  },
};

/** As the one of `config/flagger`, for what the test sends: releases are told apart by their version. */
function canary(api: string, provider: string, analysis: object): object {
  const metadata = { token: API_TOKEN, service: 'shop', attribute: 'service.version', canary: '1.1.0', baseline: '1.0.0' };
  const hooks = ['confirm-rollout', 'rollback', 'confirm-traffic-increase', 'confirm-promotion', 'post-rollout', 'event'];
  const webhooks = hooks.map((type) => ({ name: `slipstream-${type}`, type, url: `${api}/flagger/v1/${type}`, timeout: '3s', metadata }));
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo' },
    spec: {
      provider,
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
      ...(provider === 'nginx' && { ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'podinfo' } }),
      service: { port: 80 },
      progressDeadlineSeconds: 300,
      analysis: { interval: '10s', threshold: 2, ...analysis, webhooks },
    },
  };
}
