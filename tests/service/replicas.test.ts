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
  const now = thisSecond();
  for (const twin of twins) expect((await twin.startRollout(rollout(now - 40_000))).status).toBe(201);
  await Promise.all(twins.map((twin) => send(twin, now - 40_000, now, SICK)));
  await receiver.received(2);
  for (const twin of twins) await twin.log('signal delivered');
  const [first, second] = receiver.requests;
  expect(first?.verified).toEqual([true]);
  expect(second?.id).toBe(first?.id);
  const dataOf = (body = '{}') => JSON.parse(body).data;
  // The same evidence of the same stream; only the moment of the decision is each one's own.
  expect(dataOf(second?.body)).toEqual(dataOf(first?.body));
  expect(new Set(receiver.requests.map(({ id }) => id)).size).toBe(1);
});
