/** Argo Rollouts asks for verdicts by the ClusterAnalysisTemplate that we ship: what the real controller makes of each answer, and of none. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { verdictRequest } from '../../src/api/verdict-schemas.ts';
import { API_TOKEN } from '../service/running.ts';
import { ArgoStand, rolloutYaml } from './argo-rollouts.ts';
import type { Cluster } from './rig/cluster.ts';
import { describeCluster } from './rig/describe-cluster.ts';

const folder = join(import.meta.dirname, '../../config/argo-rollouts');
const TEMPLATE = readFileSync(join(folder, 'cluster-analysis-template.yaml'), 'utf8');
const EXAMPLE = parse(readFileSync(join(folder, 'rollout-pull.yaml'), 'utf8'), { merge: true });

/** Stands in for Slipstream's answers: what matters here is what the controller makes of them. */
class Verdicts {
  verdict: 'pass' | 'fail' | 'inconclusive' = 'inconclusive';
  readonly asked: { readonly authorization: string | undefined; readonly body: unknown }[] = [];
  readonly url: string;
  #server: Server;
  readonly #port: number;

  private constructor(server: Server) {
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.#port}`;
    this.#answer(server);
  }

  static async listen(): Promise<Verdicts> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new Verdicts(server);
  }

  async again(): Promise<void> {
    this.#server = createServer();
    this.#answer(this.#server);
    await new Promise<void>((listening) => this.#server.listen(this.#port, '127.0.0.1', listening));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  #answer(server: Server): void {
    server.on('request', (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      request.on('end', () => {
        this.asked.push({ authorization: request.headers.authorization, body: JSON.parse(text) });
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ verdict: this.verdict, score: 0.5, text: '' }));
      });
    });
  }
}

let verdicts: Verdicts;
afterEach(() => verdicts.close());

describeCluster('Argo Rollouts that asks for verdicts', { controllers: { 'argo-rollouts': [] } }, (cluster) => {
  const strategy = (canary: object) => ({ spec: { strategy: { canary } } });

  /** The example's strategy with pauses of its own, asking the stand-in; v1 serves, and a canary of v2 is on its way. */
  async function asking(steps: readonly object[], isBackground: boolean): Promise<ArgoStand> {
    verdicts = await Verdicts.listen();
    const stand = await ArgoStand.make(cluster());
    await cluster().apply(TEMPLATE);
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'slipstream-token' }, stringData: { token: API_TOKEN } };
    await stand.apply(JSON.stringify(secret));
    const { analysis } = EXAMPLE.spec.strategy.canary;
    const asked = { ...analysis, args: [...analysis.args, { name: 'url', value: verdicts.url }] };
    const filled = steps.map((step) => ('analysis' in step ? { analysis: asked } : step));
    const options = strategy({ steps: filled, ...(isBackground && { analysis: asked }) });
    await stand.apply(rolloutYaml('shop', 'v1', options));
    await stand.healthy('shop');
    await stand.apply(rolloutYaml('shop', 'v2', options));
    return stand;
  }

  const runs = async (stand: ArgoStand) =>
    (await (cluster() as Cluster).must('GET', `/apis/argoproj.io/v1alpha1/namespaces/${stand.namespace}/analysisruns`)).items;
  const asksSoFar = (count: number) =>
    expect.poll(() => verdicts.asked.length, { timeout: 60_000, interval: 50 }).toBeGreaterThanOrEqual(count);

  it('is asked with the hashes of both releases, the Rollout and the token, and aborts at once when it fails', async () => {
    const stand = await asking([{ setWeight: 25 }, { pause: {} }], true);
    await asksSoFar(1);
    const { status } = await stand.seen('shop');
    expect(verdicts.asked[0]).toEqual({
      authorization: `Bearer ${API_TOKEN}`,
      body: {
        service: 'checkout',
        canary: { 'k8s.pod.label.rollouts-pod-template-hash': status?.currentPodHash },
        baseline: { 'k8s.pod.label.rollouts-pod-template-hash': status?.stableRS },
        target: { kind: 'Rollout', namespace: stand.namespace, name: 'shop', fence: status?.currentPodHash, previous: status?.stableRS },
        wait: '5s',
      },
    });
    expect(verdictRequest.safeParse(verdicts.asked[0]?.body)).toMatchObject({ success: true });
    verdicts.verdict = 'fail';
    const after = await stand.until(
      'shop',
      'aborted',
      (now) => now.status?.phase === 'Degraded' && (now.status.updatedReplicas ?? 0) === 0,
    );
    expect(after.status?.abort).toBe(true);
    expect(await stand.serving('shop')).toEqual({ v1: 4 });
  });

  it('waits in a step while nothing is known, and goes on when the canary is good', async () => {
    const stand = await asking([{ setWeight: 25 }, { analysis: {} }], false);
    await asksSoFar(4);
    // Neither paused nor aborted: it is still in its step.
    const waiting = await stand.seen('shop');
    expect(waiting.status).toMatchObject({ currentStepIndex: 1, phase: 'Progressing' });
    expect(waiting.status?.pauseConditions ?? []).toEqual([]);
    verdicts.verdict = 'pass';
    await stand.healthy('shop', waiting.status?.stableRS);
    expect(await stand.serving('shop')).toEqual({ v2: 4 });
    expect((await runs(stand)).map((run: { status: { phase: string } }) => run.status.phase)).toEqual(['Successful']);
  });

  it('neither aborts nor pauses when Slipstream is away for a minute, and hears it afterwards', async () => {
    const stand = await asking([{ setWeight: 25 }, { pause: {} }], true);
    await asksSoFar(1);
    await verdicts.close();
    // Argo Rollouts would give up at the fifth error in a row by itself, 10 s apart.
    const errors = async () => (await runs(stand))[0]?.status.metricResults?.[0]?.consecutiveError ?? 0;
    await expect.poll(errors, { timeout: 90_000, interval: 500 }).toBeGreaterThan(5);
    expect((await stand.seen('shop')).status).toMatchObject({ phase: 'Paused', pauseConditions: [{ reason: 'CanaryPauseStep' }] });
    expect((await stand.seen('shop')).status?.abort ?? false).toBe(false);
    verdicts.verdict = 'fail';
    await verdicts.again();
    await stand.until('shop', 'aborted', ({ status }) => status?.phase === 'Degraded');
  }, 180_000);
});
