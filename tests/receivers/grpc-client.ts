/** A gRPC sender of raw bytes, for what SDKs do not let a test do. */
import { Client, type ClientOptions, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';

export const EXPORT_PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

export interface GrpcReply {
  readonly code: number;
  readonly details: string;
  /** `grpc-status-details-bin`. */
  readonly statusDetails: Buffer | null;
  readonly response: Buffer | null;
}

export function grpcClient(address: string, options: ClientOptions = {}) {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.max_send_message_length': -1, ...options });
  onTestFinished(() => client.close());
  return (bytes: Buffer, path: string = EXPORT_PATH, deadlineMs = 20_000): Promise<GrpcReply> =>
    new Promise((resolve) => {
      const deadline = Date.now() + deadlineMs;
      client.makeUnaryRequest(path, same, same, bytes, new Metadata(), { deadline }, (error: ServiceError | null, response?: Buffer) => {
        const [statusDetails] = error?.metadata?.get('grpc-status-details-bin') ?? [];
        resolve({
          code: error?.code ?? 0,
          details: error?.details ?? '',
          statusDetails: Buffer.isBuffer(statusDetails) ? statusDetails : null,
          response: response ?? null,
        });
      });
    });
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
