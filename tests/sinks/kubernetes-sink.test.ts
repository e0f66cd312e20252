/** The sink for Deployments against a server that behaves as an API server does, and as one should not. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HttpsKubernetesApi } from '../../src/kubernetes/https-kubernetes-api.ts';
import { KubernetesSink } from '../../src/sinks/kubernetes/kubernetes-sink.ts';
import { messageOf } from '../../src/sinks/message.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import { describeSink, failureOf, never, type RunningSink } from './sink.contract.ts';

const TOKEN = 'canary-token-of-the-account';
const REVISION = 'deployment.kubernetes.io/revision';
const target = { kind: 'Deployment', namespace: 'shop', name: 'cart', fence: '2' } as const;
const message = messageOf(sampleSignal({ action: 'rollback', target }), DECIDED_AT);

interface Template {
  readonly metadata: { readonly labels: Record<string, string> };
  readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] };
}

const template = (tag: string): Template => ({
  metadata: { labels: { app: 'cart' } },
  spec: { containers: [{ name: 'main', image: `cart:${tag}` }] },
});

/** One Deployment at its second revision. */
class ApiServer {
  readonly url: string;
  /** Images it was told to run. */
  readonly images: string[] = [];
  readonly events = new Set<string>();
  deployment = {
    metadata: { name: 'cart', namespace: 'shop', uid: 'u', generation: 2, annotations: { [REVISION]: '2' } as Record<string, string> },
    spec: { replicas: 1, template: template('v2') },
    status: { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  };
  /** Takes the place of the answer to requests of a method, or to all. */
  answer: ((response: ServerResponse, method: string) => boolean) | null = null;
  readonly #close: () => void;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  static async start(): Promise<ApiServer> {
    let one: ApiServer | null = null;
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const piece of request.setEncoding('utf8')) body += piece;
      one?.handle(request.method ?? '', new URL(request.url ?? '', 'http://server'), body, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port was given');
    one = new ApiServer(`http://127.0.0.1:${address.port}`, () => {
      server.closeAllConnections();
      server.close();
    });
    return one;
  }

  stop(): void {
    this.#close();
  }

