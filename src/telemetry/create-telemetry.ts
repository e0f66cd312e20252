/** Telemetry of a real process: metrics for `/metrics` and OTLP, JSON log lines, and a span per decision. */
import { type Attributes, metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { DataPointType, MeterProvider, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { DecisionIds, tellDecision } from './decision-spans.ts';
import { Instruments, PREFIX } from './instruments.ts';
import { createLogger, type LogDestination, type LogLevel } from './log.ts';
import { exportWanted, type OtlpExport, startOtlpExport } from './otlp-export.ts';
import { watchProcess } from './process-metrics.ts';
import { type ScrapedSource, scrapedMetrics } from './scraped.ts';
import type { Telemetry } from './telemetry.ts';

/** The only acts beside decisions that get a span of their own; see `otlp-export.ts` for why there are so few. */
export type SpanName = 'checkpoint';

export interface TelemetryOptions {
  readonly logLevel: LogLevel;
  readonly destination: LogDestination;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Shown in `build_info` and as the version of the instrumentation scope. */
  readonly version?: string;
}

export interface RunningTelemetry extends Telemetry {
  /** All metrics in the Prometheus text format. */
  metricsText(): Promise<string>;
  /** `source` is asked whenever metrics are, until the returned function is called. Metrics that it tells are told by no `add`, `set` or `observe`. */
  show(source: ScrapedSource): () => void;
  /** Runs `act` inside a span; what it throws is recorded and thrown on. Costs nothing while traces are not exported. */
  span<T>(name: SpanName, attributes: Attributes, act: () => T): T;
  /** Sends what is queued, for at most `timeoutMs`, and stops every timer. Never throws; a second call does nothing. */
  shutdown(timeoutMs?: number): Promise<void>;
}

/** What `/metrics` answers with; Prometheus 3 refuses a body without it. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Of one metric; the SDK's own 2,000 are the windows of 250 objectives. */
const MAX_SERIES = 50_000;
const SCOPE = 'slipstream';
const SHUTDOWN_MS = 3000;

/** Never fails because of an exporter: without one it only logs that there is none. */
export async function createTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  const version = options.version ?? 'unknown';
  const log = createLogger(options.logLevel, options.destination);
  const reader = new PrometheusExporter({ preventServerStart: true });
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  // A provider of our own, not the global one: `/metrics` is complete whatever else the process registers.
  const views = [{ instrumentName: '*', aggregationCardinalityLimit: MAX_SERIES }];
  const provider = new MeterProvider({ readers: [reader], views });
  const ids = new DecisionIds();
  const otlp = await exporterOrNull(options, log, ids);

  const meters = [provider.getMeter(SCOPE, version)];
  if (otlp !== null) meters.push(metrics.getMeter(SCOPE, version));
  const instruments = new Instruments(meters, options.env.NODE_ENV !== 'production');
  const tracer = trace.getTracer(SCOPE, version);

  const telemetry: Telemetry = {
    log,
    add: (metric, value, labels) => instruments.record('add', metric, value, labels),
    set: (metric, value, labels) => instruments.record('set', metric, value, labels),
    unset: (metric, labels) => instruments.unset(metric, labels),
    observe: (metric, value, labels) => instruments.record('observe', metric, value, labels),
    decided(span) {
      try {
        tellDecision(tracer, ids, span);
      } catch (error) {
        // Exporters and samplers are others' code, and a signal is on its way.
        telemetry.add('misused_metrics_total', 1);
        log.debug({ error: String(error) }, 'telling of a decision');
      }
    },
  };
  telemetry.set('build_info', 1, { version });
  const stopWatching = watchProcess(telemetry);
  const sources = new Set<ScrapedSource>();
  const misused = (error: unknown): void => {
    telemetry.add('misused_metrics_total', 1);
    log.debug({ error: String(error) }, 'collecting own metrics');
  };
  let stopping: Promise<void> | null = null;

  return {
    ...telemetry,
    async metricsText() {
      const { resourceMetrics, errors } = await reader.collect();
      if (errors.length > 0) log.warn({ errors: errors.length }, 'collecting own metrics');
      const shown = withoutUnset(resourceMetrics);
      const ours = { scope: { name: SCOPE, version }, metrics: scrapedMetrics(sources, PREFIX, misused) };
      return serializer.serialize({ ...shown, scopeMetrics: [...shown.scopeMetrics, ours] });
    },
    show(source) {
      sources.add(source);
      return () => void sources.delete(source);
    },
    span: (name, attributes, act) =>
      tracer.startActiveSpan(name, { kind: SpanKind.INTERNAL, attributes }, (span) => {
        const failed = (error: unknown): void => {
          span.recordException(error instanceof Error ? error : String(error));
          span.setStatus({ code: SpanStatusCode.ERROR });
        };
        try {
          const result = act();
          if (!(result instanceof Promise)) {
            span.end();
            return result;
          }
          return result
            .catch((error: unknown) => {
              failed(error);
              throw error;
            })
            .finally(() => span.end()) as typeof result;
        } catch (error) {
          failed(error);
          span.end();
          throw error;
        }
      }),
    shutdown(timeoutMs = SHUTDOWN_MS) {
      stopping ??= stopAll(timeoutMs);
      return stopping;
    },
  };

  async function stopAll(timeoutMs: number): Promise<void> {
    stopWatching();
    if (otlp === null) return;
    const timeout = Promise.withResolvers<'timeout'>();
    const timer = setTimeout(() => timeout.resolve('timeout'), timeoutMs);
    try {
      const ended = await Promise.race([otlp.shutdown(), timeout.promise]);
      if (ended === 'timeout') log.warn({ timeoutMs }, 'own telemetry was not all sent');
    } catch (error) {
      log.warn({ error }, 'own telemetry was not all sent');
    } finally {
      clearTimeout(timer);
    }
  }
}

/** See `Instruments.unset`. */
function withoutUnset(collected: ResourceMetrics): ResourceMetrics {
  const shown = (metric: MetricData): MetricData =>
    metric.dataPointType !== DataPointType.GAUGE
      ? metric
      : { ...metric, dataPoints: metric.dataPoints.filter(({ value }) => !Number.isNaN(value)) };
  const scopeMetrics = collected.scopeMetrics.map((scope) => ({ ...scope, metrics: scope.metrics.map(shown) }));
  return { ...collected, scopeMetrics };
}

async function exporterOrNull(options: TelemetryOptions, log: Telemetry['log'], ids: DecisionIds): Promise<OtlpExport | null> {
  const wanted = exportWanted(options.env);
  if (!wanted.traces && !wanted.metrics) return null;
  try {
    const otlp = await startOtlpExport(wanted, log, ids);
    log.info({ ...wanted }, 'exporting own telemetry over OTLP');
    return otlp;
  } catch (error) {
    log.warn({ error }, 'own telemetry is not exported');
    return null;
  }
}
