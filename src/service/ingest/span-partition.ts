/** One partition of spans: records are counted, and every now and then the counts leave in one transaction with the position they reach. */
import type { PartitionIngest } from '../../ingest/partitioned-ingest.ts';
import { type LogGap, type LogPosition, type LogRecord, partitionName, type TopicPartition } from '../../kafka/log.ts';
import type { OutRecord } from '../../kafka/out-record.ts';
import type { TransactionalWriter } from '../../kafka/transactional-writer.ts';
import type { SourceGap } from '../../model/source-progress.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import type { RecordIntake } from '../../receivers/kafka/record-intake.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { SeriesNames } from '../../wire/encode-deltas.ts';
import type { Clock } from '../clock.ts';
import { sourceGap } from '../source-gap.ts';
import { type DeltaTopic, deltaRecords } from './delta-records.ts';
import { PoisonWatch, quarantined } from './quarantine.ts';

/** Bytes of records in quarantine that wait for a commit; beyond it a flush is due. */
const MAX_ASIDE_BYTES = 4 * 2 ** 20;
/** Of the same, records: each costs some hundred bytes of headers. */
const MAX_ASIDE = 1_000;

export interface SpanPartitionParts {
  readonly of: TopicPartition;
  readonly groupId: string;
  /** Where the group stood when the partition was taken up; null: nobody has read it. */
  readonly position: LogPosition | null;
  /** Unlike that of any other holder of the partition, so that offsets which come again in a topic that was made again are not taken for old ones. */
  readonly epoch: string;
  readonly intake: RecordIntake;
  readonly counted: PartitionIngest;
  readonly names: SeriesNames;
  readonly writer: TransactionalWriter;
  readonly deltas: DeltaTopic;
  readonly quarantineTopic: string;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Records that tell every member that judges of these gaps: they leave with the position behind the gaps, so that none is forgotten or told twice. */
  tell(gaps: readonly SourceGap[]): readonly OutRecord[];
  /** There is room again after `full`. */
  resume(): void;
  /** Its memory is worth nothing any more: whether the last transaction took place is not known, or somebody else holds the partition. */
  failed(error: unknown): void;
}

