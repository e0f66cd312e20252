/** Reads the partitions of a group, each in order and without a silent jump, and says how far. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EachBatchPayload, Kafka } from 'kafkajs';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { Frontier } from './frontier.ts';
import { type LogPosition, type PartitionStatus, partitionName, type TopicPartition } from './log.ts';
import { type End, InnerConsumer, type InnerUser } from './log-consumer-inner.ts';
import type { LogConsumerOptions, LogUser } from './log-consumer-parts.ts';
import { Readings } from './log-consumer-readings.ts';
import { takeBatch } from './log-consumer-take.ts';
import { wantedTopics } from './log-consumer-topics.ts';
import { within } from './time-limit.ts';
import { Watchdog } from './watchdog.ts';

/** Real durations; set only where a test cannot wait so long. */
export interface LogConsumerTiming {
  /** How often brokers are asked for the ends of logs. */
  readonly lookMs: DurationMs;
  /** How often they are asked which topics and partitions there are. */
  readonly topicsMs: DurationMs;
  /** So long may a broker take for an answer. */
  readonly answerMs: DurationMs;
  /** A reader that gives no sign of life for so long, while the broker answers, is replaced. */
  readonly silentMs: DurationMs;
}

const TIMING: LogConsumerTiming = { lookMs: 1_000, topicsMs: 10_000, answerMs: 5_000, silentMs: 30_000 };
/** Leaving the group; after that it is left to the session timeout. */
const LEAVE_MS = 3_000;
/** Between two lives that ended badly. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** So many bad ends in a row are reported as what does not mend itself. */
const MANY_ENDS = 5;

export interface LogConsumerParts {
  readonly client: Kafka;
  readonly telemetry: Telemetry;
  readonly options: LogConsumerOptions;
  readonly user: LogUser;
  /** The wall clock. */
  now(): EpochMs;
  /** A clock that never steps back. */
  monotonicMs(): number;
  readonly timing?: Partial<LogConsumerTiming>;
}

export class LogConsumer {
  readonly #parts: LogConsumerParts;
  readonly #timing: LogConsumerTiming;
  readonly #frontier: Frontier;
  readonly #readings: Readings;
  readonly #watchdog: Watchdog;
  readonly #stopped = new AbortController();
  #inner: InnerConsumer | null = null;
  #expected: readonly string[] = [];
  #topics: readonly string[] = [];
  #missing = '';
  #topicsAtMs = -Infinity;
  #areTopicsAnswered = false;
  #heardAtMs = -Infinity;
  #badEnds = 0;
  #running: Promise<unknown> | null = null;
  #isCommitting = false;

  constructor(parts: LogConsumerParts) {
    const { client, options, monotonicMs } = parts;
    this.#parts = parts;
    this.#timing = { ...TIMING, silentMs: Math.max(TIMING.silentMs, 3 * options.sessionTimeoutMs), ...parts.timing };
    this.#frontier = new Frontier(client, this.#timing.answerMs);
    this.#watchdog = new Watchdog(this.#timing.silentMs, monotonicMs());
    this.#readings = new Readings({ ...parts, frontier: this.#frontier, stopped: this.#stopped.signal, inner: () => this.#inner });
  }

  /** Does not wait for a broker, which may be away; `statuses` and `isLive` tell what has come of it. */
  async start(): Promise<void> {
    this.#running ??= Promise.all([this.#live(), this.#look()]);
  }

  /** Takes nothing more, then leaves the group; ends within seconds even when no broker answers. Its user is not told of the end of partitions. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#inner?.end('stop');
    await Promise.all([this.#frontier.close(), this.#running]);
  }

  /** The partition may be read again after its user said `full`. */
  resume(of: TopicPartition): void {
    this.#readings.resume(of);
  }

  /** Goes on at this position, wherever it was; what is complete is unknown then, until it is read again. Without effect on partitions that are not ours. */
  seek(of: TopicPartition, position: LogPosition): void {
    this.#readings.seek(of, position);
  }

  /** Of the partitions that are ours. */
  statuses(): readonly PartitionStatus[] {
    return this.#stopped.signal.aborted ? [] : this.#readings.all().map((reading) => reading.status());
  }

  /** All partitions of all topics as `topic/partition`, whoever reads them; empty: not known yet. */
  expected(): readonly string[] {
    return this.#expected;
  }

  /** The group answered within the session timeout, so nobody else was given what is ours. */
  isLive(): boolean {
    return this.#parts.monotonicMs() - this.#heardAtMs < this.#parts.options.sessionTimeoutMs;
  }

