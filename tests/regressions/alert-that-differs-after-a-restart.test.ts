/** What was spent, and an open incident's share of the budget, changed a little in the second after a restart. */
import { describe, expect, it } from 'vitest';
import { tierOf } from '../../src/model/tier.ts';
import { Live, scenarioConfig } from '../scenarios/live.ts';
import { World } from '../scenarios/world.ts';
import { objective } from '../support/policies.ts';

const MINUTE_MS = 60_000;
const WINDOW_MS = 20 * MINUTE_MS;

const tiers = [tierOf({ severity: 'page', longMs: 10 * MINUTE_MS, shortMs: MINUTE_MS, budgetShare: 0.5 }, WINDOW_MS)];
const calendar = { unit: 'day', count: 1, timeZone: 'UTC', start: '2027-01-15T08:10:00' } as const;
const shared = { service: 'checkout', target: 0.99, alerts: { tiers, basis: 'both', minBad: 10 } } as const;
const OBJECTIVES = [
  objective({ ...shared, name: 'rolling', windowMs: WINDOW_MS }),
  objective({ ...shared, name: 'today', windowMs: 24 * 60 * MINUTE_MS, calendar, alerts: { ...shared.alerts, basis: 'rate' } }),
  objective({ ...shared, name: 'slices', windowMs: WINDOW_MS, budgeting: { kind: 'timeslices', sliceMs: 10_000, ratio: 0.99 } }),
];

const sickFrom = 300;
const silentFrom = 700;

class Told {
  readonly live = new Live(scenarioConfig({ objectives: OBJECTIVES }));
  readonly #world = new World([
    {
      service: 'checkout',
      version: 'v1',
      rate: 10,
      behaviour: (second) => ({ errorRatio: second < sickFrom ? 0.002 : 0.3 }),
      exports: (second) => second < silentFrom,
    },
    { service: 'search', version: 'v1', rate: 2 },
  ]);

  until(second: number): this {
    this.live.play(this.#world, second);
    return this;
  }

  report() {
    return this.live.engine.views.sloReport(this.live.now);
  }
}

describe.each([430, 597, 604, 1001])('a restart %i seconds on', (second) => {
  it.each([1, 9])('changes nothing that is told %i seconds later', (later) => {
    const whole = new Told().until(second);
    const broken = new Told().until(second);
    broken.live.restart();
    whole.until(second + later);
    broken.until(second + later);
    const report = broken.report();
    expect(report.objectives.some(({ alert }) => alert.severity === 'page')).toBe(true);
    expect(report).toEqual(whole.report());
  });
});
