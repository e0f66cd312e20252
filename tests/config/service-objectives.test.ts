/** What a service promises, from its document and `Defaults` to the model. */
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type ResolvedPolicies, resolvePolicies } from '../../src/config/policies.ts';
import { renderProblems } from '../../src/config/problem.ts';
import { readYaml } from '../../src/config/yaml-source.ts';
import type { Objective } from '../../src/model/objective.ts';
import type { ServicePolicy } from '../../src/model/policy.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-06-15T12:00:00Z');

type Spec = Readonly<Record<string, unknown>>;

function resolved(spec: Spec, defaults: Spec = {}): ResolvedPolicies {
  const apiVersion = 'slipstream.dev/v1';
  const documents = [
    { apiVersion, kind: 'Defaults', metadata: { name: 'organisation' }, spec: defaults },
    { apiVersion, kind: 'ServiceObjectives', metadata: { name: 'shop' }, spec: { service: 'shop', ...spec } },
  ].map((document) => stringify(document));
  return resolvePolicies(readYaml('slo.yaml', documents.join('---\n')).documents, null, '', true, NOW);
}

function policyOf(spec: Spec, defaults: Spec = {}): ServicePolicy {
  const { problems, policies } = resolved(spec, defaults);
  const policy = policies.services.get('shop');
  if (problems.length > 0 || policy === undefined) throw new Error(renderProblems(problems));
  return policy;
}

function onlyObjective(spec: Spec, defaults: Spec = {}): Objective {
  const { objectives } = policyOf(spec, defaults);
  if (objectives.length !== 1 || objectives[0] === undefined) throw new Error(`${objectives.length} objectives`);
  return objectives[0];
}

describe('objectives', () => {
  it.each([
    ['one text', 'p95 < 500 ms, 99.9 % available, errors < 0.5%'],
    ['a list of texts', ['p95 < 500ms', '99.9%', 'errors < 0.5%']],
    ['texts and entries', ['p95 < 500ms, 99.9%', { errorRate: '< 0.5%' }]],
    ['entries', [{ latency: 'p95 < 500ms' }, { availability: '99.9%' }, { errorRate: '< 0.5%' }]],
  ])('written as %s are the same', (_, objectives) => {
    expect(policyOf({ objectives }).objectives.map(({ id, text }) => [id, text])).toEqual([
      ['shop:latency-p95-500ms', 'latency: p95 < 500ms'],
      ['shop:availability', 'availability: 99.9%'],
      ['shop:error-rate', 'errorRate: < 0.5%'],
    ]);
  });

  it('of an endpoint are the same from `on` and from `perEndpoint`', () => {
    const fromLine = policyOf({ objectives: '99.9% on POST /checkout' }).objectives;
    const fromList = policyOf({ perEndpoint: [{ match: 'POST /checkout', objectives: '99.9%' }] }).objectives;
    const fromClass = policyOf({ perEndpoint: [{ match: 'POST /checkout', class: 'c' }] }, { classes: { c: ['99.9%'] } }).objectives;
    expect(fromLine).toMatchObject([{ id: 'shop:POST /checkout:availability', endpoint: 'POST /checkout' }]);
    expect(fromList).toEqual(fromLine);
    expect(fromClass).toEqual(fromLine);
  });

  it('on throughput and requests in flight are of slices, a minute long, of which 99 % are good', () => {
    expect(policyOf({ objectives: 'throughput > 10/s, in flight < 200' }).objectives).toMatchObject([
      {
        sli: { kind: 'throughput', bound: 'least', perSecond: 10 },
        target: 0.99,
        budgeting: { kind: 'timeslices', sliceMs: 60_000, ratio: null },
      },
      { sli: { kind: 'inFlight', limit: 200 }, target: 0.99, budgeting: { kind: 'timeslices', sliceMs: 60_000, ratio: null } },
    ]);
    const written = { throughput: '< 2000/s', target: '99.5%', timeslices: { slice: '5m' } };
    expect(onlyObjective({ objectives: [written] })).toMatchObject({ target: 0.995, budgeting: { sliceMs: 300_000, ratio: null } });
  });
});

