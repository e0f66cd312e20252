/** Each alert fires when what it is about is there for long enough, not before, and says what people then need. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PREFIX } from '../../src/telemetry/instruments.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { PROMTOOL_TOOLS, promtoolIn } from '../tools/prometheus.ts';
import { ALERT_STORIES, type AlertStory } from './rig/alert-stories.ts';
import { RULE_GROUPS, RULES_FILE } from './rig/dashboard-files.ts';

const run = promisify(execFile);
const TARGET = { job: 'slipstream', instance: 'a:8080' };
const RULES = new Map(RULE_GROUPS.flatMap(({ rules }) => rules.map((rule) => [rule.alert, rule] as const)));
/** One of everything that alerts look at, as it is while all is well. */
const WELL: Readonly<Record<string, string>> = {
  'build_info{version="1"}': '1x200',
  up: '1x200',
  watchdog_last_success_timestamp_seconds: '0+30x200',
  'watchdog_checks_total{part="decide",result="ok"}': '0+1x200',
  process_start_time_seconds: '10x200',
  deliveries_pending: '0x50 1 0x150',
  deliveries_unconfirmed: '0x50 1x4 0x146',
  'escalations_total{topic="undelivered"}': '0x200',
  'deliveries_total{sink="deployer",result="confirmed"}': '_x50 1x150',
  'notices_total{sink="slack",result="told"}': '_x50 1x150',
  'overrides_in_force{scope="kill_switch"}': '0x200',
  lease_held: '1x200',
  checkpoint_failures_total: '0x50 1x150',
  take_over_failures_total: '0x200',
  config_last_reload_success: '1x200',
  sources_given_up: '0x200',
  stream_lag_seconds: '4x200',
  ingest_lag_records: '0 900 10 0 700 0x195',
  'ingest_commits_total{result="committed"}': '0+30x200',
  ingest_quarantined_records_total: '0x200',
  'receiver_requests_total{transport="grpc"}': '0+100x200',
  'spans_total{disposition="counted"}': '0+3000x200',
  'spans_total{disposition="not_entry"}': '0+9000x200',
  late_spans_total: '0+1x200',
  'service_requests_total{service="shop"}': '0+3000x200',
  'analysis_run_info{service="shop",run="ro-1",release="service.version=2",state="running",decision="hold",reason="warming_up"}': '1x200',
  overflow_spans_total: '0x200',
  'tls_certificate_expiry_timestamp_seconds{listener="api"}': '2592000x200',
  process_resident_memory_bytes: '500x200',
  process_memory_limit_bytes: '1000x200',
  event_loop_lag_p99_seconds: '0.002x200',
  misused_metrics_total: '0x200',
  'objective_alert_firing{service="shop",objective="shop:availability",severity="page"}': '0x200',
};

