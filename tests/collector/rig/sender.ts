/** A service instrumented with the real OpenTelemetry SDK, which keeps count of what it sent and what was acknowledged. */
import { SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';

export interface SenderOptions {
  /** host:port of a receiver. */
  readonly address: string;
  readonly protocol?: 'grpc' | 'http';
  /** The resource. */
  readonly attributes: Readonly<Record<string, string>>;
  /** With `http`: address it sends from. */
  readonly from?: string;
}

export interface Tally {
  readonly valid: number;
  readonly good: number;
}

/** Every so many-th request fails. */
const FAIL_EVERY = 10;

export class Sender implements AsyncDisposable {
  readonly #processor: BatchSpanProcessor;
  readonly #sdk: NodeSDK;
  readonly #tracer: Tracer;
  #sent = 0;
  #acknowledged: Tally = { valid: 0, good: 0 };

  constructor({ address, protocol = 'grpc', attributes, from }: SenderOptions) {
    const timeoutMillis = 10_000;
    const inner =
      protocol === 'grpc'
        ? new GrpcExporter({ url: `http://${address}`, timeoutMillis })
        : new HttpExporter({
            url: `http://${address}/v1/traces`,
            timeoutMillis,
            ...(from !== undefined && { httpAgentOptions: { localAddress: from } }),
          });
    const exporter: SpanExporter = {
      export: (spans, done) =>
        inner.export(spans, (result) => {
          // 0 is success (`ExportResultCode`).
          if (result.code === 0) this.#acknowledge(spans);
          done(result);
        }),
      forceFlush: () => inner.forceFlush(),
      shutdown: () => inner.shutdown(),
    };
    this.#processor = new BatchSpanProcessor({ exporter, maxExportBatchSize: 256, maxQueueSize: 1_000_000, scheduledDelayMillis: 50 });
    // As a container has it. The SDK registers itself once for a process, so it is taken out again to leave room for the next.
    process.env.OTEL_RESOURCE_ATTRIBUTES = Object.entries(attributes)
      .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
      .join(',');
    this.#sdk = new NodeSDK({ spanProcessors: [this.#processor], metricReaders: [], logRecordProcessors: [] });
    this.#sdk.start();
    this.#tracer = trace.getTracer('shop');
    trace.disable();
  }

  /** Requests so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Those of them whose export was answered with success. */
  get acknowledged(): Tally {
    return this.#acknowledged;
  }

  /** Serves that many requests now, and resolves when all were exported or given up. */
  async serve(requests: number): Promise<void> {
    for (let i = 0; i < requests; i++) this.#request();
    await this.#processor.forceFlush();
  }

  /** Serves about that many requests a second until `isOver`. */
  async serveUntil(isOver: () => boolean, perSecond: number): Promise<void> {
    while (!isOver()) {
      for (let i = 0; i < perSecond / 20; i++) this.#request();
      await new Promise((next) => setTimeout(next, 50));
    }
    await this.#processor.forceFlush();
  }

  /** A first export that fails shows as errors of the SDK only, so a test looks at `acknowledged`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sdk.shutdown();
  }

  #request(): void {
    const isFailed = this.#sent++ % FAIL_EVERY === 0;
    const endMs = Date.now();
    const attributes = {
      'http.request.method': 'GET',
      'http.route': '/cart',
      'http.response.status_code': isFailed ? 500 : 200,
    };
    const span = this.#tracer.startSpan('GET /cart', { kind: SpanKind.SERVER, startTime: endMs - 20, attributes, root: true });
    if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(endMs);
  }

  #acknowledge(spans: readonly ReadableSpan[]): void {
    const good = spans.filter(({ status }) => status.code !== SpanStatusCode.ERROR).length;
    this.#acknowledged = { valid: this.#acknowledged.valid + spans.length, good: this.#acknowledged.good + good };
  }
}