  /** For tools that show lag: what is committed here is never read by us. Never throws; without effect while another one is under way. */
  async commit(positions: ReadonlyMap<string, LogPosition>): Promise<void> {
    const inner = this.#inner;
    const known = this.#readings.all().flatMap(({ of, name }) => {
      const position = positions.get(name);
      return position === undefined ? [] : [{ ...of, position }];
    });
    if (inner === null || known.length === 0 || this.#isCommitting) return;
    this.#isCommitting = true;
    const committing = inner.commit(known).finally(() => {
      this.#isCommitting = false;
    });
    await within(committing, this.#timing.answerMs).catch((error) => {
      this.#parts.telemetry.log.debug({ error }, 'committing positions for tools that show lag failed');
    });
  }

  /** One kafkajs consumer after the other. */
  async #live(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const topics = this.#topics;
      if (topics.length === 0) {
        await this.#pause(this.#timing.lookMs / 4);
        continue;
      }
      const { client, options, telemetry, monotonicMs } = this.#parts;
      const user = this.#innerUser;
      const inner = new InnerConsumer(client, options, this.#timing.topicsMs, user);
      this.#inner = inner;
      this.#watchdog.sign(monotonicMs());
      void inner.run(topics, user);
      const { end, error } = await inner.ended;
      // From here on nothing that it says is listened to.
      this.#inner = null;
      await inner.stop(LEAVE_MS);
      if (end === 'stop') return;
      telemetry.add('kafka_restarts_total', 1, { reason: end });
      this.#tellEnd(end, error);
      if (end !== 'topics') await this.#pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#badEnds - 1)));
    }
  }

  #tellEnd(end: End, error: unknown): void {
    const { telemetry, options } = this.#parts;
    if (end === 'topics') {
      telemetry.log.info({ group: options.groupId, topics: this.#topics }, 'topics came or went: reading begins anew');
      return;
    }
    this.#badEnds++;
    const fields = { group: options.groupId, end, error, inARow: this.#badEnds };
    if (this.#badEnds < MANY_ENDS) telemetry.log.warn(fields, 'reading from Kafka ended and begins anew');
    else telemetry.log.error(fields, 'reading from Kafka ends again and again');
  }

  readonly #innerUser: InnerUser = {
    joined: (inner, assigned, isNew) => {
      if (inner !== this.#inner) return;
      this.#parts.telemetry.add('kafka_rebalances_total', 1);
      this.#readings.joined(assigned, isNew);
    },
    batch: (inner, payload) => this.#batch(inner, payload),
    passed: (inner, of, last) => {
      const reading = inner === this.#inner ? this.#readings.get(partitionName(of)) : undefined;
      if (reading?.isTaking === true) reading.passedTo(last + 1);
    },
    outOfRange: (inner, of) => {
      inner.pause([of]);
      const reading = inner === this.#inner ? this.#readings.get(partitionName(of)) : undefined;
      if (reading?.phase === 'reading') this.#readings.check([reading]);
    },
    failed: (inner) => {
      if (inner === this.#inner) this.#readings.check(this.#readings.all().filter(({ phase }) => phase === 'reading'));
    },
    heard: (inner) => {
      if (inner !== this.#inner) return;
      this.#heardAtMs = this.#parts.monotonicMs();
      this.#watchdog.sign(this.#heardAtMs);
    },
    alive: (inner) => {
      if (inner === this.#inner) this.#watchdog.sign(this.#parts.monotonicMs());
    },
  };

  async #batch(inner: InnerConsumer, payload: EachBatchPayload): Promise<void> {
    const { topic } = payload.batch;
    const { user, telemetry, now, monotonicMs } = this.#parts;
    const readings = this.#readings;
    const reading = readings.get(partitionName(payload.batch));
    if (reading === undefined) return;
    const isOurs = () => inner === this.#inner && !this.#stopped.signal.aborted && readings.get(reading.name) === reading;
    const isCurrent = () => isOurs() && reading.isTaking;
    if (!isCurrent()) return;
    try {
      await takeBatch(reading, payload, {
        user,
        now,
        monotonicMs,
        isCurrent,
        jumped: () => readings.check([reading]),
        disproven: () => readings.check([reading], true),
        full: () => readings.full(reading),
        took: (records, bytes) => {
          this.#watchdog.sign(monotonicMs());
          if (records === 0) return;
          telemetry.add('kafka_records_total', records, { topic });
          telemetry.add('kafka_bytes_total', bytes, { topic });
          // It works again.
          this.#badEnds = 0;
        },
      });
    } catch (error) {
      telemetry.log.debug({ partition: reading.name, error }, 'taking a batch was broken off');
      throw error;
    }
  }

  /** Looks at topics and at the ends of our logs, and whether anything is read. */
  async #look(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      if (this.#parts.monotonicMs() - this.#topicsAtMs >= this.#timing.topicsMs || this.#topics.length === 0) await this.#lookAtTopics();
      await this.#readings.lookAtEnds();
      const { monotonicMs } = this.#parts;
      const isIdle = this.#readings.all().length === 0;
      // With no partition of ours nobody is asked about ends; that topics could be listed says the same.
      this.#watchdog.asked(isIdle ? this.#areTopicsAnswered : this.#readings.isAnswered, monotonicMs());
      if (this.#inner !== null && this.#watchdog.isSilent(monotonicMs())) this.#inner.end('silent');
      await this.#pause(this.#timing.lookMs);
    }
  }

  async #lookAtTopics(): Promise<void> {
    const { options, telemetry, monotonicMs } = this.#parts;
    try {
      const wanted = wantedTopics(options.topics, await this.#frontier.topics());
      const expected = wanted.length === 0 ? [] : await this.#frontier.partitions(wanted);
      this.#topicsAtMs = monotonicMs();
      this.#areTopicsAnswered = true;
      this.#expected = expected;
      this.#readings.known(expected);
      this.#tellMissing(wanted);
      if (wanted.join() === this.#topics.join()) return;
      const isFirst = this.#topics.length === 0;
      this.#topics = wanted;
      if (!isFirst) this.#inner?.end('topics');
    } catch (error) {
      this.#areTopicsAnswered = false;
      telemetry.log.debug({ error }, 'asking Kafka for its topics failed');
    }
  }

  #tellMissing(found: readonly string[]): void {
    const { options, telemetry } = this.#parts;
    const missing =
      options.topics instanceof RegExp
        ? found.length === 0
          ? String(options.topics)
          : ''
        : options.topics.filter((topic) => !found.includes(topic)).join(', ');
    if (missing !== '' && missing !== this.#missing) telemetry.log.warn({ missing }, 'Kafka has no such topic yet: it is waited for');
    this.#missing = missing;
  }

  async #pause(ms: DurationMs): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopped.signal }).catch(() => {});
  }
}
