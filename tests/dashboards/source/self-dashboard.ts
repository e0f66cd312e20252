/** The dashboard of Slipstream itself: whether it would see, decide and deliver, and what it costs. */
import { type DashboardParts, dashboardText } from './dashboard.ts';
import { type Panel, type Query, row, type Steps, stat, table, timeSeries, type Unit } from './panel.ts';

const OURS = 'job=~"$job"';
const ONE_IS_BAD: Steps = [
  { from: null, color: 'green' },
  { from: 1, color: 'red' },
];

const sum = (metric: string, by: string, labels = ''): string => `sum by (${by}) (slipstream_${metric}{${OURS}${labels}})`;
const max = (metric: string, by = 'instance'): string => `max by (${by}) (slipstream_${metric}{${OURS}})`;
const rate = (metric: string, by: string, labels = ''): string =>
  `sum by (${by}) (rate(slipstream_${metric}{${OURS}${labels}}[$__rate_interval]))`;
const more = (metric: string, by: string): string => `sum by (${by}) (increase(slipstream_${metric}{${OURS}}[$__rate_interval]))`;
const quantile = (q: number, metric: string): string => `histogram_quantile(${q}, ${rate(`${metric}_bucket`, 'le')})`;

function graph(title: string, description: string, unit: Unit, queries: readonly Query[], stacked = false): Panel {
  return timeSeries({ title, description, unit, queries, width: 8, min: 0, stacked });
}

/** How long something takes. */
function durations(title: string, description: string, metric: string): Panel {
  return graph(title, description, 's', [
    { name: 'p50', expr: quantile(0.5, metric) },
    { name: 'p99', expr: quantile(0.99, metric) },
    {
      name: 'mean',
      expr: `sum(rate(slipstream_${metric}_sum{${OURS}}[$__rate_interval])) / sum(rate(slipstream_${metric}_count{${OURS}}[$__rate_interval]))`,
    },
  ]);
}

function figure(title: string, description: string, unit: Unit, expr: string, steps: Steps): Panel {
  return stat({ title, description, unit, steps, width: 4, height: 4, queries: [{ name: title, expr }] });
}

const ALIVE = [
  row('Is it well'),
  figure(
    'Watchdog',
    'Time since a synthetic canary was last judged as it should be, or since the start, by the member that is worst off. It is tried every 30 s.',
    's',
    `max(time() - (slipstream_watchdog_last_success_timestamp_seconds{${OURS}} or (slipstream_process_start_time_seconds{${OURS}} and on (job, namespace, instance) slipstream_watchdog_checks_total{${OURS}})))`,
    [
      { from: null, color: 'green' },
      { from: 90, color: 'orange' },
      { from: 180, color: 'red' },
    ],
  ),
  figure(
    'Signals not delivered',
    'They are tried again until they are taken or expire.',
    'none',
    `sum(slipstream_deliveries_pending{${OURS}})`,
    ONE_IS_BAD,
  ),
  figure(
    'Signals without effect',
    'Taken by the deploy system; their effect is yet to be seen.',
    'none',
    `sum(slipstream_deliveries_unconfirmed{${OURS}})`,
    [
      { from: null, color: 'green' },
      { from: 1, color: 'orange' },
    ],
  ),
  figure(
    'Old configuration',
    'Members that keep older files, as the newest are wrong.',
    'none',
    `count(slipstream_config_last_reload_success{${OURS}} == 0) or vector(0)`,
    ONE_IS_BAD,
  ),
  figure(
    'Sources given up',
    'While there are any no run promotes or rolls back.',
    'none',
    `max(slipstream_sources_given_up{${OURS}}) or vector(0)`,
    ONE_IS_BAD,
  ),
  figure(
    'Held by hand',
    'Overrides that operators have put in force.',
    'none',
    `sum(max by (scope) (slipstream_overrides_in_force{${OURS}}))`,
    [
      { from: null, color: 'green' },
      { from: 1, color: 'orange' },
    ],
  ),
  table({
    ...{ title: 'Members', width: 24, height: 6 },
    description: 'Who is scraped, which version runs, since when.',
    labels: [
      ['job', 'Job'],
      ['instance', 'Member'],
      ['version', 'Version'],
    ],
    sortBy: { column: 'Member', descending: false },
    columns: [
      { name: 'Info', unit: 'none', hidden: true, expr: max('build_info', 'job, instance, version') },
      { name: 'Started', unit: 'dateTimeFromNow', expr: `1000 * ${max('process_start_time_seconds', 'job, instance')}` },
      { name: 'Memory', unit: 'bytes', expr: max('process_resident_memory_bytes', 'job, instance') },
      { name: 'CPU', unit: 'none', expr: rate('process_cpu_seconds_total', 'job, instance') },
      { name: 'Series', unit: 'short', expr: max('series', 'job, instance') },
      { name: 'Partitions judged', unit: 'none', expr: max('cells', 'job, instance') },
    ],
  }),
  graph('Watchdog: checks', 'Each part is looked at every 30 s; what failed is named.', 'ops', [
    { name: '{{part}} {{result}}', expr: rate('watchdog_checks_total', 'part, result') },
  ]),
  durations('Watchdog: time', 'What one round takes.', 'watchdog_seconds'),
  graph('Reloads', 'Configuration files that were taken up, or refused.', 'none', [
    { name: '{{result}}', expr: more('config_reloads_total', 'result') },
  ]),
];

