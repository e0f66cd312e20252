/** The dashboard of services: objectives, canaries, traffic. */
import { type DashboardParts, dashboardText } from './dashboard.ts';
import { heatmap, type Mapping, row, type Steps, stat, stateTimeline, table, timeSeries } from './panel.ts';

const SERVICES = 'job=~"$job",service=~"$service"';
const IN_FLIGHT = 'state=~"pending|running|baking"';
const BUDGET: Steps = [
  { from: null, color: 'red' },
  { from: 0, color: 'orange' },
  { from: 0.25, color: 'green' },
];
const ONE_IS_BAD: Steps = [
  { from: null, color: 'green' },
  { from: 1, color: 'red' },
];
const SEVERITIES: readonly Mapping[] = [
  { value: 0, text: 'quiet', color: 'green' },
  { value: 1, text: 'ticket', color: 'orange' },
  { value: 2, text: 'page', color: 'red' },
];
const DECISIONS: readonly Mapping[] = [
  { value: 0, text: 'continue', color: 'blue' },
  { value: 1, text: 'promote', color: 'green' },
  { value: 2, text: 'hold', color: 'orange' },
  { value: 3, text: 'rollback', color: 'red' },
];
/** 0 quiet, 1 ticket, 2 page: a page silences the ticket. */
const SEVERITY = `2 * max by (service, objective) (slipstream_objective_alert_firing{${SERVICES},severity="page"}) + max by (service, objective) (slipstream_objective_alert_firing{${SERVICES},severity="ticket"})`;

const perObjective = (metric: string): string => `max by (service, objective) (slipstream_${metric}{${SERVICES}})`;
/** The worst of all that say something of it, such as the same service in two clusters. */
const worstOf = (metric: string): string => `min by (service, objective) (slipstream_${metric}{${SERVICES}})`;
const perRun = (metric: string, labels = ''): string => `max by (service, run) (slipstream_${metric}{${SERVICES}${labels}})`;
const decided = (decision: string, value: number): string =>
  `${value} * max by (service, run) (slipstream_analysis_run_info{${SERVICES},decision="${decision}"})`;
const traffic = (metric: string, by: string): string =>
  `sum by (${by}) (rate(slipstream_service_${metric}{${SERVICES}}[$__rate_interval]))`;
const quantile = (q: number): string => `histogram_quantile(${q}, ${traffic('request_duration_seconds_bucket', 'service, le')})`;

