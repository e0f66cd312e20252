/** What deploy systems and dashboards read over the Prometheus-compatible API equals a naive count of the very requests. */
import { fc, test } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PrometheusWorld, type Served, START_SEC, type Told, valuesOf } from './prometheus-world.ts';

const SECONDS = 85;
const END = START_SEC + SECONDS;

/** Ten requests a second, of two routes, two releases and a second service; now and then one fails or is slow. */
const SERVED: readonly Served[] = Array.from({ length: SECONDS * 10 }, (_, i) => ({
  atSec: START_SEC + i / 10 + 0.05,
  durationMs: i % 70 === 3 ? 1100 : 20 + ((i * 7919) % 180),
  failed: i % 11 === 0,
  route: i % 3 === 0 ? '/pay/{id}' : '/cart',
  version: i % 4 === 0 ? '2' : '1',
  service: i % 10 === 9 ? 'till' : 'shop',
}));

const world = new PrometheusWorld(SERVED);
/** Late enough that all of it is complete. */
const LATER_MS = (END + 4000) * 1000;
world.nowMs = LATER_MS;
beforeAll(() => world.start());
afterAll(() => world.stop());

const isShop = ({ service }: Served) => service === 'shop';

describe('rates are exact', () => {
  const QUERIES: readonly [string, (one: Served) => boolean][] = [
    ['slipstream_requests_total{service="shop"}', isShop],
    ['slipstream_request_failures_total{service="shop"}', (one) => isShop(one) && one.failed === true],
    ['slipstream_requests_total{endpoint=~"GET /pay/.*",release!="1"}', (one) => one.route === '/pay/{id}' && one.version === '2'],
    ['slipstream_requests_total{endpoint!~".*cart"}', (one) => one.route !== '/cart'],
    ['slipstream_requests_total{service_version="2"}', (one) => one.version === '2'],
    ['{__name__="slipstream_requests_total", service=~"shop|till"}', () => true],
    [
      'http_server_request_duration_seconds_count{http_route="/cart",http_request_method="GET",job="shop"}',
      (one) => isShop(one) && one.route === '/cart',
    ],
    ['http_server_request_duration_seconds_count{service_name="shop",error_type!=""}', (one) => isShop(one) && one.failed === true],
    ['http_server_request_duration_seconds_count{service_name="shop",error_type=""}', (one) => isShop(one) && one.failed !== true],
    ['traces_span_metrics_calls_total{service_name="shop",status_code="STATUS_CODE_ERROR"}', (one) => isShop(one) && one.failed === true],
    [
      'traces_span_metrics_calls_total{span_name="GET /cart",status_code!="STATUS_CODE_ERROR"}',
      (one) => one.route === '/cart' && one.failed !== true,
    ],
    ['traces_spanmetrics_calls_total{service="till"}', (one) => one.service === 'till'],
    ['slipstream_request_duration_seconds_bucket{le="+Inf"}', () => true],
    ['slipstream_request_duration_seconds_bucket{le="1"}', (one) => one.durationMs <= 1000],
    [
      'traces_span_metrics_duration_milliseconds_bucket{le="1000",status_code="STATUS_CODE_ERROR"}',
      (one) => one.durationMs <= 1000 && one.failed === true,
    ],
  ];

  it.each(QUERIES)('%s', async (selector, which) => {
    const wanted = world.between(END - 60, END - 10, which).length;
    expect(wanted).toBeGreaterThan(0);
    expect(valuesOf(await world.query(`sum(increase(${selector}[50s]))`, END - 10))).toEqual({ '': wanted });
    expect((await world.values(`sum(rate(${selector}[50s]))`, END - 10))['']).toBeCloseTo(wanted / 50, 12);
    expect((await world.values(`sum(rate(${selector}[50s] offset 20s))`, END + 10))['']).toBeCloseTo(wanted / 50, 12);
  });

  test.prop([fc.integer({ min: 5, max: SECONDS }), fc.nat(), fc.constantFrom(...QUERIES)], { numRuns: 60 })(
    'over any range up to any second',
    async (second, any, [selector, which]) => {
      const to = START_SEC + second;
      const rangeSec = 1 + (any % (second + 5));
      const counted = world.between(to - rangeSec, to, which).length;
      const told = (await world.values(`sum(increase(${selector}[${rangeSec}s]))`, to))[''];
      expect(told ?? 0).toBeCloseTo(counted, 9);
    },
  );

  test.prop([fc.integer({ min: 10, max: SECONDS - 5 }), fc.integer({ min: 1, max: 60 })], { numRuns: 20 })(
    'and those of endpoints, releases and services add up to the whole',
    async (second, rangeSec) => {
      const of = (by: string) => world.values(`sum(sum by (${by}) (rate(slipstream_requests_total[${rangeSec}s])))`, START_SEC + second);
      const [whole] = Object.values(await of(''));
      for (const by of ['endpoint', 'release', 'service', 'service, endpoint, release'])
        expect(Object.values(await of(by))[0]).toBeCloseTo(whole ?? 0, 9);
      const each = await world.values(`rate(slipstream_requests_total[${rangeSec}s])`, START_SEC + second);
      expect(Object.values(each).reduce((sum, value) => sum + value, 0)).toBeCloseTo(whole ?? 0, 9);
    },
  );

  it('end with the newest second that is complete, and say so by their number', async () => {
    world.nowMs = END * 1000 + 500;
    const lagMs = world.stages.engine.window.lagMs('shop');
    const complete = Math.floor(END - 0.15 - lagMs / 1000);
    expect(await world.values('sum(increase(slipstream_requests_total{service="shop"}[30s]))')).toEqual({
      '': world.between(complete - 30, complete, isShop).length,
    });
    world.nowMs = LATER_MS;
  });
});