const INTAKE = [
  row('Intake'),
  graph('Spans accepted', 'By transport.', 'ops', [{ name: '{{transport}}', expr: rate('receiver_accepted_spans_total', 'transport') }]),
  graph('Spans by what became of them', '`not_entry` are spans inside a service, which are no requests.', 'ops', [
    { name: '{{disposition}}', expr: rate('spans_total', 'disposition') },
  ]),
  graph('Requests', 'Of senders, by transport.', 'reqps', [{ name: '{{transport}}', expr: rate('receiver_requests_total', 'transport') }]),
  graph('Requests refused', 'By the table of outcomes; `overloaded` and `draining` are tried again by their senders.', 'reqps', [
    { name: '{{transport}} {{outcome}}', expr: rate('receiver_refused_requests_total', 'transport, outcome') },
  ]),
  graph('Bytes', 'Payload after decompression.', 'Bps', [{ name: '{{transport}}', expr: rate('receiver_bytes_total', 'transport') }]),
  graph('Bytes in flight', 'Held by requests that are not answered yet; their limit refuses more.', 'bytes', [
    { name: '{{instance}}', expr: max('receiver_in_flight_bytes') },
  ]),
  graph('Late spans', 'They came after grace had passed and are in no window.', 'ops', [
    { name: 'late', expr: rate('late_spans_total', 'job') },
  ]),
  graph('Series', 'Service × release × endpoint.', 'short', [{ name: '{{instance}}', expr: max('series') }]),
  graph('Overflow', 'Spans of endpoints for which there was no room, counted as `(other)`.', 'ops', [
    { name: 'overflow', expr: rate('overflow_spans_total', 'job') },
  ]),
];

