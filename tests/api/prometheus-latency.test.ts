/** Percentiles that buckets of the usual width cannot tell: read here with the same PromQL, they are right to less than one percent. */
import { describe, expect, it } from 'vitest';
import { PrometheusWorld, type Served, START_SEC } from './prometheus-world.ts';

const SECONDS = 60;
const END = START_SEC + SECONDS;
const QUANTILE = (q: number) => `1000 * histogram_quantile(${q}, sum by (le) (rate(slipstream_request_duration_seconds_bucket[1m])))`;

/** 1,200 requests; of every 200, as many as `slow` says take `slowMs`. */
function traffic(usualMs: number, slow = 0, slowMs = 0): Served[] {
  return Array.from({ length: SECONDS * 20 }, (_, i) => ({
    atSec: START_SEC + i / 20 + 0.01,
    durationMs: i % 200 < slow ? slowMs : usualMs,
  }));
}

async function told<T>(world: PrometheusWorld, ask: (world: PrometheusWorld) => Promise<T>): Promise<T> {
  world.nowMs = (END + 300) * 1000;
  await world.start();
  try {
    return await ask(world);
  } finally {
    await world.stop();
  }
}

/** Edges of OpenTelemetry's default buckets in ms. Source: OpenTelemetry specification, metrics SDK, explicit bucket histogram aggregation. */
const USUAL_EDGES = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000, Number.POSITIVE_INFINITY];

/** What Prometheus makes of the same requests in those buckets: linear within the one that holds the rank. */
function usualQuantile(q: number, requests: readonly Served[]): number {
  const counts = USUAL_EDGES.map((edge) => requests.filter(({ durationMs }) => durationMs <= edge).length);
  const rank = q * requests.length;
  const at = counts.findIndex((count) => count >= rank);
  const [low, high] = [USUAL_EDGES[at - 1] as number, USUAL_EDGES[at] as number];
  const below = counts[at - 1] as number;
  return low + ((high - low) * (rank - below)) / ((counts[at] as number) - below);
}

describe('percentiles', () => {
  it.each<[string, Served[], number, number, number]>([
    ['a constant 260 ms', traffic(260), 0.99, 260, 497.5],
    ['a constant 260 ms', traffic(260), 0.5, 260, 375],
    ['90 ms, and 1.5 % at 1,117 ms', traffic(90, 3, 1117), 0.99, 1117, 1500],
    ['200 ms, and 2 % at 280 ms', traffic(200, 4, 280), 0.99, 280, 375],
    ['200 ms, and 2 % at 440 ms, which is not the same', traffic(200, 4, 440), 0.99, 440, 375],
  ])('%s', async (_, requests, q, wantedMs, usualMs) => {
    const { '': told99 } = await told(new PrometheusWorld(requests), (world) => world.values(QUANTILE(q), END));
    expect(Math.abs((told99 as number) / wantedMs - 1)).toBeLessThan(0.01);
    expect(usualQuantile(q, requests)).toBeGreaterThan(usualMs * 0.99);
    expect(Math.abs(usualQuantile(q, requests) / wantedMs - 1)).toBeGreaterThan(0.1);
  });

  it('beyond the highest latency that is told apart is its bucket, as in any last bucket', async () => {
    const world = new PrometheusWorld(traffic(90, 10, 90_000));
    const answers = await told(world, async () => ({
      p99: (await world.values(QUANTILE(0.99), END))[''] as number,
      beyond: await world.query('sum(rate(slipstream_request_duration_seconds_bucket{le="80"}[1m]))', END),
    }));
    expect(answers.p99).toBeGreaterThan(59_000);
    expect(answers.p99).toBeLessThanOrEqual(60_000);
    expect(answers.beyond).toMatchObject({ status: 422, body: { errorType: 'execution' } });
  });

  it('no requests have none', async () => {
    const world = new PrometheusWorld(traffic(90));
    expect(await told(world, () => world.values(QUANTILE(0.99).replace('[1m]', '[1m] offset 50s'), END + 150))).toEqual({ '': Number.NaN });
  });
});

describe('sampled spans', () => {
  // Tail sampling that keeps every failure and a quarter of the rest: 10 % failed, not 31 %.
  const requests: Served[] = Array.from({ length: SECONDS * 13 }, (_, i) =>
    i % 13 < 4
      ? { atSec: START_SEC + i / 13 + 0.01, durationMs: 900, failed: true, weight: 1 }
      : { atSec: START_SEC + i / 13 + 0.01, durationMs: 90, weight: 4 },
  );
  const [failed, all] = [4 * SECONDS, 40 * SECONDS];

  it('count for the requests they stand for, in rates, buckets and percentiles', async () => {
    const world = new PrometheusWorld(requests);
    await told(world, async () => {
      const value = async (query: string) => (await world.values(query, END))[''];
      expect(await value('sum(increase(slipstream_requests_total[1m]))')).toBeCloseTo(all, 6);
      expect(await value('sum(increase(slipstream_request_failures_total[1m]))')).toBeCloseTo(failed, 6);
      expect(await value('sum(increase(http_server_request_duration_seconds_count{error_type!=""}[1m]))')).toBeCloseTo(failed, 6);
      expect(await value('sum(increase(http_server_request_duration_seconds_count[1m]))')).toBeCloseTo(all, 6);
      expect(await value('sum(increase(slipstream_request_duration_seconds_bucket{le="0.5"}[1m]))')).toBeCloseTo(all - failed, 6);
      expect(await value('sum(increase(slipstream_request_duration_seconds_bucket{le="+Inf"}[1m]))')).toBeCloseTo(all, 6);
      // As the spans came, 31 % took 900 ms; of the requests, 10 % did.
      expect(await value(QUANTILE(0.85))).toBeLessThan(91);
      expect(await value(QUANTILE(0.95))).toBeGreaterThan(890);
      const { body } = await world.query(QUANTILE(0.5), END);
      expect(body.warnings?.join()).toMatch(/some spans were sampled/);
    });
  });
});
