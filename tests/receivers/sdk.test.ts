import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BatchSpanProcessor, InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConsumeOutcome, Transport } from '../../src/receivers/receiver.ts';
import { EXPORT_PATH, grpcClient } from './grpc-client.ts';
import { spanNames } from './rpc-proto.ts';
import { recorder, stand, started, until } from './stand.ts';

type Kind = 'gRPC' | 'HTTP/protobuf' | 'HTTP/JSON';
type Compression = 'gzip' | 'none';

const TRANSPORT: Readonly<Record<Kind, Transport>> = { gRPC: 'grpc', 'HTTP/protobuf': 'http', 'HTTP/JSON': 'http' };

function exporter(kind: Kind, address: string, compression: Compression) {
  // The exporters' enum of compressions has these very values.
  const settings = { compression, timeoutMillis: 10_000 } as { compression: never; timeoutMillis: number };
  switch (kind) {
    case 'gRPC':
      return new GrpcExporter({ ...settings, url: `http://${address}` });
    case 'HTTP/protobuf':
      return new ProtoExporter({ ...settings, url: `http://${address}/v1/traces` });
    case 'HTTP/JSON':
      return new JsonExporter({ ...settings, url: `http://${address}/v1/traces` });
    default:
      return kind satisfies never;
  }
}

const KINDS: readonly Kind[] = ['gRPC', 'HTTP/protobuf', 'HTTP/JSON'];
const COMPRESSIONS: readonly Compression[] = ['none', 'gzip'];

describe.each(KINDS)('the OpenTelemetry SDK over %s', (kind) => {
  it.each(COMPRESSIONS.flatMap((compression) => [1, 8192].map((batch) => [compression, batch] as const)))(
    'delivers every span once, compression %s, batches of %i',
    async (compression, batch) => {
      const { requests, consume } = recorder();
      const address = await started(stand(TRANSPORT[kind]), consume);
      const processor = new BatchSpanProcessor({
        exporter: exporter(kind, address, compression),
        maxExportBatchSize: batch,
        maxQueueSize: 2 * 8192,
        scheduledDelayMillis: 60_000,
      });
      const provider = new TracerProvider({ spanProcessors: [processor] });
      onTestFinished(() => provider.shutdown());
      const tracer = provider.getTracer('conformance');
      const names = Array.from({ length: batch === 1 ? 5 : 8192 }, (_, i) => `GET /orders/${i}`);
      for (const name of names) {
        tracer.startSpan(name, { attributes: { 'http.request.method': 'GET', 'http.route': '/orders/{id}' } }).end();
      }
      // A full batch leaves by itself, and flushing does not wait for it.
      await provider.forceFlush();
      await until(() => requests.length >= (batch === 1 ? 5 : 1));
      const received = requests.flatMap(({ encoding, bytes }) => spanNames(encoding, bytes));
      expect(received.sort()).toEqual(names.sort());
      expect(requests.length).toBe(batch === 1 ? 5 : 1);
      expect(new Set(requests.map(({ encoding }) => encoding))).toEqual(new Set([kind === 'HTTP/JSON' ? 'json' : 'protobuf']));
    },
  );
});

function someSpans(): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: memory })] });
  provider.getTracer('conformance').startSpan('GET /').end();
  return memory.getFinishedSpans();
}

/** 0 is success, 1 failure (`ExportResultCode`). */
async function exportCode(sdk: ReturnType<typeof exporter>): Promise<number> {
  onTestFinished(() => sdk.shutdown());
  return new Promise((resolve) => sdk.export(someSpans(), ({ code }) => resolve(code)));
}

describe('what a real sender makes of an answer', () => {
  const unavailable: ConsumeOutcome = { kind: 'unavailable', message: 'busy' };
  const malformed: ConsumeOutcome = { kind: 'malformed', message: 'bad' };
  const partial: ConsumeOutcome = { kind: 'accepted', accepted: 0, rejected: 1, message: 'too old' };

  it.each<[Kind, string, ConsumeOutcome, number, number]>([
    ['HTTP/protobuf', 'tries again after 503 and Retry-After, and is then accepted', unavailable, 2, 0],
    ['HTTP/JSON', 'tries again after 503 and Retry-After, and is then accepted', unavailable, 2, 0],
    // This SDK's gRPC exporter leaves retrying to a service config of the channel and has none: it drops every refusal.
    ['gRPC', 'reports UNAVAILABLE to its caller', unavailable, 1, 1],
    ['HTTP/protobuf', 'drops what was malformed', malformed, 1, 1],
    ['HTTP/JSON', 'drops what was malformed', malformed, 1, 1],
    ['gRPC', 'drops what was malformed', malformed, 1, 1],
    ['HTTP/protobuf', 'takes a partial success as done', partial, 1, 0],
    ['HTTP/JSON', 'takes a partial success as done', partial, 1, 0],
    ['gRPC', 'takes a partial success as done', partial, 1, 0],
  ])('%s %s', async (kind, _name, outcome, attempts, code) => {
    const { requests, consume } = recorder([outcome]);
    const address = await started(stand(TRANSPORT[kind]), consume);
    expect(await exportCode(exporter(kind, address, 'none'))).toBe(code);
    expect(requests.length).toBe(attempts);
  });

  it.each<[Kind]>([['HTTP/protobuf'], ['HTTP/JSON'], ['gRPC']])('%s drops what is too large', async (kind) => {
    const stood = stand(TRANSPORT[kind], { maxRequestBytes: 50 });
    const address = await started(stood);
    expect(await exportCode(exporter(kind, address, 'gzip'))).toBe(1);
    expect(stood.telemetry.value('receiver_refused_requests_total', { outcome: 'too_large' })).toBe(1);
  });

  it('a gRPC channel that is told to retry UNAVAILABLE is accepted the second time', async () => {
    const { requests, consume } = recorder([unavailable]);
    const address = await started(stand('grpc'), consume);
    const [, service = ''] = EXPORT_PATH.split('/');
    const send = grpcClient(address, {
      'grpc.service_config': JSON.stringify({
        methodConfig: [
          {
            name: [{ service }],
            retryPolicy: {
              maxAttempts: 3,
              initialBackoff: '0.05s',
              maxBackoff: '1s',
              backoffMultiplier: 2,
              retryableStatusCodes: ['UNAVAILABLE'],
            },
          },
        ],
      }),
    });
    expect((await send(Buffer.from('abc'))).code).toBe(0);
    expect(requests.length).toBe(2);
  });
});