describeWithTools('alert rules', [PROMTOOL_TOOLS], (directory) => {
  const folders = new TemporaryFolders();
  let folder: string;
  /** Of all stories: one run is enough for them. */
  let told: Promise<string> | null = null;
  beforeEach(() => {
    folder = folders.make();
  });
  afterEach(() => folders.clean());

  /** What promtool says of them; empty: all is as expected. */
  async function complaints(tests: readonly object[]): Promise<string> {
    const file = join(folder, 'stories.json');
    writeFileSync(file, JSON.stringify({ rule_files: [RULES_FILE], evaluation_interval: '30s', tests }));
    return run(promtoolIn(directory(PROMTOOL_TOOLS)), ['test', 'rules', file]).then(
      () => '',
      ({ stdout, stderr }: { stdout: string; stderr: string }) => `${stdout}${stderr}`,
    );
  }

  it('are rules to promtool, which warns of nothing', async () => {
    const { stdout, stderr } = await run(promtoolIn(directory(PROMTOOL_TOOLS)), [
      'check',
      'rules',
      '--lint=all',
      '--lint-fatal',
      RULES_FILE,
    ]);
    expect([stdout, stderr]).toEqual([expect.stringContaining(`SUCCESS: ${RULES.size} rules found`), '']);
  });

  it('each have a story', () => {
    expect([...new Set(ALERT_STORIES.map(({ alert }) => alert))]).toEqual([...RULES.keys()]);
  });

  it('are all quiet while all is well', async () => {
    const asked = [...RULES.keys()].flatMap((alertname) =>
      ['10m', '40m', '1h30m'].map((eval_time) => ({ eval_time, alertname, exp_alerts: [] })),
    );
    expect(await complaints([{ name: 'all is well', interval: '30s', input_series: inputSeries(WELL), alert_rule_test: asked }])).toBe('');
  });

  it('of counters are quiet after Prometheus itself was away, whatever was counted long ago', async () => {
    const long = '1x40 _x20 1x200';
    const series = {
      'build_info{version="1"}': long,
      process_start_time_seconds: '0x40 _x20 0x200',
      'deliveries_total{sink="deployer",result="refused"}': long,
      'notices_total{sink="slack",result="failed"}': long,
      'kafka_gaps_total{topic="otlp_spans",reason="retention"}': long,
      'tls_certificate_renewals_total{listener="otlp",result="refused"}': long,
    };
    // 15 minutes after it was away, and an hour.
    const asked = [
      ...['SlipstreamSinkRefuses', 'SlipstreamNoticesFail', 'SlipstreamSpansLost'].flatMap((alertname) =>
        ['31m', '42m', '44m'].map((eval_time) => ({ eval_time, alertname, exp_alerts: [] })),
      ),
      ...['1h27m', '1h29m'].map((eval_time) => ({ eval_time, alertname: 'SlipstreamCertificateRefused', exp_alerts: [] })),
    ];
    expect(await complaints([{ name: 'away', interval: '30s', input_series: inputSeries(series), alert_rule_test: asked }])).toBe('');
  });

  it('of an objective goes on through a restart of who judges it, and ends when it resolves', async () => {
    const firing = 'objective_alert_firing{service="shop",objective="shop:availability",severity="page"}';
    const series = {
      [firing]: '1x10 _x40',
      [firing.replace('{', '{instance="b:8080",')]: '_x14 1x20 0x40',
    };
    const input_series = inputSeries(series);
    const of = { job: TARGET.job, service: 'shop', objective: 'shop:availability', severity: 'critical' };
    const rule = RULES.get('SlipstreamObjectivePage');
    const fires = {
      exp_labels: of,
      exp_annotations: {
        ...rule?.annotations,
        summary: 'shop:availability burns its error budget fast',
        description: 'The objective shop:availability of shop pages. Of its error budget an unknown part is left.',
      },
    };
    const asked = ['2m', '6m', '10m', '20m'].map((eval_time) => ({ eval_time, alertname: 'SlipstreamObjectivePage', exp_alerts: [fires] }));
    const over = { eval_time: '25m', alertname: 'SlipstreamObjectivePage', exp_alerts: [] };
    expect(await complaints([{ name: 'restart', interval: '30s', input_series, alert_rule_test: [...asked, over] }])).toBe('');
  });

  it.each(ALERT_STORIES)('$alert fires when it should, not before, and says so in words', async ({ alert }) => {
    told ??= complaints(ALERT_STORIES.map(test));
    const failures = (await told).split(/(?=^ *name: )/m);
    expect(failures.filter((text) => text.trimStart().startsWith(`name: ${alert},`))).toEqual([]);
    // What is of no story, such as a series that promtool cannot read.
    const [outside = ''] = failures;
    expect(outside.replaceAll(/FAILED:|\s/g, '')).toBe('');
  });
});

function test(story: AlertStory): object {
  const { alert, series, quiet, fires, labels = {}, of, description } = story;
  const rule = RULES.get(alert);
  const target = of === 'nobody' ? {} : of === 'job' ? { job: TARGET.job } : TARGET;
  const severity = rule?.labels.severity;
  const expected = {
    exp_labels: { ...target, ...labels, severity },
    exp_annotations: { ...rule?.annotations, ...(story.summary !== undefined && { summary: story.summary }), description },
  };
  return {
    name: alert,
    interval: '30s',
    input_series: inputSeries(series),
    alert_rule_test: [
      { eval_time: quiet, alertname: alert, exp_alerts: [] },
      { eval_time: fires, alertname: alert, exp_alerts: [expected] },
    ],
  };
}

function inputSeries(series: Readonly<Record<string, string>>): object[] {
  return Object.entries(series).map(([name, values]) => {
    const [, metric = '', labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(name) ?? [];
    const all = [
      ...Object.entries(TARGET).flatMap(([label, value]) => (labels.includes(`${label}="`) ? [] : [`${label}="${value}"`])),
      ...(labels === '' ? [] : [labels]),
    ];
    // Prometheus itself says whether a target could be scraped.
    return { series: `${metric === 'up' ? '' : PREFIX}${metric}{${all.join(',')}}`, values };
  });
}
