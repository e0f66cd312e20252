/** The control topic: what all members must know of each other, in one order for all. */
import type { kafkaClient } from '../../kafka/kafka-client.ts';
import type { LogPosition, LogRecord } from '../../kafka/log.ts';
import { deleteGroup, LogAppender } from '../../kafka/log-appender.ts';
import { LogConsumer } from '../../kafka/log-consumer.ts';
import { RetryableError } from '../../model/errors.ts';
import type { DurationMs } from '../../model/time.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Clock } from '../clock.ts';
import { type ControlFact, type ControlRecord, encodeFact, keyOf, readFact } from './control-record.ts';

/** For one fact, from the call until it was read back. */
const APPEND_MS: DurationMs = 10_000;
const START_MS: DurationMs = 60_000;
/** How often the end of the topic is looked at while the start waits for it. */
const LOOK_MS: DurationMs = 50;
const MAX_BYTES = 1024 * 1024;
/** Facts that wait to be read back. */
const MAX_WAITING = 1_000;

type Client = ReturnType<typeof kafkaClient>;

export interface ControlLogParts {
  /** For the tail: with patience, as all that reads. */
  readonly client: Client;
  /** For what is written: it has an end. */
  readonly brief: Client;
  readonly topic: string;
  /** Unique to this process and this life of it: it names the group that tails the topic. */
  readonly member: string;
  readonly sessionTimeoutMs: DurationMs;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Sees every record, in order, those of this member too. */
  take(record: ControlRecord): void;
}

interface Waiting {
  readonly offset: number;
  done(): void;
}

export class ControlLog {
  readonly #parts: ControlLogParts;
  readonly #groupId: string;
  readonly #appender: LogAppender;
  readonly #consumer: LogConsumer;
  readonly #claims = new Map<number, string>();
  #waiting: Waiting[] = [];
  #next: LogPosition = { offset: 0, anchor: null };
  #hasRead = false;
  #isStopped = false;

  constructor(parts: ControlLogParts) {
    this.#parts = parts;
    this.#groupId = `${parts.topic}-${parts.member}`;
    const { client, brief, topic, telemetry, sessionTimeoutMs, clock } = parts;
    this.#appender = new LogAppender({ client: brief, limitMs: APPEND_MS });
    this.#consumer = new LogConsumer({
      client,
      telemetry,
      options: { groupId: this.#groupId, topics: [topic], sessionTimeoutMs, from: 'earliest', maxBytesPerPartition: MAX_BYTES },
      user: {
        begin: async () => (this.#hasRead ? new Map([[`${topic}/0`, this.#next]]) : new Map()),
        end: () => undefined,
        take: (_, record) => this.#take(record),
        gap: ({ reason, from, to }) => {
          telemetry.log.warn({ topic, reason, from, to }, 'the control topic is not what it was: read anew');
          // Compaction leaves no such gap: the topic was made again or cut, and what was read of it is no order of all members any more.
          this.#clear();
        },
      },
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
    });
  }

  /** Resolves once all that was in the topic at the call has been read; RetryableError when that takes longer than `waitMs`. */
  async start(waitMs: DurationMs = START_MS): Promise<void> {
    const { clock, topic } = this.#parts;
    const asOf = clock.now();
    const until = clock.monotonicMs() + waitMs;
    await this.#consumer.start();
    while (!this.#consumer.statuses().some(({ completeUntilMs }) => completeUntilMs >= asOf)) {
      if (this.#isStopped || clock.monotonicMs() > until) throw new RetryableError('control_log', `reading ${topic} to its end`);
      await new Promise((next) => setTimeout(next, LOOK_MS));
    }
  }

  /** True while it follows the topic: what it has read is at most a session timeout old. */
  isLive(): boolean {
    return this.#consumer.isLive();
  }

  /**
   * Writes one fact; resolves with its offset once it is in the topic and all before it has been read here. RetryableError when that takes too long: it may
   * be in the topic all the same.
   */
  async append(fact: ControlFact): Promise<number> {
    const { topic } = this.#parts;
    const key = keyOf(fact);
    if (this.#waiting.length >= MAX_WAITING) throw new RetryableError('control_log', `writing ${key} to ${topic}: too much waits already`);
    const offset = await this.#appender.append({ topic, partition: 0, key, value: encodeFact(fact) });
    await this.#read(offset, key);
    return offset;
  }

  /** Says that a partition is this member's, whose API is reached at `url`. Resolves with the epoch of the claim. */
  claim(partition: number, url: string): Promise<number> {
    this.#claims.set(partition, url);
    return this.append(this.#claimOf(partition, url));
  }

  /** The partition is ours no more. Nothing is written: its next owner does, and a late word of ours would only hide him. */
  release(partition: number): void {
    this.#claims.delete(partition);
  }

  /** Takes facts away. Never throws: what is not taken away now can be later. */
  async forget(keys: readonly string[]): Promise<void> {
    const { topic, telemetry } = this.#parts;
    try {
      for (const key of keys) await this.#appender.append({ topic, partition: 0, key, value: null });
    } catch (error) {
      telemetry.log.debug({ topic, error: String(error) }, 'old facts stay in the control topic');
    }
  }

  /** Also deletes the group. Never hangs. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { done } of this.#waiting.splice(0)) done();
    await Promise.all([this.#consumer.stop(), this.#appender.close()]);
    await deleteGroup(this.#parts.brief, this.#groupId);
  }

  #claimOf(partition: number, url: string): ControlFact {
    return { kind: 'owner', partition, member: this.#parts.member, url };
  }

  #take({ offset, timestampMs, value, key }: LogRecord): 'taken' {
    const { take, telemetry, topic } = this.#parts;
    const fact = value === null ? null : readFact(value);
    if (fact !== null) take({ ...fact, offset });
    else if (value !== null) {
      const shown = key === null ? null : Buffer.from(key).toString('utf8').slice(0, 256);
      telemetry.log.warn({ topic, offset, key: shown }, 'a record of the control topic is not understood');
    }
    this.#hasRead = true;
    this.#next = { offset: offset + 1, anchor: { offset, timestampMs } };
    const isRead = (waiting: Waiting): boolean => waiting.offset <= offset;
    for (const waiting of this.#waiting.filter(isRead)) waiting.done();
    this.#waiting = this.#waiting.filter((waiting) => !isRead(waiting));
    return 'taken';
  }

  /** Resolves when the record of this offset, or a later one, was taken. */
  async #read(offset: number, key: string): Promise<void> {
    if (this.#hasRead && this.#next.offset > offset) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting: Waiting = { offset, done: resolve };
    this.#waiting.push(waiting);
    const timer = setTimeout(resolve, APPEND_MS);
    await promise;
    clearTimeout(timer);
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    if (this.#next.offset > offset) return;
    throw new RetryableError('control_log', `reading ${key} back from ${this.#parts.topic}`);
  }

  #clear(): void {
    const { take, telemetry } = this.#parts;
    take({ kind: 'cleared' });
    this.#hasRead = false;
    this.#next = { offset: 0, anchor: null };
    for (const [partition, url] of this.#claims) {
      this.append(this.#claimOf(partition, url)).catch((error) =>
        telemetry.log.error({ partition, error: String(error) }, 'a claim could not be said again'),
      );
    }
  }
}
