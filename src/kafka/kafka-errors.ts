/** What an error of kafkajs means for whoever was writing. */

/**
 * `fenced`: a successor has claimed the transactional id. `again`: nothing is wrong that time does not mend. `refused`: the same will be refused again.
 * `broken`: this producer is of no use any more; another one may be.
 */
export type KafkaFailure = 'fenced' | 'again' | 'refused' | 'broken';

/** https://kafka.apache.org/protocol#protocol_error_codes: kafkajs 2.2.4 knows those up to 88, by names that are partly old, and tells others by number alone. */
const PRODUCER_FENCED = 90;
const UNKNOWN_CODE = /^Unknown error code (-?\d+)/;

const FENCED: ReadonlySet<string> = new Set(['INVALID_PRODUCER_EPOCH']);
const AGAIN: ReadonlySet<string> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSNoBrokerAvailableError',
]);
const REFUSED: ReadonlySet<string> = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'OFFSET_METADATA_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_TIMESTAMP',
  'INVALID_RECORD',
  'INVALID_GROUP_ID',
  'INVALID_TRANSACTION_TIMEOUT',
  'POLICY_VIOLATION',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'UNSUPPORTED_SASL_MECHANISM',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'KafkaJSSASLAuthenticationError',
]);
/** Wrapped by each retry that gave up; more than this is no chain of kafkajs. */
const MAX_DEPTH = 8;

interface KafkaJsError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly type?: unknown;
  readonly retriable?: unknown;
  readonly cause?: unknown;
}

/** Looks through errors that wrap others: what a retry gave up with says less than why. */
export function kafkaFailure(error: unknown): KafkaFailure {
  let isRetriable = false;
  for (const { name, message, type, retriable } of causes(error)) {
    for (const word of [type, name]) {
      if (typeof word !== 'string') continue;
      if (FENCED.has(word)) return 'fenced';
      if (REFUSED.has(word)) return 'refused';
      if (AGAIN.has(word)) return 'again';
    }
    if (type === 'KAFKAJS_UNKNOWN_ERROR_CODE' && Number(UNKNOWN_CODE.exec(String(message))?.[1]) === PRODUCER_FENCED) return 'fenced';
    isRetriable = retriable === true && type !== undefined;
  }
  return isRetriable ? 'again' : 'broken';
}

/** The innermost cause, in the broker's or kafkajs' own words. */
export function kafkaReason(error: unknown): string {
  const last = causes(error).at(-1);
  const text = typeof last?.message === 'string' && last.message !== '' ? last.message : String(error);
  return typeof last?.type === 'string' ? `${last.type}: ${text}` : text;
}

function causes(error: unknown): readonly KafkaJsError[] {
  const chain: KafkaJsError[] = [];
  for (let at = error; typeof at === 'object' && at !== null && chain.length < MAX_DEPTH; at = (at as KafkaJsError).cause) {
    chain.push(at);
  }
  return chain;
}
