import { gzipSync } from 'node:zlib';
import { grpcClient } from './grpc-client.ts';
import { type Reception, receiverContract } from './receiver.contract.ts';
import { decodedStatus } from './rpc-proto.ts';

/** Statuses a sender may try again (OTLP specification, "Failures"); RESOURCE_EXHAUSTED (8) only with RetryInfo. */
const RETRYABLE_GRPC = [1, 4, 10, 11, 14, 15];
const RETRYABLE_HTTP = [429, 502, 503, 504];

receiverContract('grpc', (address) => {
  const plain = grpcClient(address);
  const gzipping = grpcClient(address, { 'grpc.default_compression_algorithm': 2 });
  return async (bytes, { gzip = false } = {}): Promise<Reception> => {
    const { code, statusDetails, response } = await (gzip ? gzipping : plain)(bytes);
    if (code === 0) return response?.length === 0 ? 'done' : 'partial';
    const hasRetryInfo = statusDetails !== null && 'RetryInfo' in decodedStatus(statusDetails).details;
    return RETRYABLE_GRPC.includes(code) || (code === 8 && hasRetryInfo) ? 'retry' : 'drop';
  };
});

receiverContract('http', (address) => async (bytes, { gzip = false } = {}): Promise<Reception> => {
  const response = await fetch(`http://${address}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', ...(gzip && { 'content-encoding': 'gzip' }) },
    body: gzip ? gzipSync(bytes) : bytes,
  });
  const body = await response.bytes();
  if (response.ok) return body.length === 0 ? 'done' : 'partial';
  return RETRYABLE_HTTP.includes(response.status) ? 'retry' : 'drop';
});
