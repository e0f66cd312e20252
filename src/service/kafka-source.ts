/** Spans from Kafka into judging, in one process: what is counted and the positions up to which it is are saved together. */
import type { KafkaReceiverConfig } from '../config/kafka-config.ts';
import type { SourceBook } from '../engine/source-book.ts';
import type { IngestOutcome } from '../ingest/ingest-outcome.ts';
import type { PartitionedIngest } from '../ingest/partitioned-ingest.ts';
import { type LogGap, type LogPosition, type LogRecord, partitionName, type TopicPartition } from '../kafka/log.ts';
import { LogConsumer, type LogConsumerParts } from '../kafka/log-consumer.ts';
import type { LogUser } from '../kafka/log-consumer-parts.ts';
import type { StoredNote } from '../model/checkpoint.ts';
import type { QuarantinedRecord } from '../model/inputs-view.ts';
import type { SlotDeltas } from '../model/slot-deltas.ts';
import type { SourceGap, SourceProgress } from '../model/source-progress.ts';
import type { DurationMs } from '../model/time.ts';
import { RecordIntake } from '../receivers/kafka/record-intake.ts';
import type { RunningTelemetry } from '../telemetry/create-telemetry.ts';
import type { Clock } from './clock.ts';
import { guarded } from './guarded.ts';
import type { Judging } from './judging.ts';
import { OthersWatch } from './kafka-source-others.ts';
import { Pace } from './kafka-source-pace.ts';
import { SourcePositions } from './kafka-source-positions.ts';
import { Quarantine } from './kafka-source-quarantine.ts';
import { sourceGap } from './source-gap.ts';
import { SpanCounts } from './span-counts.ts';
import type { SpanInput } from './span-input.ts';

/** How often what was taken is merged and judged: what a verdict may wait once its last span has come, and the price of a flush. */
const TURN_MS: DurationMs = 250;
/** How often the positions are shown to tools that tell how far a group lags. */
const SHOW_POSITIONS_MS: DurationMs = 5_000;
const MEMBER = 'local';
const OTLP = 'otlp/local';

export interface KafkaSourceParts {
  readonly client: LogConsumerParts['client'];
  readonly receiver: KafkaReceiverConfig;
  readonly sessionTimeoutMs: DurationMs;
  readonly maxRequestBytes: number;
  /** Receivers bring spans, too. */
  readonly takesOtlp: boolean;
  /** Of this life of the process. */
  readonly epoch: string;
  readonly ingest: PartitionedIngest;
  readonly judging: Judging;
  readonly sources: SourceBook;
  readonly telemetry: RunningTelemetry;
  readonly clock: Clock;
  /** As saved. */
  readonly notes: readonly StoredNote[];
  /** Sees every accepted request, in order. */
  tap?(encoding: 'protobuf' | 'json', bytes: Uint8Array): void;
}

export class KafkaSource implements SpanInput, LogUser {
  readonly #parts: KafkaSourceParts;
  readonly #consumer: LogConsumer;
  readonly #positions: SourcePositions;
  readonly #quarantine: Quarantine;
  readonly #intake: RecordIntake;
  readonly #others: OthersWatch;
  readonly #pace = new Pace();
  readonly #counts = new SpanCounts();
  /** Partitions with something to flush. */
  readonly #pending = new Set<string>();
  /** Sources that were waited for at the last turn: topics are deleted, and then nothing more comes of them. */
  #expected: ReadonlySet<string> = new Set();
  #requests = 0;
  #timer: NodeJS.Timeout | null = null;
  #shownAt: DurationMs = Number.NEGATIVE_INFINITY;
  /** Saved by the checkpoint before this one, at least. */
  #saved: ReadonlyMap<string, LogPosition> = new Map();

