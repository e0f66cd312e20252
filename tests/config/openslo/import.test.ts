/** OpenSLO becomes our own documents: what can be said is said exactly, and what cannot is named at its place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSloDocuments } from '../../../src/config/openslo/import.ts';
import { resolvePolicies } from '../../../src/config/policies.ts';
import { readYaml } from '../../../src/config/yaml-source.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/openslo/spans');
const SHOP = join(FIXTURES, 'shop.yaml');

function imported(text: string) {
  return openSloDocuments(readYaml('slo.yaml', text).documents, 'lenient');
}

interface Written {
  readonly spec?: string;
  readonly where?: string;
  readonly indicator?: string;
  readonly window?: string;
  readonly method?: string;
  readonly objective?: string;
  readonly more?: string;
}

/** An SLO of one objective about durations, with one thing in it changed. */
function slo({ spec = 'field: duration, unit: ms', where = '{}', indicator, window, method, objective, more = '' }: Written): string {
  const source = `{ type: OpenTelemetrySpans, spec: { where: ${where}, ${spec} } }`;
  return `apiVersion: openslo/v1
kind: SLO
metadata: { name: one }
spec:
  service: shop
  indicator: { metadata: { name: one }, spec: ${indicator ?? `{ thresholdMetric: { metricSource: ${source} } }`} }
  timeWindow: [${window ?? '{ duration: 28d, isRolling: true }'}]
  budgetingMethod: ${method ?? 'Occurrences'}
  objectives: [${objective ?? '{ op: lte, value: 500, target: 0.95 }'}]
${more}`;
}

function entries(text: string): unknown {
  const [document] = imported(text).documents;
  const { objectives, perEndpoint } = document?.value.spec ?? {};
  return perEndpoint === undefined ? objectives : perEndpoint;
}

function ratioOf(bad: string, total = '{ scope: service }', side = 'bad'): string {
  const source = (spec: string): string => `{ metricSource: { type: OpenTelemetrySpans, spec: ${spec} } }`;
  return `{ ratioMetric: { ${side}: ${source(bad)}, total: ${source(total)} } }`;
}