const LAG = [
  row('Kafka and members'),
  graph('Lag of the stream', 'How far the time up to which all spans are counted is behind the clock.', 's', [
    { name: '{{instance}}', expr: max('stream_lag_seconds') },
  ]),
  graph('Sources', 'Those that judging waits for, and those that were given up.', 'none', [
    { name: 'waited for', expr: max('sources_waited_for', 'job') },
    { name: 'given up', expr: max('sources_given_up', 'job') },
  ]),
  graph('Records to be read', 'Of each topic.', 'short', [
    { name: '{{topic}}', expr: sum('kafka_lag_records', 'topic') },
    { name: 'spans, {{instance}}', expr: max('ingest_lag_records') },
  ]),
  graph('Records read', 'Of each topic.', 'ops', [{ name: '{{topic}}', expr: rate('kafka_records_total', 'topic') }]),
  graph('Bytes read', 'Values of records.', 'Bps', [{ name: '{{topic}}', expr: rate('kafka_bytes_total', 'topic') }]),
  graph('Counts handed over', 'To the topic of deltas.', 'Bps', [{ name: 'bytes', expr: rate('ingest_delta_bytes_total', 'job') }]),
  graph('Lost before they were counted', 'Gaps by their reason.', 'none', [
    { name: '{{topic}} {{reason}}', expr: more('kafka_gaps_total', 'topic, reason') },
    { name: 'spans: {{reason}}', expr: more('ingest_gaps_total', 'reason') },
  ]),
  graph('Records not read', 'Set aside, as they are no spans or no counts.', 'none', [
    { name: 'spans set aside', expr: more('ingest_quarantined_records_total', 'job') },
    { name: 'counts refused', expr: more('delta_records_refused_total', 'job') },
  ]),
  graph('Commits of counts', 'Transactions that carry counts, by how they ended.', 'ops', [
    { name: '{{result}}', expr: rate('ingest_commits_total', 'result') },
  ]),
  durations('Commits of counts: time', 'What one transaction takes.', 'ingest_commit_seconds'),
  graph('Transactions', 'All of them, by how they ended.', 'ops', [
    { name: '{{outcome}}', expr: rate('kafka_transactions_total', 'outcome') },
  ]),
  graph('Partitions', 'Of spans that each member counts, and of deltas that each judges.', 'none', [
    { name: '{{instance}} counts', expr: max('ingest_partitions') },
    { name: '{{instance}} judges', expr: max('cells') },
  ]),
  graph('Rebalances and restarts', 'Partitions assigned anew, readers replaced, reports that were not sent.', 'none', [
    { name: 'rebalances', expr: more('kafka_rebalances_total', 'job') },
    { name: 'restart: {{reason}}', expr: more('kafka_restarts_total', 'reason') },
    { name: 'reports not sent', expr: more('ingest_report_failures_total', 'job') },
  ]),
  durations('Take-over of partitions: time', 'Until the last owner is fenced and its state is read.', 'take_over_seconds'),
  graph('Members among themselves', 'Requests that were answered, permits of rollbacks, take-overs that failed.', 'ops', [
    { name: 'asked: {{result}}', expr: rate('peer_requests_total', 'result') },
    { name: 'permit: {{result}}', expr: rate('rollback_permits_total', 'result') },
    { name: 'take-overs failed', expr: rate('take_over_failures_total', 'job') },
  ]),
];

const JUDGING = [
  row('Judging and state'),
  durations('Ticks: time', 'Merging and judging what came.', 'tick_seconds'),
  graph('Runs', 'By state, of those that are remembered.', 'none', [{ name: '{{state}}', expr: sum('analysis_runs', 'state') }]),
  graph('Changes of verdict', 'By decision.', 'none', [{ name: '{{decision}}', expr: more('verdicts_total', 'decision') }]),
  durations('Checkpoints: time', 'What writing the state takes.', 'checkpoint_seconds'),
  graph('Checkpoints that failed', 'While they fail no signal leaves.', 'none', [
    { name: '{{instance}}', expr: more('checkpoint_failures_total', 'instance') },
  ]),
  graph('Alerts of objectives', 'That began to fire, changed, resolved, froze or thawed.', 'none', [
    { name: '{{severity}} {{turn}}', expr: more('objective_alert_turns_total', 'turn, severity') },
  ]),
];

