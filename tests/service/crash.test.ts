/** Killed at any moment, the service goes on where it was: one signal, one id, the same bytes. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { processDocument, rollout, SECRETS, shopDocument } from './config.ts';
import { eventually, killAll, Running } from './running.ts';
import { HEALTHY, SICK, send, sendLive, thisSecond } from './traffic.ts';

const folders = new TemporaryFolders();
let receiver: WebhookReceiver;
let folder: string;

beforeEach(async () => {
  receiver = await WebhookReceiver.listen(SECRETS);
  folder = folders.make();
});
afterEach(async () => {
  await killAll();
  await receiver.close();
  folders.clean();
});

function start(): Promise<Running> {
  return Running.start({ folder, config: [processDocument({ webhookUrl: receiver.url }), shopDocument()] });
}

/** Starts a rollout that goes wrong at once and sends what is needed to see it. */
async function sickRollout(running: Running): Promise<void> {
  const now = thisSecond();
  await running.startRollout(rollout(now - 30_000));
  await send(running, now - 30_000, now, SICK);
}

/** Nothing is open in the journal, as the service itself tells. */
async function settled(running: Running): Promise<unknown> {
  return eventually(
    () => running.json('/v1/signals') as Promise<{ signals: { state: string }[] }>,
    ({ signals }) => signals.every(({ state }) => state === 'acknowledged'),
  );
}

it('killed between journalling and delivery, it delivers the same id and bytes after the restart, and once', async () => {
  receiver.answer(() => ({ status: 503 }));
  const first = await start();
  await sickRollout(first);
  await receiver.received(1);
  await first.kill();
  receiver.answer(() => ({ status: 204 }));
  const before = receiver.requests.length;
  const second = await start();
  await receiver.received(before + 1);
  await second.log('signal delivered');
  expect(await settled(second)).toMatchObject({ signals: [{ id: receiver.requests[0]?.id, action: 'rollback' }] });
  expect(await second.run('shop-1')).toMatchObject({ state: 'rolled_back', signalId: receiver.requests[0]?.id });
  await second.stop();
  expect(receiver.requests.length).toBe(before + 1);
  expect(new Set(receiver.requests.map(({ id }) => id)).size).toBe(1);
  expect(new Set(receiver.requests.map(({ body }) => body)).size).toBe(1);
  expect(receiver.requests.every(({ verified }) => verified[0])).toBe(true);
});

it('killed after delivery, it sends nothing again, and the guard still knows of the rollback', async () => {
  const config = [processDocument({ webhookUrl: receiver.url }), shopDocument(undefined, { coolDown: '1h', freshness: '5m' })];
  const first = await Running.start({ folder, config });
  const now = thisSecond();
  await first.startRollout(rollout(now - 60_000));
  await send(first, now - 60_000, now - 30_000, SICK);
  await first.log('signal delivered');
  await first.kill();
  const second = await Running.start({ folder, config });
  expect(await second.run('shop-1')).toMatchObject({ state: 'rolled_back', verdict: { decision: 'rollback' } });
  expect((await second.startRollout(rollout(now - 30_000, { generation: 2 }))).status).toBe(201);
  await send(second, now - 30_000, now, SICK);
  expect(await second.runIn('held')).toMatchObject({ verdict: { decision: 'hold', reason: 'cool_down' } });
  await receiver.received(2);
  expect(await settled(second)).toMatchObject({
    signals: [
      { generation: 2, action: 'hold' },
      { generation: 1, action: 'rollback', attempts: 1 },
    ],
  });
  await second.stop();
  expect(receiver.requests).toHaveLength(2);
});

it('killed in the middle of a run, it goes on with the run over the gap and rolls back with one signal', async () => {
  const first = await start();
  const now = thisSecond();
  expect((await first.startRollout(rollout(now - 20_000))).status).toBe(201);
  await send(first, now - 20_000, now, HEALTHY);
  const before = await eventually(
    () => first.run('shop-1'),
    ({ canaryRequests }) => canaryRequests >= 1_000,
  );
  // Two checkpoints on, what was seen is saved.
  const checkpoints = await first.metric('checkpoint_seconds_count');
  await eventually(
    () => first.metric('checkpoint_seconds_count'),
    (count) => count >= checkpoints + 2,
  );
  await first.kill();
  const second = await start();
  const restored = await second.log('state restored', { runs: 1 });
  expect(restored.gapMs).toBeGreaterThan(0);
  expect(await second.run('shop-1')).toMatchObject({ state: 'running', rollout: { generation: 1 } });
  expect((await second.run('shop-1')).canaryRequests).toBeGreaterThanOrEqual(before.canaryRequests);
  await sendLive(second, SICK, () => receiver.requests.length > 0);
  const run = await second.runIn('rolled_back');
  expect(run.verdict).toMatchObject({ reason: 'harm_proven' });
  expect(run.history.map(({ decision }) => decision)).not.toContain('promote');
  await settled(second);
  await second.stop();
  expect(receiver.requests.map(({ id }) => id)).toEqual([run.signalId]);
});
