/** An API server with one Rollout whose canary is in flight, and a controller that takes things up at once; it fails as a test says. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonPatchStep } from '../../src/kubernetes/kubernetes-api.ts';

export const ROLLOUT_PATH = '/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/checkout';
export const CANARY = '7c9f';
export const STABLE = '5d21';

type Failing = 'no' | 'broken' | 'silent' | { readonly status: number; readonly on: 'PATCH' | 'GET' | 'POST' };

export class RolloutServer {
  readonly url: string;
  /** Bodies of patches that changed something. */
  readonly changes: string[] = [];
  /** Notes of Events. */
  readonly events: string[] = [];
  rollout = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: 'checkout', namespace: 'shop', uid: 'uid-1', generation: 3, resourceVersion: '10', annotations: {} },
    spec: { replicas: 4, strategy: { canary: { steps: [{ setWeight: 25 }, { pause: {} }] } } },
    status: {
      observedGeneration: '3',
      currentPodHash: CANARY,
      stableRS: STABLE,
      currentStepIndex: 1,
      phase: 'Paused',
      replicas: 4,
      updatedReplicas: 1,
      availableReplicas: 4,
    } as Record<string, unknown>,
  };
  failing: Failing = 'no';
  /** Called before a patch is looked at: what happens at the very same time. */
  meanwhile: () => void = () => undefined;
  /** False: the controller sees nothing of what is done until somebody touches the Rollout once more. */
  isAttentive = true;
  #onRequest: () => void = () => undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.#take(request, response));
  }

  static async listen(): Promise<RolloutServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RolloutServer(server);
  }

  /** Resolves with the next request that is left without an answer. */
  stall(): Promise<void> {
    this.failing = 'silent';
    return new Promise((taken) => {
      this.#onRequest = taken;
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    this.#onRequest();
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const answer = (status: number, value: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    const refuse = (code: number, reason: string) => answer(code, { kind: 'Status', code, reason, message: `${reason} as the test says` });
    if (this.failing === 'silent') return;
    if (this.failing === 'broken') refuse(503, 'ServiceUnavailable');
    else if (typeof this.failing === 'object' && this.failing.on === request.method) refuse(this.failing.status, 'Refused');
    else if (request.method === 'GET' && pathname === ROLLOUT_PATH) answer(200, this.rollout);
    else if (request.method === 'GET' && pathname === '/apis/argoproj.io/v1alpha1') answer(200, { kind: 'APIResourceList' });
    else if (request.method === 'GET' && pathname.endsWith('/replicasets')) answer(200, { items: [] });
    else if (request.method === 'POST') {
      this.events.push(JSON.parse(body).note);
      answer(201, {});
    } else if (request.method === 'PATCH') {
      this.meanwhile();
      if (!this.#patched(JSON.parse(body), searchParams.has('dryRun'))) refuse(422, 'Invalid');
      else {
        if (!searchParams.has('dryRun')) this.changes.push(body);
        answer(200, this.rollout);
      }
    } else refuse(404, 'NotFound');
  }

  /** False: a test does not hold. Knows members of objects only. */
  #patched(steps: readonly JsonPatchStep[], isDryRun: boolean): boolean {
    const next = structuredClone(this.rollout) as unknown as Record<string, Record<string, unknown>>;
    for (const step of steps) {
      const [, outer = '', key = ''] = step.path.split('/');
      const holder = next[outer] ?? {};
      if (step.op === 'test' && JSON.stringify(holder[key]) !== JSON.stringify(step.value)) return false;
      if (step.op === 'add' || step.op === 'replace') holder[key] = step.value;
    }
    if (isDryRun) return true;
    const isNudge = steps.some(({ path }) => path === '/status/message');
    const status = next.status ?? {};
    if (status.abort === true && (this.isAttentive || isNudge)) {
      Object.assign(status, { abortedAt: '2026-01-02T03:04:05Z', phase: 'Degraded', updatedReplicas: 0 });
    }
    this.rollout = next as unknown as typeof this.rollout;
    return true;
  }
}
