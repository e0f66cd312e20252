/** Takes the records of one batch in order, and lets go of the event loop between them. */
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { EpochMs } from '../model/time.ts';
import type { LogRecord } from './log.ts';
import type { LogUser } from './log-consumer-parts.ts';
import type { Reading } from './log-consumer-reading.ts';

/** Timers and sockets wait for so long at most. */
const WORK_MS = 20;

export interface Taking {
  readonly user: LogUser;
  now(): EpochMs;
  monotonicMs(): number;
  /** The partition is still ours, and may be read. */
  isCurrent(): boolean;
  /** The batch begins beyond the next record; nothing of it was taken. */
  jumped(): void;
  /** The record that proves the log is another one now. */
  disproven(): void;
  full(): void;
  took(records: number, bytes: number): void;
}

/**
 * Offsets below the next one are skipped; those that are missing within a batch were never written, compacted away, or aborted: a batch is whole from the
 * offset that was asked for. Rejects when the group rebalances, as kafkajs wants it; what was taken stays taken.
 */
export async function takeBatch(reading: Reading, payload: EachBatchPayload, taking: Taking): Promise<void> {
  const { batch } = payload;
  // Not in the types of kafkajs 2.2.4.
  if (Number((batch as unknown as { fetchedOffset: string }).fetchedOffset) > reading.offset) return taking.jumped();
  const isCurrent = () => taking.isCurrent() && payload.isRunning() && !payload.isStale();
  let done: string | null = null;
  let [records, bytes] = [0, 0];
  let sinceMs = taking.monotonicMs();
  try {
    for (const message of batch.messages) {
      if (!isCurrent() || !take(reading, message, taking)) return;
      done = message.offset;
      records++;
      bytes += message.value?.byteLength ?? 0;
      if (taking.monotonicMs() - sinceMs < WORK_MS) continue;
      await new Promise(setImmediate);
      await payload.heartbeat();
      sinceMs = taking.monotonicMs();
    }
    if (isCurrent()) reading.passedTo(Number(batch.lastOffset()) + 1);
  } finally {
    taking.took(records, bytes);
    // Not when it was lost meanwhile: kafkajs would not know the partition any more.
    if (done !== null && isCurrent()) payload.resolveOffset(done);
  }
}

/** False: nothing more of this batch. */
function take(reading: Reading, message: KafkaMessage, taking: Taking): boolean {
  const offset = Number(message.offset);
  const timestampMs = Number(message.timestamp);
  const { unproven } = reading;
  if (unproven !== null && offset >= unproven.offset) {
    if (offset === unproven.offset && timestampMs !== unproven.timestampMs) {
      taking.disproven();
      return false;
    }
    reading.unproven = null;
  }
  if (offset < reading.offset) return true;
  const now = taking.now();
  const knownMs = timestampMs >= 0 && timestampMs <= now ? timestampMs : -1;
  const { checks } = reading;
  for (const gap of reading.gaps.splice(0)) taking.user.gap({ ...gap, toMs: knownMs >= 0 ? knownMs : null });
  if (reading.checks !== checks) return false;
  const { key, value } = message;
  const record: LogRecord = { offset, timestampMs: knownMs, key, value, headers: headersOf(message) };
  const answer = taking.user.take(reading.of, record);
  // Its user has sent the partition elsewhere meanwhile: what it says of this record is of no use any more.
  if (reading.checks !== checks) return false;
  if (answer === 'full') {
    taking.full();
    return false;
  }
  reading.took(offset, timestampMs, now);
  return true;
}

const NO_HEADERS: LogRecord['headers'] = Object.freeze({});

/** Of a name that comes several times the last one counts. */
function headersOf({ headers }: KafkaMessage): LogRecord['headers'] {
  let read: Record<string, Uint8Array> | null = null;
  for (const name in headers) {
    const value = headers[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last === undefined || last === null) continue;
    read ??= Object.create(null) as Record<string, Uint8Array>;
    read[name] = typeof last === 'string' ? Buffer.from(last) : last;
  }
  return read ?? NO_HEADERS;
}
