/** State as the latest row of each key in one partition of a compacted topic: read back whole, then written by one owner alone. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { DurationMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { RowJoiner, RowSplitter } from './changelog-parts.ts';
import type { ChangelogLog, ChangelogRow } from './changelog-row.ts';
import { type LogRecord, partitionName, type TopicPartition } from './log.ts';
import { readToEnd } from './log-reader.ts';
import { FencedError, TransactionalWriter } from './transactional-writer.ts';

export interface ChangelogParts extends TopicPartition {
  readonly client: Kafka;
  /** One per partition: who claims it last owns the state. */
  readonly transactionalId: string;
  readonly telemetry: Telemetry;
  /** False while the partition may have another owner, as far as the group told: then nothing is claimed again. */
  mayStillOwn(): boolean;
  /** Ends the reading, and all trying again. */
  readonly abort: AbortSignal;
}

/** Whose rows these are, as the last owner to write said it; its value is a random name for one opening. No row's key, as those are JSON arrays. */
const OWNER_KEY = 'owner';
const FIRST_PAUSE_MS: DurationMs = 50;
const MAX_PAUSE_MS: DurationMs = 1_000;

/**
 * Claims the partition, hands every row that is in it to `take`, in order, and resolves with what writes on. A later row of a key replaces the earlier
 * one; a null value deletes it. Rejects with PermanentError when a row was written by a newer program or is torn, and with RetryableError when Kafka is away.
 */
export async function openChangelog(parts: ChangelogParts, take: (row: ChangelogRow) => void): Promise<ChangelogLog> {
  const writer = new TransactionalWriter(parts);
  try {
    await writer.claim();
    const changelog = new Changelog(parts, writer);
    await changelog.restore(take);
    return changelog;
  } catch (error) {
    await writer.close();
    throw error;
  }
}

class Changelog implements ChangelogLog {
  readonly #parts: ChangelogParts;
  readonly #writer: TransactionalWriter;
  readonly #splitter = new RowSplitter();
  readonly #me = randomUUID();
  /** Who had it before; null: nobody. */
  #before: string | null = null;
  /** Of the last record that was restored; -1: there was none. */
  #restoredTo = -1;
  /** The log says that it is ours. */
  #isTold = false;
  readonly #closing = new AbortController();
  readonly #ended: AbortSignal;

  constructor(parts: ChangelogParts, writer: TransactionalWriter) {
    this.#parts = parts;
    this.#writer = writer;
    this.#ended = AbortSignal.any([parts.abort, this.#closing.signal]);
  }

  async restore(take: (row: ChangelogRow) => void): Promise<void> {
    const joiner = new RowJoiner((row, parts) => {
      this.#splitter.known(row.key, parts);
      if (row.key === OWNER_KEY) this.#before = ownerIn(row.value);
      else take(row);
    });
    await this.#read((row, offset) => {
      this.#restoredTo = offset;
      joiner.add(row);
    });
    joiner.finish();
  }

  async write(rows: readonly ChangelogRow[]): Promise<void> {
    const all = this.#isTold ? rows : [{ key: OWNER_KEY, value: Buffer.from(this.#me) }, ...rows];
    const { topic, partition } = this.#parts;
    const records = this.#splitter.records(all).map((record) => ({ topic, partition, ...record }));
    await this.#untilWritten(() => this.#writer.write(records));
    this.#splitter.written(all);
    this.#isTold = true;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writer.close();
  }

  /** The same rows again change nothing, so what is uncertain is repeated; but only by who claimed anew and found no rows of a successor. */
  async #untilWritten(write: () => Promise<void>): Promise<void> {
    const { telemetry } = this.#parts;
    const state = partitionName(this.#parts);
    let isClaimed = true;
    for (let failures = 0; ; failures++) {
      try {
        if (!isClaimed) await this.#claimAgain();
        isClaimed = true;
        await write();
        if (failures > 0) telemetry.log.info({ state, failures }, 'the state is durable again');
        return;
      } catch (error) {
        isClaimed = false;
        if (!(error instanceof RetryableError)) throw error;
        if (failures === 0) telemetry.log.warn({ state, error: error.message }, 'the state is not durable; no signal leaves until it is');
        await this.#pause(Math.min(FIRST_PAUSE_MS * 2 ** failures, MAX_PAUSE_MS));
      }
    }
  }

  /** A claim would fence a rightful successor too, so that one which wrote nothing yet has to begin anew; one that did keeps the state. */
  async #claimAgain(): Promise<void> {
    while (!this.#parts.mayStillOwn()) await this.#pause(MAX_PAUSE_MS);
    await this.#writer.claim();
    let owner: string | null = null;
    let last = -1;
    await this.#read(({ key, value }, offset) => {
      last = offset;
      if (key === OWNER_KEY) owner = ownerIn(value?.subarray(1) ?? null);
    });
    // Before our first write the last owner may have claimed once more, and gone on from what we have not read.
    if (owner === this.#me || (!this.#isTold && owner === this.#before && last === this.#restoredTo)) return;
    throw new FencedError('kafka_fenced', `writing the state in ${partitionName(this.#parts)}: another owner has written there`);
  }

  async #read(take: (row: ChangelogRow, offset: number) => void): Promise<void> {
    const { client, telemetry } = this.#parts;
    const takeRecord = (_: TopicPartition, { key, value, offset }: LogRecord): void =>
      take({ key: Buffer.from(key ?? []).toString('utf8'), value }, offset);
    await readToEnd({ client, telemetry }, [this.#parts], takeRecord, this.#ended);
  }

  async #pause(waitMs: DurationMs): Promise<void> {
    try {
      await pause(waitMs, undefined, { signal: this.#ended });
    } catch (error) {
      const state = partitionName(this.#parts);
      throw new PermanentError('kafka_closed', `writing the state in ${state}: it was closed before it was known to be written`, {
        cause: error,
      });
    }
  }
}

function ownerIn(value: Uint8Array | null): string | null {
  return value === null ? null : Buffer.from(value).toString('utf8');
}
