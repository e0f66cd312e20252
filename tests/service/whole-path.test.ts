/** From real spans over both transports to a signed rollback signal, with what every other address of the service says meanwhile. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SpanKind } from '@opentelemetry/api';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startPod } from '../demo/pod.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { processDocument, rollout, SECRETS, shopDocument } from './config.ts';
import { API_TOKEN, eventually, killAll, Running, WEBHOOK_SECRET } from './running.ts';
import { HEALTHY, SICK, send, thisSecond } from './traffic.ts';

const folders = new TemporaryFolders();
let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.listen(SECRETS);
});
afterEach(async () => {
  await killAll();
  await receiver.close();
  folders.clean();
});

it('spans in, verdict, signed rollback signal out; and every address tells the same story', async () => {
  const folder = folders.make();
  const running = await Running.start({ folder, config: [processDocument({ webhookUrl: receiver.url }), shopDocument()] });
  const now = thisSecond();
  const answer = await running.startRollout(rollout(now - 40_000));
  expect(answer.status, await answer.clone().text()).toBe(201);
  const sent = await send(running, now - 40_000, now, SICK);
  await receiver.received(1);

  const [request] = receiver.requests;
  const headers = Object.fromEntries(Object.entries(request?.headers ?? {}).map(([name, value]) => [name, String(value)]));
  const message = new Webhook(WEBHOOK_SECRET).verify(request?.body ?? '', headers) as { type: string; data: Record<string, unknown> };
  expect(message).toMatchObject({
    type: 'slipstream.signal.rollback',
    data: { rolloutId: 'shop-1', generation: 1, service: 'shop', action: 'rollback', reason: 'harm_proven', id: request?.id },
  });

  const run = await running.runIn('rolled_back');
  expect(run).toMatchObject({ verdict: { decision: 'rollback', reason: 'harm_proven' }, signalId: request?.id, lateRequests: 0 });
  expect(createHash('sha256').update(JSON.stringify(run.judgements)).digest('hex')).toBe(message.data.evidenceDigest);
  expect(run.verdict.logWealth).toBeGreaterThan(run.verdict.logLimit ?? Number.NaN);

  const { services } = await running.state('90s');
  const endpoints = services[0]?.endpoints.map(({ endpoint, release, requests, failed }) => ({ endpoint, release, requests, failed }));
  expect(endpoints).toEqual([
    { endpoint: 'GET /cart', release: '1.0.0', requests: 4000, failed: 0 },
    { endpoint: 'GET /cart', release: '1.1.0', requests: 4000, failed: 1200 },
  ]);
  expect(services[0]?.objectives[0]?.judgement.evidence).toMatchObject({ valid: sent.spans, good: sent.spans - sent.failed });

  expect(await running.metric('spans_total{disposition="counted"}')).toBe(sent.spans);
  expect(await running.metric('signals_total{action="rollback"}')).toBe(1);
  expect(await running.metric('verdicts_total{decision="rollback",reason="harm_proven"}')).toBe(1);
  expect(await running.json('/healthz')).toEqual({ alive: true });
  expect(await running.json('/readyz')).toEqual({ ready: true, reasons: [] });
  expect(await running.json('/openapi.json')).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
  await running.log('signal delivered', { signal: request?.id });
  const verdict = await running.log('verdict', { decision: 'rollback' });
  expect(verdict).toMatchObject({
    rollout: 'shop-1',
    reason: 'harm_proven',
    logWealth: run.verdict.logWealth,
    canaryRequests: run.canaryRequests,
  });
  expect(await running.json('/v1/signals')).toMatchObject({ signals: [{ id: request?.id, state: 'acknowledged', attempts: 1 }] });

  expect(await running.stop()).toEqual({ code: 0, signal: null });
  expect(running.stdout).not.toContain('Slipstream is running.');
  expect(running.stderr).toContain('Slipstream is running.');
  expect(receiver.requests).toHaveLength(1);
});

it('a pod with the OpenTelemetry SDK is heard over gRPC', async () => {
  const running = await Running.start({ folder: folders.make(), config: [processDocument(), shopDocument()] });
  const pod = startPod({ service: 'shop', version: '1.0.0', name: 'shop-pod-1' }, running.grpc);
  const now = thisSecond();
  for (let n = 0; n < 50; n++) {
    const attributes = { 'http.request.method': 'GET', 'http.route': '/cart', 'http.response.status_code': n % 10 === 0 ? 503 : 200 };
    pod.tracer.startSpan('GET /cart', { kind: SpanKind.SERVER, startTime: now - 2020, attributes }).end(now - 2000 + n * 20);
  }
  await pod.stop();
  expect(await running.metric('receiver_accepted_spans_total{transport="grpc"}')).toBe(50);
  const { services } = await eventually(
    () => running.state(),
    (status) => status.services[0]?.endpoints[0]?.requests === 50,
  );
  expect(services[0]).toMatchObject({ service: 'shop', endpoints: [{ endpoint: 'GET /cart', release: '1.0.0', requests: 50, failed: 5 }] });
});

it('a new release is found in the traffic itself, judged and told of on stdout', async () => {
  const config = [processDocument(), shopDocument(undefined, { track: { by: 'service.version' } })];
  const running = await Running.start({ folder: folders.make(), config });
  const now = thisSecond();
  // A release is new only beside one that has been there for a minute.
  await send(running, now - 100_000, now - 30_000, HEALTHY.slice(0, 1));
  await send(running, now - 30_000, now, SICK);
  const { rollout: id } = await running.log('verdict', { decision: 'rollback', service: 'shop' });
  expect(await running.runIn('rolled_back', String(id))).toMatchObject({
    rollout: { origin: 'policy', baseline: { 'service.version': '1.0.0' }, canary: { 'service.version': '1.1.0' } },
  });
  await running.log('signal delivered');
  const printed = running.lines.filter((line) => line.type === 'slipstream.signal.rollback');
  expect(printed).toMatchObject([{ data: { rolloutId: id, service: 'shop' } }]);
  await running.stop();
});

it('shows its secrets nowhere', async () => {
  const folder = folders.make();
  receiver.answer((_, index) => ({ status: index < 1 ? 500 : 204 }));
  const running = await Running.start({ folder, config: [processDocument({ webhookUrl: receiver.url }), shopDocument()] });
  const now = thisSecond();
  await running.startRollout(rollout(now - 30_000));
  const refused = await running.ask('/v1/rollouts/shop-1', { method: 'DELETE', headers: { authorization: `Bearer wrong-${API_TOKEN}` } });
  expect(refused.status).toBe(401);
  await send(running, now - 30_000, now, SICK);
  await receiver.received(2);
  await running.log('signal delivered');
  const paths = ['/', '/metrics', '/v1/status', '/v1/rollouts', '/v1/rollouts/shop-1', '/v1/signals', '/openapi.json', '/version'];
  const said = [await refused.text(), ...(await Promise.all(paths.map(async (path) => (await running.ask(path)).text())))];
  await running.stop();
  said.push(running.stdout, running.stderr, ...receiver.requests.map(({ body, headers }) => body + JSON.stringify(headers)));
  const state = join(folder, 'state');
  for (const file of readdirSync(state)) said.push(readFileSync(join(state, file), 'latin1'));
  const key = WEBHOOK_SECRET.slice('whsec_'.length);
  const forms = [key, Buffer.from(key, 'base64').toString('latin1'), Buffer.from(key, 'base64').toString('hex'), API_TOKEN];
  for (const text of said) for (const form of forms) expect(text.includes(form)).toBe(false);
  expect(said.join('')).toContain('deployer');
});
