/** Keeps records of aborted transactions from readers of committed ones: kafkajs lets some of them through. */
import { createRequire } from 'node:module';

export interface FetchedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  /** Control records are counted as read, and handed to nobody. */
  isControlRecord: boolean;
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
}

export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

export interface FetchedPartition {
  /** In ascending order of `firstOffset`; -1 or null: none. */
  abortedTransactions: readonly AbortedTransaction[] | null;
  readonly messages: readonly FetchedMessage[];
}

interface Broker {
  fetch(request: unknown): Promise<{ readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[] }>;
}

/** Of a control record's key, of two big-endian int16: version and type; 0 is an abort, 1 a commit. https://kafka.apache.org/documentation/#controlbatch */
const TYPE_AT = 2;
const ABORT = 0;

let isMended = false;

/**
 * kafkajs 2.2.4 takes in at most one aborted transaction per record. Where a fetch begins within several of them, as happens when many producers write to one
 * partition, records of the second and later ones pass for committed. So each fetch is sorted out before it sees it.
 */
export function mendAbortedRecords(): void {
  if (isMended) return;
  isMended = true;
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/broker') as { prototype: Broker };
  const fetch = prototype.fetch;
  prototype.fetch = async function (this: Broker, request) {
    const answer = await fetch.call(this, request);
    for (const { partitions } of answer.responses) for (const partition of partitions) hideAborted(partition);
    return answer;
  };
}

/** Marks records of aborted transactions as control records, so that they count as read, and takes the list of transactions away. */
export function hideAborted(partition: FetchedPartition): void {
  const aborted = [...(partition.abortedTransactions ?? [])].sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  if (aborted.length === 0) return;
  partition.abortedTransactions = [];
  const open = new Set<string>();
  let next = 0;
  for (const message of partition.messages) {
    for (; next < aborted.length && Number(aborted[next]?.firstOffset) <= Number(message.offset); next++) {
      open.add(aborted[next]?.producerId ?? '');
    }
    const { producerId, inTransaction } = message.batchContext ?? { producerId: '', inTransaction: false };
    if (message.isControlRecord) {
      if (message.key !== null && message.key.length >= TYPE_AT + 2 && message.key.readInt16BE(TYPE_AT) === ABORT) open.delete(producerId);
    } else if (inTransaction && open.has(producerId)) {
      message.isControlRecord = true;
    }
  }
}
