/** Own telemetry reaches a real OTLP/gRPC server. */
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';

const received = new Map<string, Buffer[]>();
const server = new Server();
let port = 0;

function exportService(path: string) {
  const identity = (bytes: Buffer): Buffer => bytes;
  const collect: handleUnaryCall<Buffer, Buffer> = (call, respond) => {
    received.set(path, [...(received.get(path) ?? []), call.request]);
    respond(null, Buffer.alloc(0));
  };
  const method = {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
  server.addService({ Export: method }, { Export: collect });
}

const TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const METRICS = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';

beforeAll(async () => {
  exportService(TRACES);
  exportService(METRICS);
  port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${port}`;
});

afterAll(() => server.forceShutdown());

it('sends spans of decisions and metrics as service slipstream before shutdown returns', async () => {
  const lines: string[] = [];
  const telemetry = await createTelemetry({
    logLevel: 'warn',
    destination: { write: (line: string) => lines.push(line) },
    env: process.env,
  });
  telemetry.span('verdict', { 'slipstream.decision': 'rollback' }, () => {});
  telemetry.set('series', 42);
  await telemetry.shutdown(10_000);

  const spans = Buffer.concat(received.get(TRACES) ?? []).toString('latin1');
  expect(spans).toContain('verdict');
  expect(spans).toContain('rollback');
  expect(spans).toContain('slipstream');
  expect(Buffer.concat(received.get(METRICS) ?? []).toString('latin1')).toContain('slipstream_process_resident_memory_bytes');
  expect(await telemetry.metricsText()).toContain('slipstream_series 42');
  expect(lines).toEqual([]);
});
