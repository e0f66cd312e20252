/** One instance of a service: its own OpenTelemetry SDK with its own resource, exporting over OTLP/gRPC. */
import { type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { NodeSDK } from '@opentelemetry/sdk-node';

export interface PodIdentity {
  readonly service: string;
  readonly version: string;
  /** Unique in the cluster. */
  readonly name: string;
}

export interface Pod {
  readonly identity: PodIdentity;
  readonly tracer: Tracer;
  /** Sends what is waiting and stops. */
  stop(): Promise<void>;
}

/**
 * Starts the SDK as a container would: the resource comes from OTEL_RESOURCE_ATTRIBUTES. The SDK registers itself globally, once per process;
 * taking it out of the globals again lets one process hold several pods.
 */
export function startPod(identity: PodIdentity, otlpUrl: string): Pod {
  const attributes = {
    'service.name': identity.service,
    'service.version': identity.version,
    'service.instance.id': identity.name,
    'k8s.pod.name': identity.name,
    'k8s.namespace.name': 'shop',
  };
  process.env.OTEL_RESOURCE_ATTRIBUTES = Object.entries(attributes)
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join(',');
  const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter({ url: otlpUrl }), metricReaders: [], logRecordProcessors: [] });
  sdk.start();
  const tracer = trace.getTracer('shop', identity.version);
  trace.disable();
  return { identity, tracer, stop: () => sdk.shutdown() };
}
