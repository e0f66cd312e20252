/** Timeslices, maintenance, spans left out and a team's own definition of bad: what is told equals a plain recount of the very spans. */
import { describe, expect, it } from 'vitest';
import type { Objective } from '../../src/model/objective.ts';
import { sloExplanation } from '../../src/model/slo-explanation.ts';
import { countText } from '../../src/model/slo-text.ts';
import type { EventRule } from '../../src/model/span-rules.ts';
import { withExclusions } from '../engine/objective-world.ts';
import { objective, policies } from '../support/policies.ts';
import { type DecodedSpan, decodedSpans } from './decoded-spans.ts';
import { Live, scenarioConfig } from './live.ts';
import type { ServedRequest } from './otlp-stream.ts';
import { WORLD_START, World } from './world.ts';

const MINUTE_MS = 60_000;
const GRACE_MS = 60_000;
const WINDOW_MS = 10 * MINUTE_MS;
const RATIO = 0.95;
const LEAST_PER_SECOND = 6;
const IN_FLIGHT = 0.8;
const PROBE = 'GET /health';
const LIMITED: EventRule = {
  key: 'limited',
  where: null,
  bad: [{ 'http.response.status_code': ['429'] }, { 'http.response.status_code': ['500'] }],
};

const [MAINTENANCE_FROM, MAINTENANCE_TO] = [WORLD_START + 437_000, WORLD_START + 503_000];
const EXCLUSIONS = [{ name: 'database', reason: 'upgrade', intervals: [[MAINTENANCE_FROM, MAINTENANCE_TO]] }] as const;

const shop = { service: 'checkout', target: 0.9, windowMs: WINDOW_MS } as const;
const perMinute = { kind: 'timeslices', sliceMs: MINUTE_MS, ratio: null } as const;
const day = { unit: 'day', count: 1, timeZone: 'UTC', start: '2027-01-15T08:05:30' } as const;
const DAY_FROM = Date.UTC(2027, 0, 15, 8, 5, 30);

const REQUESTS = [
  objective({ ...shop, name: 'plain' }),
  objective({ ...shop, name: 'own', sli: { kind: 'events', rule: LIMITED } }),
  objective({ ...shop, name: 'orders', endpoint: 'GET /order/*', sli: { kind: 'events', rule: LIMITED } }),
  objective({ ...shop, name: 'own-today', windowMs: 24 * 60 * MINUTE_MS, calendar: day, sli: { kind: 'events', rule: LIMITED } }),
];
const SLICES = [
  objective({ ...shop, name: 'minutes', budgeting: { ...perMinute, ratio: RATIO } }),
  objective({
    ...shop,
    name: 'own-tens',
    budgeting: { kind: 'timeslices', sliceMs: 10_000, ratio: RATIO },
    sli: { kind: 'events', rule: LIMITED },
  }),
  objective({ ...shop, name: 'minutes-today', windowMs: 24 * 60 * MINUTE_MS, calendar: day, budgeting: { ...perMinute, ratio: RATIO } }),
  objective({ ...shop, name: 'mean', budgeting: { ...perMinute, ratio: 'mean' } }),
  objective({
    ...shop,
    name: 'own-mean-of-tens',
    endpoint: 'GET /order/*',
    budgeting: { kind: 'timeslices', sliceMs: 10_000, ratio: 'mean' },
    sli: { kind: 'events', rule: LIMITED },
  }),
  objective({ ...shop, name: 'mean-today', windowMs: 24 * 60 * MINUTE_MS, calendar: day, budgeting: { ...perMinute, ratio: 'mean' } }),
  objective({ ...shop, name: 'least', budgeting: perMinute, sli: { kind: 'throughput', bound: 'least', perSecond: LEAST_PER_SECOND } }),
  objective({ ...shop, name: 'load', budgeting: perMinute, sli: { kind: 'inFlight', limit: IN_FLIGHT } }),
];
const OBJECTIVES = [...REQUESTS, ...SLICES];