describe('an import', () => {
  const { documents, problems, unsupported, warnings } = openSloDocuments(
    readYaml('shop.yaml', readFileSync(SHOP, 'utf8')).documents,
    'strict',
  );

  it('gathers the SLOs of a service in one of our documents', () => {
    expect([...problems, ...unsupported]).toEqual([]);
    expect(documents.map(({ value }) => value)).toEqual([
      {
        apiVersion: 'slipstream.dev/v1',
        kind: 'ServiceObjectives',
        metadata: { name: 'shop', labels: { team: 'web', stage: 'test,live' } },
        spec: {
          service: 'shop',
          objectives: [
            {
              name: 'shop-answers',
              availability: '99.9%',
              window: { calendar: 'month', timeZone: 'Europe/Lisbon', start: '2026-01-15T00:00:00' },
            },
            { name: 'busy', throughput: '> 30/m', target: '98%', window: '4w', timeslices: { slice: '1m' } },
          ],
          perEndpoint: [
            {
              match: 'POST /checkout',
              objectives: [
                {
                  name: 'checkout-quick-usual',
                  latency: 'p95 < 500ms',
                  window: '4w',
                  alerts: { tiers: [{ severity: 'page', long: '1h', budget: '2%' }] },
                },
                {
                  name: 'checkout-quick-slowest',
                  latency: 'p99.9 < 2000ms',
                  window: '4w',
                  alerts: { tiers: [{ severity: 'page', long: '1h', budget: '2%' }] },
                },
              ],
            },
            {
              match: '* /pay',
              objectives: [
                {
                  name: 'payments-accepted',
                  availability: '99%',
                  bad: [{ 'http.response.status_code': ['429', '5xx'] }, { 'span.status': 'error' }],
                  where: { tenant: ['gold', 'silver'] },
                  window: '4w',
                  timeslices: { slice: '5m', good: '95%' },
                },
              ],
            },
            {
              match: 'GET /reports/**',
              objectives: [{ name: 'crowd', inFlight: '< 200', target: '99%', window: '4w', timeslices: { slice: '1m' } }],
            },
          ],
        },
      },
    ]);
  });

  it('names what is lost with an alert, once, where it stands', () => {
    const lost = warnings.map(({ line, path, message }) => `${line} ${path} ${message.slice(0, 72)}`);
    expect(lost).toEqual([
      '95 spec.notificationTargets[0] AlertPolicy `fast`: the notification target `pager` (pagerduty) is not t',
      '100 spec.condition.lookbackWindow AlertCondition `burns-fast`: OpenSLO has one window; ours must burn in a',
      '100 spec.condition.alertAfter AlertCondition `burns-fast`: `alertAfter: 2m` is not taken over: it dela',
    ]);
  });

  it('keeps what people wrote, as comments', () => {
    expect(documents[0]?.comments).toEqual(
      new Map([
        ['', 'The shop\nWhat customers see.'],
        ['spec.perEndpoint[0].objectives[0]', 'Checkout is quick\nusual'],
        ['spec.perEndpoint[0].objectives[1]', 'Checkout is quick\nslowest'],
      ]),
    );
  });

  it('is taken by our own rules as it is', () => {
    const resolved = resolvePolicies(documents, null, '', true);
    expect(resolved.problems).toEqual([]);
    const objectives = resolved.policies.services.get('shop')?.objectives ?? [];
    expect(objectives.map(({ id, target, budgeting }) => [id, target, budgeting.kind])).toEqual([
      ['shop:shop-answers', 0.999, 'occurrences'],
      ['shop:busy', 0.98, 'timeslices'],
      ['shop:POST /checkout:checkout-quick-usual', 0.95, 'occurrences'],
      ['shop:POST /checkout:checkout-quick-slowest', 0.999, 'occurrences'],
      ['shop:* /pay:payments-accepted', 0.99, 'timeslices'],
      ['shop:GET /reports/**:crowd', 0.99, 'timeslices'],
    ]);
    expect(objectives[2]?.alerts.tiers).toMatchObject([{ severity: 'page', longMs: 3_600_000, burnRate: 13.44 }]);
  });

  it('says problems of what it made at the place in the OpenSLO file', () => {
    const [document] = documents;
    const problem = document?.problem(['spec', 'perEndpoint', 0, 'objectives', 1, 'latency'], { message: 'too slow' });
    expect(problem).toMatchObject({
      file: 'shop.yaml',
      line: 31,
      path: 'spec.objectives[1]',
      message: 'SLO `checkout-quick`: read as `spec.perEndpoint[0].objectives[1].latency`: too slow',
    });
  });
});

describe('two lines of a contract', () => {
  it('come in as two objectives, with a word on the kinds of spans', () => {
    const text = readFileSync(join(FIXTURES, 'contract.yaml'), 'utf8');
    const { documents, problems, unsupported, warnings } = openSloDocuments(readYaml('contract.yaml', text).documents, 'strict');
    expect([...problems, ...unsupported]).toEqual([]);
    expect(documents.map(({ value }) => value.spec)).toEqual([
      {
        service: 'checkout-api',
        window: '4w',
        objectives: [{ name: 'checkout-availability', availability: '99.9%' }],
        perEndpoint: [{ match: 'POST /checkout', objectives: [{ name: 'checkout-latency', latency: 'p95 < 500ms' }] }],
      },
    ]);
    expect(warnings).toMatchObject([{ message: expect.stringContaining('which kinds of spans a service counts'), line: 34 }]);
  });
});

