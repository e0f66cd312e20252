/** Spans in, report out: every number equals a recount of the very spans, alerts fire, freeze and end, and a restart changes nothing. */
import { beforeAll, describe, expect, it } from 'vitest';
import { sloExplanation } from '../../src/model/slo-explanation.ts';
import type { ObjectiveReport, SloReport } from '../../src/model/slo-views.ts';
import { tierOf } from '../../src/model/tier.ts';
import { objective } from '../support/policies.ts';
import { type DecodedSpan, decodedSpans } from './decoded-spans.ts';
import { Live, scenarioConfig } from './live.ts';
import { WORLD_START, World } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const WINDOW_MS = 20 * MINUTE_MS;
const LIMIT_NS = 100_000_000n;
/** Days that begin ten minutes after the world did. */
const DAY_START = '2027-01-15T08:10:00';
const PERIOD_FROM = Date.UTC(2027, 0, 15, 8, 10);

const tier = tierOf({ severity: 'page', longMs: 10 * MINUTE_MS, shortMs: MINUTE_MS, budgetShare: 1 }, WINDOW_MS);
const alerts = { tiers: [tier], basis: 'rate', minBad: 10 } as const;
const calendar = { unit: 'day', count: 1, timeZone: 'UTC', start: DAY_START } as const;

const OBJECTIVES = [
  objective({ service: 'checkout', name: 'availability', target: 0.99, windowMs: WINDOW_MS, alerts }),
  objective({
    service: 'checkout',
    name: 'quick',
    target: 0.9,
    windowMs: HOUR_MS,
    sli: { kind: 'latency', thresholdNs: Number(LIMIT_NS) },
  }),
  objective({ service: 'checkout', name: 'today', target: 0.995, windowMs: 24 * HOUR_MS, calendar }),
  objective({ service: 'checkout', name: 'orders', endpoint: 'GET /order/*', target: 0.99, windowMs: WINDOW_MS }),
];

const SICK_FROM = 600;
const SICK_TO = 900;
const LOST_FROM = 1560;
const LOST_TO = 1860;
const END = 2100;

/** v2 comes after ten minutes, fails, and is gone after a quarter of an hour; later the agent is down for five minutes. */
function world(): World {
  const endpoints = { 'POST /checkout': 1, 'GET /order/{id}': 3 };
  const exports = (second: number) => second < LOST_FROM || second >= LOST_TO;
  const isSick = (second: number) => second >= SICK_FROM && second < SICK_TO;
  return new World([
    {
      service: 'checkout',
      version: 'v1',
      rate: (second) => 8 + (second % 5),
      endpoints,
      exports,
      behaviour: () => ({ errorRatio: 0.002 }),
    },
    {
      service: 'checkout',
      version: 'v2',
      rate: (second) => (isSick(second) ? 4 : 0),
      pods: 1,
      endpoints,
      exports,
      behaviour: (_, endpoint) => ({ errorRatio: endpoint === 'POST /checkout' ? 0.6 : 0.2 }),
    },
    { service: 'search', version: 'v1', rate: 2 },
  ]);
}

class Told {
  readonly live = new Live(scenarioConfig({ objectives: OBJECTIVES }));
  readonly spans: DecodedSpan[] = [];
  readonly #world = world();

  until(second: number): this {
    for (const arrival of this.#world.until(second)) {
      this.live.arrive(arrival);
      this.spans.push(...decodedSpans(arrival.bytes).filter(({ service }) => service === 'checkout'));
    }
    this.live.idle(WORLD_START + second * 1000);
    return this;
  }

  report() {
    return this.live.engine.views.sloReport(this.live.now);
  }

  of(name: string): ObjectiveReport {
    const report = this.report().objectives.find(({ id }) => id === `checkout:${name === 'orders' ? 'GET /order/*' : ''}:${name}`);
    if (report === undefined) throw new RangeError(`no report on ${name}`);
    return report;
  }

  alertLines(): string[] {
    return this.live.telemetry.lines.map(({ message }) => message).filter((message) => message.startsWith('objective alert'));
  }

  newestEnd(): number {
    return (Math.floor(Math.max(...this.spans.map(({ endMs }) => endMs)) / 1000) + 1) * 1000;
  }
}

/** The plain definition of each objective, over all spans that were sent. */
function recount(told: Told, name: string) {
  const newest = told.newestEnd();
  const floor10 = (ms: number) => Math.floor(ms / 10_000) * 10_000;
  const period = newest > PERIOD_FROM ? PERIOD_FROM : PERIOD_FROM - 24 * HOUR_MS;
  const froms = { availability: newest - WINDOW_MS, orders: newest - WINDOW_MS, quick: newest - HOUR_MS, today: period };
  const from = froms[name as keyof typeof froms];
  const meant = told.spans.filter(({ endpoint }) => name !== 'orders' || endpoint.startsWith('GET /order/'));
  const isBad = (span: DecodedSpan) => (name === 'quick' ? span.durationNs > LIMIT_NS : span.failed);
  const since = (ms: number) => meant.filter(({ endMs }) => endMs >= ms);
  const counted = since(floor10(from));
  const lastHour = since(floor10(newest - HOUR_MS));
  return { valid: counted.length, bad: counted.filter(isBad).length, lastHour, isBad, since };
}