/** Fewer requests from 200 s on, slow ones from 300 s on, failures from 400 s on; from 620 s to 760 s nothing of the shop gets here. */
function world(seed: number): World {
  const recorded = (request: ServedRequest, random: () => number): ServedRequest =>
    random() < 0.03 ? { ...request, failed: false, status: 429 } : request;
  return new World(
    [
      {
        service: 'checkout',
        version: 'v1',
        rate: (second) => (second >= 200 && second < 300 ? 5 : 10),
        endpoints: { 'POST /checkout': 3, 'GET /order/{id}': 5, [PROBE]: 2 },
        behaviour: (second) => ({
          slowdown: second >= 300 && second < 400 ? 3 : 1,
          errorRatio: second >= 400 && second < 530 ? 0.06 : 0.002,
        }),
        exports: (second) => second < 620 || second >= 760,
        stragglers: { share: 0.03, fromMs: 1000, toMs: 40_000 },
        resent: 0.05,
        recorded,
      },
      { service: 'search', version: 'v1', rate: 5, exportMs: 1000 },
    ],
    seed,
  );
}

class Told {
  readonly live: Live;
  /** Of the shop, without probes. */
  readonly spans: DecodedSpan[] = [];
  /** End of the newest span of all services. */
  newestAt = 0;
  readonly #world: World;

  constructor(seed: number) {
    const config = scenarioConfig({ objectives: OBJECTIVES }, { exclude: new Map([['checkout', [{ 'http.route': ['/health'] }]]]) });
    this.live = new Live({ ...config, policies: withExclusions(policies({ objectives: OBJECTIVES }), EXCLUSIONS) });
    this.#world = world(seed);
  }

  until(second: number): this {
    for (const arrival of this.#world.until(second)) {
      this.live.arrive(arrival);
      const spans = decodedSpans(arrival.bytes);
      this.newestAt = Math.max(this.newestAt, ...spans.map(({ endMs }) => endMs));
      this.spans.push(...spans.filter(({ service, endpoint }) => service === 'checkout' && endpoint !== PROBE));
    }
    this.live.idle(WORLD_START + second * 1000 + 3000);
    return this;
  }

  report() {
    return this.live.engine.views.sloReport(this.live.now);
  }
}

interface Counted {
  valid: number;
  bad: number;
}

const floorTo = (ms: number, step: number) => Math.floor(ms / step) * step;

function isBad({ sli }: Objective, { failed, status }: DecodedSpan): boolean {
  return sli.kind === 'events' ? status === 429 || status === 500 : failed;
}

function isMaintained({ endMs }: DecodedSpan): boolean {
  return floorTo(endMs, 1000) >= MAINTENANCE_FROM && floorTo(endMs, 1000) < MAINTENANCE_TO;
}

function meant({ endpoint }: Objective, spans: readonly DecodedSpan[]): DecodedSpan[] {
  return spans.filter((span) => endpoint === null || span.endpoint.startsWith('GET /order/'));
}

/** The window: its begin rounded down to ten seconds, or where the calendar says. */
function edges({ calendar }: Objective, { spans }: Told): [from: number, to: number] {
  const newest = Math.max(...spans.map(({ endMs }) => endMs));
  const to = floorTo(newest, 1000) + 1000;
  const period = to > DAY_FROM ? DAY_FROM : DAY_FROM - 24 * 60 * MINUTE_MS;
  return [calendar === null ? floorTo(to - WINDOW_MS, 10_000) : period, Math.ceil(to / 10_000) * 10_000];
}

