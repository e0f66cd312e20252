/** The one table of metric names, kinds, units and labels; every name gets the prefix `slipstream_` on the way out. */

import { SPAN_DISPOSITIONS } from '../model/observation-batch.ts';

export interface MetricRow {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a counter, the values of all its labels that show 0 before they count: Prometheus takes no first appearance for an increase. */
  readonly known?: Readonly<Record<string, readonly string[]>>;
}

export const METRICS = {
  receiver_accepted_spans_total: { kind: 'counter', help: 'Spans of accepted requests.', labels: ['transport'] },
  receiver_refused_requests_total: {
    kind: 'counter',
    help: 'Requests refused, by the table of outcomes.',
    labels: ['transport', 'outcome'],
  },
  receiver_requests_total: { kind: 'counter', help: 'Requests answered with success or partial success.', labels: ['transport'] },
  receiver_bytes_total: { kind: 'counter', help: 'Payload bytes after decompression.', labels: ['transport'] },
  tls_certificate_expiry_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the certificate that a listener shows expires, in seconds since 1970.',
    labels: ['listener'],
  },
  tls_certificate_renewals_total: {
    kind: 'counter',
    help: 'Changed certificates, by whether they were taken.',
    labels: ['listener', 'result'],
  },
  tls_handshake_failures_total: {
    kind: 'counter',
    help: 'Connections that ended before TLS was spoken, by why.',
    labels: ['listener', 'reason'],
  },
  receiver_in_flight_bytes: { kind: 'gauge', help: 'Payload bytes held by requests in flight.', labels: [] },
  spans_total: {
    kind: 'counter',
    help: 'Spans by what became of them.',
    labels: ['disposition'],
    known: { disposition: SPAN_DISPOSITIONS },
  },
  late_spans_total: { kind: 'counter', help: 'Spans that came after grace had passed and are in no window.', labels: [] },
  cells: { kind: 'gauge', help: 'Partitions of the delta topic that this member judges.', labels: [] },
  take_over_seconds: {
    kind: 'histogram',
    help: 'Time it takes to fence the last owner of a partition and read its state back.',
    labels: [],
  },
  take_over_failures_total: { kind: 'counter', help: 'Partitions that could not be taken over and are tried again.', labels: [] },
  delta_records_refused_total: { kind: 'counter', help: 'Records of the delta topic that could not be read.', labels: [] },
  series: { kind: 'gauge', help: 'Series in use.', labels: [] },
  overflow_spans_total: { kind: 'counter', help: 'Spans counted in an overflow series.', labels: [] },
  ingest_partitions: { kind: 'gauge', help: 'Partitions of spans that this member counts.', labels: [] },
  ingest_lag_records: { kind: 'gauge', help: 'Records of spans not yet taken, of the partitions that this member counts.', labels: [] },
  ingest_commits_total: { kind: 'counter', help: 'Transactions that carry counts, by how they ended.', labels: ['result'] },
  ingest_commit_seconds: { kind: 'histogram', help: 'Time one transaction that carries counts takes.', labels: [] },
  ingest_delta_bytes_total: { kind: 'counter', help: 'Bytes of counts handed over to the topic of deltas.', labels: [] },
  ingest_quarantined_records_total: { kind: 'counter', help: 'Records set aside, as they hold no spans that can be read.', labels: [] },
  ingest_gaps_total: { kind: 'counter', help: 'Times that spans of a source were lost uncounted.', labels: ['reason'] },
  ingest_report_failures_total: {
    kind: 'counter',
    help: 'Reports of progress that could not be sent; the next one makes up for it.',
    labels: [],
  },
  stream_lag_seconds: {
    kind: 'gauge',
    help: 'How far the time up to which all spans are counted is behind the wall clock; absent while it is not known.',
    labels: [],
  },
  sources_waited_for: { kind: 'gauge', help: 'Sources of spans that are behind, and that judging waits for.', labels: [] },
  sources_given_up: { kind: 'gauge', help: 'Sources of spans that were waited for in vain: no run promotes or rolls back.', labels: [] },
  tick_seconds: { kind: 'histogram', help: 'Time one evaluation tick takes.', labels: [] },
  analysis_runs: { kind: 'gauge', help: 'Analysis runs by state.', labels: ['state'] },
  verdicts_total: { kind: 'counter', help: 'Changes of verdict.', labels: ['decision', 'reason'] },
  signals_total: {
    kind: 'counter',
    help: 'Signals journalled.',
    labels: ['action'],
    known: { action: ['rollback', 'promote', 'hold', 'rolled_back'] },
  },
  deliveries_total: {
    kind: 'counter',
    help: 'Attempts to deliver a signal that failed, and states that deliveries reached.',
    labels: ['sink', 'result'],
  },
  deliveries_pending: { kind: 'gauge', help: 'Deliveries not yet acknowledged.', labels: [] },
  deliveries_unconfirmed: { kind: 'gauge', help: 'Deliveries acknowledged whose effect is yet to be seen.', labels: [] },
  escalations_total: {
    kind: 'counter',
    help: 'Times that people were told of a delivery that needs them.',
    labels: ['topic'],
    known: { topic: ['undelivered', 'unconfirmed'] },
  },
  signal_send_seconds: { kind: 'histogram', help: 'From the decision to the first attempt to send its signal.', labels: [] },
  notices_total: { kind: 'counter', help: 'What people were told, or could not be told.', labels: ['sink', 'result'] },
  overrides_in_force: { kind: 'gauge', help: 'What operators forbid now, by how far it reaches.', labels: ['scope'] },
  checkpoint_seconds: { kind: 'histogram', help: 'Time one checkpoint takes.', labels: [] },
  checkpoint_failures_total: { kind: 'counter', help: 'Checkpoints that could not be written.', labels: [] },
  objective_sli_ratio: { kind: 'gauge', help: 'Good of valid requests over the window of an objective.', labels: ['service', 'objective'] },
  objective_target_ratio: { kind: 'gauge', help: 'Target of an objective.', labels: ['service', 'objective'] },
  objective_budget_remaining_ratio: {
    kind: 'gauge',
    help: 'Error budget of an objective that is left: 1 untouched, 0 spent, negative overspent.',
    labels: ['service', 'objective'],
  },
  objective_alert_firing: {
    kind: 'gauge',
    help: '1 while an alert of this severity fires for an objective; a page silences the ticket.',
    labels: ['service', 'objective', 'severity'],
  },
  objective_alert_frozen: {
    kind: 'gauge',
    help: "1 while an objective's alert is frozen, because telemetry is lost or unknown.",
    labels: ['service', 'objective'],
  },
  objective_alert_turns_total: {
    kind: 'counter',
    help: 'Alerts of objectives that began to fire, changed severity, resolved, froze or thawed.',
    labels: ['turn', 'severity'],
    known: { turn: ['fires', 'changes', 'resolves', 'freezes', 'thaws'], severity: ['page', 'ticket'] },
  },
  objective_burn_rate: {
    kind: 'gauge',
    help: 'How fast an objective burns its error budget over a window of its tiers; at 1 it lasts exactly for the period.',
    labels: ['service', 'objective', 'window'],
  },
  objective_coverage_ratio: {
    kind: 'gauge',
    help: "Minutes of an objective's window in which its service was heard, of those since it was first heard.",
    labels: ['service', 'objective'],
  },
  objective_burn_threshold: {
    kind: 'gauge',
    help: 'Burn rate over a window of a tier above which an objective fires with this severity; both of its windows have to be above.',
    labels: ['service', 'objective', 'severity', 'window'],
  },
  service_requests_total: {
    kind: 'counter',
    help: 'Requests of a service that are in its windows, by their sampling weight.',
    labels: ['service'],
  },
  service_request_failures_total: {
    kind: 'counter',
    help: 'Requests of a service that failed, by the rules of the configuration.',
    labels: ['service'],
  },
  service_request_duration_seconds: {
    kind: 'histogram',
    help: 'Latency of requests of a service. The sum is reckoned from the middles of HDR buckets.',
    labels: ['service'],
  },
  analysis_run_info: {
    kind: 'gauge',
    help: '1 for each analysis run in flight, and for an hour after its end; the labels say what it says.',
    labels: ['service', 'run', 'release', 'state', 'decision', 'reason'],
  },
  analysis_run_started_timestamp_seconds: { kind: 'gauge', help: 'When the rollout of a run began.', labels: ['service', 'run'] },
  analysis_run_requests: { kind: 'gauge', help: 'Requests that a run has compared.', labels: ['service', 'run', 'arm'] },
  analysis_run_evidence_ratio: {
    kind: 'gauge',
    help: 'Evidence of harm, as a part of what proves it, on a logarithmic scale: 1 proves it, below 0 it speaks for the canary.',
    labels: ['service', 'run'],
  },
  watch_failures_total: {
    kind: 'counter',
    help: 'Troubles of watches of the deploy system: broken off, a rollout refused or not to be told of now.',
    labels: ['watch', 'reason'],
  },
  rollback_permits_total: {
    kind: 'counter',
    help: 'Rollbacks that the control topic let leave, held or did not take.',
    labels: ['result'],
  },
  peer_requests_total: { kind: 'counter', help: 'Requests to other members that were answered, or not in time.', labels: ['result'] },
  lease_held: { kind: 'gauge', help: '1 while this replica holds the lease, and so acts first.', labels: [] },
  lease_failures_total: { kind: 'counter', help: 'Looks at the lease that failed.', labels: [] },
  kafka_records_total: { kind: 'counter', help: 'Records read from a topic.', labels: ['topic'] },
  kafka_bytes_total: { kind: 'counter', help: 'Bytes of the values of records read from a topic.', labels: ['topic'] },
  kafka_lag_records: {
    kind: 'gauge',
    help: 'Records of a partition that are yet to be read, control records included; 0 once it is read by somebody else.',
    labels: ['topic', 'partition'],
  },
  kafka_gaps_total: { kind: 'counter', help: 'Times that records were lost before they were read.', labels: ['topic', 'reason'] },
  kafka_rebalances_total: { kind: 'counter', help: 'Times that partitions were assigned anew.', labels: [] },
  kafka_restarts_total: { kind: 'counter', help: 'Readers that were replaced by a new one.', labels: ['reason'] },
  kafka_transactions_total: {
    kind: 'counter',
    help: 'Transactions by how they ended: committed, uncertain, fenced, refused, not_written.',
    labels: ['outcome'],
  },
  config_last_reload_success: {
    kind: 'gauge',
    help: '1 when the newest configuration files are in use, 0 when an older one is kept.',
    labels: [],
  },
  config_reloads_total: { kind: 'counter', help: 'Reloads by result.', labels: ['result'], known: { result: ['ok', 'refused'] } },
  watchdog_last_success_timestamp_seconds: {
    kind: 'gauge',
    help: 'Unix time at which the watchdog found everything well last: a made-up bad canary was rolled back, a healthy one was not, no part stood still.',
    labels: [],
  },
  watchdog_checks_total: { kind: 'counter', help: 'Looks of the watchdog at a part: ok or failed.', labels: ['part', 'result'] },
  watchdog_seconds: { kind: 'histogram', help: 'Time one round of the watchdog takes.', labels: [] },
  build_info: { kind: 'gauge', help: '1; the label says which version runs.', labels: ['version'] },
  process_resident_memory_bytes: { kind: 'gauge', help: 'Resident memory of the process.', labels: [] },
  process_memory_limit_bytes: {
    kind: 'gauge',
    help: 'Memory the process may have, as its container is limited; absent where there is no limit.',
    labels: [],
  },
  process_start_time_seconds: { kind: 'gauge', help: 'When the process started.', labels: [] },
  process_heap_used_bytes: { kind: 'gauge', help: 'JavaScript heap in use.', labels: [] },
  process_external_bytes: { kind: 'gauge', help: 'Memory of buffers and typed arrays outside the JavaScript heap.', labels: [] },
  process_cpu_seconds_total: { kind: 'counter', help: 'CPU time of the process, user and system.', labels: [] },
  event_loop_lag_p99_seconds: { kind: 'gauge', help: 'p99 of the event loop delay over the last sampling interval.', labels: [] },
  gc_pause_seconds_total: { kind: 'counter', help: 'Time spent in garbage collection.', labels: ['gc'] },
  misused_metrics_total: {
    kind: 'counter',
    help: 'Own metric calls with a wrong kind, label or value, and own spans that could not be made; those were dropped.',
    labels: [],
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof METRICS;
