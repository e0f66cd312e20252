/** Says a refusal in gRPC's words: status code, text, and details for those that a sender may act upon. */
import { Metadata } from '@grpc/grpc-js';
import { clipped, statusBody } from './otlp-response.ts';
import { OUTCOMES, type Refused } from './outcome-table.ts';

export interface GrpcAnswer {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** RetryInfo goes with outcomes that may be tried again, BadRequest with those that are the sender's fault. */
export function grpcStatus({ outcome, message }: Refused, retryAfterMs: number): GrpcAnswer {
  const { grpc: code, retry } = OUTCOMES[outcome];
  const details = clipped(message);
  const metadata = new Metadata();
  const isBadRequest = outcome === 'malformed' || outcome === 'bad_compression';
  if (retry || isBadRequest) {
    const status = statusBody('protobuf', { code, message: details, isBadRequest, ...(retry && { retryAfterMs }) });
    metadata.set('grpc-status-details-bin', status);
  }
  return { code, details, metadata };
}