describe('a window', () => {
  it.each([
    ['28d', 28, null],
    ['4w', 28, null],
    [{ calendar: 'month' }, 30, { unit: 'month', count: 1, timeZone: 'UTC', start: '2024-01-01T00:00:00' }],
    [
      { calendar: 'week', count: 2, timeZone: 'Europe/Lisbon' },
      14,
      { unit: 'week', count: 2, timeZone: 'Europe/Lisbon', start: '2024-01-01T00:00:00' },
    ],
    [{ calendar: 'quarter', start: '2026-02-01T06:30' }, 90, { unit: 'quarter', count: 1, timeZone: 'UTC', start: '2026-02-01T06:30:00' }],
    [{ calendar: 'year' }, 365, { unit: 'year', count: 1, timeZone: 'UTC', start: '2024-01-01T00:00:00' }],
  ])('%j has %d days', (window, days, calendar) => {
    expect(onlyObjective({ objectives: '99.9%', window })).toMatchObject({ windowMs: days * DAY_MS, calendar });
  });

  it('of an entry comes before that of the service, that before the one of Defaults', () => {
    const daysOf = (entry: Spec, spec: Spec, defaults: Spec): number =>
      onlyObjective({ objectives: [{ availability: '99.9%', ...entry }], ...spec }, defaults).windowMs / DAY_MS;
    const [week, month, quarter] = [{ window: '7d' }, { window: { calendar: 'month' } }, { window: { calendar: 'quarter' } }];
    expect([daysOf(week, month, quarter), daysOf({}, month, quarter), daysOf({}, {}, quarter), daysOf({}, {}, {})]).toEqual([
      7, 30, 90, 28,
    ]);
  });

  it('does not change the id of an objective', () => {
    expect(onlyObjective({ objectives: '99.9%', window: { calendar: 'month' } }).id).toBe(onlyObjective({ objectives: '99.9%' }).id);
  });
});

describe('slices of time', () => {
  it('are good by the target of the objective where nobody says another share', () => {
    expect(onlyObjective({ objectives: '99.9%', timeslices: {} }).text).toBe('availability: 99.9%, by slices of 1m with 99.9% good');
    expect(onlyObjective({ objectives: '99.9%', timeslices: {} }).budgeting).toEqual({ kind: 'timeslices', sliceMs: 60_000, ratio: 0.999 });
    expect(onlyObjective({ objectives: '99.9%' }, { timeslices: { slice: '30s', good: '95%' } }).budgeting).toEqual({
      kind: 'timeslices',
      sliceMs: 30_000,
      ratio: 0.95,
    });
    expect(onlyObjective({ objectives: '99.9%' }).budgeting).toEqual({ kind: 'occurrences' });
  });

  it('may count with the mean of their requests', () => {
    const { text, budgeting, alerts } = onlyObjective({ objectives: '99.9%', timeslices: { good: 'mean' } });
    expect(text).toBe('availability: 99.9%, by the mean of slices of 1m');
    expect(budgeting).toEqual({ kind: 'timeslices', sliceMs: 60_000, ratio: 'mean' });
    expect(alerts).toMatchObject({ minBad: 1, tiers: [{}, {}, {}, {}] });
    expect(onlyObjective({ objectives: '99.9%', timeslices: { good: 'mean' }, alerts: { minBad: 4 } }).alerts.minBad).toBe(4);
  });

  it('are no better described by a mean where they are about throughput or requests in flight', () => {
    for (const entry of [{ throughput: '> 10/s' }, { inFlight: '< 200' }]) {
      expect(resolved({ objectives: [{ ...entry, timeslices: { good: 'mean' } }] }).problems).toMatchObject([
        { path: 'spec.objectives[0].timeslices.good', message: expect.stringContaining('neither a share of requests nor `mean`') },
      ]);
      expect(onlyObjective({ objectives: [entry], timeslices: { good: 'mean' } }).budgeting).toMatchObject({ ratio: null });
    }
  });

  it('of which less than one may be bad are doubted, unless their mean counts', () => {
    const short = { objectives: '99.9%', window: '6h', alerts: { preset: 'none' } };
    expect(resolved({ ...short, timeslices: {} }).warnings).toMatchObject([
      { message: expect.stringContaining('less than one bad slice') },
    ]);
    expect(resolved({ ...short, timeslices: { good: 'mean' } }).warnings).toEqual([]);
  });

  it.each(['7m', '15s', '25s', '7s', '2h'])('of %s are refused', (slice) => {
    expect(resolved({ objectives: '99%', timeslices: { slice } }).problems).toMatchObject([{ path: 'spec.timeslices.slice' }]);
  });
});

