/** The API over TLS: its address, its certificate, and what is asked of those who come. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { Secret } from '../../src/config/secret.ts';
import { fetchOver } from '../../src/tls/client-tls.ts';
import { authority, selfSigned } from '../support/self-signed.ts';
import { CertificateFiles } from '../tls/certificate-files.ts';
import { MemoryService, NOW } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

const OURS = authority('ours');
const TOKEN = 'canary-token-4711';
const running: Api[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const api of running.splice(0)) await api.stop();
});

function made(tls: CertificateFiles) {
  const config = { host: '127.0.0.1', port: 0, publicUrl: null, token: new Secret(TOKEN), tls };
  const { telemetry, lines } = rememberingTelemetry();
  const api = createApi(new MemoryService(), config, telemetry, () => NOW);
  running.push(api);
  return { api, lines };
}

/** The clock of these tests stands at a moment of its own. */
const issued = () => OURS.issue(['127.0.0.1'], { from: NOW - 1000, to: Date.now() + 86_400_000 });

it('answers who trusts its authority, and asks for its token as ever', async () => {
  const { address } = await made(new CertificateFiles(issued())).api.start();
  expect(address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const trusting = fetchOver({ ca: OURS.cert, isChecked: true });
  expect((await trusting(`${address}/healthz`)).status).toBe(200);
  const wish = JSON.stringify({ id: 'r-1', service: 'shop', generation: 1, baseline: { v: '1' }, canary: { v: '2' } });
  const asked = (headers: Record<string, string>) =>
    trusting(`${address}/v1/rollouts`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: wish });
  expect((await asked({})).status).toBe(401);
  expect((await asked({ authorization: `Bearer ${TOKEN}` })).status).toBe(201);
});

it('is not heard by those who trust others or speak no TLS', async () => {
  const { address } = await made(new CertificateFiles(issued())).api.start();
  await expect(fetch(`${address}/healthz`)).rejects.toThrow();
  await expect(fetchOver({ ca: authority('others').cert, isChecked: true })(`${address}/healthz`)).rejects.toThrow();
  await expect(fetch(`${address.replace('https', 'http')}/healthz`)).rejects.toThrow();
});

it('shows a renewed certificate without a restart', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const files = new CertificateFiles(issued());
  const { api, lines } = made(files);
  const { address } = await api.start();
  const next = authority('next');
  files.swap(next.issue(['127.0.0.1'], { from: NOW - 1000, to: Date.now() + 86_400_000 }));
  vi.advanceTimersByTime(5_000);
  expect((await fetchOver({ ca: next.cert, isChecked: true })(`${address}/healthz`)).status).toBe(200);
  await expect(fetchOver({ ca: OURS.cert, isChecked: true })(`${address}/healthz`)).rejects.toThrow();
  expect(lines.join()).toContain('a renewed certificate is in use');
});

it('does not start with files that are wrong, and names them', async () => {
  const files = new CertificateFiles({ cert: issued().cert, key: selfSigned('other').key });
  await expect(made(files).api.start()).rejects.toThrow(`TLS of api: ${files.keyFile}: this is not the key of the certificate in`);
});

it('does not start where its port is taken, and leaves nothing behind', async () => {
  const first = made(new CertificateFiles(issued()));
  const { port } = await first.api.start();
  const config = { host: '127.0.0.1', port, publicUrl: null, token: null, tls: new CertificateFiles(issued()) };
  const second = createApi(new MemoryService(), config, rememberingTelemetry().telemetry, () => NOW);
  await expect(second.start()).rejects.toThrow(`listening on 127.0.0.1:${port}`);
  await second.stop();
});

it('stops although somebody has connected and is silent before TLS', async () => {
  const { api } = made(new CertificateFiles(issued()));
  const { port } = await api.start();
  const silent = connect(port, '127.0.0.1');
  silent.on('error', () => {});
  const ended = once(silent, 'close');
  await once(silent, 'connect');
  await api.stop();
  await ended;
});
