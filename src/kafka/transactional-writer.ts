/** Writes records, and the positions they come from, to a log: all of a transaction or nothing of it, and never after a successor has begun. */
import kafkajs, { type Kafka, type Producer, type Transaction } from 'kafkajs';
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { DurationMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { offsetMetadata } from './committed-offset.ts';
import { kafkaFailure, kafkaReason } from './kafka-errors.ts';
import type { OffsetsOfGroup, OutRecord } from './out-record.ts';
import { TimeLimitError, within } from './time-limit.ts';
import { batchesOf, messagesOf, notWrittenOnce } from './transactional-writer-batches.ts';

const { CompressionTypes, Partitioners } = kafkajs;

/** A successor has claimed the transactional id: this writer is a zombie, and nothing of it takes effect any more. */
export class FencedError extends PermanentError {}

/** It may have been committed, or may yet be until somebody claims: claim again, and read what is in the log, before going on. */
export class UncertainError extends RetryableError {}

export interface TransactionalWriterParts {
  readonly client: Kafka;
  readonly transactionalId: string;
  readonly telemetry: Telemetry;
}

/** The broker aborts what is open for longer, and fences its producer as a successor would: so a write has to end well before, and then fenced is fenced. */
const TRANSACTION_TIMEOUT_MS = 60_000;
const WRITE_LIMIT_MS = 45_000;
const CLAIM_LIMIT_MS = 30_000;
const CLOSE_LIMIT_MS = 5_000;
/** A dropped producer that is busy for longer hangs. Its requests end after 20 s (`REQUEST_TIMEOUT_MS` of `kafka-client.ts`) and are tried a few times. */
const BURIAL_LIMIT_MS = 120_000;
/**
 * A commit is answered before its markers are written, so the first request of the next transaction is refused once: with kafkajs' 300 ms that would be the
 * time a transaction takes. Never given up here: a request that is sent anew after kafkajs gave up may be written twice.
 */
const SEND_RETRY = { initialRetryTime: 20, maxRetryTime: 500, retries: 1_000_000 } as const;
const PAUSE_MS = 20;
const MAX_PAUSE_MS = 500;

export class TransactionalWriter {
  readonly #parts: TransactionalWriterParts;
  /** Claimed, and nothing has gone wrong since. */
  #producer: Producer | null = null;
  /** Outlives a claim that did not wait for it: with no broker there, each one would try for ever. */
  #connecting: Promise<Producer> | null = null;
  /** Dropped ones that are still busy. */
  readonly #buried = new Set<Promise<void>>();
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(parts: TransactionalWriterParts) {
    this.#parts = parts;
  }

  /**
   * Fences every predecessor, waits for its commit and aborts what it left open; call it before positions are read, and again after every `write` that threw.
   * Only for whoever is the owner now: it fences also a rightful one. Throws a RetryableError after 30 s, a PermanentError when the broker refuses for good.
   */
  claim(): Promise<void> {
    return this.#alone(async () => {
      const act = `claiming the transactional id ${this.#parts.transactionalId}`;
      this.#refuseWhenClosed(act);
      const endMs = performance.now() + CLAIM_LIMIT_MS;
      const left = (): DurationMs => endMs - performance.now();
      this.#bury(this.#producer, Promise.resolve(), null);
      this.#producer = null;
      try {
        // Else one of them could claim after us.
        await within(Promise.all(this.#buried), left());
        const producer = await this.#connected(left());
        let isLate = false;
        // kafkajs asks for the producer's id, which is what fences, with the first transaction. Nothing was added to it, so that aborting asks for nothing.
        const claiming = patiently(
          async () => (await producer.transaction()).abort(),
          () => isLate || left() < 0,
        );
        try {
          await within(claiming, left());
        } catch (error) {
          isLate = true;
          this.#bury(producer, claiming, null);
          throw error;
        }
        this.#producer = producer;
      } catch (error) {
        const failure = error instanceof TimeLimitError ? 'again' : kafkaFailure(error);
        const message = `${act}: ${kafkaReason(error)}`;
        if (failure === 'refused') throw new PermanentError('kafka_refused', message, { cause: error });
        throw new RetryableError('kafka_not_claimed', message, { cause: error });
      }
    });
  }

  /**
   * One transaction; calls wait for one another. Within 45 s it is committed, or it throws: an UncertainError; a FencedError; a PermanentError when the same
   * would be refused again (a record too large, no permission), or a RetryableError: after these three nothing of it was committed, nor ever will be.
   */
  write(records: readonly OutRecord[], offsets?: OffsetsOfGroup): Promise<void> {
    return this.#alone(async () => {
      const act = `writing ${records.length} records as ${this.#parts.transactionalId}`;
      this.#refuseWhenClosed(act);
      const producer = this.#producer;
      if (producer === null) throw new RetryableError('kafka_not_claimed', `${act}: it has to be claimed first`);
      if (records.length === 0 && (offsets === undefined || offsets.positions.length === 0)) return;
      await this.#transact(producer, records, offsets, act);
    });
  }

  /** Ends within 5 s, also while the broker is away; what is being written may be finished later. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const connecting = this.#connecting;
    this.#connecting = null;
    connecting?.then((producer) => producer.disconnect()).catch(() => {});
    const ended = this.#alone(async () => {
      this.#bury(this.#producer, Promise.resolve(), null);
      this.#producer = null;
      await Promise.all(this.#buried);
    });
    await within(ended, CLOSE_LIMIT_MS).catch((error: unknown) => this.#debug(error, 'a writer did not close in time'));
  }

  async #transact(producer: Producer, records: readonly OutRecord[], offsets: OffsetsOfGroup | undefined, act: string): Promise<void> {
    const startMs = performance.now();
    let transaction: Transaction | null = null;
    let isGivenUp = false;
    let isCommitting = false;
    const work = (async () => {
      transaction = await producer.transaction();
      for (const batch of batchesOf(records)) {
        if (isGivenUp) return;
        const answers = await transaction.sendBatch({ topicMessages: messagesOf(batch), compression: CompressionTypes.LZ4 });
        const wrong = notWrittenOnce(batch, answers);
        if (wrong.length > 0) throw new Error(`not exactly one answer for ${wrong.slice(0, 3).join(', ')}: is the partition there?`);
      }
      if (offsets !== undefined && offsets.positions.length > 0) await sendOffsets(transaction, offsets, () => isGivenUp);
      if (isGivenUp) return;
      isCommitting = true;
      await transaction.commit();
    })();
    try {
      await within(work, WRITE_LIMIT_MS);
      this.#parts.telemetry.add('kafka_transactions_total', 1, { outcome: 'committed' });
    } catch (error) {
      isGivenUp = true;
      // Never used again: after a request that failed kafkajs counts its sequence numbers back, and a broker that had taken it drops other records as repeats.
      this.#producer = null;
      this.#bury(producer, work, isCommitting ? null : () => transaction);
      throw this.#failed(act, error, isCommitting, performance.now() - startMs);
    }
  }

  #failed(act: string, error: unknown, isCommitting: boolean, tookMs: DurationMs): PermanentError | RetryableError {
    const failure = error instanceof TimeLimitError ? 'again' : kafkaFailure(error);
    const [outcome, thrown] = thrownFor(failure, act, error, isCommitting, tookMs);
    this.#parts.telemetry.add('kafka_transactions_total', 1, { outcome });
    const { transactionalId, telemetry } = this.#parts;
    telemetry.log.warn({ transactionalId, outcome, error: kafkaReason(error) }, 'a transaction was not seen to be committed');
    return thrown;
  }

  async #connected(limitMs: DurationMs): Promise<Producer> {
    this.#connecting ??= this.#connect();
    const connecting = this.#connecting;
    try {
      const producer = await within(connecting, limitMs);
      this.#connecting = null;
      return producer;
    } catch (error) {
      if (!(error instanceof TimeLimitError)) this.#connecting = null;
      throw error;
    }
  }

  #connect(): Promise<Producer> {
    const { client, transactionalId } = this.#parts;
    const producer = client.producer({
      transactionalId,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: SEND_RETRY,
    });
    const connecting = producer.connect().then(
      () => producer,
      async (error: unknown) => {
        producer.disconnect().catch(() => {});
        throw error;
      },
    );
    connecting.catch(() => {});
    return connecting;
  }

  /** Lets it end what it is at, aborts what it has open so that readers need not wait for the broker to do so, and disconnects it. */
  #bury(producer: Producer | null, work: Promise<unknown>, open: (() => Transaction | null) | null): void {
    if (producer === null) return;
    const burying = async (): Promise<void> => {
      await work.catch(() => {});
      const transaction = open?.() ?? null;
      if (transaction?.isActive()) await transaction.abort().catch(() => {});
      await producer.disconnect();
    };
    const buried: Promise<void> = within(burying(), BURIAL_LIMIT_MS)
      .catch((error: unknown) => this.#debug(error, 'a dropped producer did not end well'))
      .finally(() => this.#buried.delete(buried));
    this.#buried.add(buried);
  }

  #refuseWhenClosed(act: string): void {
    if (this.#isClosed) throw new PermanentError('kafka_closed', `${act}: the writer is closed`);
  }

  #alone<T>(act: () => Promise<T>): Promise<T> {
    const run = this.#last.then(act);
    this.#last = run.catch(() => {});
    return run;
  }

  #debug(error: unknown, message: string): void {
    this.#parts.telemetry.log.debug({ transactionalId: this.#parts.transactionalId, error: kafkaReason(error) }, message);
  }
}