describe('the mean over slices', () => {
  it.each(['strict', 'lenient'] as const)('comes in as slices that are as good as their requests, %s or not', (mode) => {
    const text = readFileSync(join(FIXTURES, '../ratio-timeslices.yaml'), 'utf8');
    const { documents, problems, unsupported, warnings } = openSloDocuments(readYaml('slo.yaml', text).documents, mode);
    expect([...problems, ...unsupported, ...warnings]).toEqual([]);
    expect(documents.map(({ value }) => value.spec)).toEqual([
      {
        service: 'box-office',
        window: '4w',
        perEndpoint: [
          {
            match: '* /tickets',
            objectives: [{ name: 'tickets-sold', availability: '99.5%', timeslices: { slice: '1m', good: 'mean' } }],
          },
        ],
      },
    ]);
  });

  it('is of requests within a limit, too', () => {
    const objective = '{ op: lte, value: 300, target: 0.9, timeSliceWindow: 5m }';
    expect(entries(slo({ method: 'RatioTimeslices', objective }))).toEqual([
      { name: 'one', latency: 'p90 < 300ms', timeslices: { slice: '5m', good: 'mean' } },
    ]);
  });

  it('leaves out what would make a slice good, and says so', () => {
    const objective = '{ op: lte, value: 300, target: 0.9, timeSliceTarget: 0.8, timeSliceWindow: 5m }';
    expect(imported(slo({ method: 'RatioTimeslices', objective })).warnings).toMatchObject([
      { path: 'spec.objectives[0].timeSliceTarget', message: expect.stringContaining('means nothing and is left out') },
    ]);
  });
});

describe('what selects spans', () => {
  it.each([
    ['the whole service', '{}', null],
    ['method and route', '{ http.request.method: GET, http.route: "/items/{id}" }', 'GET /items/{id}'],
    ['the older name of the method', '{ http.method: GET, http.route: /x }', 'GET /x'],
    ['a route alone, of any method', '{ http.route: /x }', '* /x'],
    ['service and method of RPC', '{ rpc.service: shop.Cart, rpc.method: Add }', 'shop.Cart/Add'],
    ['a method of RPC that has its service in it', '{ rpc.method: shop.Cart/Add }', 'shop.Cart/Add'],
    ['operation and destination', '{ messaging.operation.name: process, messaging.destination.name: orders }', 'process orders'],
  ])('is read from %s', (_what, where, match) => {
    const { documents, unsupported, warnings } = imported(slo({ where }));
    expect([...unsupported, ...warnings]).toEqual([]);
    const { objectives, perEndpoint } = documents[0]?.value.spec ?? {};
    expect(perEndpoint?.[0]?.match ?? null).toBe(match);
    expect((perEndpoint?.[0]?.objectives ?? objectives)?.[0]).toEqual({ name: 'one', latency: 'p95 < 500ms' });
  });

  it('is an own definition of bad: rules, or what makes bad requests a part of all', () => {
    expect(entries(slo({ indicator: ratioOf('{ bad: { code: [2, 3] } }'), objective: '{ target: 0.9 }' }))).toEqual([
      { name: 'one', availability: '90%', bad: [{ code: ['2', '3'] }] },
    ]);
    const narrower = ratioOf('{ where: { tier: gold, outcome: lost } }', '{ where: { tier: gold } }');
    expect(entries(slo({ indicator: narrower, objective: '{ target: 0.9 }' }))).toEqual([
      { name: 'one', availability: '90%', bad: [{ outcome: 'lost' }], where: { tier: 'gold' } },
    ]);
    expect(
      entries(slo({ indicator: ratioOf('{ scope: service, good: notServerError }', undefined, 'good'), objective: '{ target: 0.9 }' })),
    ).toEqual([{ name: 'one', availability: '90%' }]);
  });
});

