/** The one table of what a request can come to, and how each transport says it. */
import { status as GrpcStatus } from '@grpc/grpc-js';

interface OutcomeRow {
  readonly grpc: number;
  readonly http: number;
  /**
   * The sender is told to wait and try again: RetryInfo over gRPC, Retry-After over HTTP. OTLP senders retry RESOURCE_EXHAUSTED only
   * with RetryInfo, and over HTTP only 429, 502, 503 and 504.
   */
  readonly retry: boolean;
  /** What is said when nothing more precise is known. */
  readonly text: string;
}

/** Status codes follow the OTLP specification (section "Failures") and, where it leaves room, the OpenTelemetry Collector's receiver. */
export const OUTCOMES = {
  accepted: { grpc: GrpcStatus.OK, http: 200, retry: false, text: '' },
  partial: { grpc: GrpcStatus.OK, http: 200, retry: false, text: '' },
  malformed: { grpc: GrpcStatus.INVALID_ARGUMENT, http: 400, retry: false, text: 'the request cannot be decoded' },
  bad_compression: { grpc: GrpcStatus.INVALID_ARGUMENT, http: 400, retry: false, text: 'the request cannot be decompressed' },
  /** OTLP senders drop what is answered so: trying again with the same token would change nothing. */
  unauthenticated: {
    grpc: GrpcStatus.UNAUTHENTICATED,
    http: 401,
    retry: false,
    text: 'authorization: a valid bearer token of senders is needed',
  },
  not_found: { grpc: GrpcStatus.UNIMPLEMENTED, http: 404, retry: false, text: 'spans are received at /v1/traces' },
  method: { grpc: GrpcStatus.UNIMPLEMENTED, http: 405, retry: false, text: 'spans are sent with POST' },
  timeout: { grpc: GrpcStatus.DEADLINE_EXCEEDED, http: 408, retry: false, text: 'the request took too long to arrive' },
  too_large: { grpc: GrpcStatus.RESOURCE_EXHAUSTED, http: 413, retry: false, text: 'the request is too large after decompression' },
  unsupported_type: {
    grpc: GrpcStatus.UNIMPLEMENTED,
    http: 415,
    retry: false,
    text: 'the content type must be application/x-protobuf or application/json',
  },
  unsupported_encoding: {
    grpc: GrpcStatus.UNIMPLEMENTED,
    http: 415,
    retry: false,
    text: 'the content encoding must be gzip, deflate, zstd or identity',
  },
  headers_too_large: { grpc: GrpcStatus.RESOURCE_EXHAUSTED, http: 431, retry: false, text: 'the header fields are too large' },
  internal: { grpc: GrpcStatus.INTERNAL, http: 500, retry: false, text: 'the receiver failed' },
  overloaded: { grpc: GrpcStatus.UNAVAILABLE, http: 503, retry: true, text: 'too many bytes in flight' },
  draining: { grpc: GrpcStatus.UNAVAILABLE, http: 503, retry: true, text: 'the receiver is shutting down' },
  /** The sender went away: nobody is left to be answered. */
  aborted: { grpc: GrpcStatus.CANCELLED, http: 499, retry: false, text: 'the sender closed the request' },
  /** Closed at the door, before there is a request to answer. */
  too_many_connections: { grpc: GrpcStatus.UNAVAILABLE, http: 503, retry: true, text: 'too many connections' },
} as const satisfies Record<string, OutcomeRow>;

/** Also the values of the label `outcome` of `receiver_refused_requests_total`. */
export type Outcome = keyof typeof OUTCOMES;
export type Refusal = Exclude<Outcome, 'accepted' | 'partial'>;

/** What is said to the sender of one request that was counted, in whole or in part. */
export interface Taken {
  readonly kind: 'taken';
  readonly outcome: Exclude<Outcome, Refusal>;
  /** Spans that were not counted. */
  readonly rejected: number;
  /** Empty when there is nothing to say. */
  readonly message: string;
}

/** What is said when nothing of it was counted. */
export interface Refused {
  readonly kind: 'refused';
  readonly outcome: Refusal;
  readonly message: string;
}

/** A refusal in the words of the table, or in more precise ones. */
export function refusal(outcome: Refusal, message = ''): Refused {
  return { kind: 'refused', outcome, message: message || OUTCOMES[outcome].text };
}