/** kafkajs asks once for some of it: repeating that is harmless, as only the last offsets of a transaction count. */
function sendOffsets(transaction: Transaction, { groupId, positions }: OffsetsOfGroup, isLate: () => boolean): Promise<void> {
  const topics = Map.groupBy(positions, ({ topic }) => topic);
  const offsets = [...topics].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ partition, position }) => ({
      partition,
      offset: String(position.offset),
      metadata: offsetMetadata(position),
    })),
  }));
  return patiently(() => transaction.sendOffsets({ consumerGroupId: groupId, topics: offsets }), isLate);
}

/** Again and again, while the error is one that passes and it is not too late. */
async function patiently(act: () => Promise<void>, isLate: () => boolean): Promise<void> {
  for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    try {
      return await act();
    } catch (error) {
      if (isLate() || kafkaFailure(error) !== 'again') throw error;
    }
    await new Promise((resume) => setTimeout(resume, pauseMs));
  }
}

type Outcome = 'fenced' | 'uncertain' | 'refused' | 'not_written';

function thrownFor(
  failure: ReturnType<typeof kafkaFailure>,
  act: string,
  cause: unknown,
  isCommitting: boolean,
  tookMs: DurationMs,
): readonly [Outcome, PermanentError | RetryableError] {
  const why = kafkaReason(cause);
  // A process that stood still for longer than the broker waits is fenced by no successor.
  if (failure === 'fenced' && tookMs < TRANSACTION_TIMEOUT_MS) {
    return ['fenced', new FencedError('kafka_fenced', `${act}: another one has claimed the transactional id: ${why}`, { cause })];
  }
  if (isCommitting && failure !== 'fenced') {
    return ['uncertain', new UncertainError('kafka_uncertain', `${act}: it is not known whether it was committed: ${why}`, { cause })];
  }
  if (failure === 'refused') return ['refused', new PermanentError('kafka_refused', `${act}: ${why}`, { cause })];
  return ['not_written', new RetryableError('kafka_not_written', `${act}: nothing of it was committed: ${why}`, { cause })];
}
