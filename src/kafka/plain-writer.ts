/** Writes records to a log with no transaction around them: for what the next record of its kind makes good. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Kafka, Producer } from 'kafkajs';
import type { OutRecord } from './out-record.ts';

const CLOSE_MS = 2_000;

export class PlainWriter {
  readonly #producer: Producer;
  #connected: Promise<void> | null = null;

  /** `client` decides how long a write is tried. */
  constructor(client: Kafka) {
    this.#producer = client.producer({ allowAutoTopicCreation: false });
  }

  /** Resolves when all replicas in sync have it; a write that was tried again may be there twice. */
  async write(records: readonly OutRecord[]): Promise<void> {
    await this.#connect();
    const byTopic = Map.groupBy(records, ({ topic }) => topic);
    await this.#producer.sendBatch({
      acks: -1,
      topicMessages: [...byTopic].map(([topic, all]) => ({
        topic,
        messages: all.map(({ partition, key, value, headers }) => ({
          partition,
          key,
          value: value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength),
          ...(headers !== undefined && { headers: { ...headers } }),
        })),
      })),
    });
  }

  /** Never hangs, also while the broker is away. */
  async close(): Promise<void> {
    const abort = new AbortController();
    const disconnected = this.#producer.disconnect().catch(() => {});
    await Promise.race([disconnected, delay(CLOSE_MS, undefined, { signal: abort.signal, ref: false }).catch(() => {})]);
    abort.abort();
  }

  /** A failed attempt is made anew by the next write. */
  async #connect(): Promise<void> {
    this.#connected ??= this.#producer.connect().catch((error) => {
      this.#connected = null;
      throw error;
    });
    await this.#connected;
  }
}
