/** The API as clients and attackers meet it: a real server on loopback, real requests. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { Secret } from '../../src/config/secret.ts';
import { MemoryService, NOW } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

const TOKEN = 'canary-token-4711';
const WISH = JSON.stringify({ id: 'r-1', service: 'shop', generation: 1, baseline: { v: '1' }, canary: { v: '2' } });

const running: Api[] = [];

afterEach(async () => {
  for (const api of running.splice(0)) await api.stop();
});

async function started(options: { token?: string; host?: string; service?: MemoryService } = {}) {
  const service = options.service ?? new MemoryService();
  const { telemetry, lines } = rememberingTelemetry();
  const token = options.token === undefined ? null : new Secret(options.token);
  const api = createApi(service, { host: options.host ?? '127.0.0.1', port: 0, publicUrl: null, token }, telemetry, () => NOW);
  running.push(api);
  const { address, port } = await api.start();
  return { api, address, port, service, lines };
}

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** `fetch` sets the Host header itself, so attacks need a client that does as it is told. */
function send(port: number, method: string, path: string, headers: Record<string, string>, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (incoming) => {
      text(incoming).then((body) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body }), reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('reading', () => {
  it.each([
    ['/healthz', 'application/json'],
    ['/version', 'application/json'],
    ['/', 'application/json'],
    ['/metrics', 'text/plain; version=0.0.4; charset=utf-8'],
  ])('%s answers 200 as %s without a token', async (path, type) => {
    const { address } = await started({ token: TOKEN });
    const answer = await fetch(`${address}${path}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('asks the service for the window and service of the query', async () => {
    const { address, service } = await started();
    await fetch(`${address}/v1/status`);
    await fetch(`${address}/v1/status?window=5m&service=shop`);
    expect(service.windows).toEqual([
      [60_000, null],
      [300_000, 'shop'],
    ]);
  });

  it('is ready only when the service is, and says why not', async () => {
    const { address, service } = await started();
    expect((await fetch(`${address}/readyz`)).status).toBe(200);
    service.reasons = ['draining'];
    const answer = await fetch(`${address}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ ready: false, reasons: ['draining'] });
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
  });

  it('answers HEAD like GET without a body', async () => {
    const { address } = await started();
    const answer = await fetch(`${address}/healthz`, { method: 'HEAD' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });

  it('answers unknown addresses and methods with problems', async () => {
    const { address } = await started();
    const unknown = await fetch(`${address}/v2`);
    expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    const method = await fetch(`${address}/v1/status`, { method: 'PUT' });
    expect([method.status, method.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('changing with a token configured', () => {
  const json = { 'content-type': 'application/json' };

  it.each<[string, Record<string, string>, number]>([
    ['no token', {}, 401],
    ['a wrong token', { authorization: 'Bearer canary-token-4712' }, 401],
    ['a shorter token', { authorization: 'Bearer c' }, 401],
    ['another scheme', { authorization: `Basic ${TOKEN}` }, 401],
    ['the token', { authorization: `Bearer ${TOKEN}` }, 201],
    ['the token with the scheme in lower case', { authorization: `bearer ${TOKEN}` }, 201],
  ])('with %s answers', async (_name, headers, status) => {
    const { address, service } = await started({ token: TOKEN });
    const answer = await fetch(`${address}/v1/rollouts`, { method: 'POST', body: WISH, headers: { ...json, ...headers } });
    expect(answer.status).toBe(status);
    expect(service.asked).toHaveLength(status === 201 ? 1 : 0);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  });

  it('asks for the token to abort, too', async () => {
    const { address } = await started({ token: TOKEN });
    expect((await fetch(`${address}/v1/rollouts/r-1`, { method: 'DELETE' })).status).toBe(401);
  });

  it('never shows the token, in answers or logs', async () => {
    const { address, lines } = await started({ token: TOKEN });
    const headers = { ...json, authorization: `Bearer ${TOKEN}` };
    const texts = [];
    for (const body of [WISH, '{', WISH.replace('shop', 'broken')]) {
      texts.push(await (await fetch(`${address}/v1/rollouts`, { method: 'POST', body, headers })).text());
    }
    for (const path of ['/', '/openapi.json', '/metrics', '/v1/status']) texts.push(await (await fetch(`${address}${path}`)).text());
    expect([...texts, ...lines].join('\n')).not.toContain(TOKEN);
    expect(lines).toHaveLength(1);
  });
});

describe('attacks', () => {
  it.each([
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '192.168.0.1',
    '127.0.0.1@evil.example',
    'localhost, evil.example',
  ])('a page that resolved %j to loopback reads nothing', async (host) => {
    const { port } = await started();
    const answer = await send(port, 'GET', '/v1/status', { host });
    // A Host that is none is refused by the HTTP library already.
    expect([421, 400]).toContain(answer.status);
    expect(answer.body).not.toContain('services');
  });

  it('a request that names no host reads nothing', async () => {
    const { port } = await started();
    const socket = connect(port, '127.0.0.1');
    socket.end('GET /v1/status HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 4(00|21) /);
  });

  it.each(['localhost', 'localhost:1234', '127.0.0.1:80', '[::1]:9', 'LOCALHOST'])('%s is loopback', async (host) => {
    const { port } = await started();
    expect((await send(port, 'GET', '/healthz', { host })).status).toBe(200);
  });

  it.each<[string, Record<string, string>, number]>([
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['plain text that reads as JSON', { 'content-type': 'text/plain' }, 415],
    ['no type at all', {}, 415],
    ['a script of another site', { 'content-type': 'application/json', 'sec-fetch-site': 'cross-site' }, 403],
    ['a script of a sibling site', { 'content-type': 'application/json', 'sec-fetch-site': 'same-site' }, 403],
    ['the page itself', { 'content-type': 'application/json; charset=utf-8', 'sec-fetch-site': 'same-origin' }, 201],
  ])('a change sent by %s', async (_name, headers, status) => {
    const { port, service } = await started();
    expect((await send(port, 'POST', '/v1/rollouts', { host: 'localhost', ...headers }, WISH)).status).toBe(status);
    expect(service.asked).toHaveLength(status === 201 ? 1 : 0);
  });

  it('a browser that asks whether another site may call gets no permission', async () => {
    const { port } = await started();
    const answer = await send(port, 'OPTIONS', '/v1/rollouts', { host: 'localhost', origin: 'https://evil.example' });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });

  it('a body that says it is small and is not, and one that does not say', async () => {
    const { address } = await started();
    const headers = { 'content-type': 'application/json' };
    const big = 'x'.repeat(1024 * 1024 + 1);
    expect((await fetch(`${address}/v1/rollouts`, { method: 'POST', body: big, headers })).status).toBe(413);
    const stream = new Blob([big]).stream();
    expect((await fetch(`${address}/v1/rollouts`, { method: 'POST', body: stream, headers, duplex: 'half' } as RequestInit)).status).toBe(
      413,
    );
  });

  it.each([
    ['DELETE', '/v1/rollouts/r-1', {}, 200],
    ['DELETE', '/v1/rollouts/r-2', {}, 404],
    ['DELETE', '/v1/status', {}, 405],
    ['PUT', '/v1/rollouts', {}, 405],
    ['POST', '/v1/rollouts', { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }, 201],
  ])('%s %s with %j is answered with %i, not with a defect', async (method, path, headers, status) => {
    const { address, port, lines } = await started();
    await fetch(`${address}/v1/rollouts`, { method: 'POST', body: WISH, headers: { 'content-type': 'application/json' } });
    const body = method === 'POST' ? JSON.stringify({ ...JSON.parse(WISH), id: 'r-2', generation: 2 }) : '';
    expect((await send(port, method, path, { host: 'localhost', ...headers }, body)).status).toBe(status);
    expect(lines).toEqual([]);
  });

  it('a defect inside shows nothing of itself outside', async () => {
    const { address, lines } = await started();
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${address}/v1/rollouts`, { method: 'POST', body: WISH.replace('shop', 'broken'), headers });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('canary-4711');
    expect(lines[0]).toContain('canary-4711');
  });

  it('without a token nothing can be changed from where other machines reach', async () => {
    const { port, service } = await started({ host: '0.0.0.0' });
    const headers = { host: 'slipstream.internal', 'content-type': 'application/json' };
    expect((await send(port, 'POST', '/v1/rollouts', headers, WISH)).status).toBe(403);
    expect((await send(port, 'GET', '/v1/status', { host: 'slipstream.internal' })).status).toBe(200);
    expect(service.asked).toEqual([]);
  });
});

describe('start and stop', () => {
  it('says where it listens, on IPv6 too', async () => {
    const { address } = await started({ host: '::1' });
    expect(address).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
  });

  it('fails to start on a port that is taken', async () => {
    const { port } = await started();
    const second = createApi(
      new MemoryService(),
      { host: '127.0.0.1', port, publicUrl: null, token: null },
      rememberingTelemetry().telemetry,
    );
    await expect(second.start()).rejects.toMatchObject({ name: 'PermanentError', code: 'listen' });
    await second.stop();
  });

  it('stops while clients keep their connections, and again', async () => {
    const { api, address } = await started();
    await (await fetch(`${address}/healthz`)).text();
    await api.stop();
    await api.stop();
    await expect(fetch(`${address}/healthz`)).rejects.toThrow();
  });
});