describe('an own definition of bad', () => {
  const bad = [{ 'http.response.status_code': ['5xx', 429] }, { 'span.status': 'ERROR' }];

  it('takes the place of failures, with classes of codes written out', () => {
    const { sli, target, text } = onlyObjective({ objectives: [{ errorRate: '< 0.1%', bad, where: { 'span.kind': 'server' } }] });
    if (sli.kind !== 'events') throw new Error(sli.kind);
    expect(target).toBe(0.999);
    expect(text).toMatch(/^errorRate: < 0\.1% where span\.kind=server, bad: .*http\.response\.status_code=429\|5xx/);
    expect(sli.rule.where).toEqual({ 'span.kind': ['server'] });
    const codes = sli.rule.bad.find((rule) => 'http.response.status_code' in rule)?.['http.response.status_code'];
    expect(codes).toHaveLength(101);
    expect(codes).toEqual(expect.arrayContaining(['429', '500', '503', '599']));
    expect(sli.rule.bad).toContainEqual({ 'span.status': ['error'] });
  });

  it('has the same key in whatever order it is written, and another for another content', () => {
    const keyOf = (...rules: readonly Spec[]): string => {
      const { sli } = onlyObjective({ objectives: [{ availability: '99.9%', bad: rules }] });
      return sli.kind === 'events' ? sli.rule.key : '';
    };
    const a = { 'http.response.status_code': ['5xx', 429] };
    const key = keyOf(a, { 'span.status': 'error', tenant: 'x' });
    expect(keyOf({ tenant: 'x', 'span.status': ['error', 'error'] }, { 'http.response.status_code': ['429', '5xx', '500'] })).toBe(key);
    expect(keyOf(a, { 'span.status': 'error', tenant: 'y' })).not.toBe(key);
    expect(keyOf(a)).not.toBe(key);
  });

  it('shares no budget with the usual one, so nobody is warned', () => {
    const twins = { objectives: [{ availability: '99.9%' }, { errorRate: '< 0.1%' }] };
    expect(resolved(twins).warnings).toMatchObject([{ path: 'spec.objectives[1]', message: expect.stringContaining('the same failures') }]);
    expect(resolved({ objectives: [{ availability: '99.9%' }, { errorRate: '< 0.1%', bad }] }).warnings).toEqual([]);
  });

  it('is limited to 8 different ones of a service', () => {
    const entries = Array.from({ length: 9 }, (_, index) => ({ availability: '99.9%', name: `n${index}`, bad: [{ tenant: `t${index}` }] }));
    expect(resolved({ objectives: entries }).problems).toMatchObject([{ path: 'spec.objectives[8]' }]);
    expect(resolved({ objectives: entries.map((entry, index) => ({ ...entry, bad: [{ tenant: `t${index % 8}` }] })) }).problems).toEqual(
      [],
    );
  });
});

