/** People are told of a burning budget once, over restarts, and of a signal that does not get through. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { type ReceivedRequest, WebhookReceiver } from '../support/webhook-receiver.ts';
import { processDocument, rollout, SECRETS, shopDocument } from './config.ts';
import { eventually, killAll, limitFiles, Running } from './running.ts';
import { SICK, send, thisSecond } from './traffic.ts';

const folders = new TemporaryFolders();
let deployer: WebhookReceiver;
let people: WebhookReceiver;

beforeEach(async () => {
  deployer = await WebhookReceiver.listen(SECRETS);
  people = await WebhookReceiver.listen();
});
afterEach(async () => {
  await killAll();
  await deployer.close();
  await people.close();
  folders.clean();
});

const alertOf = ({ body }: ReceivedRequest) =>
  JSON.parse(body)[0] as { labels: Record<string, string>; annotations: Record<string, string>; endsAt?: string };

function configOf(): object[] {
  const base = processDocument({ webhookUrl: deployer.url, api: { publicUrl: 'https://slipstream.example.com' } }) as { sinks: object[] };
  const alertmanager = { type: 'alertmanager', name: 'people', urls: [new URL(people.url).origin], resend: '10m' };
  return [
    { ...base, sinks: [...base.sinks, alertmanager], escalation: { after: '1s', to: ['people'] } },
    shopDocument(undefined, { sinks: ['deployer'] }),
  ];
}

it('a burning budget is told of once, also over a restart', async () => {
  const folder = folders.make();
  const first = await Running.start({ folder, config: configOf() });
  const now = thisSecond();
  await send(first, now - 40_000, now, SICK);
  await people.received(1);
  const [told] = people.requests.map(alertOf);
  expect(told).toMatchObject({
    labels: { alertname: 'SlipstreamErrorBudgetBurn', service: 'shop', severity: 'page' },
    annotations: { summary: expect.stringContaining('burns its error budget'), description: expect.stringMatching(/\d+ bad of [\d,]+ in/) },
    generatorURL: expect.stringContaining('https://slipstream.example.com/v1/slo/explanation?'),
  });
  expect(await first.stop()).toEqual({ code: 0, signal: null });
  const before = new Set(people.requests.map((request) => JSON.stringify(alertOf(request).labels)));

  const second = await Running.start({ folder, config: configOf() });
  const later = thisSecond();
  await send(second, later - 3_000, later, SICK);
  await eventually(
    () => second.metric('notices_total{sink="people",result="told"}'),
    (told) => told > 0,
  );
  // Alertmanager, which may have forgotten it meanwhile, is sent what fires again; nothing else is told.
  const after = people.requests.map((request) => JSON.stringify(alertOf(request).labels));
  expect(new Set(after)).toEqual(before);
});

it('a rollback that the breaker withholds pages those who are told of trouble, whatever sinks the policy names', async () => {
  const breaker = { apiVersion: 'slipstream.dev/v1', kind: 'Defaults', metadata: { name: 'all' }, spec: { maxRollbacksPerHour: 0 } };
  const running = await Running.start({ folder: folders.make(), config: [...configOf(), breaker] });
  const now = thisSecond();
  await running.startRollout(rollout(now - 40_000));
  await send(running, now - 40_000, now, SICK);
  const held = () => people.requests.map(alertOf).filter(({ labels }) => labels.alertname === 'SlipstreamHold');
  await eventually(
    async () => held().length,
    (count) => count === 1,
  );
  expect(held()[0]).toMatchObject({ labels: { service: 'shop', severity: 'page', reason: 'breaker_open' } });
  await deployer.received(1);
  expect(deployer.requests.map(({ body }) => JSON.parse(body).data.action)).toEqual(['hold']);
});

it('a rollback that cannot even be journalled is told of, and is told to be over once the store takes it', async () => {
  const running = await Running.start({ folder: folders.make(), config: configOf() });
  const now = thisSecond();
  await running.startRollout(rollout(now - 40_000));
  limitFiles(running.pid, '1');
  await send(running, now - 40_000, now, SICK);
  const ofJournal = () => people.requests.map(alertOf).filter(({ labels }) => labels.sink === 'the journal');
  await eventually(
    async () => ofJournal().length,
    (count) => count === 1,
  );
  expect(ofJournal()[0]).toMatchObject({
    labels: { alertname: 'SlipstreamSignalUndelivered', severity: 'page', action: 'rollback', sink: 'the journal' },
  });
  expect(deployer.requests).toEqual([]);
  limitFiles(running.pid, 'unlimited');
  await running.log('signal delivered');
  await eventually(
    async () => ofJournal().length,
    (count) => count === 2,
  );
  expect(ofJournal()[1]).toMatchObject({ labels: ofJournal()[0]?.labels, endsAt: expect.any(String) });
  expect(deployer.requests).toHaveLength(1);
});

it('a signal that does not get through is told of once, and delivered when it can be', async () => {
  deployer.answer(() => ({ status: 503 }));
  const running = await Running.start({ folder: folders.make(), config: configOf() });
  const now = thisSecond();
  await running.startRollout(rollout(now - 40_000));
  await send(running, now - 40_000, now, SICK);
  const undelivered = () => people.requests.map(alertOf).filter(({ labels }) => labels.alertname === 'SlipstreamSignalUndelivered');
  await eventually(
    async () => undelivered().length,
    (count) => count === 1,
  );
  expect(undelivered()[0]).toMatchObject({ labels: { service: 'shop', severity: 'page', sink: 'deployer', action: 'rollback' } });
  deployer.answer(() => ({ status: 204 }));
  await running.log('signal delivered');
  expect(await running.json('/v1/signals')).toMatchObject({ signals: [{ state: 'acknowledged', escalatedAt: expect.any(Number) }] });
  await eventually(
    async () => undelivered().length,
    (count) => count === 2,
  );
  const [began, ended] = undelivered();
  expect(ended?.labels).toEqual(began?.labels);
  expect(Date.parse(ended?.endsAt ?? '')).toBeLessThanOrEqual(Date.now());
});