/** The plain definition: slices that are over, each by what is in it. */
function slicesOf(of: Objective, told: Told, spans: readonly DecodedSpan[], isWhole: boolean): { start: number; bad: number }[] {
  if (of.budgeting.kind !== 'timeslices') return [];
  const { sliceMs, ratio } = of.budgeting;
  const horizon = floorTo(told.newestAt - GRACE_MS, 1000);
  const first = Math.min(...told.spans.map(({ endMs }) => floorTo(endMs, 1000)));
  const slices: { start: number; bad: number }[] = [];
  for (let start = WORLD_START; start + sliceMs <= horizon; start += sliceMs) {
    const isOut = start < MAINTENANCE_TO && start + sliceMs > MAINTENANCE_FROM;
    if (start < first || (ratio === null && isOut !== isWhole)) continue;
    const inside = spans.filter(({ endMs }) => endMs >= start && endMs < start + sliceMs);
    if (of.sli.kind === 'throughput') slices.push({ start, bad: inside.length / (sliceMs / 1000) >= LEAST_PER_SECOND ? 0 : 1 });
    else if (inside.length === 0) continue;
    else if (of.sli.kind === 'inFlight') {
      const load = inside.reduce((sum, { durationNs }) => sum + Number(durationNs) / 1e6, 0) / sliceMs;
      // Durations are told to half a bucket.
      expect(Math.abs(load - IN_FLIGHT)).toBeGreaterThan(0.01 * IN_FLIGHT);
      slices.push({ start, bad: load <= IN_FLIGHT ? 0 : 1 });
    } else {
      const share = inside.filter((span) => isBad(of, span)).length / inside.length;
      slices.push({ start, bad: ratio === 'mean' ? share : 1 - share >= RATIO - 1e-12 ? 0 : 1 });
    }
  }
  return slices;
}

/** `isWhole`: what maintenance has taken out. */
function recount(of: Objective, told: Told, isWhole: boolean): Counted {
  const [from, to] = edges(of, told);
  const { ratio } = of.budgeting.kind === 'timeslices' ? of.budgeting : { ratio: 1 };
  const spans = meant(of, told.spans).filter((span) => ratio === null || isMaintained(span) === isWhole);
  if (of.budgeting.kind === 'timeslices') {
    const slices = slicesOf(of, told, spans, isWhole).filter(({ start }) => start >= from && start < to);
    // Parts of slices are told to nine places.
    return { valid: slices.length, bad: Math.round(slices.reduce((sum, { bad }) => sum + bad, 0) * 1e9) / 1e9 };
  }
  const counted = spans.filter(({ endMs }) => endMs >= from);
  return { valid: counted.length, bad: counted.filter((span) => isBad(of, span)).length };
}

describe.each([1, 2, 3])('in world %i', (seed) => {
  const told = new Told(seed);

  it.each([320, 420, 470, 540, 700, 765, 900, 1100])(
    'every number is what the recount says after %i s, over a restart now and then',
    (second) => {
      told.until(second);
      if (second === 470 || second === 765) told.live.restart();
      const report = told.report();
      for (const of of OBJECTIVES) {
        const one = report.objectives.find(({ id }) => id === of.id);
        if (one === undefined) throw new RangeError(`no report on ${of.name}`);
        const { valid, bad } = recount(of, told, false);
        expect({ name: of.name, ...one.counts }).toMatchObject({ name: of.name, valid, bad });
        expect({ name: of.name, ...one.excluded }).toEqual({ name: of.name, ...recount(of, told, true) });
        const allowed = Math.round(valid * 100) / 1000;
        expect(one.allowedBad).toBe(allowed);
        const page = sloExplanation(one, report).join('\n');
        if (valid > 0) {
          expect(one.budgetRemaining).toBeCloseTo(1 - bad / allowed, 12);
          expect(page).toContain(
            `${countText(bad)} of ${countText(valid)} ${of.budgeting.kind === 'timeslices' ? 'slices' : 'requests'} were bad`,
          );
        }
        expect(page).not.toMatch(/NaN|undefined|Infinity/);
      }
    },
  );

  it('the ledger names the requests that were bad', () => {
    for (const of of OBJECTIVES.slice(0, -2)) {
      const one = told.report().objectives.find(({ id }) => id === of.id);
      if (one === undefined) throw new RangeError(`no report on ${of.name}`);
      const bad = meant(of, told.spans).filter((span) => !isMaintained(span) && isBad(of, span) && span.endMs >= one.ledger.from);
      const byEndpoint = new Map(one.ledger.rows.map((row) => [row.endpoint, row.bad]));
      for (const [endpoint, count] of byEndpoint) expect(bad.filter((span) => span.endpoint === endpoint)).toHaveLength(count);
      expect(one.ledger.rows.reduce((sum, row) => sum + row.bad, 0)).toBe(bad.length);
    }
  });
});
