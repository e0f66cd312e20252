/** Behaviour of metrics and spans of a real telemetry without exporters. */
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { createTelemetry, type RunningTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { METRICS, type MetricName, type MetricRow } from '../../src/telemetry/metric-table.ts';

const running: RunningTelemetry[] = [];

async function started(env: Record<string, string> = {}): Promise<RunningTelemetry> {
  const telemetry = await createTelemetry({ logLevel: 'error', destination: new PassThrough(), env, version: '1.2.3' });
  running.push(telemetry);
  return telemetry;
}

afterEach(async () => {
  for (const telemetry of running.splice(0)) await telemetry.shutdown();
});

describe('metrics', () => {
  it('sums what is added to a counter, per label value', async () => {
    const telemetry = await started();
    telemetry.add('spans_total', 3, { disposition: 'counted' });
    telemetry.add('spans_total', 4, { disposition: 'counted' });
    telemetry.add('spans_total', 1, { disposition: 'future' });
    const lines = (await telemetry.metricsText()).split('\n');
    expect(lines).toContain('# TYPE slipstream_spans_total counter');
    expect(lines).toContain('slipstream_spans_total{disposition="counted"} 7');
    expect(lines).toContain('slipstream_spans_total{disposition="future"} 1');
  });

  it('shows the last value of a gauge', async () => {
    const telemetry = await started();
    telemetry.set('series', 10);
    telemetry.set('series', 7);
    const lines = (await telemetry.metricsText()).split('\n');
    expect(lines).toContain('# TYPE slipstream_series gauge');
    expect(lines).toContain('slipstream_series 7');
  });

  it('counts observations in buckets of seconds', async () => {
    const telemetry = await started();
    telemetry.observe('tick_seconds', 0.003);
    telemetry.observe('tick_seconds', 0.3);
    const lines = (await telemetry.metricsText()).split('\n');
    expect(lines).toContain('slipstream_tick_seconds_bucket{le="0.005"} 1');
    expect(lines).toContain('slipstream_tick_seconds_bucket{le="+Inf"} 2');
    expect(lines).toContain('slipstream_tick_seconds_count 2');
  });

  it('shows counters without labels as 0 before they count', async () => {
    const telemetry = await started();
    expect((await telemetry.metricsText()).split('\n')).toContain('slipstream_checkpoint_failures_total 0');
  });

  it('shows spans by what became of them as 0 before any come: the first ones are an increase to Prometheus', async () => {
    const lines = (await (await started()).metricsText()).split('\n');
    for (const disposition of ['counted', 'future', 'ancient', 'no_end_time', 'over_limit']) {
      expect(lines).toContain(`slipstream_spans_total{disposition="${disposition}"} 0`);
    }
  });

  it('names the version and the memory of the process', async () => {
    const text = await (await started()).metricsText();
    expect(text).toContain('slipstream_build_info{version="1.2.3"} 1');
    expect(Number(/^slipstream_process_resident_memory_bytes (\d+)$/m.exec(text)?.[1])).toBeGreaterThan(1e6);
  });

  it('keeps two telemetries of one process apart', async () => {
    const first = await started();
    const second = await started();
    first.set('series', 1);
    second.set('series', 2);
    expect(await first.metricsText()).toContain('\nslipstream_series 1\n');
    expect(await second.metricsText()).toContain('\nslipstream_series 2\n');
  });

  it('writes every line in the text format, for every metric of the table', async () => {
    const telemetry = await started();
    const rows = Object.entries(METRICS) as [MetricName, MetricRow][];
    for (const [name, row] of rows) {
      const labels = Object.fromEntries(row.labels.map((label) => [label, 'a"b\\c\nd']));
      if (row.kind === 'counter') telemetry.add(name, 1, labels);
      if (row.kind === 'gauge') telemetry.set(name, 1, labels);
      if (row.kind === 'histogram') telemetry.observe(name, 1, labels);
    }
    const text = await telemetry.metricsText();
    for (const [name] of rows) expect(text).toMatch(new RegExp(`^slipstream_${name}(_count)?[ {]`, 'm'));
    const line = /^(# (HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\})? [-+0-9.eInf]+)$/;
    for (const written of text.trimEnd().split('\n')) expect(written).toMatch(line);
  });
});

describe('misuse', () => {
  const misuses: readonly [string, (telemetry: RunningTelemetry) => void][] = [
    ['a label the row does not have', (t) => t.add('spans_total', 1, { endpoint: '/x' })],
    ['a missing label', (t) => t.add('spans_total', 1)],
    ['a gauge that is added to', (t) => t.add('series', 1)],
    ['a counter that is set', (t) => t.set('late_spans_total', 1)],
    ['a counter that goes down', (t) => t.add('late_spans_total', -1)],
    ['a value that is no number', (t) => t.set('series', Number.NaN)],
  ];

  it.each(misuses)('%s throws in development', async (_name, act) => {
    const telemetry = await started();
    expect(() => act(telemetry)).toThrow(TypeError);
  });

  it.each(misuses)('%s is dropped and counted in production', async (_name, act) => {
    const telemetry = await started({ NODE_ENV: 'production' });
    act(telemetry);
    const text = await telemetry.metricsText();
    expect(text).toContain('slipstream_misused_metrics_total 1');
    expect(text).not.toContain('endpoint=');
    expect(text).toContain('slipstream_late_spans_total 0');
  });
});

describe('spans without an exporter', () => {
  it('returns what the act returns, now or later', async () => {
    const telemetry = await started();
    expect(telemetry.span('checkpoint', {}, () => 5)).toBe(5);
    await expect(telemetry.span('checkpoint', {}, async () => 6)).resolves.toBe(6);
  });

  it('throws on what the act throws, now or later', async () => {
    const telemetry = await started();
    const failure = new Error('disk full');
    expect(() =>
      telemetry.span('checkpoint', {}, () => {
        throw failure;
      }),
    ).toThrow(failure);
    await expect(telemetry.span('checkpoint', {}, () => Promise.reject(failure))).rejects.toBe(failure);
  });
});
