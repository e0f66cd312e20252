/** Several processes for one stream: one effect. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { processDocument, rollout, SECRETS, shopDocument } from './config.ts';
import { killAll, Running } from './running.ts';
import { SICK, send, thisSecond } from './traffic.ts';

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

const start = (canary: object = {}) =>
  Running.start({ folder: folders.make(), config: [processDocument({ webhookUrl: receiver.url }), shopDocument(undefined, canary)] });

it('two replicas on the same stream make the same signal, so that the deploy system acts once', async () => {
  const twins = await Promise.all([start(), start()]);
  // Somebody has to say it more than once.
  receiver.answer((_, index) => ({ status: index < 2 ? 503 : 204 }));
  const now = thisSecond();
  for (const twin of twins) expect((await twin.startRollout(rollout(now - 40_000))).status).toBe(201);
  await Promise.all(twins.map((twin) => send(twin, now - 40_000, now, SICK)));
  await receiver.received(4);
  for (const twin of twins) await twin.log('signal delivered');
  expect(new Set(receiver.requests.map(({ id }) => id)).size).toBe(1);
  expect(receiver.requests.flatMap(({ verified }) => verified)).not.toContain(false);

  const signals = receiver.requests.map(({ body }) => JSON.parse(body).data as Record<string, unknown>);
  // Flushes fall where they fall, so one twin may have judged a second further than the other: what it rests on is each one's own, what is to be done is not.
  const asked = signals.map(({ id, rolloutId, generation, policyId, service, action, reason, target }) => {
    return { id, rolloutId, generation, policyId, service, action, reason, target };
  });
  expect(new Set(asked.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(asked[0]).toMatchObject({ rolloutId: rollout(0).id, action: 'rollback', reason: 'harm_proven' });

  // All attempts of one process are the same to the byte, whatever the other one says.
  const attempts = await Promise.all(
    twins.map(async (twin) => ((await twin.json('/v1/signals')) as { signals: { attempts: number }[] }).signals[0]?.attempts ?? 0),
  );
  expect(attempts.reduce((sum, count) => sum + count)).toBe(receiver.requests.length);
  const sizes = [...Map.groupBy(receiver.requests, ({ body }) => body).values()].map((same) => same.length);
  expect(sizes.sort()).toEqual(sizes.length === 1 ? [receiver.requests.length] : attempts.sort());
});