const OBJECTIVES = [
  row('Objectives'),
  stat({
    ...{ title: 'Objectives', width: 12, height: 4, unit: 'none' },
    description: 'Met: budget is left. Breached: it is overspent. Without data: no request in the window, which is neither good nor bad.',
    queries: [
      { name: 'met', expr: `count(${worstOf('objective_budget_remaining_ratio')} >= 0) or vector(0)` },
      { name: 'breached', expr: `count(${worstOf('objective_budget_remaining_ratio')} < 0) or vector(0)` },
      {
        name: 'without data',
        expr: `count(${perObjective('objective_target_ratio')} unless ${worstOf('objective_budget_remaining_ratio')}) or vector(0)`,
      },
      { name: 'alerts', expr: `count(${SEVERITY} > 0) or vector(0)` },
      { name: 'frozen', expr: `sum(${perObjective('objective_alert_frozen')}) or vector(0)` },
    ],
  }),
  stat({
    ...{ title: 'Least budget', width: 4, height: 4, unit: 'percentunit', steps: BUDGET },
    description: 'What is left of the error budget that is worst off; negative: overspent.',
    queries: [{ name: 'left', expr: `min(slipstream_objective_budget_remaining_ratio{${SERVICES}})` }],
  }),
  stat({
    ...{ title: 'Runs in flight', width: 4, height: 4, unit: 'none' },
    description: 'Canaries that are judged now.',
    queries: [{ name: 'runs', expr: `count(slipstream_analysis_run_info{${SERVICES},${IN_FLIGHT}}) or vector(0)` }],
  }),
  stat({
    ...{ title: 'Rollbacks in the time shown', width: 4, height: 4, unit: 'none', steps: ONE_IS_BAD },
    description: 'Signals to roll back, of all services.',
    queries: [
      { name: 'rollbacks', expr: 'round(sum(increase(slipstream_signals_total{job=~"$job",action="rollback"}[$__range]))) or vector(0)' },
    ],
  }),
  table({
    ...{ title: 'Budgets, the worst first', width: 24, height: 10 },
    description:
      'Budget left is a part of the whole: 100 % untouched, 0 % spent, negative overspent. Heard: minutes of the window with telemetry.',
    labels: [
      ['service', 'Service'],
      ['objective', 'Objective'],
    ],
    sortBy: { column: 'Budget left', descending: false },
    columns: [
      { name: 'Budget left', unit: 'percentunit', steps: BUDGET, expr: worstOf('objective_budget_remaining_ratio') },
      { name: 'Compliance', unit: 'percentunit', expr: worstOf('objective_sli_ratio') },
      { name: 'Target', unit: 'percentunit', expr: perObjective('objective_target_ratio') },
      { name: 'Burn, fastest window', unit: 'none', steps: ONE_IS_BAD, expr: perObjective('objective_burn_rate') },
      { name: 'Alert', unit: 'none', mappings: SEVERITIES, expr: SEVERITY },
      { name: 'Frozen', unit: 'none', steps: ONE_IS_BAD, expr: perObjective('objective_alert_frozen') },
      { name: 'Heard', unit: 'percentunit', expr: worstOf('objective_coverage_ratio') },
    ],
  }),
  timeSeries({
    ...{
      title: 'Error budget left',
      width: 12,
      unit: 'percentunit',
      max: 1,
      line: [
        { from: null, color: 'red' },
        { from: 0, color: 'text' },
      ],
    },
    description: 'It comes back as bad requests leave the window.',
    queries: [{ name: '{{objective}}', expr: worstOf('objective_budget_remaining_ratio') }],
  }),
  timeSeries({
    ...{ title: 'Compliance', width: 12, unit: 'percentunit', max: 1 },
    description: 'Good of valid requests over the window of each objective.',
    queries: [{ name: '{{objective}}', expr: worstOf('objective_sli_ratio') }],
  }),
  timeSeries({
    ...{ title: 'Burn rate by window', width: 12, unit: 'none', min: 0 },
    description: 'At 1 the budget lasts exactly for its period.',
    queries: [
      { name: '{{objective}} {{window}}', expr: `max by (service, objective, window) (slipstream_objective_burn_rate{${SERVICES}})` },
    ],
  }),
  timeSeries({
    ...{
      title: 'Burn against its tiers',
      width: 12,
      unit: 'percentunit',
      min: 0,
      line: [
        { from: null, color: 'text' },
        { from: 1, color: 'red' },
      ],
    },
    description: 'A tier fires while both of its windows are above 100 %.',
    queries: [
      {
        name: '{{objective}} {{severity}} {{window}}',
        expr: `max by (service, objective, window) (slipstream_objective_burn_rate{${SERVICES}}) / on (service, objective, window) group_right () max by (service, objective, window, severity) (slipstream_objective_burn_threshold{${SERVICES}})`,
      },
    ],
  }),
  stateTimeline({
    ...{ title: 'Alerts of objectives', width: 24, unit: 'none', mappings: SEVERITIES },
    description: 'What fired when.',
    queries: [{ name: '{{objective}}', expr: SEVERITY }],
  }),
];

