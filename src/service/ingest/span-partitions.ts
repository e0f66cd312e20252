/** The partitions of spans that this member holds: taken up behind their last transaction, given up at once, and begun anew when a transaction failed. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { PartitionedIngest } from '../../ingest/partitioned-ingest.ts';
import type { kafkaClient } from '../../kafka/kafka-client.ts';
import { type LogGap, type LogPosition, type LogRecord, partitionName, type TopicPartition } from '../../kafka/log.ts';
import type { LogConsumer } from '../../kafka/log-consumer.ts';
import type { LogUser } from '../../kafka/log-consumer-parts.ts';
import { committedPositions } from '../../kafka/log-reader.ts';
import type { OutRecord } from '../../kafka/out-record.ts';
import { FencedError, TransactionalWriter, UncertainError } from '../../kafka/transactional-writer.ts';
import type { SourceGap, SourceProgress } from '../../model/source-progress.ts';
import type { DurationMs } from '../../model/time.ts';
import type { RecordIntake } from '../../receivers/kafka/record-intake.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Clock } from '../clock.ts';
import { murmur2 } from './delta-partition.ts';
import type { DeltaTopic } from './delta-records.ts';
import { SpanPartition } from './span-partition.ts';

/** Waits before a partition is begun anew: the first, doubled up to the last. */
const FIRST_WAIT_MS = 200;
const LAST_WAIT_MS = 5_000;

export interface SpanPartitionsParts {
  readonly client: ReturnType<typeof kafkaClient>;
  readonly groupId: string;
  readonly intake: RecordIntake;
  readonly ingest: PartitionedIngest;
  readonly deltas: DeltaTopic;
  readonly quarantineTopic: string;
  readonly flushMs: DurationMs;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  tell(gaps: readonly SourceGap[]): readonly OutRecord[];
}

/** A partition that is ours. */
interface Held {
  readonly of: TopicPartition;
  /** Null while it is begun anew. */
  counted: SpanPartition | null;
  /** Where we began to read it when nobody had; null: not known, or of no use. */
  start: LogPosition | null;
  /** By the monotonic clock. */
  flushAt: DurationMs;
}

export class SpanPartitions implements LogUser {
  readonly #parts: SpanPartitionsParts;
  readonly #held = new Map<string, Held>();
  #consumer: LogConsumer | null = null;
  #isStopping = false;

  constructor(parts: SpanPartitionsParts) {
    this.#parts = parts;
  }

  /** Before it starts. */
  readBy(consumer: LogConsumer): void {
    this.#consumer = consumer;
  }