describe('alerts', () => {
  const shown = ({ alerts }: Objective) => alerts.tiers.map(({ severity, burnRate }) => [severity, burnRate]);

  it('are those of the Workbook where nobody says others', () => {
    // SRE Workbook, table 5-8 and the expression above it, for 30 days.
    expect(shown(onlyObjective({ objectives: '99.9%', window: '30d' }))).toEqual([
      ['page', 14.4],
      ['page', 6],
      ['ticket', 3],
      ['ticket', 1],
    ]);
    expect(onlyObjective({ objectives: '99.9%' }).alerts).toMatchObject({ basis: 'rate', minBad: 10 });
  });

  it('that can never fire are left out of the preset with a warning, and refused when they are own ones', () => {
    const { policies, warnings } = resolved({ objectives: 'p90 < 1s', window: '30d' });
    expect(policies.services.get('shop')?.objectives[0]?.alerts.tiers.map(({ burnRate }) => burnRate)).toEqual([6, 3, 1]);
    expect(warnings).toMatchObject([{ path: 'spec.objectives', message: expect.stringContaining('2% in 1h') }]);
    const tiers = [{ severity: 'page', long: '1h', budget: '2%' }];
    const own = resolved({ objectives: 'p90 < 1s', window: '30d', alerts: { tiers } });
    expect(own.problems).toMatchObject([{ path: 'spec.objectives', message: expect.stringContaining('a total outage burns at 10') }]);
    const common = resolved({ objectives: 'p90 < 1s', window: '30d' }, { alerts: { tiers } });
    expect([common.problems.length, common.warnings.length]).toEqual([0, 1]);
  });

  it.each([
    ['1m', 10],
    ['5m', 6],
    ['10m', 3],
    ['1h', 1],
  ])('of slices of %s ask for %i bad ones where nobody says how many', (slice, minBad) => {
    const { alerts } = onlyObjective({ objectives: '99%', window: '30d', timeslices: { slice } });
    expect(alerts.minBad).toBe(minBad);
    expect(alerts.tiers).toHaveLength(4);
  });

  it('that ask for more bad slices than their window has can never fire', () => {
    const service = { objectives: '99%', window: '30d', timeslices: { slice: '10m' } };
    const tiers = [{ severity: 'page', long: '1h', budget: '2%' }];
    expect(resolved({ ...service, alerts: { tiers, minBad: 7 } }).problems).toMatchObject([
      { message: expect.stringContaining('its long window has 6 slices, and `minBad` asks for 7') },
    ]);
    expect(onlyObjective({ ...service, alerts: { tiers, minBad: 6 } }).alerts).toMatchObject({ minBad: 6, tiers: [{ severity: 'page' }] });
  });

  it('with a window longer than that of the objective are refused', () => {
    const alerts = { tiers: [{ severity: 'ticket', long: '3d', budget: '10%' }] };
    expect(resolved({ objectives: '99.9%', window: '1d', alerts }).problems).toMatchObject([
      { message: expect.stringContaining('its long window is longer than that of the objective') },
    ]);
  });

  it('of own tiers take the place of the preset, from the fastest on', () => {
    const tiers = [
      { severity: 'ticket', long: '3d', budget: '10%' },
      { severity: 'page', long: '1h', short: '10m', budget: '2%' },
    ];
    expect(
      onlyObjective({ objectives: '99.9%', window: '30d', alerts: { tiers, basis: 'both' } }, { alerts: { minBad: 2 } }).alerts,
    ).toEqual({
      tiers: [
        { severity: 'page', longMs: 3_600_000, shortMs: 600_000, budgetShare: 0.02, burnRate: 14.4 },
        { severity: 'ticket', longMs: 3 * DAY_MS, shortMs: DAY_MS / 4, budgetShare: 0.1, burnRate: 1 },
      ],
      basis: 'both',
      minBad: 2,
    });
  });

  it('may be none, for one objective or all', () => {
    const quiet = { availability: '99.9%', alerts: { preset: 'none' } };
    const [first, second] = policyOf({ objectives: [quiet, 'p99 < 1s'] }).objectives;
    expect([first?.alerts.tiers.length, second?.alerts.tiers.length]).toEqual([0, 4]);
    expect(onlyObjective({ objectives: '99.9%' }, { alerts: { preset: 'none' } }).alerts.tiers).toEqual([]);
  });
});

