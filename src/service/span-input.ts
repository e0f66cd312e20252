/** What brings counts to judging on one machine: a pipeline of requests alone, or a source that reads Kafka, too. */
import type { IngestOutcome } from '../ingest/ingest-outcome.ts';

export interface SpanInput {
  /** Counts the spans of one request of a receiver. */
  consume(encoding: 'protobuf' | 'json', bytes: Uint8Array): IngestOutcome;
  /** Time has passed. To be called about twice a second. */
  tick(): void;
  /** Brings the metrics up to what has been counted. */
  showCounts(): void;
  /** Begins to fetch, where it does so by itself. */
  start?(): void;
  /** Fetches no more. Takes a few seconds at most. */
  stop?(): Promise<void>;
  /** Counts and judges what is pending, then checkpoints: the last act before the store closes. True when all is durable. */
  finish(): boolean;
}