describe('latencies are within the resolution of the histograms', () => {
  it.each([
    [0.5, 'shop'],
    [0.9, 'shop'],
    [0.99, 'shop'],
    [0.5, 'till'],
  ])('quantile %d of %s', async (q, service) => {
    const sorted = world
      .between(END - 60, END, (one) => one.service === service)
      .map(({ durationMs }) => durationMs)
      .sort((a, b) => a - b);
    const wanted = sorted[Math.ceil(q * sorted.length) - 1] as number;
    const native = `histogram_quantile(${q}, sum by (le) (rate(slipstream_request_duration_seconds_bucket{service="${service}"}[60s])))`;
    const spans = `histogram_quantile(${q}, sum(rate(traces_span_metrics_duration_milliseconds_bucket{service_name="${service}"}[60s])) by (le))`;
    // An odd multiplication makes plain buckets with le of it.
    const plain = native.replace('sum by', '2 * sum by');
    const at = END + 90;
    expect(
      Math.abs(((await world.values(`${native} * 1000`.replaceAll('[60s]', `[60s] offset ${at - END}s`), at))[''] as number) / wanted - 1),
    ).toBeLessThan(0.01);
    expect(Math.abs(((await world.values(spans, END))[''] as number) / wanted - 1)).toBeLessThan(0.01);
    expect((await world.values(plain, END))['']).toBeCloseTo((await world.values(native, END))[''] as number, 6);
  });

  it('means and buckets agree with the requests, too', async () => {
    const all = world.between(END - 60, END, isShop);
    const mean = all.reduce((sum, { durationMs }) => sum + durationMs, 0) / all.length / 1000;
    const of = (part: string) => `sum(rate(slipstream_request_duration_seconds_${part}{service="shop"}[1m]))`;
    expect(Math.abs(((await world.values(`${of('sum')} / ${of('count')}`, END))[''] as number) / mean - 1)).toBeLessThan(0.005);
    const buckets = await world.values('sum by (le) (increase(slipstream_request_duration_seconds_bucket{service="shop"}[1m]))', END);
    expect(buckets['+Inf']).toBe(all.length);
    for (const [le, count] of Object.entries(buckets)) {
      if (le !== '+Inf') expect(count, le).toBeCloseTo(all.filter(({ durationMs }) => durationMs < Number(le) * 1000).length, 9);
    }
  });
});

