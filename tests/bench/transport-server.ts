/** The process whose CPU is measured: both receivers in front of a consumer named by the first argument, or of none. */
import { countBuffersInHeapLimits } from '../../src/cli/heap-limits.ts';
import { Admission } from '../../src/receivers/admission.ts';
import { OtlpGrpcReceiver } from '../../src/receivers/otlp-grpc.ts';
import { OtlpHttpReceiver } from '../../src/receivers/otlp-http.ts';
import type { Consume } from '../../src/receivers/receiver.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

// As main.ts does.
countBuffersInHeapLimits();

const [modulePath] = process.argv.slice(2);
const consume: Consume =
  modulePath === undefined
    ? () => ({ kind: 'accepted', accepted: 1, rejected: 0, message: '' })
    : ((await import(modulePath)) as { readonly consume: Consume }).consume;

const MIB = 1024 * 1024;
const telemetry = new MemoryTelemetry();
const admission = new Admission(512 * MIB, telemetry);
const limits = { maxRequestBytes: 64 * MIB, retryAfterMs: 1000 };
const address = { host: '127.0.0.1', port: 0 };
const grpc = new OtlpGrpcReceiver({
  config: { ...address, maxConcurrentStreams: 100, maxConnections: 100, maxSessionMemoryMiB: 64, maxConnectionAgeMs: 0 },
  limits,
  admission,
  telemetry,
});
const http = new OtlpHttpReceiver({
  config: { ...address, maxConnections: 100, headersTimeoutMs: 10_000, requestTimeoutMs: 30_000 },
  limits,
  admission,
  telemetry,
});
await grpc.start(consume);
await http.start(consume);

process.on('message', () => process.send?.(process.cpuUsage()));
process.on('disconnect', () => process.exit(0));
process.send?.({ grpc: grpc.address, http: http.address });
