/** The one table of metrics that the Prometheus-compatible API answers: what they count, in which unit, and by which labels. */
import type { EndpointKind } from './series.ts';

/**
 * What is read of the slots. `requests` and `failures` count every request, by its sampling weight; `duration` those with a latency, so that its `_count`
 * is its bucket `+Inf`.
 */
export type MetricReading = 'requests' | 'failures' | 'duration';

/** A label that tells failed requests from others; null where the metric counts both in one. `ok` empty: the label is absent. */
export interface OutcomeLabel {
  readonly name: string;
  readonly ok: string;
  readonly failed: string;
}

/** Where the value of a label comes from. Releases add each tracked attribute, its name in the letters of Prometheus. */
export type LabelSource = 'service' | 'service_name' | 'service_namespace' | 'endpoint' | 'method' | 'route' | 'release';

/** Counted from slots; of kind `histogram` the names in use are those with `_bucket`, `_count` and `_sum`. */
export interface SlotFamily {
  readonly kind: 'counter' | 'histogram';
  readonly reading: MetricReading;
  /** Of durations, in seconds; 1 where nothing is measured. */
  readonly unitSec: number;
  readonly unit: 'seconds' | 'milliseconds' | '';
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelSource>>;
  readonly outcome: OutcomeLabel | null;
  /** Endpoints of other kinds are not in it; null: all are. */
  readonly endpointKind: EndpointKind | null;
}

export interface GaugeFamily {
  readonly kind: 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
}

const NATIVE = { service: 'service', endpoint: 'endpoint', release: 'release' } as const;
const SPAN_METRICS = { service_name: 'service_name', service_namespace: 'service_namespace', span_name: 'endpoint' } as const;
const STATUS = { name: 'status_code', ok: 'STATUS_CODE_UNSET', failed: 'STATUS_CODE_ERROR' };
const SUM_NOTE = 'The _sum is reckoned from the middles of the buckets: right to half a bucket, 0.4 % with two digits.';

/**
 * Sources of the names that are not ours: OpenTelemetry semantic conventions, "HTTP metrics" (http.server.request.duration, error.type); the collector's
 * spanmetrics connector (namespace traces.span.metrics); Tempo's metrics generator, "span metrics". What failed is decided by the rules of the
 * configuration, not by a status code.
 */
export const SLOT_METRICS: Readonly<Record<string, SlotFamily>> = {
  slipstream_requests_total: {
    ...{ kind: 'counter', reading: 'requests', unitSec: 1, unit: '', labels: NATIVE, outcome: null, endpointKind: null },
    help: 'Requests: spans by their sampling weight.',
  },
  slipstream_request_failures_total: {
    ...{ kind: 'counter', reading: 'failures', unitSec: 1, unit: '', labels: NATIVE, outcome: null, endpointKind: null },
    help: 'Requests that failed, by the rules of the configuration.',
  },
  slipstream_request_duration_seconds: {
    ...{ kind: 'histogram', reading: 'duration', unitSec: 1, unit: 'seconds', labels: NATIVE, outcome: null, endpointKind: null },
    help: `Latency of requests in HDR buckets. ${SUM_NOTE}`,
  },
  http_server_request_duration_seconds: {
    ...{ kind: 'histogram', reading: 'duration', unitSec: 1, unit: 'seconds', endpointKind: 'http' },
    labels: {
      ...{ job: 'service', service_name: 'service_name', service_namespace: 'service_namespace' },
      ...{ http_request_method: 'method', http_route: 'route', release: 'release' },
    },
    outcome: { name: 'error_type', ok: '', failed: '_OTHER' },
    help: `Latency of HTTP requests by route. A request that failed has error_type="_OTHER"; status codes are not kept. ${SUM_NOTE}`,
  },
  traces_span_metrics_calls_total: {
    ...{ kind: 'counter', reading: 'requests', unitSec: 1, unit: '', outcome: STATUS, endpointKind: null },
    labels: { ...SPAN_METRICS, release: 'release' },
    help: 'Requests. One that failed has status_code="STATUS_CODE_ERROR", any other STATUS_CODE_UNSET.',
  },
  traces_span_metrics_duration_milliseconds: {
    ...{ kind: 'histogram', reading: 'duration', unitSec: 0.001, unit: 'milliseconds', outcome: STATUS, endpointKind: null },
    labels: { ...SPAN_METRICS, release: 'release' },
    help: `Latency of requests in milliseconds. ${SUM_NOTE}`,
  },
  traces_spanmetrics_calls_total: {
    ...{ kind: 'counter', reading: 'requests', unitSec: 1, unit: '', outcome: STATUS, endpointKind: null },
    labels: { service: 'service_name', span_name: 'endpoint', release: 'release' },
    help: "Requests, as Tempo's metrics generator names them.",
  },
  traces_spanmetrics_latency: {
    ...{ kind: 'histogram', reading: 'duration', unitSec: 1, unit: 'seconds', outcome: STATUS, endpointKind: null },
    labels: { service: 'service_name', span_name: 'endpoint', release: 'release' },
    help: `Latency of requests, as Tempo's metrics generator names it. ${SUM_NOTE}`,
  },
};

