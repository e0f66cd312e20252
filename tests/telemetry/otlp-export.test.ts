/** Own telemetry reaches a real OTLP/gRPC server. */
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { type DecisionSpan, decisionTraceId } from '../../src/telemetry/decision-spans.ts';
import { decodeRequest } from '../support/otlp-proto.ts';

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

const ROLLOUT = { id: 'ro-1', generation: 7 };
/** Long before this process was started, as after a restart. */
const STARTED_AT = Date.parse('2026-01-02T03:04:05Z');
const TOLD = [
  { name: 'analysis run', rollout: ROLLOUT, startMs: STARTED_AT, endMs: STARTED_AT + 1_000, attributes: { service: 'shop' } },
  {
    name: 'verdict',
    rollout: ROLLOUT,
    startMs: STARTED_AT + 60_000,
    endMs: STARTED_AT + 61_000,
    attributes: { decision: 'rollback', decidedBy: null },
  },
  {
    name: 'delivery',
    rollout: ROLLOUT,
    startMs: STARTED_AT + 61_000,
    endMs: STARTED_AT + 61_000,
    attributes: { sink: 'deployer' },
    error: '503',
  },
] as const satisfies readonly DecisionSpan[];

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
  telemetry.span('checkpoint', { signals: 1 }, () => {});
  for (const span of TOLD) telemetry.decided(span);
  telemetry.set('series', 42);
  await telemetry.shutdown(10_000);

  const spans = Buffer.concat(received.get(TRACES) ?? []).toString('latin1');
  expect(spans).toContain('checkpoint');
  expect(spans).toContain('slipstream');
  expect(Buffer.concat(received.get(METRICS) ?? []).toString('latin1')).toContain('slipstream_process_resident_memory_bytes');
  expect(await telemetry.metricsText()).toContain('slipstream_series 42');
  expect(lines).toEqual([]);
});

it('gives all that was decided of a rollout in one trace under one root, at the times it happened', () => {
  const requests = (received.get(TRACES) ?? []).map((bytes) => decodeRequest(bytes).toJSON());
  const spans: ExportedSpan[] = requests.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }: { scopeSpans: { spans: ExportedSpan[] }[] }) => scopeSpans.flatMap((scope) => scope.spans)),
  );
  const ours = spans.filter(({ traceId }) => Buffer.from(traceId, 'base64').toString('hex') === decisionTraceId(ROLLOUT));
  expect(ours.map(({ name }) => name)).toEqual(['analysis run', 'verdict', 'delivery']);
  const [root, verdict, delivery] = ours;
  expect(root?.parentSpanId ?? '').toBe('');
  expect([verdict?.parentSpanId, delivery?.parentSpanId]).toEqual([root?.spanId, root?.spanId]);
  expect(ours.map(({ startTimeUnixNano }) => Number(BigInt(startTimeUnixNano) / 1_000_000n))).toEqual(TOLD.map(({ startMs }) => startMs));
  expect(JSON.stringify(verdict)).toContain('slipstream.decision');
  expect(JSON.stringify(verdict)).not.toContain('slipstream.decidedBy');
  expect(delivery?.status).toEqual({ message: '503', code: 2 });
  expect(spans.find(({ name }) => name === 'checkpoint')?.traceId).not.toBe(root?.traceId);
});

interface ExportedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly status?: object;
}

it('finds another trace for another attempt, and the same on every machine', () => {
  expect(decisionTraceId(ROLLOUT)).toBe(decisionTraceId({ ...ROLLOUT }));
  expect(decisionTraceId({ ...ROLLOUT, generation: 8 })).not.toBe(decisionTraceId(ROLLOUT));
});