export class SpanPartition {
  readonly #parts: SpanPartitionParts;
  readonly #source: string;
  readonly #poison: PoisonWatch;
  #next: LogPosition | null;
  #committedOffset: number | null;
  #firstOffset: number | null = null;
  #epochs = 0;
  #aside: OutRecord[] = [];
  #asideBytes = 0;
  #gaps: SourceGap[] = [];
  #commit: Promise<void> | null = null;
  #commitBegunMs: DurationMs = 0;
  #isBlocked = false;
  #isOver = false;
  /** As of the last look; what of it was committed. */
  #seenUntilMs: EpochMs = Number.NEGATIVE_INFINITY;
  #completeUntilMs: EpochMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SpanPartitionParts) {
    this.#parts = parts;
    this.#source = partitionName(parts.of);
    this.#poison = new PoisonWatch(this.#source);
    this.#next = parts.position;
    this.#committedOffset = parts.position?.offset ?? null;
  }

  /** All that had come by then is counted in committed deltas; -Infinity: nothing is known yet. */
  get completeUntilMs(): EpochMs {
    return this.#completeUntilMs;
  }

  /** How long its transaction has been under way; 0: none is. */
  get commitMs(): DurationMs {
    return this.#commit === null ? 0 : this.#parts.clock.monotonicMs() - this.#commitBegunMs;
  }

  /** Where its reading began, for a partition without a committed position; null: no record was taken. */
  get firstOffset(): number | null {
    return this.#firstOffset;
  }

  /** Counts one record. `full` while a transaction is under way and there is no more room beside it; `resume` is called then. */
  take(record: LogRecord): 'taken' | 'full' {
    if (this.#isFull) this.flush(this.#seenUntilMs);
    if (this.#isOver) return 'full';
    if (this.#isFull) {
      this.#isBlocked = true;
      return 'full';
    }
    const { intake, counted } = this.#parts;
    const wrong = intake.take(record, (encoding, bytes, at) => counted.consume(encoding, bytes, at));
    if (wrong !== null) this.#setAside(record, wrong);
    this.#firstOffset ??= record.offset;
    this.#next = { offset: record.offset + 1, anchor: { offset: record.offset, timestampMs: record.timestampMs } };
    return 'taken';
  }

  /** Where it is read from, nothing of it having come yet: to be committed, lest a successor begins later and what comes until then is never read. */
  beganAt(offset: number): void {
    if (this.#parts.position === null && this.#epochs === 0) this.#next ??= { offset, anchor: null };
  }

  gap(gap: LogGap): void {
    const { telemetry } = this.#parts;
    const told = sourceGap(gap);
    telemetry.log.error({ ...told }, 'spans were lost before they were read');
    this.#gaps.push(told);
    this.#committedOffset = null;
    if (gap.reason === 'retention') {
      this.#next = { offset: gap.to, anchor: null };
      return;
    }
    // The offsets of the old log mean nothing in the new one: no position is known before a record of it is read.
    this.#next = null;
    this.#epochs++;
  }

  /**
   * Sends what was counted, unless the last transaction is still under way. `seenUntilMs`: everything that had come by then was taken by now; -Infinity:
   * not known.
   */
  flush(seenUntilMs: EpochMs): void {
    this.#seenUntilMs = Math.max(this.#seenUntilMs, seenUntilMs);
    if (this.#commit !== null || this.#isOver) return;
    const { groupId, of, writer } = this.#parts;
    const untilMs = this.#seenUntilMs;
    const position = this.#next;
    const hasMoved = position !== null && position.offset !== this.#committedOffset;
    const records = this.#takeRecords(position);
    if (records.length === 0 && !hasMoved) {
      this.#completeUntilMs = untilMs;
      return;
    }
    const offsets = position === null ? undefined : { groupId, positions: [{ ...of, position }] };
    const startedMs = this.#parts.clock.monotonicMs();
    this.#commitBegunMs = startedMs;
    this.#commit = writer.write(records, offsets).then(
      () => this.#committed(position, untilMs, startedMs),
      (error) => this.#failed(error),
    );
  }

  /** Sends all that is left; never rejects. True when it was committed. */
  async finish(): Promise<boolean> {
    await this.#commit;
    this.flush(Number.NEGATIVE_INFINITY);
    await this.#commit;
    return !this.#isOver;
  }

  /** Forgets everything; what is under way may still take place. */
  drop(): void {
    this.#isOver = true;
    void this.#parts.writer.close();
  }

  get #isFull(): boolean {
    return this.#parts.counted.isFull || this.#asideBytes >= MAX_ASIDE_BYTES || this.#aside.length >= MAX_ASIDE;
  }

  #setAside(record: LogRecord, reason: string): void {
    const { of, quarantineTopic, telemetry, clock } = this.#parts;
    const copy = quarantined(quarantineTopic, of, record, reason);
    this.#aside.push(copy);
    this.#asideBytes += copy.value?.length ?? 0;
    telemetry.add('ingest_quarantined_records_total', 1);
    const now = clock.now();
    const arrivedMs = record.timestampMs < 0 ? now : Math.min(record.timestampMs, now);
    if (!this.#poison.note(arrivedMs, clock.monotonicMs())) return;
    telemetry.log.warn(
      { source: this.#source, offset: record.offset, reason },
      'a record holds no spans that can be read; it is set aside',
    );
  }

  /** All that waits, taken out of memory. */
  #takeRecords(position: LogPosition | null): OutRecord[] {
    const { counted, names, deltas, epoch, telemetry } = this.#parts;
    const origin = { source: this.#source, epoch: `${epoch}.${this.#epochs}`, sequence: position?.offset ?? 0 };
    const counts = counted.pending === 0 ? [] : deltaRecords(counted.flush(origin), names, deltas);
    const poison = this.#poison.takeGap();
    const gaps = poison === null ? this.#gaps : [...this.#gaps, poison];
    const told = gaps.length === 0 ? [] : this.#parts.tell(gaps);
    for (const { reason } of gaps) telemetry.add('ingest_gaps_total', 1, { reason });
    const records = [...counts, ...this.#aside, ...told];
    telemetry.add('ingest_delta_bytes_total', bytesOf(counts));
    this.#aside = [];
    this.#asideBytes = 0;
    this.#gaps = [];
    return records;
  }

  #committed(position: LogPosition | null, untilMs: EpochMs, startedMs: number): void {
    const { telemetry, clock } = this.#parts;
    telemetry.add('ingest_commits_total', 1, { result: 'committed' });
    telemetry.observe('ingest_commit_seconds', (clock.monotonicMs() - startedMs) / 1000);
    this.#commit = null;
    if (position !== null) this.#committedOffset = position.offset;
    this.#completeUntilMs = Math.max(this.#completeUntilMs, untilMs);
    if (!this.#isBlocked || this.#isOver) return;
    this.#isBlocked = false;
    this.flush(this.#seenUntilMs);
    this.#parts.resume();
  }

  #failed(error: unknown): void {
    this.#commit = null;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.failed(error);
  }
}

function bytesOf(records: readonly OutRecord[]): number {
  return records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
}
