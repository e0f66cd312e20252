/** For each alert what has to be seen of Slipstream for it to fire, when it does not yet, and what people then read. */

export interface AlertStory {
  readonly alert: string;
  /** By metric, without the prefix, and its own labels; values as promtool has them, one every 30 s from 0 s on. */
  readonly series: Readonly<Record<string, string>>;
  /** Moments at which nothing has fired, and at which it has. */
  readonly quiet: string;
  readonly fires: string;
  /** Of the alert, beside severity and those of the target. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Labels of the target that the alert has; default: job and instance. */
  readonly of?: 'job' | 'nobody';
  readonly description: string;
  /** Where it is not that of the rule, word for word. */
  readonly summary?: string;
}

const OBJECTIVE = { service: 'shop', objective: 'shop:availability' };
const TARGET = 'service="shop",objective="shop:availability"';
const RUN = 'service="shop",run="ro-1",release="service.version=2"';
const DAY = 86_400;

export const ALERT_STORIES: readonly AlertStory[] = [
  {
    ...{ alert: 'SlipstreamAbsent', quiet: '6m', fires: '13m', of: 'job' },
    series: { 'build_info{version="1"}': '1x4 _x40', 'build_info{version="1",job="other-role"}': '1x40' },
    description: 'No metrics of slipstream came for 5 minutes. Canaries may go on without being judged.',
  },
  {
    ...{ alert: 'SlipstreamAbsent', quiet: '4m', fires: '6m', of: 'nobody' },
    series: { 'other_build_info{version="1"}': '1x40' },
    description: 'No metrics of a Slipstream came for 5 minutes. Canaries may go on without being judged.',
  },
  {
    ...{ alert: 'SlipstreamDown', quiet: '6m', fires: '12m' },
    series: { 'build_info{version="1"}': '1x9 _x40', up: '1x9 0x40', 'up{job="others"}': '0x50' },
    description: 'a:8080 has given no metrics for 5 minutes.',
  },
  {
    ...{ alert: 'SlipstreamWatchdogSilent', quiet: '4m', fires: '6m' },
    series: { watchdog_last_success_timestamp_seconds: '0 30 60 90x20' },
    description: 'The synthetic canary of a:8080 has not been judged as it should be for 4m 30s; it is tried every 30 s.',
  },
  {
    ...{ alert: 'SlipstreamWatchdogSilent', quiet: '2m', fires: '4m' },
    series: { process_start_time_seconds: '0x30', 'watchdog_checks_total{part="decide",result="failed"}': '_ 1+1x30' },
    description: 'The synthetic canary of a:8080 has not been judged as it should be for 4m 0s; it is tried every 30 s.',
  },
  {
    ...{ alert: 'SlipstreamWatchdogFails', quiet: '5m', fires: '10m', labels: { part: 'decide' } },
    series: {
      'watchdog_checks_total{part="decide",result="failed"}': '0x10 0+1x20',
      'watchdog_checks_total{part="store",result="ok"}': '0+1x30',
    },
    description: 'The check of decide on a:8080 failed 9 times in 5 minutes.',
  },
  {
    ...{ alert: 'SlipstreamRestarts', quiet: '10m', fires: '20m' },
    series: { process_start_time_seconds: '10x20 620x5 770x5 920x20' },
    description: 'a:8080 started 3 times in 30 minutes.',
  },
  {
    ...{ alert: 'SlipstreamSignalUndelivered', quiet: '4m', fires: '5m' },
    series: { deliveries_pending: '0x5 2x20' },
    description: 'a:8080 tries to deliver 2 signals and has for 2 minutes not succeeded.',
  },
  {
    ...{ alert: 'SlipstreamSignalUnconfirmed', quiet: '10m', fires: '14m' },
    series: { deliveries_unconfirmed: '0x5 1x40' },
    description: '1 signals of a:8080 were taken and have shown no effect for 10 minutes.',
  },
  {
    ...{ alert: 'SlipstreamEscalated', quiet: '2m', fires: '5m', labels: { topic: 'undelivered' } },
    series: { 'escalations_total{topic="undelivered"}': '0x5 1x20' },
    description: 'a:8080 told people of a signal that it cannot bring about by itself: undelivered, 1 times in 15 minutes.',
  },
  {
    ...{ alert: 'SlipstreamSinkRefuses', quiet: '2m', fires: '5m', labels: { sink: 'deployer', result: 'refused' } },
    series: {
      process_start_time_seconds: '0x30',
      'deliveries_total{sink="deployer",result="refused"}': '_x5 1x20',
      'deliveries_total{sink="deployer",result="confirmed"}': '4x20',
    },
    description: 'Deliveries of a:8080 to the sink deployer ended as refused, 1 times in 15 minutes.',
  },
  {
    ...{ alert: 'SlipstreamNoticesFail', quiet: '6m', fires: '9m', labels: { sink: 'slack' } },
    series: {
      'build_info{version="1"}': '1x50',
      process_start_time_seconds: '0x50',
      'notices_total{sink="slack",result="failed"}': '_x5 1x40',
      'notices_total{sink="mail",result="told"}': '0+1x40',
    },
    description: '1 notices of a:8080 did not get through to slack in 15 minutes.',
  },
  {
    ...{ alert: 'SlipstreamHarmHeld', quiet: '3m', fires: '5m', of: 'job' },
    labels: { service: 'shop', run: 'ro-1', release: 'service.version=2', reason: 'breaker_open' },
    series: {
      [`analysis_run_info{${RUN},state="running",decision="continue",reason="accumulating"}`]: '1x5 _x30',
      [`analysis_run_info{${RUN},state="running",decision="hold",reason="breaker_open"}`]: '_x5 1x30',
      [`analysis_run_info{${RUN.replace('ro-1', 'ro-2')},state="held",decision="hold",reason="horizon_reached"}`]: '1x40',
      [`analysis_run_info{${RUN.replace('ro-1', 'ro-3')},state="running",decision="hold",reason="overridden"}`]: '1x40',
      'analysis_run_evidence_ratio{service="shop",run="ro-3"}': '0.9x40',
    },
    summary: 'A canary of shop is proven bad and is not rolled back',
    description: 'The canary service.version=2 of shop is proven bad and held for a person: breaker_open, run ro-1.',
  },
  {
    ...{ alert: 'SlipstreamHarmHeld', quiet: '3m', fires: '5m', of: 'job' },
    labels: { service: 'shop', run: 'ro-1', release: 'service.version=2', reason: 'overridden' },
    series: {
      [`analysis_run_info{${RUN},state="running",decision="hold",reason="overridden"}`]: '_x5 1x30',
      'analysis_run_evidence_ratio{service="shop",run="ro-1"}': '0.9x5 1.2x30',
    },
    summary: 'A canary of shop is proven bad and is not rolled back',
    description: 'The canary service.version=2 of shop is proven bad and held for a person: overridden, run ro-1.',
  },
  {
    ...{ alert: 'SlipstreamRollbacksHeld', quiet: '3h', fires: '4h10m', of: 'job', labels: { scope: 'kill_switch' } },
    series: { 'overrides_in_force{scope="kill_switch"}': '1x600', 'overrides_in_force{scope="service"}': '3x600' },
    description: 'kill_switch is in force over all services (1); no canary is rolled back.',
  },
  {
    ...{ alert: 'SlipstreamLeaseUnheld', quiet: '3m', fires: '5m', of: 'job' },
    series: { lease_held: '1x4 0x20' },
    description: 'None of the replicas of slipstream has held the lease for 2 minutes, so none acts first and signals wait.',
  },
  {
    ...{ alert: 'SlipstreamWatchFails', quiet: '2m', fires: '15m', labels: { watch: 'argo-rollouts' } },
    series: { 'watch_failures_total{watch="argo-rollouts",reason="broken_off"}': '0x10 0+1x30' },
    description: 'The argo-rollouts watch of a:8080 had 19 troubles in 15 minutes; rollouts may go unseen.',
  },
  {
    ...{ alert: 'SlipstreamCheckpointsFail', quiet: '3m', fires: '6m' },
    series: { checkpoint_failures_total: '0x2 1x3 1+1x20' },
    description:
      '6 checkpoints of a:8080 failed in 5 minutes. No signal leaves before its decision is durable, and a restart forgets budgets.',
  },
  {
    ...{ alert: 'SlipstreamTakeOverFails', quiet: '3m', fires: '6m' },
    series: { take_over_failures_total: '0x5 0+1x20' },
    description: 'a:8080 failed 6 times in 10 minutes to take a partition over; its services are not judged.',
  },
  {
    ...{ alert: 'SlipstreamReloadRefused', quiet: '6m', fires: '9m' },
    series: { config_last_reload_success: '1x5 0x20' },
    description: 'a:8080 goes on with older files, as the newest ones are wrong.',
  },
  {
    ...{ alert: 'SlipstreamSourcesGivenUp', quiet: '3m', fires: '5m', of: 'job' },
    series: { sources_given_up: '0x5 2x20' },
    description: '2 sources of spans did not go on within the time they are waited for.',
  },
  {
    ...{ alert: 'SlipstreamBehind', quiet: '6m', fires: '9m', of: 'job' },
    series: { stream_lag_seconds: '5x5 300x20' },
    description: 'Counts are complete up to 5m 0s ago only, so canaries serve that much longer before they are judged.',
  },
  {
    ...{ alert: 'SlipstreamLagGrows', quiet: '15m', fires: '20m' },
    series: { ingest_lag_records: '1500+300x80' },
    description: 'What a:8080 has yet to read grows by 10 records a second.',
  },
  {
    ...{ alert: 'SlipstreamSpansLost', quiet: '2m', fires: '5m', labels: { reason: 'retention' } },
    series: { process_start_time_seconds: '0x30', 'kafka_gaps_total{topic="otlp_spans",reason="retention"}': '_x5 1x20' },
    description: 'a:8080 found 1 gaps in 15 minutes: retention. Runs pass over the time that is missing.',
  },
  {
    ...{ alert: 'SlipstreamCommitsFail', quiet: '3m', fires: '10m' },
    series: { 'ingest_commits_total{result="failed"}': '0+1x40', 'ingest_commits_total{result="committed"}': '0+3x40' },
    description: '25% of the transactions of a:8080 that carry counts fail.',
  },
  {
    ...{ alert: 'SlipstreamRecordsUnreadable', quiet: '2m', fires: '10m' },
    series: { ingest_quarantined_records_total: '0x5 3x40', delta_records_refused_total: '0x40' },
    description: 'a:8080 set 3 records aside in an hour, and counted nothing of them.',
  },
  {
    ...{ alert: 'SlipstreamRefusesRequests', quiet: '4m', fires: '8m', labels: { outcome: 'overloaded' } },
    series: {
      'receiver_refused_requests_total{transport="grpc",outcome="overloaded"}': '0+1x30',
      'receiver_refused_requests_total{transport="http",outcome="malformed"}': '0x30',
      'receiver_requests_total{transport="grpc"}': '0+9x30',
    },
    description: '10% of the requests to a:8080 are refused: overloaded.',
  },
  {
    ...{ alert: 'SlipstreamIntakeStopped', quiet: '30m', fires: '80m', of: 'job' },
    series: { 'spans_total{disposition="counted"}': '0+300x120 36000x100' },
    description: 'slipstream has counted no span for 15 minutes, and did in the hours before. Without spans nothing is judged.',
  },
  {
    // It was started anew, with an address at which nothing comes.
    ...{ alert: 'SlipstreamIntakeStopped', quiet: '30m', fires: '80m', of: 'job' },
    series: {
      'spans_total{disposition="counted"}': '0+300x120 _x100',
      'spans_total{disposition="counted",instance="b:8080"}': '_x120 0x100',
    },
    description: 'slipstream has counted no span for 15 minutes, and did in the hours before. Without spans nothing is judged.',
  },
  {
    ...{ alert: 'SlipstreamSpansLate', quiet: '10m', fires: '20m', of: 'job' },
    series: { late_spans_total: '0+5x60', 'service_requests_total{service="shop"}': '0+95x60' },
    description: '5% of the spans of slipstream come after grace has passed and are in no window.',
  },
  {
    ...{ alert: 'SlipstreamSpansRejected', quiet: '10m', fires: '20m', of: 'job', labels: { disposition: 'future' } },
    series: { 'spans_total{disposition="future"}': '0+5x60', 'spans_total{disposition="counted"}': '0+95x60' },
    description: '5% of the spans of slipstream are not counted: future.',
  },
  {
    ...{ alert: 'SlipstreamSeriesOverflow', quiet: '10m', fires: '20m' },
    series: { overflow_spans_total: '0+10x60' },
    description: 'a:8080 counted 300 spans in 15 minutes under `(other)`, as their service has used its share of series.',
  },
  {
    ...{ alert: 'SlipstreamCertificateExpires', quiet: '1m', fires: '10m', labels: { listener: 'api' } },
    series: { 'tls_certificate_expiry_timestamp_seconds{listener="api"}': `${DAY + 300}x40` },
    description: 'The certificate of api on a:8080 expires in 23h 55m 0s. Then senders of spans, people and members are turned away.',
  },
  {
    ...{ alert: 'SlipstreamCertificateOld', quiet: '30m', fires: '70m', labels: { listener: 'otlp' } },
    series: { 'tls_certificate_expiry_timestamp_seconds{listener="otlp"}': `${6 * DAY}x200` },
    description: 'The certificate of otlp on a:8080 expires in 5d 22h 50m 0s.',
  },
  {
    ...{ alert: 'SlipstreamCertificateRefused', quiet: '2m', fires: '5m', labels: { listener: 'otlp' } },
    series: { process_start_time_seconds: '0x30', 'tls_certificate_renewals_total{listener="otlp",result="refused"}': '_x5 1x20' },
    description:
      'The files of otlp on a:8080 changed 1 times in an hour and could not be used; the certificate from before is still shown.',
  },
  {
    ...{ alert: 'SlipstreamMemoryHigh', quiet: '10m', fires: '14m' },
    series: { process_resident_memory_bytes: '100x5 950x40', process_memory_limit_bytes: '1000x50' },
    description: 'a:8080 uses 95% of the memory it may have.',
  },
  {
    ...{ alert: 'SlipstreamSlow', quiet: '10m', fires: '14m' },
    series: { event_loop_lag_p99_seconds: '0.001x5 2x40' },
    description: 'Work on a:8080 waits 2s for its turn (p99), so signals leave later and requests time out.',
  },
  {
    ...{ alert: 'SlipstreamMetricsMisused', quiet: '2m', fires: '5m' },
    series: { misused_metrics_total: '0x5 1x20' },
    description: 'a:8080 dropped 1 of its own measurements in 15 minutes.',
  },
  {
    ...{ alert: 'SlipstreamObjectivePage', quiet: '2m', fires: '5m', of: 'job', labels: OBJECTIVE },
    series: {
      [`objective_alert_firing{${TARGET},severity="page"}`]: '0x5 1x20',
      [`objective_budget_remaining_ratio{${TARGET}}`]: '0.25x30',
    },
    summary: 'shop:availability burns its error budget fast',
    description: 'The objective shop:availability of shop pages. Of its error budget 25% is left.',
  },
  {
    ...{ alert: 'SlipstreamObjectiveTicket', quiet: '2m', fires: '5m', of: 'job', labels: OBJECTIVE },
    series: { [`objective_alert_firing{${TARGET},severity="ticket"}`]: '0x5 1x20' },
    summary: 'shop:availability burns its error budget',
    description: 'The objective shop:availability of shop asks for a ticket. Of its error budget an unknown part is left.',
  },
  {
    ...{ alert: 'SlipstreamObjectiveFrozen', quiet: '20m', fires: '40m', of: 'job', labels: OBJECTIVE },
    series: { [`objective_alert_frozen{${TARGET}}`]: '0x5 1x100' },
    summary: 'shop:availability is not judged',
    description: 'The alert of shop:availability of shop has been frozen for 30 minutes, because telemetry is lost or unknown.',
  },
];