const DELIVERY = [
  row('Delivery'),
  graph('Signals', 'Journalled, by action.', 'none', [{ name: '{{action}}', expr: more('signals_total', 'action') }]),
  graph('Deliveries', 'Attempts that failed, and states that were reached.', 'none', [
    { name: '{{sink}} {{result}}', expr: more('deliveries_total', 'sink, result') },
  ]),
  durations('From decision to first attempt', 'To be well under a second.', 'signal_send_seconds'),
  graph('Not delivered, and without effect', 'By member.', 'none', [
    { name: '{{instance}} not delivered', expr: max('deliveries_pending') },
    { name: '{{instance}} without effect', expr: max('deliveries_unconfirmed') },
  ]),
  graph('Escalations and notices', 'People who were told, or could not be told.', 'none', [
    { name: 'escalated: {{topic}}', expr: more('escalations_total', 'topic') },
    { name: '{{sink}} {{result}}', expr: more('notices_total', 'sink, result') },
  ]),
  graph('Watches, lease and overrides', 'Troubles with the deploy system; who holds the lease; what operators forbid.', 'none', [
    { name: '{{watch}}: {{reason}}', expr: more('watch_failures_total', 'watch, reason') },
    { name: 'lease: looks that failed', expr: more('lease_failures_total', 'job') },
    { name: '{{instance}} holds the lease', expr: max('lease_held') },
    { name: 'held: {{scope}}', expr: max('overrides_in_force', 'scope') },
  ]),
];

const TLS = [
  row('Certificates'),
  table({
    ...{ title: 'Certificates', width: 8, height: 8 },
    description: 'Those that are shown to clients, the one that expires first on top. Renewed files are taken up by themselves.',
    labels: [
      ['instance', 'Member'],
      ['listener', 'Listener'],
    ],
    sortBy: { column: 'Expires', descending: false },
    columns: [
      { name: 'Expires', unit: 'dateTimeFromNow', expr: `1000 * ${max('tls_certificate_expiry_timestamp_seconds', 'instance, listener')}` },
    ],
  }),
  graph('Renewals', 'Changed files, by whether they were taken.', 'none', [
    { name: '{{listener}} {{result}}', expr: more('tls_certificate_renewals_total', 'listener, result') },
  ]),
  graph('Connections without TLS', 'They ended before TLS was spoken, by why.', 'ops', [
    { name: '{{listener}} {{reason}}', expr: rate('tls_handshake_failures_total', 'listener, reason') },
  ]),
];

const PROCESS = [
  row('Process'),
  graph('Memory', 'Resident, and what the container may have.', 'bytes', [
    { name: '{{instance}}', expr: max('process_resident_memory_bytes') },
    { name: '{{instance}} limit', expr: max('process_memory_limit_bytes') },
  ]),
  graph('Memory by kind', 'JavaScript heap, and buffers outside of it.', 'bytes', [
    { name: '{{instance}} heap', expr: max('process_heap_used_bytes') },
    { name: '{{instance}} buffers', expr: max('process_external_bytes') },
  ]),
  graph('CPU', 'Cores in use.', 'none', [{ name: '{{instance}}', expr: rate('process_cpu_seconds_total', 'instance') }]),
  graph('Event loop', 'p99 of how long work waits for its turn.', 's', [{ name: '{{instance}}', expr: max('event_loop_lag_p99_seconds') }]),
  graph('Garbage collection', 'Part of the time spent in it.', 'percentunit', [
    { name: '{{instance}} {{gc}}', expr: rate('gc_pause_seconds_total', 'instance, gc') },
  ]),
  graph('Misused metrics', 'Own measurements that contradict the table and were dropped: a fault of this program.', 'none', [
    { name: '{{instance}}', expr: more('misused_metrics_total', 'instance') },
  ]),
];

const PARTS: DashboardParts = {
  title: 'Slipstream itself',
  description: 'Whether Slipstream sees, decides and delivers, and what it costs.',
  tags: ['slipstream'],
  variables: [{ name: 'job', label: 'Job', selector: 'slipstream_build_info', of: 'job' }],
  panels: [...ALIVE, ...INTAKE, ...LAG, ...JUDGING, ...DELIVERY, ...TLS, ...PROCESS],
};

export function selfDashboardText(): string {
  return dashboardText(PARTS);
}
