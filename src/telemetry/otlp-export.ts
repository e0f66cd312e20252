/**
 * Own traces and metrics over OTLP, when `OTEL_*` asks for it.
 *
 * Slipstream may well be told to export to the Collector that feeds it, so what it sends must not make it send more: nothing on the way of
 * a received span is instrumented, a span is made per decision, delivery and checkpoint only, and those are of kind INTERNAL, which are no
 * SLI spans by default.
 */
import { DiagLogLevel, diag } from '@opentelemetry/api';
import type { NodeSDK } from '@opentelemetry/sdk-node';
import type { DecisionIds } from './decision-spans.ts';
import { Seldom } from './seldom.ts';
import type { Logger } from './telemetry.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface ExportWanted {
  readonly traces: boolean;
  readonly metrics: boolean;
}

/**
 * What `OTEL_*` asks for. Stricter than the SDK, whose default exporter would send to localhost:4317, our own receiver: a signal is exported
 * when its exporter is named (and not `none`), or when no exporter is named but an OTLP endpoint is.
 */
export function exportWanted(env: Environment): ExportWanted {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return { traces: false, metrics: false };
  const wanted = (signal: 'TRACES' | 'METRICS'): boolean => {
    const exporters = (env[`OTEL_${signal}_EXPORTER`] ?? '').split(',').map((name) => name.trim());
    const named = exporters.filter((name) => name !== '');
    if (named.length > 0) return !named.includes('none');
    return isSet(env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]) || isSet(env.OTEL_EXPORTER_OTLP_ENDPOINT);
  };
  return { traces: wanted('TRACES'), metrics: wanted('METRICS') };
}

export interface OtlpExport {
  /** Sends what is queued; the caller bounds the wait. */
  shutdown(): Promise<void>;
}

/**
 * Starts the SDK's exporters and registers them with `@opentelemetry/api`. Where the protocol is not named it is gRPC. Connecting happens in
 * the background and queues are bounded, so an endpoint that is down costs a log line and nothing else. The SDK reads the environment of the
 * process itself.
 */
export async function startOtlpExport(wanted: ExportWanted, log: Logger, idGenerator: DecisionIds): Promise<OtlpExport> {
  process.env.OTEL_EXPORTER_OTLP_PROTOCOL ??= 'grpc';
  // Loaded only here: it is most of what there is to load, and few processes need it.
  const { NodeSDK } = await import('@opentelemetry/sdk-node');
  const options: Partial<ConstructorParameters<typeof NodeSDK>[0]> = { logRecordProcessors: [], instrumentations: [], idGenerator };
  if (!wanted.traces) options.spanProcessors = [];
  if (!wanted.metrics) options.metricReaders = [];
  if (!namesService(process.env)) options.serviceName = 'slipstream';
  const sdk: NodeSDK = new NodeSDK(options);
  if (!isSet(process.env.OTEL_LOG_LEVEL)) diag.setLogger(quietLogger(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  sdk.start();
  return sdk;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}

function namesService(env: Environment): boolean {
  return isSet(env.OTEL_SERVICE_NAME) || /(^|,)\s*service\.name\s*=/.test(env.OTEL_RESOURCE_ATTRIBUTES ?? '');
}

/** The SDK complains with every failed batch; one line a minute says as much. */
function quietLogger(log: Logger) {
  const told = new Seldom<'complaint'>();
  let suppressed = 0;
  const report = (detail: string): void => {
    if (!told.isDue('complaint')) {
      suppressed++;
      return;
    }
    log.warn({ detail: detail.slice(0, 2000), suppressed }, 'exporting own telemetry');
    suppressed = 0;
  };
  const ignore = (): void => {};
  return { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore };
}