  constructor(parts: KafkaSourceParts) {
    const { client, receiver, sessionTimeoutMs, telemetry, clock, notes, takesOtlp, maxRequestBytes } = parts;
    this.#parts = parts;
    this.#positions = new SourcePositions(!takesOtlp, notes);
    this.#quarantine = new Quarantine(telemetry, clock, notes);
    this.#intake = new RecordIntake({ encoding: receiver.encoding, maxRequestBytes, telemetry, now: clock.now });
    this.#others = new OthersWatch(telemetry, receiver.group);
    const { topics, group, from, maxBytesPerPartition } = receiver;
    this.#consumer = new LogConsumer({
      client,
      telemetry,
      options: { groupId: group, topics, from, maxBytesPerPartition, sessionTimeoutMs },
      user: this,
      now: clock.now,
      monotonicMs: clock.monotonicMs,
    });
    // Before the first verdict it must be known that there is something to wait for.
    this.#report([]);
  }

  /** Records of quarantine, newest last. */
  get quarantined(): readonly QuarantinedRecord[] {
    return this.#quarantine.records.map((record) => ({
      source: partitionName(record),
      offset: record.offset,
      at: record.timestampMs,
      reason: record.reason,
    }));
  }

  /** To be saved with the state. */
  savedWith(): readonly StoredNote[] {
    this.#saved = new Map(this.#positions.merged);
    return [...this.#positions.notes(), ...this.#quarantine.notes()];
  }

  /** Does not wait for a broker, which may be away. */
  start(): void {
    this.#timer ??= setInterval(() => guarded(this.#parts.telemetry, () => this.#turn()), TURN_MS);
    void this.#consumer.start();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#consumer.stop();
  }

  consume(encoding: 'protobuf' | 'json', bytes: Uint8Array): IngestOutcome {
    const { ingest, clock } = this.#parts;
    const partition = ingest.partition(OTLP);
    const outcome = partition.consume(encoding, bytes, clock.now());
    this.#pending.add(OTLP);
    if (partition.isFull) this.#turn();
    return outcome;
  }

  tick(): void {
    const { judging, clock } = this.#parts;
    judging.retry();
    this.showCounts();
    const at = clock.monotonicMs();
    if (this.#consumer.isLive()) this.#others.look(this.#consumer.expected(), this.#ours(), at);
    if (!judging.isDurable || at - this.#shownAt < SHOW_POSITIONS_MS) return;
    this.#shownAt = at;
    void this.#consumer.commit(this.#saved);
  }

  showCounts(): void {
    const { ingest, telemetry, judging } = this.#parts;
    this.#counts.show(ingest, telemetry);
    const statuses = this.#consumer.statuses();
    telemetry.set('ingest_partitions', statuses.length);
    telemetry.set(
      'ingest_lag_records',
      statuses.reduce((sum, { lag }) => sum + (lag ?? 0), 0),
    );
    judging.showCounts();
  }

  finish(): boolean {
    this.#turn();
    return this.#parts.judging.checkpoint('whole');
  }

  async begin(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, LogPosition>> {
    // Positions are those of what is merged: nothing of them may be pending.
    guarded(this.#parts.telemetry, () => this.#turn());
    const known = new Map<string, LogPosition>();
    for (const partition of partitions) {
      const name = partitionName(partition);
      const position = this.#positions.begin(name);
      if (position !== undefined) known.set(name, position);
    }
    return known;
  }

  /** What was taken of them counts, and they go on behind it should they come back. */
  end(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#pace.forget(partition);
    guarded(this.#parts.telemetry, () => this.#turn());
  }

  take(of: TopicPartition, record: LogRecord): 'taken' | 'full' {
    if (this.#pace.holds(of, record, () => this.#consumer.statuses())) return 'full';
    const { ingest, tap } = this.#parts;
    const name = partitionName(of);
    const fault = this.#intake.take(record, (encoding, bytes, at) => {
      const outcome = ingest.partition(name).consume(encoding, bytes, at);
      if (outcome.kind === 'accepted') tap?.(encoding, bytes);
      return outcome;
    });
    this.#positions.took(name, record);
    this.#pending.add(name);
    if (fault !== null) {
      const gap = this.#quarantine.add(of, record, fault);
      if (gap !== null) this.#lose(gap);
    }
    if (ingest.partition(name).isFull) guarded(this.#parts.telemetry, () => this.#turn());
    return 'taken';
  }

  gap(gap: LogGap): void {
    // What was taken before it belongs to the log as it was.
    guarded(this.#parts.telemetry, () => this.#turn());
    this.#positions.gap(gap);
    this.#lose(sourceGap(gap));
  }

  /** Everything that was taken becomes part of the state, with its positions, and is judged as far as all sources are complete. */
  #turn(): void {
    const { judging } = this.#parts;
    const statuses = this.#consumer.statuses();
    judging.merge(this.#flushes());
    // Before anything is judged: that may lead to a checkpoint.
    this.#positions.merge(statuses);
    this.#report(statuses);
    judging.turn([]);
    for (const of of this.#pace.look(statuses, this.#unwaited())) this.#consumer.resume(of);
  }

  *#flushes(): Generator<SlotDeltas> {
    const { ingest, epoch } = this.#parts;
    for (const name of this.#pending) {
      this.#pending.delete(name);
      const partition = ingest.partition(name);
      if (partition.pending === 0) continue;
      yield partition.flush(name === OTLP ? { source: OTLP, epoch, sequence: ++this.#requests } : this.#positions.origin(name));
    }
  }

  #report(statuses: ReturnType<LogConsumer['statuses']>): void {
    const { sources, clock, takesOtlp, receiver } = this.#parts;
    const now = clock.now();
    const progress: SourceProgress[] = statuses.map((status) => ({
      source: partitionName(status),
      completeUntilMs: status.completeUntilMs,
      isClosed: false,
    }));
    if (takesOtlp) progress.push({ source: OTLP, completeUntilMs: now, isClosed: false });
    const partitions = this.#consumer.expected();
    // As long as it is not known which partitions there are, all of them are waited for.
    const expected = new Set([...(partitions.length > 0 ? partitions : [`${receiver.topics}/*`]), ...(takesOtlp ? [OTLP] : [])]);
    for (const source of this.#expected) if (!expected.has(source)) progress.push({ source, completeUntilMs: now, isClosed: true });
    this.#expected = expected;
    sources.report({ member: MEMBER, progress, expected: [...expected], gaps: [] }, now);
  }

  #lose(gap: SourceGap): void {
    const { telemetry, sources, clock } = this.#parts;
    telemetry.add('ingest_gaps_total', 1, { reason: gap.reason });
    telemetry.log.error({ ...gap }, 'spans were lost: budgets are incomplete and no verdict is given until evidence has built up again');
    sources.lost(gap, clock.now());
  }

  #ours(): ReadonlySet<string> {
    return new Set(this.#consumer.statuses().map(partitionName));
  }

  #unwaited(): ReadonlySet<string> {
    const { sources, clock } = this.#parts;
    return new Set(sources.sources(clock.now()).flatMap(({ source, isWaitedFor }) => (isWaitedFor ? [] : [source])));
  }
}