  handle(method: string, url: URL, body: string, response: ServerResponse): void {
    if (this.answer?.(response, method) === true) return;
    const isDry = url.searchParams.get('dryRun') === 'All';
    if (url.pathname.endsWith('/replicasets'))
      reply(response, 200, { metadata: {}, items: [this.#replicaSet('1', 'v1'), this.#replicaSet('2', 'v2')] });
    else if (url.pathname.endsWith('/events')) {
      const { name } = (JSON.parse(body) as { metadata: { name: string } }).metadata;
      if (this.events.has(name)) reply(response, 409, { reason: 'AlreadyExists' });
      else reply(response, 201, JSON.parse(body));
      if (!isDry) this.events.add(name);
    } else if (method === 'PATCH') this.#patch(JSON.parse(body), isDry, response);
    else reply(response, 200, this.deployment);
  }

  #patch(steps: { op: string; path: string; value: unknown }[], isDry: boolean, response: ServerResponse): void {
    const { metadata, spec } = this.deployment;
    const now: Record<string, unknown> = {
      [`/metadata/annotations/${REVISION.replace('/', '~1')}`]: metadata.annotations[REVISION],
      '/metadata/uid': metadata.uid,
      '/spec/template': spec.template,
    };
    if (steps.some(({ op, path, value }) => op === 'test' && JSON.stringify(now[path]) !== JSON.stringify(value))) {
      reply(response, 422, { reason: 'Invalid', message: 'the test did not hold' });
      return;
    }
    if (!isDry) {
      const next = structuredClone(this.deployment);
      for (const { op, path, value } of steps) {
        if (op === 'replace' && path === '/spec/template') next.spec.template = value as Template;
        if (op === 'replace' && path === '/metadata/annotations') next.metadata.annotations = value as Record<string, string>;
      }
      next.metadata.annotations[REVISION] = '3';
      this.deployment = next;
      this.images.push(next.spec.template.spec.containers[0]?.image ?? '');
    }
    reply(response, 200, this.deployment);
  }

  #replicaSet(revision: string, tag: string) {
    const { metadata, spec } = template(tag);
    return {
      metadata: {
        name: `cart-${revision}`,
        annotations: { [REVISION]: revision },
        ownerReferences: [{ kind: 'Deployment', name: 'cart', uid: 'u', controller: true }],
      },
      spec: { template: { metadata: { labels: { ...metadata.labels, 'pod-template-hash': revision } }, spec } },
    };
  }
}

function reply(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

async function started(): Promise<RunningSink & { readonly server: ApiServer; readonly lost: unknown[] }> {
  const server = await ApiServer.start();
  const folder = await mkdtemp(join(tmpdir(), 'slipstream-sink-'));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, TOKEN);
  const kubernetes = new HttpsKubernetesApi({ server: server.url, tokenFile, caFile: null, lease: null }, { env: {} });
  const lost: unknown[] = [];
  const sinkWith = (more: { timeoutMs?: number; isDryRun?: boolean }) =>
    new KubernetesSink(
      { type: 'kubernetes', name: 'cluster', timeoutMs: 10_000, isDryRun: false, isOwnedByGitOpsToo: false, ...more },
      { kubernetes, instance: 'test', onEventLost: (error) => void lost.push(error) },
    );
  return {
    server,
    lost,
    sink: sinkWith({}),
    hasty: sinkWith({ timeoutMs: 100 }),
    dry: sinkWith({ isDryRun: true }),
    message,
    arrived: () => server.images,
    expected: ['cart:v1'],
    repeats: 'nothing',
    breakDown: () => {
      server.answer = (response) => {
        reply(response, 503, { message: `who is ${TOKEN}?` });
        return true;
      };
    },
    stall: () =>
      new Promise((taken) => {
        server.answer = () => {
          taken();
          return true;
        };
      }),
    secrets: [TOKEN],
    stop: async () => {
      server.stop();
      await kubernetes.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describeSink('kubernetes', started);

describe('a rollback of a Deployment, when the API server', () => {
  async function running() {
    const one = await started();
    onTestFinished(() => one.stop());
    return one;
  }

  it.each([
    [400, 'PATCH', 'refused'],
    [401, 'GET', 'misdirected'],
    [403, 'PATCH', 'misdirected'],
    [302, 'GET', 'misdirected'],
    [413, 'PATCH', 'refused'],
    [422, 'PATCH', 'refused'],
  ])('answers %i to %s, is %s', async (status, method, code) => {
    const { server, sink, arrived } = await running();
    server.answer = (response, asked) => {
      if (asked !== method) return false;
      reply(response, status, { reason: 'Because', message: 'not so' });
      return true;
    };
    expect(await failureOf(sink.deliver(message, never))).toMatchObject({ name: 'PermanentError', code });
    expect(await arrived()).toEqual([]);
  });

  it.each([408, 409, 425, 429, 500, 502, 503, 504])('answers %i to the patch, is tried again', async (status) => {
    const { server, sink } = await running();
    server.answer = (response, asked) => {
      if (asked !== 'PATCH') return false;
      reply(response, status, {}, { 'retry-after': '7' });
      return true;
    };
    const retryAfterMs = status === 409 ? undefined : 7_000;
    expect(await failureOf(sink.deliver(message, never))).toMatchObject({ name: 'RetryableError', retryAfterMs });
  });

  it('closes the connection after it took the patch, comes to one effect', async () => {
    const { server, sink, arrived } = await running();
    const handled = server.handle.bind(server);
    server.handle = (method, url, body, response) => {
      if (method === 'PATCH') {
        response.end = (() => response.destroy()) as unknown as typeof response.end;
      }
      handled(method, url, body, response);
    };
    expect(await failureOf(sink.deliver(message, never))).toMatchObject({ name: 'RetryableError', code: 'network' });
    expect(await sink.deliver(message, never)).toBe('acknowledged');
    expect(await arrived()).toEqual(['cart:v1']);
  });

  it('says that it patched and did not, is never confirmed', async () => {
    const { server, sink } = await running();
    server.answer = (response, asked) => {
      if (asked !== 'PATCH') return false;
      reply(response, 200, {});
      return true;
    };
    expect(await sink.deliver(message, never)).toBe('acknowledged');
    expect(await sink.readBack?.(message, never.abort)).toMatchObject({
      state: 'not_yet',
      detail: 'the Deployment is at revision 2 still',
    });
  });

  it('takes no Events, is done all the same, and that they were lost is told', async () => {
    const { server, sink, arrived, lost } = await running();
    server.answer = (response, asked) => {
      if (asked !== 'POST') return false;
      reply(response, 403, { reason: 'Forbidden', message: 'no events' });
      return true;
    };
    expect(await sink.deliver(message, never)).toBe('acknowledged');
    expect([await arrived(), lost.length]).toEqual([['cart:v1'], 1]);
  });

  it.each([
    ['about no object', null],
    ['about another kind', { ...target, kind: 'Rollout' as const }],
  ])('is asked %s, nothing is sent', async (_, other) => {
    const { sink, arrived } = await running();
    const about = messageOf(sampleSignal({ action: 'rollback', target: other }), DECIDED_AT);
    expect(await failureOf(sink.deliver(about, never))).toMatchObject({ name: 'PermanentError', code: 'declined' });
    expect(await arrived()).toEqual([]);
  });
});
