/** Journals one signal, and delivers it when told to; prints what is new. To be killed at any time. */
import { writeSync } from 'node:fs';
import { Secret } from '../../src/config/secret.ts';
import { Delivery } from '../../src/sinks/delivery.ts';
import { WebhookSink } from '../../src/sinks/webhook-sink.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { DECIDED_AT, sampleCheckpoint, sampleSignal } from '../store/samples.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { webhookConfig } from '../support/sink-configs.ts';

const [directory = '', url = '', secret = '', deliver = ''] = process.argv.slice(2);
const now = () => DECIDED_AT;
const store = new SqliteStore(directory);
const fresh = store.checkpoint(sampleCheckpoint(), [{ signal: sampleSignal(), decidedAt: DECIDED_AT }]);
if (deliver === 'deliver') {
  const webhook = new WebhookSink(webhookConfig({ url, secrets: [new Secret(secret)], timeoutMs: 60_000 }), now);
  const sinks = new Map([['deploy', webhook]]);
  new Delivery({ journal: store.journal, sinks, telemetry: new MemoryTelemetry(), now, isCurrent: () => 'send' }).resume();
}
writeSync(1, `journalled ${fresh.join()}\n`);
// Stays until it is killed.
setInterval(() => {}, 60_000);
