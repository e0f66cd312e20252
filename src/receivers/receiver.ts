/** Where spans come in: what every receiver offers the service, and what it asks of stage A. */

export type SpanEncoding = 'protobuf' | 'json';

/** What stage A says of one request. */
export type ConsumeOutcome =
  /** Counted. `message` is empty when there is nothing to say; `rejected > 0` or a message makes it a partial success. */
  | { readonly kind: 'accepted'; readonly accepted: number; readonly rejected: number; readonly message: string }
  /** Cannot be decoded, and never will be: the sender must not try again. */
  | { readonly kind: 'malformed'; readonly message: string }
  /** Overloaded or draining: the sender should try again later. */
  | { readonly kind: 'unavailable'; readonly message: string };

/**
 * Takes one whole request (`ExportTraceServiceRequest`). Never throws, does not keep `bytes`. A promise: what is said of it is known later, as when the
 * counts are to be safe first; it never rejects.
 */
export type Consume = (encoding: SpanEncoding, bytes: Uint8Array) => ConsumeOutcome | Promise<ConsumeOutcome>;
/** One that says it at once. */
export type ConsumeNow = (encoding: SpanEncoding, bytes: Uint8Array) => ConsumeOutcome;

export interface Receiver {
  /** `host:port` while it listens, else null. */
  readonly address: string | null;
  /** Listens and hands every request to `consume`. Starting twice is starting once. Throws PermanentError when it cannot listen. */
  start(consume: Consume): Promise<void>;
  /** Takes no new requests, lets those in flight finish for at most `graceMs`, then cuts them off. Safe before `start` and twice. */
  stop(graceMs: number): Promise<void>;
}

/** Labels of the receiver metrics. */
export type Transport = 'grpc' | 'http' | 'kafka';
