/** Decides that rollouts are bad, journals and delivers, until it is killed. Whatever was decided and lost is decided again, at another time and in other words. */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Secret } from '../../src/config/secret.ts';
import type { Signal } from '../../src/model/rollout.ts';
import { Delivery } from '../../src/sinks/delivery.ts';
import { messageOf } from '../../src/sinks/message.ts';
import { WebhookSink } from '../../src/sinks/webhook-sink.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { sampleCheckpoint, sampleSignal } from '../store/samples.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { webhookConfig } from '../support/sink-configs.ts';

const [directory = '', url = '', secret = '', order = '', count = '0', lifeMs = '3600000'] = process.argv.slice(2);
const store = new SqliteStore(directory);
const sink = new WebhookSink(webhookConfig({ url, secrets: [new Secret(secret)], timeoutMs: 2_000 }), Date.now);
const delivery = new Delivery({
  journal: store.journal,
  sinks: new Map([['deploy', sink]]),
  telemetry: new MemoryTelemetry(),
  now: Date.now,
  isCurrent: () => 'send',
  escalate: async () => {},
});
delivery.resume();
writeSync(1, 'up\n');

const known = store.journal.entries(100_000).length;
for (let rollout = known; rollout < known + Number(count); rollout++) await decide(rollout);
while (store.journal.pending().length > 0) await pause(5);
await delivery.stop();
store.close();
writeSync(1, 'done\n');

/** The same id each time, as every replica and every restart makes it. */
async function decide(rollout: number): Promise<void> {
  const signal: Signal = sampleSignal({
    id: `sig_${String(rollout).padStart(40, '0')}`,
    rolloutId: `rollout-${rollout}`,
    summary: `harm was proven, ${randomBytes(6).toString('hex')}`,
    notAfter: Date.now() + Number(lifeMs),
  });
  const decidedAt = Date.now();
  // The fault that the test must find: what is sent first and journalled later is decided anew after a crash, and says something else.
  if (order === 'send first') {
    await sink.deliver(messageOf(signal, decidedAt), { abort: new AbortController().signal, mayStillAct: () => true }).catch(() => {});
    await pause(2);
  }
  store.checkpoint(sampleCheckpoint(), [{ signal, decidedAt }]);
  writeSync(1, 'decided\n');
  delivery.submit(store.journal.pending().filter((entry) => entry.signal.id === signal.id));
  await pause(Math.random() * 4);
}
