/** Hours ago slots are coarse: what is told of them is what they hold, and says so; objectives are told as they stood. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objective } from '../support/policies.ts';
import { numberOf, PrometheusWorld, type Served, START_SEC, valuesOf } from './prometheus-world.ts';

const HOURS = 8;
const END = START_SEC + HOURS * 3600;
const MINUTE = 60;
const HOUR = 3600;

/** A request every four seconds; in the third hour every fifth fails and takes a second. */
const SERVED: readonly Served[] = Array.from({ length: HOURS * 900 }, (_, i) => {
  const isBad = Math.floor(i / 900) === 2 && i % 5 === 0;
  return {
    atSec: START_SEC + i * 4 + 0.5,
    durationMs: isBad ? 1000 : 100 + (i % 50),
    failed: isBad,
    route: i % 2 === 0 ? '/cart' : '/pay',
  };
});

const TIER = { severity: 'page', longMs: HOUR * 1000, shortMs: 5 * MINUTE * 1000, budgetShare: 0.02, burnRate: 14.4 } as const;
const OBJECTIVE = objective({ service: 'shop', windowMs: 86_400_000, target: 0.9, alerts: { tiers: [TIER], basis: 'rate', minBad: 10 } });

const world = new PrometheusWorld(SERVED, [OBJECTIVE]);
world.nowMs = (END + 100) * 1000;
beforeAll(() => world.start());
afterAll(() => world.stop());

describe('ranges that end at edges of slots are exact, however old', () => {
  it.each([
    ['ten minutes of the last quarter', END - 10 * MINUTE, END],
    ['an hour, from minutes and seconds', END - HOUR, END],
    ['five minutes, half an hour ago', END - 35 * MINUTE, END - 30 * MINUTE],
    ['an hour in slots of minutes', END - 5 * HOUR, END - 4 * HOUR],
    ['ten minutes in slots of ten', END - 7 * HOUR, END - 7 * HOUR + 10 * MINUTE],
    ['all there is', START_SEC, END],
  ])('%s', async (_, from, to) => {
    const all = world.between(from, to);
    const failed = all.filter((one) => one.failed).length;
    const of = (metric: string) => `sum(increase(${metric}[${to - from}s]))`;
    expect((await world.values(of('slipstream_requests_total'), to))['']).toBeCloseTo(all.length, 6);
    expect((await world.values(of('slipstream_request_failures_total'), to))['']).toBeCloseTo(failed, 6);
    expect((await world.values(of('slipstream_request_duration_seconds_bucket{le="0.5"}'), to))['']).toBeCloseTo(all.length - failed, 6);
  });
});

it('a range between edges is told as a rate over the slots it lies in, with a warning', async () => {
  const at = END - 7 * HOUR + 125;
  const told = await world.query('sum(rate(slipstream_requests_total[30s]))', at);
  expect(valuesOf(told)['']).toBeCloseTo(0.25, 9);
  expect(told.body.warnings?.join()).toMatch(/ranges were moved to edges of slots/);
  expect((await world.values('sum(increase(slipstream_requests_total[30s]))', at))['']).toBeCloseTo(7.5, 9);
});

it('steps one after the other count every request once', async () => {
  const told = await world.range('sum(increase(slipstream_requests_total[1m]))', END - 5 * HOUR, END - 3 * HOUR, 60);
  const [row] = (told.body.data?.result ?? []) as unknown as [{ values: [number, string][] }];
  const sum = row.values.slice(1).reduce((total, [, value]) => total + Number(value), 0);
  expect(sum).toBeCloseTo(world.between(END - 5 * HOUR, END - 3 * HOUR).length, 6);
});

it('a whole day on a panel is answered, from the begin of what there is', async () => {
  const query = 'histogram_quantile(0.99, sum by (le, endpoint) (rate(slipstream_request_duration_seconds_bucket[10m])))';
  const told = await world.range(query, END - 24 * HOUR, END, 120);
  const rows = told.body.data?.result as { metric: Record<string, string>; values: [number, string][] }[];
  expect(rows.map(({ metric }) => metric.endpoint)).toEqual(['GET /cart', 'GET /pay']);
  const worst = Math.max(...(rows[0]?.values ?? []).map(([, value]) => numberOf(value)).filter((value) => !Number.isNaN(value)));
  expect(Math.abs(worst - 1)).toBeLessThan(0.01);
});

describe('objectives', () => {
  it('are told as they stand', async () => {
    const all = SERVED.length;
    const bad = SERVED.filter(({ failed }) => failed).length;
    const values = async (name: string) => Object.values(await world.values(`slipstream_objective_${name}{service="shop"}`));
    expect(await values('target_ratio')).toEqual([0.9]);
    expect((await values('sli_ratio'))[0]).toBeCloseTo((all - bad) / all, 9);
    expect((await values('budget_remaining_ratio'))[0]).toBeCloseTo(1 - bad / (0.1 * all), 9);
    expect(await values('burn_rate')).toEqual([0, 0]);
    expect(await values('alert_frozen')).toHaveLength(1);
    expect(await world.values('sum(slipstream_objective_alert_firing)')).toEqual({ '': 0 });
    expect((await values('coverage_ratio'))[0]).toBeGreaterThan(0.9);
  });

  it('and as they stood', async () => {
    const at = START_SEC + 3 * HOUR;
    const burn = await world.values('slipstream_objective_burn_rate{window="1h"}', at);
    expect(Object.values(burn)[0]).toBeCloseTo(0.2 / 0.1, 1);
    const told = await world.range('slipstream_objective_budget_remaining_ratio', START_SEC, END, HOUR);
    const [row] = (told.body.data?.result ?? []) as unknown as [{ metric: Record<string, string>; values: [number, string][] }];
    expect(row.metric).toEqual({ __name__: 'slipstream_objective_budget_remaining_ratio', service: 'shop', objective: OBJECTIVE.id });
    const values = row.values.map(([, value]) => Number(value));
    expect(Math.max(...values)).toBe(1);
    expect(Math.min(...values)).toBeLessThan(0.4);
    expect(Object.keys(await world.values('slipstream_objective_alert_firing', at))).toEqual([]);
  });

  it('are not reckoned at thousands of moments at once', async () => {
    const told = await world.range('slipstream_objective_burn_rate', START_SEC, END, 10);
    expect(told).toMatchObject({ status: 422, body: { errorType: 'execution', error: expect.stringContaining('2000 times') } });
  });
});