describe('PromQL', () => {
  const BOTH = '{service="shop"}[50s]';
  const shop = world.between(END - 50, END, isShop);
  const failed = shop.filter((one) => one.failed).length;

  it.each<[string, Record<string, number>]>([
    ['1 + 2 * 3 ^ 2', { '': 19 }],
    ['-1 ^ 2', { '': -1 }],
    ['2 ^ 3 ^ 2', { '': 512 }],
    ['-(3 % 2) - 0x10', { '': -17 }],
    ['1m30s + 1e1', { '': 100 }],
    ['7 > bool 3', { '': 1 }],
    ['vector(1)', { '': 1 }],
    ['vector(1) == 2', {}],
    ['vector(3) > 2', { '': 3 }],
    ['2 < vector(3)', { '': 3 }],
    ['vector(0) / 0', { '': Number.NaN }],
    ['vector(1) / 0', { '': Number.POSITIVE_INFINITY }],
    ['vector(1) or vector(2)', { '': 1 }],
    ['vector(1) and vector(2)', { '': 1 }],
    ['vector(1) unless vector(2)', {}],
    ['scalar(vector(4)) + 1', { '': 5 }],
    ['time()', { '': END }],
    ['round(vector(2.5))', { '': 3 }],
    ['round(vector(0.27), 0.1)', { '': 0.3 }],
    ['clamp(vector(7), 1, 5)', { '': 5 }],
    ['clamp_min(vector(7), 9)', { '': 9 }],
    ['abs(vector(-7))', { '': 7 }],
    ['absent(unheard_of{job="x"})', { x: 1 }],
    ['absent(vector(1))', {}],
    [
      `sum(increase(slipstream_request_failures_total${BOTH})) / sum(increase(slipstream_requests_total${BOTH}))`,
      { '': failed / shop.length },
    ],
    [`count(rate(slipstream_requests_total${BOTH}))`, { '': 4 }],
    [
      `topk(1, sum by (endpoint) (increase(slipstream_requests_total${BOTH})))`,
      { 'GET /cart': shop.filter(({ route }) => route === '/cart').length },
    ],
    [
      `sum by (endpoint) (increase(slipstream_requests_total${BOTH})) / ignoring(endpoint) group_left sum(increase(slipstream_requests_total${BOTH}))`,
      {
        'GET /cart': shop.filter(({ route }) => route === '/cart').length / shop.length,
        'GET /pay/{id}': shop.filter(({ route }) => route !== '/cart').length / shop.length,
      },
    ],
    [
      `sum by (release) (increase(slipstream_requests_total${BOTH})) * on (release) sum by (release) (increase(slipstream_requests_total${BOTH}) > bool 0)`,
      { 1: 2 * shop.filter(({ version }) => version === '1').length, 2: 2 * shop.filter(({ version }) => version === '2').length },
    ],
    [
      `sum by (status_code) (increase(traces_span_metrics_calls_total{service_name="shop"}[50s]))`,
      { STATUS_CODE_ERROR: failed, STATUS_CODE_UNSET: shop.length - failed },
    ],
    [
      `sum(increase(http_server_request_duration_seconds_count{job="shop"}[50s])) by (error_type)`,
      { '': shop.length - failed, _OTHER: failed },
    ],
    ['unheard_of', {}],
    ['sum(rate(unheard_of[5m])) or vector(0)', { '': 0 }],
    ['rate(slipstream_requests_total{service="nobody"}[1m])', {}],
    ['slipstream_objective_burn_rate', {}],
  ])('%s', async (query, wanted) => {
    const told = await world.values(query, END);
    expect(Object.keys(told).sort()).toEqual(Object.keys(wanted).sort());
    for (const [labels, value] of Object.entries(wanted)) {
      if (Number.isFinite(value)) expect(told[labels]).toBeCloseTo(value, 9);
      else expect(told[labels]).toBe(value);
    }
  });

  it.each<[string, number, string, RegExp]>([
    ['sum(', 400, 'bad_data', /1:5: parse error: unexpected end of input/],
    ['foo(x)', 400, 'bad_data', /1:4: parse error: unknown function with name "foo"/],
    ['rate(x)', 400, 'bad_data', /1:6: parse error: expected type range vector in call to function "rate", got instant vector/],
    ['x[5m]', 400, 'bad_data', /1:1: parse error: invalid expression type "range vector"/],
    ['1 +\n  sum_over_time(x[5m])', 400, 'bad_data', /2:3: parse error: the function sum_over_time\(\) is not supported/],
    ['max_over_time(rate(x[1m])[5m:1m])', 400, 'bad_data', /1:1: parse error: the function max_over_time/],
    ['x @ 12', 400, 'bad_data', /1:1: parse error: the modifier @ is not supported/],
    ['1 == 1', 400, 'bad_data', /comparisons between scalars must use BOOL modifier/],
    ['vector(1) and 1', 400, 'bad_data', /set operator "and" not allowed in binary scalar expression/],
    ['{a="b"}', 400, 'bad_data', /1:1: parse error: a selector must name its metric/],
    ['rate(slipstream_requests_total{service=~"("}[1m])', 400, 'bad_data', /1:32: parse error: error parsing regexp/],
    ['', 400, 'bad_data', /no expression found in input/],
    ['slipstream_requests_total', 422, 'execution', /is a counter .* ask for rate\(slipstream_requests_total\[1m\]\)/],
    [
      'rate(slipstream_requests_total{namespace="x"}[1m])',
      422,
      'execution',
      /no label namespace; its labels are endpoint, release, service, service_version/,
    ],
    [
      'rate(http_server_request_duration_seconds_count{http_response_status_code=~"5.."}[1m])',
      422,
      'execution',
      /status codes are not kept/,
    ],
    [
      'sum by (http_response_status_code) (rate(http_server_request_duration_seconds_count[1m]))',
      422,
      'execution',
      /status codes are not kept/,
    ],
    ['rate(http_server_request_duration_seconds_count{error_type="500"}[1m])', 422, 'execution', /error_type="500" is not known/],
    [
      'rate(traces_span_metrics_calls_total{status_code="STATUS_CODE_OK"}[1m])',
      422,
      'execution',
      /status_code="STATUS_CODE_OK" is not known/,
    ],
    ['rate(traces_span_metrics_calls_total{span_kind="SPAN_KIND_SERVER"}[1m])', 422, 'execution', /the kind of a span is not kept/],
    ['rate(slipstream_objective_burn_rate[1m])', 422, 'execution', /is a gauge/],
    ['slipstream_objective_burn_rate{team="x"}', 422, 'execution', /its labels are service, objective, window/],
    ['rate(slipstream_request_duration_seconds_bucket{le=~"1|2"}[1m])', 422, 'execution', /le takes one matcher, and = only/],
    [
      'rate(slipstream_requests_total[1m]) / on () rate(slipstream_requests_total[1m])',
      422,
      'execution',
      /many-to-many matching not allowed/,
    ],
  ])('%s is refused with %d', async (query, status, errorType, error) => {
    const told = await world.query(query, END);
    expect(told).toMatchObject({ status, body: { status: 'error', errorType } });
    expect(told.body.error).toMatch(error);
  });

  it('a limit within a bucket is counted to its end, and said to be', async () => {
    const told = await world.query('sum(increase(slipstream_request_duration_seconds_bucket{service="shop",le="0.1"}[50s]))', END);
    const most = shop.filter(({ durationMs }) => durationMs <= 101).length;
    expect(valuesOf(told)['']).toBeGreaterThanOrEqual(shop.filter(({ durationMs }) => durationMs <= 100).length);
    expect(valuesOf(told)['']).toBeLessThanOrEqual(most);
    expect(told.body.warnings?.join()).toMatch(/le="0.1" lies within a bucket and was counted as 0.100/);
  });
});

