/** Writes records, and the positions they come from, to a log: all of a transaction or nothing of it, and never after a successor has begun. */
import type { Kafka } from 'kafkajs';
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { OffsetsOfGroup, OutRecord } from './out-record.ts';

/** A successor has claimed the transactional id: this writer is a zombie, and nothing of it takes effect any more. */
export class FencedError extends PermanentError {}

/** It may or may not have been committed: claim again, and read what is in the log, before going on. */
export class UncertainError extends RetryableError {}

export interface TransactionalWriterParts {
  readonly client: Kafka;
  readonly transactionalId: string;
  readonly telemetry: Telemetry;
}

export class TransactionalWriter {
  readonly #parts: TransactionalWriterParts;

  constructor(parts: TransactionalWriterParts) {
    this.#parts = parts;
  }

  /** Fences every predecessor and waits for its commit; call it before positions are read. */
  async claim(): Promise<void> {
    throw new RetryableError('kafka', `claiming ${this.#parts.transactionalId}: not there yet`);
  }

  /** One transaction, one at a time. */
  async write(_records: readonly OutRecord[], _offsets?: OffsetsOfGroup): Promise<void> {
    throw new RetryableError('kafka', `writing as ${this.#parts.transactionalId}: not there yet`);
  }

  /** Never hangs, also while the broker is away. */
  async close(): Promise<void> {}
}
