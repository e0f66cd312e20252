/** A group of tests that share a broker, from its start to its end. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import { Broker, type BrokerOptions } from './broker.ts';
import './global-setup.ts';

/** `broker()` is there once the tests run. Where there can be none the group is skipped, with the reason in its name. */
export function describeKafka(name: string, body: (broker: () => Broker) => void, properties: BrokerOptions['properties'] = {}): void {
  const kafka = inject('kafka');
  if ('missing' in kafka) {
    describe.skip(`${name} (${kafka.missing})`, () => body(() => never()));
    return;
  }
  describe(name, () => {
    let broker: Broker | null = null;
    let folder = '';
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'slipstream-kafka-'));
      broker = await Broker.start({ jars: kafka.jars, folder, properties });
    }, 120_000);
    afterAll(async () => {
      await broker?.stop();
      rmSync(folder, { recursive: true, force: true });
    }, 60_000);
    body(() => broker ?? never());
  });
}

function never(): never {
  throw new Error('the broker is there only while its tests run');
}
