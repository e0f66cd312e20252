/** Spans that are sent to this member: counted, and answered for when their counts are in the topic of deltas. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PartitionIngest } from '../../ingest/partitioned-ingest.ts';
import type { TopicPartition } from '../../kafka/log.ts';
import type { OutRecord } from '../../kafka/out-record.ts';
import type { TransactionalWriter } from '../../kafka/transactional-writer.ts';
import type { SourceProgress } from '../../model/source-progress.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import type { ConsumeOutcome, SpanEncoding } from '../../receivers/receiver.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { SeriesNames } from '../../wire/encode-deltas.ts';
import type { Clock } from '../clock.ts';
import { type DeltaTopic, deltaRecords } from './delta-records.ts';

/** Waits before counts are sent once more: the first, doubled up to the last. */
const FIRST_WAIT_MS = 100;
const LAST_WAIT_MS = 5_000;

export interface OtlpSourceParts {
  /** `otlp/<member>`: no other life of any member has this name. */
  readonly source: string;
  readonly counted: PartitionIngest;
  readonly names: SeriesNames;
  readonly deltas: DeltaTopic;
  /** Each call makes one of the same transactional id. */
  writer(): TransactionalWriter;
  /** A group of this member alone, in which its last flush is noted in the transaction that carries it. */
  readonly ledger: string;
  /** What is noted there; null: nothing yet. Asked after a claim, when no transaction is open any more. */
  noted(of: TopicPartition): Promise<number | null>;
  readonly flushMs: DurationMs;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** What one flush answers for. */
interface Waiting {
  readonly answer: (outcome: ConsumeOutcome) => void;
  readonly outcome: ConsumeOutcome;
}

export class OtlpSource {
  readonly #parts: OtlpSourceParts;
  #writer: TransactionalWriter | null = null;
  #sequence = 0;
  #waiting: Waiting[] = [];
  #commit: Promise<void> | null = null;
  #commitBegunMs: DurationMs = 0;
  #flushAt: DurationMs = 0;
  #completeUntilMs: EpochMs;
  #phase: 'open' | 'stopping' | 'closed' = 'open';
  #failures = 0;

  constructor(parts: OtlpSourceParts) {
    this.#parts = parts;
    this.#completeUntilMs = parts.clock.now();
  }

  /** Counts the spans of one request, all or none; says so once they are committed. A sender that does not wait so long sends them again. */
  consume(encoding: SpanEncoding, bytes: Uint8Array): ConsumeOutcome | Promise<ConsumeOutcome> {
    const { counted, clock } = this.#parts;
    if (this.#phase !== 'open') return { kind: 'unavailable', message: 'this member is shutting down' };
    if (counted.isFull && this.#commit !== null) return { kind: 'unavailable', message: 'counts cannot be handed over fast enough' };
    const outcome = counted.consume(encoding, bytes, clock.now());
    if (outcome.kind === 'malformed') return outcome;
    const { promise, resolve } = Promise.withResolvers<ConsumeOutcome>();
    this.#waiting.push({ answer: resolve, outcome });
    if (counted.isFull) this.#flush();
    return promise;
  }

  /** To be called several times within `flushMs`. */
  tick(): void {
    if (this.#parts.clock.monotonicMs() >= this.#flushAt) this.#flush();
  }

  progress(): SourceProgress {
    return { source: this.#parts.source, completeUntilMs: this.#completeUntilMs, isClosed: this.#phase === 'closed' };
  }

  /** How long what was counted has been on its way; 0: nothing is. */
  get commitMs(): DurationMs {
    return this.#commit === null ? 0 : this.#parts.clock.monotonicMs() - this.#commitBegunMs;
  }

  get isBroken(): boolean {
    return this.#failures > 0;
  }

  /** No more is taken; resolves when all that was counted is committed: true, and the source is closed. False when `abort` fires before. */
  async finish(abort: AbortSignal): Promise<boolean> {
    this.#phase = 'stopping';
    const given = new Promise<void>((resolve) => abort.addEventListener('abort', () => resolve(), { once: true }));
    const committed = async (): Promise<void> => {
      await this.#commit;
      this.#flush();
      await this.#commit;
      this.#phase = 'closed';
    };
    await Promise.race([committed(), given]);
    for (const { answer } of this.#waiting.splice(0)) answer({ kind: 'unavailable', message: 'this member is shutting down' });
    return this.progress().isClosed;
  }

  async close(): Promise<void> {
    this.#phase = 'closed';
    await this.#writer?.close();
  }

  #flush(): void {
    const { counted, names, deltas, source, clock, flushMs } = this.#parts;
    if (this.#commit !== null || this.#phase === 'closed') return;
    this.#flushAt = clock.monotonicMs() + flushMs;
    this.#commitBegunMs = clock.monotonicMs();
    const untilMs = clock.now();
    const waiting = this.#waiting;
    this.#waiting = [];
    const records =
      counted.pending === 0 ? [] : deltaRecords(counted.flush({ source, epoch: '1', sequence: ++this.#sequence }), names, deltas);
    this.#commit = (records.length === 0 ? Promise.resolve(true) : this.#written(records, this.#sequence)).then((isWritten) => {
      this.#commit = null;
      if (!isWritten) {
        for (const { answer } of waiting) answer({ kind: 'unavailable', message: 'this member is shutting down' });
        return;
      }
      this.#completeUntilMs = Math.max(this.#completeUntilMs, untilMs);
      for (const { answer, outcome } of waiting) answer(outcome);
    });
  }

  /** Until it is there: true; or the source is closed. Whether a transaction of which nothing was heard took place is looked up: nothing is written twice. */
  async #written(records: readonly OutRecord[], sequence: number): Promise<boolean> {
    const { telemetry, clock, deltas, ledger } = this.#parts;
    const startedMs = clock.monotonicMs();
    let isTaken = false;
    const place = { topic: deltas.topic, partition: 0 };
    const note = { groupId: ledger, positions: [{ ...place, position: { offset: sequence, anchor: null } }] };
    for (let waitMs = FIRST_WAIT_MS; this.#phase !== 'closed'; waitMs = Math.min(2 * waitMs, LAST_WAIT_MS)) {
      try {
        if (this.#writer === null) {
          this.#writer = this.#parts.writer();
          await this.#writer.claim();
          isTaken = ((await this.#parts.noted(place)) ?? 0) >= sequence;
        }
        if (!isTaken) await this.#writer.write(records, note);
        this.#failures = 0;
        telemetry.add('ingest_commits_total', 1, { result: 'committed' });
        telemetry.observe('ingest_commit_seconds', (clock.monotonicMs() - startedMs) / 1000);
        telemetry.add(
          'ingest_delta_bytes_total',
          records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0),
        );
        return true;
      } catch (error) {
        telemetry.add('ingest_commits_total', 1, { result: 'failed' });
        if (this.#failures++ === 0)
          telemetry.log.warn({ error: String(error) }, 'counts of spans sent here cannot be handed over; trying again');
        void this.#writer?.close();
        this.#writer = null;
        await delay(waitMs, undefined, { ref: false });
      }
    }
    return false;
  }
}