describe.each([300, 700, 890, 1500, END])('at second %i', (second) => {
  let told: Told;
  beforeAll(() => {
    told = new Told().until(second);
  });

  it.each(OBJECTIVES.map(({ name, target }) => [name, target]))('%s says what the recount says', (name, target) => {
    const { valid, bad, lastHour, isBad } = recount(told, name);
    const report = told.of(name);
    expect(report.counts).toMatchObject({ valid, bad });
    if (valid === 0) {
      expect(report).toMatchObject({ state: 'no_data', sli: null, budgetRemaining: null });
      return;
    }
    const allowed = Math.round(valid * (1 - target) * 1000) / 1000;
    expect(report.sli).toBeCloseTo((valid - bad) / valid, 12);
    expect(report.allowedBad).toBeCloseTo(allowed, 9);
    expect(report.budgetRemaining).toBeCloseTo(1 - bad / allowed, 9);
    const burn = lastHour.filter(isBad).length / lastHour.length / (1 - target);
    expect(report.forecast.burnRate).toBeCloseTo(burn, 9);
    expect(report.state).toBe(bad > allowed ? 'breached' : burn > 1 ? 'at_risk' : 'met');
  });

  it.each(OBJECTIVES.map(({ name, target }) => [name, target]))(
    'the ledger of %s is the recount by endpoint and release',
    (name, target) => {
      const { since, isBad, valid } = recount(told, name);
      const { ledger } = told.of(name);
      const bad = new Map<string, number>();
      for (const span of since(ledger.from).filter(isBad)) {
        const key = `${span.endpoint} ${span.release}`;
        bad.set(key, (bad.get(key) ?? 0) + 1);
      }
      expect(new Map(ledger.rows.map((row) => [`${row.endpoint} ${row.release}`, row.bad]))).toEqual(bad);
      for (const row of ledger.rows) expect(row.budgetShare).toBeCloseTo(row.bad / (valid * (1 - target)), 9);
    },
  );

  it('the page of each objective fits and has no number that is none', () => {
    const report = told.report();
    for (const one of report.objectives) {
      const page = sloExplanation(one, report).join('\n');
      expect(page.split('\n').length).toBeLessThanOrEqual(60);
      expect(page).not.toMatch(/NaN|undefined|Infinity/);
    }
  });
});

describe('an alert', () => {
  it('fires while the release fails, names it, and ends when it is gone', () => {
    const told = new Told().until(SICK_FROM);
    expect(told.of('availability').alert).toMatchObject({ severity: null, isFrozen: false });
    told.until(SICK_TO - 5);
    const burning = told.of('availability');
    expect(burning.alert.severity).toBe('page');
    expect(burning.incidents).toMatchObject([{ endedAt: null, severity: 'page' }]);
    expect(burning.ledger.rows[0]?.release).toBe('v2');
    expect(burning.incidents[0]?.releases[0]).toBe('v2');
    expect(told.alertLines()).toEqual(['objective alert fires']);

    told.until(1500);
    const over = told.of('availability');
    expect(over.alert.severity).toBeNull();
    expect(told.alertLines()).toEqual(['objective alert fires', 'objective alert resolves']);
    const [incident] = over.incidents;
    if (incident === undefined) throw new RangeError('no incident');
    const [begin, end] = [WORLD_START + SICK_FROM * 1000, WORLD_START + SICK_TO * 1000];
    expect(Math.abs(incident.startedAt - begin)).toBeLessThanOrEqual(MINUTE_MS);
    expect(incident.detectedAt).toBeGreaterThan(begin);
    expect(incident.detectedAt).toBeLessThan(begin + 3 * MINUTE_MS);
    expect(Math.abs((incident.endedAt ?? 0) - end)).toBeLessThanOrEqual(MINUTE_MS);
    expect(told.report().services).toMatchObject([{ service: 'checkout', delivery: { incidents: 1 } }]);
  });

  it('is frozen while telemetry is lost, with all numbers as they were, and goes on afterwards', () => {
    const told = new Told().until(LOST_FROM);
    told.until(LOST_FROM + 10);
    const before = told.of('availability');
    const heard = told.of('quick').coverage;
    told.until(LOST_TO - 5);
    const lost = told.of('availability');
    expect(lost.alert.isFrozen).toBe(true);
    expect({ ...lost, alert: null, coverage: null }).toEqual({ ...before, alert: null, coverage: null });
    expect(told.of('quick').coverage.heardMinutes).toBe(heard.heardMinutes);
    expect(told.of('quick').coverage.minutes).toBeGreaterThan(heard.minutes);
    told.until(END);
    expect(told.of('availability').alert.isFrozen).toBe(false);
  });

  it('that fires freezes when telemetry is lost, and neither heals nor is told of twice', () => {
    const told = new Told().until(SICK_TO - 5);
    told.live.idle(told.live.now + 30 * MINUTE_MS);
    expect(told.of('availability').alert).toMatchObject({ severity: 'page', isFrozen: true });
    expect(told.alertLines()).toEqual(['objective alert fires', 'objective alert freezes']);
  });
});

describe('coverage', () => {
  it('counts the minutes in which the service was heard', () => {
    const told = new Told().until(END);
    const minutes = new Set(told.spans.map(({ endMs }) => Math.floor(endMs / MINUTE_MS)));
    const { coverage } = told.of('quick');
    expect(coverage.heardMinutes).toBe(minutes.size);
    expect(coverage.minutes).toBe(END / 60);
    expect(minutes.size).toBeLessThan(END / 60);
  });
});

describe('a restart in the middle of an alert', () => {
  it('changes no number of any report', () => {
    const whole = new Told().until(SICK_TO - 100);
    const broken = new Told().until(SICK_TO - 100);
    broken.live.restart();
    const counted = ({ objectives }: SloReport) => objectives.map(({ alert: _alert, ...rest }) => rest);
    expect(counted(broken.report())).toEqual(counted(whole.report()));
    for (const second of [SICK_TO - 99, SICK_TO, 1500, END]) {
      whole.until(second);
      broken.until(second);
      expect(broken.report()).toEqual(whole.report());
    }
    expect(broken.alertLines()).toEqual(whole.alertLines());
  });
});
