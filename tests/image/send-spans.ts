/** A program: sends as many spans as its argument says with an OpenTelemetry SDK, to the usual address of OTLP/gRPC. */
import { SpanKind, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { NodeSDK } from '@opentelemetry/sdk-node';

const sdk = new NodeSDK({ serviceName: 'shop', traceExporter: new OTLPTraceExporter(), metricReaders: [], logRecordProcessors: [] });
sdk.start();
for (let n = 0; n < Number(process.argv[2]); n++) trace.getTracer('shop').startSpan('GET /cart', { kind: SpanKind.SERVER }).end();
await sdk.shutdown();
