/** Appends records to a log one at a time, each acknowledged by all replicas, and says where it went. */
import type { Kafka, Producer } from 'kafkajs';
import { RetryableError } from '../model/errors.ts';
import type { DurationMs } from '../model/time.ts';
import type { OutRecord } from './out-record.ts';
import { within } from './time-limit.ts';

const CLOSE_MS = 3_000;

export interface AppenderParts {
  readonly client: Kafka;
  /** For one append in all, connecting included. */
  readonly limitMs: DurationMs;
}

/** A producer that failed is thrown away: what it knows of its own sequence may be wrong. */
export class LogAppender {
  readonly #parts: AppenderParts;
  #producer: Producer | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: AppenderParts) {
    this.#parts = parts;
  }

  /** The offset it got. RetryableError when that is not known in time: then it may be in the log all the same. */
  append(record: OutRecord): Promise<number> {
    const turn = this.#last.then(() => this.#append(record));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #append({ topic, partition, key, value }: OutRecord): Promise<number> {
    this.#producer ??= this.#parts.client.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    const producer = this.#producer;
    const message = { partition, key, value: value === null ? null : Buffer.from(value) };
    const send = async (): Promise<number> => {
      await producer.connect();
      const [answer] = await producer.send({ topic, messages: [message], acks: -1, timeout: this.#parts.limitMs });
      const offset = Number(answer?.baseOffset ?? answer?.offset);
      if (!Number.isSafeInteger(offset)) throw new Error(`the broker gave no offset: ${JSON.stringify(answer)}`);
      return offset;
    };
    try {
      return await within(send(), this.#parts.limitMs);
    } catch (cause) {
      this.#producer = null;
      void within(producer.disconnect(), CLOSE_MS).catch(() => undefined);
      throw new RetryableError('kafka', `appending ${key ?? 'a record'} to ${topic}/${partition}`, { cause });
    }
  }

  /** Never hangs, also while the broker is away. */
  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    if (producer !== null) await within(producer.disconnect(), CLOSE_MS).catch(() => undefined);
  }
}

/** Lets the broker forget a group that nobody is in any more. Never throws, never hangs: it would forget it by itself in the end. */
export async function deleteGroup(client: Kafka, groupId: string): Promise<void> {
  const admin = client.admin();
  const act = async (): Promise<void> => {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  };
  await within(act(), CLOSE_MS).catch(() => undefined);
  await within(admin.disconnect(), CLOSE_MS).catch(() => undefined);
}