describe('exclusions', () => {
  const iso = (policy: ServicePolicy) =>
    policy.exclusions.map(({ name, intervals }) => [
      name,
      intervals.map((pair) => pair.map((at) => new Date(at).toISOString().slice(0, 16))),
    ]);

  it('of the service and of Defaults hold, as intervals around now', () => {
    const once = { name: 'move', reason: 'r', from: '2026-06-20T02:00', to: '2026-06-20T04:00', timeZone: 'Europe/Lisbon' };
    const yearly = { name: 'yearly', reason: 'r', rrule: 'FREQ=YEARLY', start: '2020-07-01T00:00', duration: '2h' };
    expect(iso(policyOf({ exclusions: [once] }, { exclusions: [yearly] }))).toEqual([
      ['move', [['2026-06-20T01:00', '2026-06-20T03:00']]],
      [
        'yearly',
        [
          ['2026-07-01T00:00', '2026-07-01T02:00'],
          ['2027-07-01T00:00', '2027-07-01T02:00'],
        ],
      ],
    ]);
  });

  it('reach 93 days back and 400 days ahead', () => {
    const [exclusion] = policyOf({
      exclusions: [{ name: 'daily', reason: 'r', rrule: 'FREQ=DAILY', start: '2020-01-01T12:00', duration: '1m' }],
    }).exclusions;
    expect(exclusion?.intervals).toHaveLength(493);
    expect(exclusion?.intervals[0]?.[0]).toBe(NOW - 93 * DAY_MS);
  });

  it('that overlap or touch are one', () => {
    const [exclusion] = policyOf({
      exclusions: [{ name: 'all', reason: 'r', rrule: 'FREQ=DAILY;COUNT=3', start: '2026-06-15T00:00', duration: '30h' }],
    }).exclusions;
    expect(exclusion?.intervals).toEqual([[Date.parse('2026-06-15T00:00Z'), Date.parse('2026-06-18T06:00Z')]]);
  });

  it('that come to nothing are warned of, and those that come too often refused', () => {
    const past = { name: 'past', reason: 'r', from: '2020-01-01T00:00', to: '2020-01-02T00:00' };
    expect(resolved({ exclusions: [past] })).toMatchObject({ problems: [], warnings: [{ path: 'spec.exclusions[0]' }] });
    const often = {
      name: 'often',
      reason: 'r',
      rrule: 'FREQ=DAILY;BYHOUR=1,2;BYMINUTE=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20',
      start: '2020-01-01T01:00',
      duration: '1s',
    };
    expect(resolved({ exclusions: [often] }).problems).toMatchObject([{ message: expect.stringContaining('more than 20000 times') }]);
  });
});

describe('trends', () => {
  it('have ids that say what they are about, and those of the service come first', () => {
    const trends = [
      { latency: 'p95', on: 'POST /pay' },
      { inFlight: true, capacity: 200 },
    ];
    const common = [
      { latency: 'p99', growth: '10%/d', days: 7 },
      { inFlight: true, capacity: 50, days: 3 },
    ];
    expect(policyOf({ trends }, { trends: common }).trends).toMatchObject([
      { id: 'shop:trend:POST /pay:p95', endpoint: 'POST /pay', metric: 'p95', growthPerDay: 0.05, days: 3, capacity: null },
      { id: 'shop:trend:inFlight', metric: 'inFlight', days: 14, capacity: 200 },
      { id: 'shop:trend:p99', metric: 'p99', growthPerDay: 0.1, days: 7, text: 'p99 grows 10%/d for 7d' },
    ]);
  });

  it('about the same thing twice are refused', () => {
    expect(resolved({ trends: [{ errorRate: true }, { errorRate: true, days: 7 }] }).problems).toMatchObject([{ path: 'spec.trends[1]' }]);
  });
});

describe('the gate', () => {
  it('takes each option from the service, then from Defaults, then the usual one', () => {
    const gate = policyOf(
      { gate: { warnBelow: '50%', loadTestMaxAge: 'none' } },
      { gate: { warnBelow: '10%', onTrend: 'refuse', loadTestMaxAge: '7d', refuseBelow: '-20%' } },
    ).gate;
    expect(gate).toEqual({
      warnBelow: 0.5,
      refuseBelow: -0.2,
      onBurn: 'refuse',
      onCanary: 'refuse',
      onTrend: 'refuse',
      warnIncidentAbove: 0.2,
      loadTestMaxAgeMs: null,
    });
    const { fallback } = resolved({}, { gate: { loadTestMaxAge: '7d', warnIncidentAbove: 'none' } }).policies;
    expect(fallback.gate).toMatchObject({ loadTestMaxAgeMs: 7 * DAY_MS, warnIncidentAbove: null });
  });
});

describe('spans that are not counted', () => {
  it('may be named by a word', () => {
    const rules = resolved({ spans: { exclude: ['healthChecks', { loadtest: true }] } }, { spans: { exclude: ['synthetic'] } }).exclude;
    expect(rules.get('*')).toEqual([{ 'user_agent.synthetic.type': ['*'] }]);
    expect(rules.get('shop')).toContainEqual({ loadtest: ['true'] });
    expect(rules.get('shop')).toContainEqual({ 'rpc.service': ['grpc.health.v1.Health'] });
    const routes = rules.get('shop')?.find((rule) => 'http.route' in rule)?.['http.route'];
    expect(routes).toEqual(expect.arrayContaining(['/healthz', '/readyz', '/livez', '/health', '/ping', '/metrics', '/status']));
  });
});
