/** What is exported is valid to the SDK's rules, and comes back as the same promises. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type OpenSloExport, openSloExport } from '../../../src/config/openslo/export.ts';
import { openSloDocuments } from '../../../src/config/openslo/import.ts';
import { resolvePolicies } from '../../../src/config/policies.ts';
import type { Problem } from '../../../src/config/problem.ts';
import { readYaml, type SourceDocument } from '../../../src/config/yaml-source.ts';
import type { Objective } from '../../../src/model/objective.ts';

const ROOT = join(import.meta.dirname, '../../..');

interface Resolved {
  readonly objectives: readonly Objective[];
  readonly exported: OpenSloExport;
  readonly problems: readonly Problem[];
}

function resolved(sources: readonly SourceDocument[]): Resolved {
  const { policies, problems } = resolvePolicies(sources, null, '', true, 0);
  const objectives = [...policies.services.values()].flatMap((policy) => policy.objectives);
  return { objectives, exported: openSloExport(policies, sources), problems };
}

/** As another program would read what we wrote. */
function reread({ objects }: OpenSloExport): readonly SourceDocument[] {
  return readYaml('export.yaml', objects.map((object) => stringify(object)).join('---\n')).documents;
}

/** What is promised, without the words it was said with, and in no order. */
function promises(objectives: readonly Objective[]): unknown[] {
  return objectives.map(({ text, ...rest }) => rest).sort((a, b) => (a.id < b.id ? -1 : 1));
}

function native(text: string): readonly SourceDocument[] {
  return readYaml('native.yaml', text).documents;
}

function document(spec: object): readonly SourceDocument[] {
  return native(stringify({ apiVersion: 'slipstream.dev/v1', kind: 'ServiceObjectives', metadata: { name: 'x' }, spec }));
}

/** Exported, imported strictly, and exported again: nothing moves. */
function expectStable(sources: readonly SourceDocument[]): void {
  const first = resolved(sources);
  expect(first.problems).toEqual([]);
  expect(first.exported.unsupported).toEqual([]);
  const back = openSloDocuments(reread(first.exported), 'strict');
  expect([...back.problems, ...back.unsupported, ...back.warnings]).toEqual([]);
  const second = resolved(back.documents);
  expect(second.problems).toEqual([]);
  expect(promises(second.objectives)).toEqual(promises(first.objectives));
  const again = openSloDocuments(reread(second.exported), 'strict');
  expect(again.documents.map(({ value }) => value)).toEqual(back.documents.map(({ value }) => value));
}

const percent = fc.integer({ min: 1, max: 9999 }).map((hundredths) => `${hundredths / 100}%`);
const rule = fc
  .dictionary(fc.constantFrom('tenant', 'http.route', 'http.response.status_code', 'span.status', 'span.kind'), fc.nat(1), { minKeys: 1 })
  .map((choice) =>
    Object.fromEntries(
      Object.entries(choice).map(([name, index]) => {
        const values: Record<string, readonly unknown[]> = {
          tenant: ['gold', ['gold', 'silver']],
          'http.route': ['/pay', ['/a', '/b']],
          'http.response.status_code': [['5xx', 429], '404'],
          'span.status': ['error', ['error', 'unset']],
          'span.kind': ['server', 'CONSUMER'],
        };
        return [name, values[name]?.[index]];
      }),
    ),
  );
const sli = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 5000 }), fc.constantFrom('us', 'ms', 's'))
    .map(([hundredths, limit, unit]) => ({ latency: `p${hundredths / 100} < ${limit}${unit}` })),
  percent.map((availability) => ({ availability })),
  percent.map((errorRate) => ({ errorRate: `< ${errorRate}` })),
  fc
    .tuple(percent, fc.array(rule, { minLength: 1, maxLength: 3 }), fc.option(rule, { nil: undefined }))
    .map(([availability, bad, where]) => ({
      availability,
      bad,
      ...(where === undefined ? {} : { where }),
    })),
  fc
    .tuple(fc.constantFrom('<', '>'), fc.integer({ min: 1, max: 5000 }), fc.constantFrom('s', 'm', 'h'), percent)
    .map(([sign, rate, unit, target]) => ({
      throughput: `${sign} ${rate}/${unit}`,
      target,
    })),
  fc.tuple(fc.integer({ min: 1, max: 5000 }), percent).map(([limit, target]) => ({ inFlight: `< ${limit}`, target })),
);
const window = fc.oneof(
  fc.constantFrom('1h', '3d', '7d', '28d', '30d', '90m', '92d'),
  fc
    .tuple(
      fc.constantFrom('day', 'week', 'month', 'quarter', 'year'),
      fc.constantFrom('UTC', 'Europe/Lisbon', 'America/New_York'),
      fc.boolean(),
    )
    .map(([calendar, timeZone, isTwo]) => ({
      calendar,
      timeZone,
      start: '2025-02-03T04:05:06',
      ...(isTwo && calendar !== 'year' ? { count: 2 } : {}),
    })),
);
const alerts = fc.oneof(
  fc.constant({ preset: 'none' }),
  fc.constant({ preset: 'google' }),
  fc
    .constantFrom('rate', 'budget', 'both')
    .map((basis) => ({ tiers: [{ severity: 'ticket', long: '30m', short: '2m', budget: '0.7%' }], basis, minBad: 3 })),
);
const entry = fc
  .tuple(
    sli,
    fc.option(window, { nil: undefined }),
    fc.option(alerts, { nil: undefined }),
    fc.option(fc.constantFrom('1m', '5m', '1h'), { nil: undefined }),
    fc.constantFrom('95%', 'mean'),
  )
  .map(([what, over, when, slice, good]) => {
    const isOfSlices = 'throughput' in what || 'inFlight' in what;
    const timeslices = slice === undefined ? undefined : { slice, ...(isOfSlices ? {} : { good }) };
    return Object.fromEntries(
      Object.entries({ ...what, window: over, alerts: when, timeslices }).filter(([, value]) => value !== undefined),
    );
  });
