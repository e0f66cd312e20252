/** Calls of the Kubernetes client against servers that are slow, odd or refuse. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { apiServerUrl } from '../../src/kubernetes/connection.ts';
import { HttpsKubernetesApi } from '../../src/kubernetes/https-kubernetes-api.ts';
import { KubernetesRefusal } from '../../src/kubernetes/kubernetes-api.ts';
import { PermanentError, RetryableError } from '../../src/model/errors.ts';
import { json, oddServer } from './odd-server.ts';

const POD = '/api/v1/namespaces/shop/pods/a';
const options = (more: { timeoutMs?: number; mayStillAct?: () => boolean; abort?: AbortSignal; dryRun?: boolean } = {}) => ({
  abort: new AbortController().signal,
  ...more,
});

function api(server: string, files: { tokenFile?: string; caFile?: string } = {}): HttpsKubernetesApi {
  const made = new HttpsKubernetesApi({ server, tokenFile: null, caFile: null, lease: null, ...files }, { env: {} });
  onTestFinished(() => made.close());
  return made;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'slipstream-api-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe('what a status means', () => {
  it.each([400, 401, 403, 405, 409, 422, 301, 307])('%i is a refusal with the reason of the server', async (status) => {
    const { url } = await oddServer((response) => json(response, status, { kind: 'Status', reason: 'Because', message: 'not so' }));
    const error = await api(url)
      .list('/api/v1/pods', {}, options())
      .catch((e) => e);
    expect(error).toBeInstanceOf(KubernetesRefusal);
    expect(error).toMatchObject({ status, reason: 'Because', message: `GET /api/v1/pods: ${status} not so` });
  });

  it.each([408, 425, 429, 500, 502, 503, 504])('%i may pass', async (status) => {
    const { url } = await oddServer((response) => json(response, status, {}));
    const error = await api(url)
      .get(POD, options())
      .catch((e) => e);
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ code: 'status', retryAfterMs: undefined });
  });

  it.each([
    ['7', 7_000],
    ['0', 1_000],
    ['86400', 60_000],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
  ])('429 with Retry-After %s asks to wait %s ms', async (header, retryAfterMs) => {
    const { url } = await oddServer((response) => json(response, 429, {}, { 'retry-after': header }));
    await expect(api(url).get(POD, options())).rejects.toMatchObject({ retryAfterMs });
  });

  it('404 of an object is null, of a list a refusal', async () => {
    const { url } = await oddServer((response) => json(response, 404, { reason: 'NotFound' }));
    expect(await api(url).get(POD, options())).toBeNull();
    await expect(api(url).list('/api/v1/nothing', {}, options())).rejects.toMatchObject({ status: 404 });
  });

  it('a redirect is not followed', async () => {
    const there = await oddServer((response) => json(response, 200, {}));
    const { url } = await oddServer((response) => response.writeHead(302, { location: there.url }).end());
    await expect(api(url).get(POD, options())).rejects.toMatchObject({ status: 302 });
    expect(there.asked).toEqual([]);
  });

  it.each(['', 'ok', '[', 'null', '<html>'])('200 with %j is a failure that may pass, not an object', async (text) => {
    const { url } = await oddServer((response) => response.writeHead(200).end(text));
    await expect(api(url).get(POD, options())).rejects.toMatchObject({ name: 'RetryableError', code: 'answer' });
  });

  it('shows no control characters and little of what a server says', async () => {
    const { url } = await oddServer((response) => json(response, 403, { message: `\u001b[31m${'x'.repeat(10_000)}` }));
    const { message } = await api(url)
      .get(POD, options())
      .catch((e) => e);
    expect(message).toContain('\\u{1b}');
    expect(message.length).toBeLessThan(700);
  });
});

describe('every call ends', () => {
  it('when nothing listens', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => gone.once('listening', listening));
    const { port } = gone.address() as { port: number };
    await new Promise((closed) => gone.close(closed));
    await expect(api(`http://127.0.0.1:${port}`).get(POD, options())).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('when the server takes the connection and says nothing', async () => {
    const { url } = await oddServer(() => undefined);
    await expect(api(url).get(POD, options({ timeoutMs: 60 }))).rejects.toMatchObject({ code: 'timeout' });
  });

  it('when the body never ends', async () => {
    const { url } = await oddServer((response) => void response.writeHead(200).write('{"metadata":'));
    await expect(api(url).get(POD, options({ timeoutMs: 60 }))).rejects.toMatchObject({ code: 'timeout' });
  });

  it('when all connections are taken', async () => {
    const { url, connections } = await oddServer(() => undefined);
    const one = api(url);
    const calls = Array.from({ length: 30 }, () => one.get(POD, options({ timeoutMs: 100 })).catch((e) => e.code));
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['timeout']));
    expect(connections()).toBe(8);
  });

  it('when it is aborted, and says so', async () => {
    const abort = new AbortController();
    const { url } = await oddServer(() => abort.abort());
    await expect(api(url).get(POD, options({ abort: abort.signal }))).rejects.toMatchObject({ code: 'aborted' });
  });

  it('when the answer grows without end', async () => {
    const { url } = await oddServer((response) => {
      const more = () => {
        while (response.writable && response.write('x'.repeat(2 ** 20)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const error = await api(url)
      .get(POD, options())
      .catch((e) => e);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error.code).toBe('answer_too_long');
  });
});

describe('what leaves', () => {
  it('nothing, when it may no longer act once the connection is there', async () => {
    const { url, asked, connections } = await oddServer((response) => json(response, 200, {}));
    const stale = api(url).jsonPatch(POD, [], options({ mayStillAct: () => connections() === 0 }));
    await expect(stale).rejects.toMatchObject({ code: 'stale' });
    expect([connections(), asked.length]).toEqual([1, 0]);
  });

  it('a dry run is asked for by each changing verb', async () => {
    const { url, asked } = await oddServer((response) => json(response, 200, {}));
    const dry = options({ dryRun: true });
    await api(url).create('/api/v1/pods', {}, dry);
    await api(url).replace(POD, {}, dry);
    await api(url).jsonPatch(POD, [], dry);
    await api(url).mergePatch(POD, {}, dry);
    expect(asked.map(({ method, url, headers }) => [method, url.search, headers['content-type']])).toEqual([
      ['POST', '?dryRun=All', 'application/json'],
      ['PUT', '?dryRun=All', 'application/json'],
      ['PATCH', '?dryRun=All', 'application/json-patch+json'],
      ['PATCH', '?dryRun=All', 'application/merge-patch+json'],
    ]);
  });

  it('the token as it is in its file now', async () => {
    const tokenFile = join(await folder(), 'token');
    const { url, asked } = await oddServer((response) => json(response, 200, {}));
    const one = api(url, { tokenFile });
    await writeFile(tokenFile, 'first\n');
    await one.get(POD, options());
    await writeFile(tokenFile, 'second');
    await one.get(POD, options());
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second']);
  });

  it.each([
    ['no file', null],
    ['an empty file', ''],
    ['two lines', 'one\ntwo'],
    ['a huge file', 'x'.repeat(70_000)],
  ])('nothing, with %s for a token; and it is not shown', async (_, text) => {
    const tokenFile = join(await folder(), 'token');
    if (text !== null) await writeFile(tokenFile, text);
    const { url, connections } = await oddServer((response) => json(response, 200, {}));
    const error = await api(url, { tokenFile })
      .get(POD, options())
      .catch((e) => e);
    expect(error).toMatchObject({ name: 'RetryableError', code: 'credentials' });
    expect(error.message).not.toMatch(/one|xxx/);
    expect(connections()).toBe(0);
  });

  it('no token in an error, although the server gives it back', async () => {
    const tokenFile = join(await folder(), 'token');
    await writeFile(tokenFile, 'canary-string');
    const { url } = await oddServer((response, { headers }) =>
      json(response, 401, { message: `who is ${headers.authorization}?`, reason: 'canary-string' }),
    );
    const error = await api(url, { tokenFile })
      .get(POD, options())
      .catch((e) => e);
    expect(JSON.stringify([error.message, error.stack, error.reason])).not.toContain('canary-string');
    expect(error.message).toContain('[redacted]');
  });
});

describe('a list', () => {
  const page = (from: number, next: string) => ({
    metadata: { continue: next, resourceVersion: '9' },
    items: [{ metadata: { name: `p${from}` } }],
  });

  it('is put together from its pages', async () => {
    const { url, asked } = await oddServer((response, { url }) =>
      json(response, 200, url.searchParams.has('continue') ? page(2, '') : page(1, 'more')),
    );
    const items = await api(url).list('/api/v1/pods', { labelSelector: 'app=shop' }, options());
    expect(items.map((item) => item.metadata.name)).toEqual(['p1', 'p2']);
    expect(asked.map(({ url }) => url.search)).toEqual([
      '?labelSelector=app%3Dshop&limit=250',
      '?labelSelector=app%3Dshop&limit=250&continue=more',
    ]);
  });

  it('is begun anew when the server has forgotten its beginning', async () => {
    const { url, asked } = await oddServer((response, { url }, count) => {
      if (count === 1) json(response, 410, { reason: 'Expired' });
      else json(response, 200, url.searchParams.has('continue') ? page(2, '') : page(1, 'more'));
    });
    expect(await api(url).list('/api/v1/pods', {}, options())).toHaveLength(2);
    expect(asked).toHaveLength(4);
  });
});

describe('where the API server is', () => {
  const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' };
  it.each([
    ['as configured', 'https://api.test:6443/', pod, 'https://api.test:6443'],
    ['as the pod says', null, pod, 'https://10.0.0.1:6443'],
    ['on 443 without a port', null, { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'https://10.0.0.1:443'],
    ['in brackets for IPv6', null, { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }, 'https://[fd00::1]:443'],
  ])('%s', (_, server, env, expected) => {
    expect(apiServerUrl({ server }, env)).toBe(expected);
  });

  it('has to be known', () => {
    expect(() => apiServerUrl({ server: null }, {})).toThrow('expected `kubernetes.server`');
  });
});