  async begin(partitions: readonly TopicPartition[], abort: AbortSignal): Promise<ReadonlyMap<string, LogPosition>> {
    this.end(partitions);
    const writers = partitions.map((of) => this.#writer(of));
    try {
      await Promise.all(writers.map((writer) => writer.claim()));
      const positions = await this.#positions(partitions);
      abort.throwIfAborted();
      partitions.forEach((of, index) => {
        const name = partitionName(of);
        const held: Held = { of, counted: null, start: null, flushAt: this.#firstFlush(name) };
        this.#held.set(name, held);
        held.counted = this.#counted(held, writers[index] as TransactionalWriter, positions.get(name) ?? null);
      });
      return positions;
    } catch (error) {
      for (const writer of writers) void writer.close();
      throw error;
    }
  }

  end(partitions: readonly TopicPartition[]): void {
    for (const of of partitions) {
      const name = partitionName(of);
      this.#held.get(name)?.counted?.drop();
      this.#held.delete(name);
      this.#parts.ingest.drop(name);
    }
  }

  take(of: TopicPartition, record: LogRecord): 'taken' | 'full' {
    if (this.#isStopping) return 'full';
    return this.#held.get(partitionName(of))?.counted?.take(record) ?? 'full';
  }

  gap(gap: LogGap): void {
    this.#held.get(partitionName(gap))?.counted?.gap(gap);
  }

  /** To be called several times within `flushMs`. */
  tick(): void {
    if (this.#isStopping) return;
    const now = this.#parts.clock.monotonicMs();
    const statuses = new Map(this.#consumer?.statuses().map((status) => [partitionName(status), status]));
    let lag = 0;
    for (const [name, held] of this.#held) {
      const status = statuses.get(name);
      lag += status?.lag ?? 0;
      if (now < held.flushAt) continue;
      held.flushAt = Math.max(held.flushAt + this.#parts.flushMs, now);
      if (status !== undefined && status.end !== null) held.counted?.beganAt(status.position);
      held.counted?.flush(status?.completeUntilMs ?? Number.NEGATIVE_INFINITY);
    }
    this.#parts.telemetry.set('ingest_partitions', this.#held.size);
    this.#parts.telemetry.set('ingest_lag_records', lag);
  }

  progress(): SourceProgress[] {
    return [...this.#held].flatMap(([source, { counted }]) =>
      counted === null || counted.completeUntilMs === Number.NEGATIVE_INFINITY
        ? []
        : [{ source, completeUntilMs: counted.completeUntilMs, isClosed: false }],
    );
  }

  /** Partitions that wait to be begun anew. */
  get broken(): readonly string[] {
    return [...this.#held].filter(([, { counted }]) => counted === null).map(([name]) => name);
  }

  /** How long the oldest transaction has been under way; 0: none is. */
  get oldestCommitMs(): DurationMs {
    return Math.max(0, ...[...this.#held.values()].map(({ counted }) => counted?.commitMs ?? 0));
  }

  /** Takes nothing more, and sends what was counted; what does not leave is counted anew by whoever comes next. */
  async finish(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([...this.#held.values()].map(({ counted }) => counted?.finish()));
  }

  /** Forgets everything. */
  close(): void {
    this.#isStopping = true;
    this.end([...this.#held.values()].map(({ of }) => of));
  }

  #counted(held: Held, writer: TransactionalWriter, position: LogPosition | null): SpanPartition {
    const { of } = held;
    const name = partitionName(of);
    const { groupId, intake, ingest, deltas, quarantineTopic, clock, telemetry, tell } = this.#parts;
    return new SpanPartition({
      of,
      groupId,
      position,
      epoch: `${clock.now().toString(36)}-${randomBytes(4).toString('hex')}`,
      intake,
      counted: ingest.partition(name),
      names: ingest.names,
      writer,
      deltas,
      quarantineTopic,
      clock,
      telemetry,
      tell,
      resume: () => this.#consumer?.resume(of),
      failed: (error) => this.#failed(held, error),
    });
  }

  #failed(held: Held, error: unknown): void {
    const { telemetry, ingest } = this.#parts;
    const source = partitionName(held.of);
    const result = error instanceof FencedError ? 'fenced' : error instanceof UncertainError ? 'uncertain' : 'failed';
    telemetry.add('ingest_commits_total', 1, { result });
    if (this.#held.get(source) !== held) return;
    telemetry.log.warn(
      { source, result, error: String(error) },
      'counts could not be handed over; they are counted anew from the last position',
    );
    const { counted } = held;
    if (counted !== null && counted.firstOffset !== null) held.start ??= { offset: counted.firstOffset, anchor: null };
    held.counted = null;
    counted?.drop();
    ingest.drop(source);
    void this.#beginAnew(held);
  }

  /** For as long as the partition is ours. Never rejects. */
  async #beginAnew(held: Held): Promise<void> {
    const { telemetry } = this.#parts;
    const source = partitionName(held.of);
    const isOurs = (): boolean => this.#held.get(source) === held && !this.#isStopping;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LAST_WAIT_MS)) {
      await delay(waitMs, undefined, { ref: false });
      if (!isOurs()) return;
      // A member that the group has forgotten would fence its successor.
      if (this.#consumer?.isLive() !== true) continue;
      const writer = this.#writer(held.of);
      try {
        await writer.claim();
        const position = (await this.#positions([held.of])).get(source) ?? null;
        if (!isOurs()) return void writer.close();
        held.counted = this.#counted(held, writer, position);
        const from = position ?? held.start;
        if (from !== null) this.#consumer.seek(held.of, from);
        this.#consumer.resume(held.of);
        return;
      } catch (error) {
        void writer.close();
        telemetry.log.warn({ source, error: String(error) }, 'a partition cannot be taken up; trying again');
      }
    }
  }

  #writer(of: TopicPartition): TransactionalWriter {
    const { client, groupId, telemetry } = this.#parts;
    return new TransactionalWriter({ client, transactionalId: `${groupId}-${of.topic}-${of.partition}`, telemetry });
  }

  #positions(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, LogPosition>> {
    return committedPositions(this.#parts.client, this.#parts.groupId, partitions);
  }

  /** Partitions take turns, each at a time of its own within `flushMs`. */
  #firstFlush(name: string): DurationMs {
    const { clock, flushMs } = this.#parts;
    return clock.monotonicMs() + flushMs * ((murmur2(Buffer.from(name)) >>> 0) / 2 ** 32);
  }
}