const endpoint = fc.constantFrom('POST /checkout', 'GET /items/{id}', 'GET /reports/**', 'shop.Cart/Add', 'process orders', '* /pay');
const spec = fc
  .tuple(
    fc.constantFrom('shop', 'Shop_Front', 'store/checkout'),
    fc.array(entry, { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(endpoint, entry), { maxLength: 3 }),
  )
  .map(([service, objectives, perEndpoint]) => ({
    service,
    objectives: objectives.map((one, index) => ({ name: `Of.all_${index}`, ...one })),
    perEndpoint: perEndpoint.map(([match, one], index) => ({ match, objectives: [{ name: `one-${index}`, ...one }] })),
  }));

describe('an export', () => {
  it('of an import is the same promise, and an import of that moves nothing', () => {
    const text = readFileSync(join(ROOT, 'tests/fixtures/openslo/spans/shop.yaml'), 'utf8');
    const { documents } = openSloDocuments(readYaml('shop.yaml', text).documents, 'strict');
    expect(resolved(documents).objectives).toHaveLength(6);
    expectStable(documents);
  });

  it('of any objectives of ours is valid, and comes back as it was', () => {
    let kept = 0;
    fc.assert(
      fc.property(spec, (written) => {
        const sources = document(written);
        // Some of what is made up is refused by our own rules: tiers that can never fire.
        fc.pre(resolved(sources).problems.length === 0);
        kept++;
        expectStable(sources);
      }),
      { numRuns: 40, seed: 11 },
    );
    expect(kept).toBe(40);
  });

  it('of what we ship is valid, and comes back as it was', () => {
    expectStable(native(readFileSync(join(ROOT, 'config/example.yaml'), 'utf8')).slice(1));
  });

  it('says where things are as other tools would: attributes of HTTP, thresholds, whole classes of codes', () => {
    const { exported } = resolved(
      document({
        service: 'shop',
        window: '28d',
        alerts: { tiers: [{ severity: 'page', long: '1h', budget: '2%' }], minBad: 0 },
        perEndpoint: [
          {
            match: 'POST /checkout',
            objectives: [
              { name: 'quick', latency: 'p95 < 1.5s' },
              { name: 'answers', availability: '99.9%', bad: [{ 'http.response.status_code': ['5xx', 429] }], where: { tenant: 'gold' } },
            ],
          },
        ],
      }),
    );
    const where = { 'http.request.method': 'POST', 'http.route': '/checkout' };
    const slos = exported.objects.filter(({ kind }) => kind === 'SLO');
    expect(slos).toMatchObject([
      {
        metadata: {
          name: 'shop-post-checkout-quick',
          annotations: { 'slipstream.dev/objective': 'quick', 'slipstream.dev/alert-basis': 'rate', 'slipstream.dev/alert-min-bad': '0' },
        },
        spec: {
          service: 'shop',
          indicator: {
            spec: { thresholdMetric: { metricSource: { metricSourceRef: 'spans', spec: { where, field: 'duration', unit: 'ms' } } } },
          },
          timeWindow: [{ duration: '4w', isRolling: true }],
          objectives: [{ op: 'lte', value: 1500, target: 0.95 }],
          alertPolicies: [{ alertPolicyRef: 'page-1h' }],
        },
      },
      {
        spec: {
          indicator: {
            spec: {
              ratioMetric: {
                bad: {
                  metricSource: { spec: { where: { ...where, tenant: 'gold' }, bad: { 'http.response.status_code': ['429', '5xx'] } } },
                },
                total: { metricSource: { spec: { where: { ...where, tenant: 'gold' } } } },
              },
            },
          },
          alertPolicies: [{ alertPolicyRef: 'page-1h' }],
        },
      },
    ]);
    expect(exported.objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'DataSource spans',
      'Service shop',
      'SLO shop-post-checkout-quick',
      'SLO shop-post-checkout-answers',
      'AlertPolicy page-1h',
    ]);
    expect(exported.objects.at(-1)).toMatchObject({
      metadata: { annotations: { 'slipstream.dev/budget': '2%', 'slipstream.dev/short-window': '5m' } },
      spec: { conditions: [{ spec: { condition: { op: 'gt', threshold: 13.44, lookbackWindow: '1h' } } }] },
    });
  });

  it('names what has no place in OpenSLO, and objectives it cannot say', () => {
    const { exported } = resolved(
      document({
        service: 'shop',
        canary: { mode: 'observe' },
        objectives: [
          { name: 'short-slices', availability: '99%', timeslices: { slice: '10s' } },
          { name: 'odd-window', availability: '99%', window: '90s' },
        ],
      }),
    );
    expect(exported.objects).toEqual([]);
    expect(exported.warnings).toMatchObject([{ path: 'spec.canary', message: '`canary` has no place in OpenSLO and is not exported' }]);
    expect(exported.unsupported.map(({ message }) => message)).toEqual([
      '`shop:short-slices` is not exported: OpenSLO has no slices of 10s',
      '`shop:odd-window` is not exported: OpenSLO has no window of 90s',
    ]);
  });
});
