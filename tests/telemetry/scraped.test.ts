/** Metrics that are read when somebody asks: they come and go, and nothing of them stays. */
import { afterEach, expect, it } from 'vitest';
import { CellGauges, cellTelemetry } from '../../src/service/members/cell-telemetry.ts';
import { createTelemetry, type RunningTelemetry } from '../../src/telemetry/create-telemetry.ts';
import type { Scraped } from '../../src/telemetry/scraped.ts';

const running: RunningTelemetry[] = [];
afterEach(async () => {
  for (const telemetry of running.splice(0)) await telemetry.shutdown();
});

async function started(): Promise<RunningTelemetry> {
  const telemetry = await createTelemetry({ logLevel: 'error', destination: { write: () => true }, env: {} });
  running.push(telemetry);
  return telemetry;
}

async function lines(telemetry: RunningTelemetry, about: string): Promise<string[]> {
  const text = await telemetry.metricsText();
  return text.split('\n').filter((line) => line.includes(about) && (about.endsWith('_seconds') || !line.startsWith('#')));
}

const requests = (service: string, value: number): Scraped => ({ metric: 'service_requests_total', labels: { service }, value });

it('a histogram is told as a whole: cumulative buckets, count and sum', async () => {
  const telemetry = await started();
  const labels = { service: 'a "b"\\' };
  telemetry.show(() => [{ metric: 'service_request_duration_seconds', labels, bounds: [0.1, 1], counts: [3, 2.5, 1], sum: 4 }]);
  expect(await lines(telemetry, 'service_request_duration_seconds')).toEqual([
    '# HELP slipstream_service_request_duration_seconds Latency of requests of a service. The sum is reckoned from the middles of HDR buckets.',
    '# TYPE slipstream_service_request_duration_seconds histogram',
    'slipstream_service_request_duration_seconds_count{service="a \\"b\\"\\\\"} 6.5',
    'slipstream_service_request_duration_seconds_sum{service="a \\"b\\"\\\\"} 4',
    'slipstream_service_request_duration_seconds_bucket{service="a \\"b\\"\\\\",le="0.1"} 3',
    'slipstream_service_request_duration_seconds_bucket{service="a \\"b\\"\\\\",le="1"} 5.5',
    'slipstream_service_request_duration_seconds_bucket{service="a \\"b\\"\\\\",le="+Inf"} 6.5',
  ]);
});

it('what a source tells no more is gone, as is all of a source that is taken back', async () => {
  const telemetry = await started();
  let told = [requests('shop', 1), requests('cart', 2)];
  const hide = telemetry.show(() => told);
  expect(await lines(telemetry, 'service_requests_total{')).toHaveLength(2);
  told = [requests('cart', 3)];
  expect(await lines(telemetry, 'service_requests_total{')).toEqual(['slipstream_service_requests_total{service="cart"} 3']);
  hide();
  expect(await lines(telemetry, 'service_requests_total')).toEqual([]);
});

it('two sources that tell the same are summed up, whatever the order of their labels', async () => {
  const telemetry = await started();
  const of = (labels: Readonly<Record<string, string>>): Scraped => ({ metric: 'analysis_run_requests', labels, value: 2 });
  telemetry.show(() => [of({ service: 'shop', run: 'r', arm: 'canary' })]);
  telemetry.show(() => [of({ arm: 'canary', run: 'r', service: 'shop' })]);
  expect(await lines(telemetry, 'analysis_run_requests{')).toEqual([
    'slipstream_analysis_run_requests{service="shop",run="r",arm="canary"} 4',
  ]);
});

it.each<[string, Scraped]>([
  ['a label that is missing', { metric: 'analysis_run_requests', labels: { service: 'shop', run: 'r' }, value: 1 }],
  ['a label that is not in the table', { metric: 'service_requests_total', labels: { service: 'shop', pod: 'p' }, value: 1 }],
  ['a value for a histogram', { metric: 'service_request_duration_seconds', labels: { service: 'shop' }, value: 1 }],
])('%s is dropped and counted, and all else is told', async (_what, wrong) => {
  const telemetry = await started();
  telemetry.show(() => [wrong, requests('cart', 1)]);
  expect(await lines(telemetry, 'service_requests_total{')).toEqual(['slipstream_service_requests_total{service="cart"} 1']);
  expect(await lines(telemetry, 'misused_metrics_total ')).toEqual(['slipstream_misused_metrics_total 1']);
});

it('a source that breaks takes nothing else with it', async () => {
  const telemetry = await started();
  telemetry.show(() => {
    throw new Error('out of order');
  });
  telemetry.show(() => [requests('cart', 1)]);
  expect(await lines(telemetry, 'service_requests_total{')).toHaveLength(1);
  expect(await lines(telemetry, 'misused_metrics_total ')).toEqual(['slipstream_misused_metrics_total 1']);
});

it('a span that cannot be made is counted, and keeps no decision from going on', async () => {
  const telemetry = await started();
  const attributes = {
    get sink(): string {
      throw new Error('out of order');
    },
  };
  telemetry.decided({ name: 'delivery', rollout: { id: 'ro-1', generation: 1 }, startMs: 1, endMs: 2, attributes });
  expect(await lines(telemetry, 'misused_metrics_total ')).toEqual(['slipstream_misused_metrics_total 1']);
});

it('a cell tells only of its services and of those it does not tell apart, and of nothing once it is dropped', async () => {
  const telemetry = await started();
  const cell = cellTelemetry(new CellGauges(telemetry), '0', (service) => service === 'shop');
  cell.show(() => [requests('shop', 1), requests('cart', 2), requests('(other)', 3)]);
  expect(await lines(telemetry, 'service_requests_total{')).toEqual([
    'slipstream_service_requests_total{service="shop"} 1',
    'slipstream_service_requests_total{service="(other)"} 3',
  ]);
  cell.drop();
  expect(await lines(telemetry, 'service_requests_total{')).toEqual([]);
});