const CANARIES = [
  row('Canaries'),
  table({
    ...{ title: 'Runs in flight, and those of the last hour', width: 24, height: 8 },
    description:
      'What each run says, and how much it knows. Evidence of 100 % proves harm; below 0 it speaks for the canary. `slipstream explain RUN` tells why.',
    labels: [
      ['service', 'Service'],
      ['run', 'Run'],
      ['release', 'Release'],
      ['state', 'State'],
      ['decision', 'Verdict'],
      ['reason', 'Reason'],
    ],
    sortBy: { column: 'Begun', descending: true },
    columns: [
      {
        ...{ name: 'Info', unit: 'none', hidden: true },
        expr: `max by (service, run, release, state, decision, reason) (slipstream_analysis_run_info{${SERVICES}})`,
      },
      { name: 'Evidence of harm', unit: 'percentunit', steps: ONE_IS_BAD, expr: perRun('analysis_run_evidence_ratio') },
      { name: 'Canary requests', unit: 'short', expr: perRun('analysis_run_requests', ',arm="canary"') },
      { name: 'Baseline requests', unit: 'short', expr: perRun('analysis_run_requests', ',arm="baseline"') },
      { name: 'Begun', unit: 'dateTimeFromNow', expr: `1000 * ${perRun('analysis_run_started_timestamp_seconds')}` },
    ],
  }),
  stateTimeline({
    ...{ title: 'Verdicts', width: 12, unit: 'none', mappings: DECISIONS },
    description: 'What each run said when.',
    queries: [
      {
        name: '{{run}}',
        expr: [decided('rollback', 3), decided('hold', 2), decided('promote', 1), decided('continue', 0)].join(' or '),
      },
    ],
  }),
  timeSeries({
    ...{
      title: 'Evidence of harm',
      width: 12,
      unit: 'percentunit',
      line: [
        { from: null, color: 'text' },
        { from: 1, color: 'red' },
      ],
    },
    description: 'At 100 % harm is proven and the run rolls back. It may be looked at at any time without being wrong more often.',
    queries: [{ name: '{{run}}', expr: perRun('analysis_run_evidence_ratio') }],
  }),
  timeSeries({
    ...{ title: 'Requests compared', width: 12, unit: 'short', min: 0 },
    description: 'Of both releases, since the run began.',
    queries: [{ name: '{{run}} {{arm}}', expr: `max by (service, run, arm) (slipstream_analysis_run_requests{${SERVICES}})` }],
  }),
  timeSeries({
    ...{ title: 'Changes of verdict', width: 12, unit: 'none', min: 0, stacked: true },
    description: 'Of all services, by reason.',
    queries: [
      {
        name: '{{decision}}: {{reason}}',
        expr: 'sum by (decision, reason) (increase(slipstream_verdicts_total{job=~"$job"}[$__rate_interval]))',
      },
    ],
  }),
];

const TRAFFIC = [
  row('Traffic'),
  timeSeries({
    ...{ title: 'Requests', width: 12, unit: 'reqps', min: 0 },
    description: 'Spans that count as requests, by their sampling weight.',
    queries: [{ name: '{{service}}', expr: traffic('requests_total', 'service') }],
  }),
  timeSeries({
    ...{ title: 'Errors', width: 12, unit: 'percentunit', min: 0 },
    description: 'Failed of all requests.',
    queries: [
      { name: '{{service}}', expr: `${traffic('request_failures_total', 'service')} / (${traffic('requests_total', 'service')} > 0)` },
    ],
  }),
  heatmap({
    ...{ title: 'Latency', width: 12, height: 9, unit: 's', rate: 'reqps' },
    description: 'Requests of the services picked, by how long they took.',
    queries: [{ name: '{{le}}', expr: traffic('request_duration_seconds_bucket', 'le') }],
  }),
  timeSeries({
    ...{ title: 'Latency quantiles', width: 12, height: 9, unit: 's', min: 0 },
    description: 'Reckoned from 15 buckets; the API and the page of Slipstream have them to two digits.',
    queries: [
      { name: '{{service}} p50', expr: quantile(0.5) },
      { name: '{{service}} p95', expr: quantile(0.95) },
      { name: '{{service}} p99', expr: quantile(0.99) },
    ],
  }),
];

const PARTS: DashboardParts = {
  title: 'Slipstream: objectives and canaries',
  description: 'Error budgets, canaries and traffic of the services that Slipstream judges.',
  tags: ['slipstream', 'slo'],
  variables: [
    { name: 'job', label: 'Job', selector: 'slipstream_build_info', of: 'job' },
    {
      ...{ name: 'service', label: 'Service', of: 'service' },
      selector: '{__name__=~"slipstream_service_requests_total|slipstream_objective_target_ratio",job=~"$job"}',
    },
  ],
  panels: [...OBJECTIVES, ...CANARIES, ...TRAFFIC],
};

export function objectivesDashboardText(): string {
  return dashboardText(PARTS);
}