describe('what cannot be said', () => {
  const calendar = 'isRolling: false, calendar: { startTime: 2026-01-01 00:00:00, timeZone: UTC }';
  const sliced = { method: 'Timeslices', objective: '{ op: lte, value: 500, target: 0.9, timeSliceTarget: 0.9, timeSliceWindow: 5m }' };
  it.each<[string, Written, string, string]>([
    [
      'sources of other systems',
      { indicator: '{ thresholdMetric: { metricSource: { type: Prometheus, spec: { query: up } } } }' },
      'type',
      'a source of type `Prometheus` is not supported',
    ],
    [
      'raw ratios',
      { indicator: '{ ratioMetric: { rawType: success, raw: { metricSource: { type: Any, spec: { q: 1 } } } } }' },
      'raw',
      'a `raw` ratio is not supported',
    ],
    ['unknown words of a source', { spec: 'field: duration, unit: ms, query: x' }, 'query', 'a source of spans has no `query` here'],
    ['other fields than durations', { spec: 'field: size, unit: ms' }, 'field', '`size` is no field of a span'],
    ['durations without unit', { spec: 'field: duration' }, 'unit', '`unit` is missing'],
    ['durations of attributes that are no endpoint', { where: '{ tenant: gold }' }, 'where.tenant', '`tenant` names no endpoint'],
    ['spans that are not counted', { where: '{ span.kind: CLIENT }' }, 'where["span.kind"]', 'spans of kind client are not counted'],
    [
      'spans of another service',
      { where: '{ service.name: other }' },
      'where["service.name"]',
      'the spans of `other` are not those of `shop`',
    ],
    [
      'slowness as a promise',
      { objective: '{ op: gte, value: 500, target: 0.9 }' },
      'objectives[0].op',
      '`op: gte` asks that requests are slow',
    ],
    ['targets of nothing', { objective: '{ op: lte, value: 500, target: 0 }' }, 'objectives[0].target', 'a target of 0 is met by anything'],
    [
      'targets of endless digits',
      { objective: '{ op: lte, value: 500, target: 0.12345678901234567 }' },
      'objectives[0].target',
      'a target with more digits than anybody can keep',
    ],
    [
      'limits of endless digits',
      { objective: '{ op: lte, value: 1.0e-12, target: 0.9 }' },
      'objectives[0].value',
      'a threshold with more digits than our files have',
    ],
    [
      'means of a throughput',
      {
        spec: 'field: throughput, unit: 1/s',
        method: 'RatioTimeslices',
        objective: '{ op: gte, value: 1, target: 0.9, timeSliceWindow: 5m }',
      },
      'budgetingMethod',
      'throughput is about slices as a whole',
    ],
    [
      'means of requests in flight',
      { spec: 'field: inFlight', method: 'RatioTimeslices', objective: '{ op: lte, value: 9, target: 0.9, timeSliceWindow: 5m }' },
      'budgetingMethod',
      'inFlight is about slices as a whole',
    ],
    [
      'slices that no day is made of',
      { ...sliced, objective: sliced.objective.replace('5m', '7m') },
      'objectives[0].timeSliceWindow',
      'slices of `7m` are not supported',
    ],
    ['throughput of requests', { spec: 'field: throughput, unit: 1/s' }, 'budgetingMethod', 'throughput is about slices of time'],
    [
      'shares of a throughput',
      { ...sliced, spec: 'field: throughput, unit: 1/s' },
      'objectives[0].timeSliceTarget',
      'a slice is good by its throughput',
    ],
    [
      'rolling years',
      { window: '{ duration: 1Y, isRolling: true }' },
      'timeWindow[0].duration',
      'a rolling window of `1Y` is longer than what is kept',
    ],
    ['minutes of the calendar', { window: `{ duration: 1m, ${calendar} }` }, 'timeWindow[0].duration', '`1m` is no period of the calendar'],
    [
      'good by attributes',
      { indicator: ratioOf('{ where: { code: 2 } }', undefined, 'good'), objective: '{ target: 0.9 }' },
      'spec.good',
      'good requests cannot be told by attributes',
    ],
    [
      'bad that is no part of all',
      { indicator: ratioOf('{ bad: serverError }', '{ where: { http.route: /x } }'), objective: '{ target: 0.9 }' },
      'spec.where',
      'this selects other spans than `total`',
    ],
    ['bad that nobody defines', { indicator: ratioOf('{ scope: service }'), objective: '{ target: 0.9 }' }, 'spec.bad', '`bad` is missing'],
  ])('is refused with its reason: %s', (_what, written, path, message) => {
    const { documents, problems, unsupported } = imported(slo(written));
    expect(problems).toEqual([]);
    expect(documents).toEqual([]);
    expect(unsupported).toHaveLength(1);
    expect(unsupported[0]).toMatchObject({ file: 'slo.yaml', message: expect.stringContaining(`SLO \`one\`: ${message}`) });
    expect(unsupported[0]?.path.endsWith(path)).toBe(true);
    expect(unsupported[0]?.line).toBeGreaterThan(1);
  });

  it.each([
    [
      'SLI',
      'indicatorRef: durations',
      '{ apiVersion: openslo/v1, kind: SLI, metadata: { name: duration }, spec: { thresholdMetric: { metricSource: { type: A, spec: { a: 1 } } } } }',
      'duration',
    ],
    [
      'DataSource',
      'indicator: { metadata: { name: a }, spec: { thresholdMetric: { metricSource: { metricSourceRef: span, spec: { a: 1 } } } } }',
      '{ apiVersion: openslo/v1, kind: DataSource, metadata: { name: spans }, spec: { type: OpenTelemetrySpans, connectionDetails: {} } }',
      'spans',
    ],
  ])('is refused with the nearest name: a %s that is not there', (kind, reference, other, suggestion) => {
    const text = slo({}).replace(/indicator: .*/, reference);
    const { documents, unsupported } = imported(`${text}---\n${other}\n`);
    expect(documents).toEqual([]);
    expect(unsupported).toMatchObject([{ message: expect.stringContaining(`there is no ${kind}`), suggestion }]);
  });

  it('is told of objects that nobody names', () => {
    const { warnings } = imported(
      '{ apiVersion: openslo/v1, kind: DataSource, metadata: { name: spans }, spec: { type: OpenTelemetrySpans, connectionDetails: {} } }',
    );
    expect(warnings).toMatchObject([{ line: 1, message: expect.stringContaining('nothing comes of it') }]);
  });
});