describe('queries over a range of time', () => {
  it('answer at each step with what an instant query says', async () => {
    const query = 'sum by (endpoint) (increase(slipstream_requests_total[20s]))';
    const told = await world.range(query, START_SEC + 20, END - 5, 15);
    const rows = told.body.data?.result as { metric: { endpoint: string }; values: [number, string][] }[];
    expect(told.body.data?.resultType).toBe('matrix');
    expect(rows.map(({ metric }) => metric.endpoint)).toEqual(['GET /cart', 'GET /pay/{id}']);
    for (const { metric, values } of rows) {
      expect(values.map(([t]) => t)).toEqual([20, 35, 50, 65, 80].map((second) => START_SEC + second));
      for (const [t, value] of values) expect(Number(value)).toBe((await world.values(query, t))[metric.endpoint]);
    }
  });

  it('histograms move along with their window as if each were read anew', async () => {
    const query = 'histogram_quantile(0.95, sum by (le) (rate(slipstream_request_duration_seconds_bucket[7s])))';
    const told = await world.range(query, START_SEC + 10, START_SEC + 60, '5s');
    const [row] = (told.body.data?.result ?? []) as { values: [number, string][] }[];
    expect(row?.values).toHaveLength(11);
    for (const [t, value] of row?.values ?? []) expect(Number(value)).toBeCloseTo((await world.values(query, t))[''] as number, 9);
  });

  it.each([
    [{ start: 'soon', end: '1', step: '1' }, /invalid parameter "start": cannot parse "soon" to a valid timestamp/],
    [{ start: '2', end: '1', step: '1' }, /end timestamp must not be before start time/],
    [{ start: '0', end: '1', step: '0' }, /zero or negative query resolution/],
    [{ start: '0', end: '11001', step: '1' }, /exceeded maximum resolution of 11,000 points/],
    [{ start: '0', end: '1', step: 'x' }, /invalid parameter "step"/],
    [{ start: '0', end: '1' }, /invalid parameter "step": it is missing/],
  ])('%j is refused', async (given, error) => {
    const told = await world.ask(`/api/v1/query_range?${new URLSearchParams({ query: '1', ...given } as Record<string, string>)}`);
    expect(told).toMatchObject({ status: 400, body: { errorType: 'bad_data' } });
    expect(told.body.error).toMatch(error);
  });

  it('take times in RFC 3339 and as a form', async () => {
    const at = (second: number) => new Date((START_SEC + second) * 1000).toISOString();
    const form = new URLSearchParams({ query: 'vector(1)', start: at(0), end: at(30), step: '15' });
    const told = await world.ask('/api/v1/query_range', { method: 'POST', body: form });
    expect(told.body.data).toEqual({
      resultType: 'matrix',
      result: [{ metric: {}, values: [0, 15, 30].map((second) => [START_SEC + second, '1']) }],
    });
  });
});