const OBJECTIVE = ['service', 'objective'];

/** What the gauges of `telemetry/metric-table.ts` say of objectives, at any time for which their counts are kept; alerts and coverage only now. */
export const GAUGE_METRICS = {
  slipstream_objective_sli_ratio: { kind: 'gauge', help: 'Good of valid requests over the window of an objective.', labels: OBJECTIVE },
  slipstream_objective_target_ratio: { kind: 'gauge', help: 'Target of an objective.', labels: OBJECTIVE },
  slipstream_objective_budget_remaining_ratio: {
    kind: 'gauge',
    help: 'Error budget of an objective that is left: 1 untouched, 0 spent, negative overspent.',
    labels: OBJECTIVE,
  },
  slipstream_objective_burn_rate: {
    kind: 'gauge',
    help: 'How fast an objective burns its error budget over a window of its tiers; at 1 it lasts exactly for the period.',
    labels: [...OBJECTIVE, 'window'],
  },
  slipstream_objective_alert_firing: {
    kind: 'gauge',
    help: '1 while an alert of this severity fires for an objective; a page silences the ticket.',
    labels: [...OBJECTIVE, 'severity'],
  },
  slipstream_objective_alert_frozen: {
    kind: 'gauge',
    help: "1 while an objective's alert is frozen, because telemetry is lost or unknown.",
    labels: OBJECTIVE,
  },
  slipstream_objective_coverage_ratio: {
    kind: 'gauge',
    help: "Minutes of an objective's window in which its service was heard, of those since it was first heard.",
    labels: OBJECTIVE,
  },
} as const satisfies Readonly<Record<string, GaugeFamily>>;

export type GaugeName = keyof typeof GAUGE_METRICS;

/** Which of a family's series a name means. */
export type MetricPart = 'total' | 'bucket' | 'count' | 'sum';

export type Metric =
  | { readonly kind: 'slots'; readonly name: string; readonly family: SlotFamily; readonly part: MetricPart }
  | { readonly kind: 'gauge'; readonly name: GaugeName; readonly family: GaugeFamily };

const PARTS = ['bucket', 'count', 'sum'] as const;

/** All metrics by the names that queries use. */
export const METRIC_NAMES: ReadonlyMap<string, Metric> = new Map<string, Metric>([
  ...Object.entries(SLOT_METRICS).flatMap(([name, family]): [string, Metric][] =>
    family.kind === 'counter'
      ? [[name, { kind: 'slots', name, family, part: 'total' }]]
      : PARTS.map((part) => [`${name}_${part}`, { kind: 'slots', name: `${name}_${part}`, family, part }]),
  ),
  ...(Object.keys(GAUGE_METRICS) as GaugeName[]).map((name): [string, Metric] => [
    name,
    { kind: 'gauge', name, family: GAUGE_METRICS[name] },
  ]),
]);

/** Labels that people look for in these metrics and that Slipstream does not keep, and what to ask instead. */
export const WITHHELD_LABELS: Readonly<Record<string, string>> = {
  http_response_status_code: 'status codes are not kept: a request that failed has error_type="_OTHER"',
  http_status_code: 'status codes are not kept: a request that failed has error_type="_OTHER" or status_code="STATUS_CODE_ERROR"',
  span_kind: 'the kind of a span is not kept: all spans that count as requests are in',
};