describe('an alert policy', () => {
  const policy = (condition: string, more = 'alertWhenBreaching: true,', severity = 'page'): string =>
    `  alertPolicies: [{ kind: AlertPolicy, metadata: { name: p }, spec: { ${more} conditions: [{ kind: AlertCondition, metadata: { name: c }, spec: { severity: ${severity}, condition: { kind: burnrate, ${condition} } } }], notificationTargets: [{ kind: AlertNotificationTarget, metadata: { name: t }, spec: { target: slipstream } }] } }]\n`;
  const fast = 'op: gt, threshold: 13.44, lookbackWindow: 1h';
  const tier = { severity: 'page', long: '1h', budget: '2%' };

  it.each([
    ['the share of the budget that its threshold spends', policy(fast), tier],
    ['without `alertWhenBreaching`, as if it was true', policy(fast, ''), tier],
    ['of a severity that calls somebody', policy(fast, undefined, 'Critical'), tier],
    ['of one that does not', policy(fast, undefined, 'sev3'), { ...tier, severity: 'ticket' }],
    ['of one nobody knows, as a ticket', policy(fast, undefined, 'purple'), { ...tier, severity: 'ticket' }],
  ])('becomes a tier: %s', (_what, more, expected) => {
    const { documents, unsupported } = imported(slo({ more }));
    expect(unsupported).toEqual([]);
    expect(documents[0]?.value.spec.objectives?.[0]?.alerts).toEqual({ tiers: [expected] });
    expect(resolvePolicies(documents, null, '', true).problems).toEqual([]);
  });

  it.each([
    [
      'that alerts when the burn is low',
      policy('op: lte, threshold: 13.44, lookbackWindow: 1h'),
      'alerts while the burn rate is low; this makes no tier',
    ],
    ['that looks back too shortly', policy('op: gt, threshold: 10, lookbackWindow: 5m'), 'too short to judge by'],
    ['that looks back longer than its SLO', policy('op: gt, threshold: 1, lookbackWindow: 5w'), 'longer than the window'],
    ['that can never fire', policy('op: gt, threshold: 30, lookbackWindow: 1h'), 'it can never fire: a total outage burns at 20'],
    ['that spends more than there is', policy('op: gt, threshold: 15, lookbackWindow: 2w'), 'no share of the budget'],
    ['that says it does not alert', policy(fast, 'alertWhenBreaching: false,'), 'so it makes no tier'],
  ])('makes no tier, and says why: %s', (_what, more, message) => {
    const { documents, warnings } = imported(slo({ more }));
    expect(documents[0]?.value.spec.objectives?.[0]).toEqual({ name: 'one', latency: 'p95 < 500ms' });
    expect(warnings.some((warning) => warning.message.includes(message))).toBe(true);
  });
});