describe('what deploy systems and dashboards send', () => {
  const shop = world.between(END - 60, END, isShop);
  const canary = shop.filter(({ version }) => version === '2');
  const percent = (part: number, all: number) => (100 * part) / all;

  // The questions of Flagger's and Argo Rollouts' documentation (success rate, error rate, p99 of a target over an interval), asked of the alias names.
  it.each<[string, string, number, number]>([
    [
      'Flagger: error rate in percent',
      `100 - sum(rate(traces_span_metrics_calls_total{service_name="shop", status_code!="STATUS_CODE_ERROR"}[1m]))
         / sum(rate(traces_span_metrics_calls_total{service_name="shop"}[1m])) * 100`,
      percent(shop.filter(({ failed }) => failed).length, shop.length),
      1e-9,
    ],
    [
      'Flagger: p99 of a canary in milliseconds',
      `histogram_quantile(0.99, sum(rate(http_server_request_duration_seconds_bucket{job="shop", service_version="2"}[1m])) by (le)) * 1000`,
      [...canary].sort((a, b) => a.durationMs - b.durationMs)[Math.ceil(0.99 * canary.length) - 1]?.durationMs ?? 0,
      0.01,
    ],
    [
      'Argo Rollouts: success ratio',
      `sum(rate(http_server_request_duration_seconds_count{service_name="shop", service_version="2", error_type=""}[1m])) /
       sum(rate(http_server_request_duration_seconds_count{service_name="shop", service_version="2"}[1m]))`,
      canary.filter(({ failed }) => !failed).length / canary.length,
      1e-9,
    ],
  ])('%s', async (_, query, wanted, within) => {
    // Flagger sends GET without line breaks, the Go client of Argo Rollouts a form.
    const got = valuesOf(await world.query(query.replaceAll(/\s*\n\s*/g, ' '), END));
    const body = new URLSearchParams({ query, time: String(END) });
    const posted = valuesOf(await world.ask('/api/v1/query', { method: 'POST', body }));
    expect(posted).toEqual(got);
    expect(Math.abs((got[''] as number) / wanted - 1)).toBeLessThan(within);
  });

  it('without traffic a ratio is no number, which Flagger takes for no data; long after there is none', async () => {
    const ratio = 'sum(rate(slipstream_request_failures_total[30s])) / sum(rate(slipstream_requests_total[30s]))';
    expect(await world.query(ratio, END + 300)).toMatchObject({ body: { data: { result: [{ value: [END + 300, 'NaN'] }] } } });
    expect(await world.values(ratio, END + 3600)).toEqual({});
    expect(await world.query('vector(1)')).toMatchObject({
      body: { data: { result: [{ metric: {}, value: [expect.any(Number), '1'] }] } },
    });
  });

  it('a dashboard finds metrics, labels and values', async () => {
    const data = async (path: string) => (await world.ask(path)).body.data as unknown;
    expect(await data('/api/v1/labels')).toEqual(
      expect.arrayContaining(['__name__', 'endpoint', 'le', 'service', 'service_version', 'status_code']),
    );
    expect(await data('/api/v1/labels?match[]=slipstream_requests_total')).toEqual([
      '__name__',
      'endpoint',
      'release',
      'service',
      'service_version',
    ]);
    expect(await data('/api/v1/label/service/values')).toEqual(['shop', 'till']);
    expect(await data('/api/v1/label/http_route/values?match[]=http_server_request_duration_seconds_count{job="shop"}')).toEqual([
      '/cart',
      '/pay/{id}',
    ]);
    expect(await data('/api/v1/label/__name__/values')).toContain('slipstream_request_duration_seconds_bucket');
    expect(await data('/api/v1/series?match[]=slipstream_requests_total{service="till",release="1"}')).toEqual(
      expect.arrayContaining([
        { __name__: 'slipstream_requests_total', endpoint: 'GET /cart', release: '1', service: 'till', service_version: '1' },
      ]),
    );
    expect(await data('/api/v1/metadata?metric=slipstream_request_duration_seconds')).toMatchObject({
      slipstream_request_duration_seconds: [{ type: 'histogram', unit: 'seconds', help: expect.stringContaining('_sum is reckoned') }],
    });
    expect(await data('/api/v1/status/buildinfo')).toMatchObject({ revision: 'slipstream-1.2.3' });
  });

  it('many at once are all answered', async () => {
    const asked = Array.from({ length: 40 }, () => world.query('sum(rate(slipstream_requests_total[1m]))', END));
    const told: Told[] = await Promise.all(asked);
    expect(new Set(told.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(told[0]?.status).toBe(200);
  });
});
