/** The book of alerts over recorded traffic: what changes when, which incidents it keeps, and what restarts and lost telemetry do to it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AlertBook, type AlertChange } from '../../src/engine/alert-book.ts';
import { deliveryFigures } from '../../src/evaluate/slo/delivery-figures.ts';
import { type TelemetryHealth, telemetryHealth } from '../../src/evaluate/slo/telemetry-health.ts';
import type { StoredNote } from '../../src/model/checkpoint.ts';
import type { Objective } from '../../src/model/objective.ts';
import { googleTiers } from '../../src/model/tier.ts';
import { objective, policies } from '../support/policies.ts';
import { CountedTraffic } from '../support/slo-traffic.ts';

const STEP_MS = 10_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START = 20_000 * DAY_MS;

const TIERS = googleTiers(30 * DAY_MS);
const SHOP = objective({
  service: 'shop',
  name: 'availability',
  target: 0.99,
  windowMs: 30 * DAY_MS,
  alerts: { tiers: TIERS, basis: 'rate', minBad: 10 },
});

/** Requests every 10 s, all at the begin of the step; null: telemetry lost. */
type Step = readonly [valid: number, bad: number] | null;
const steps = (minutes: number, step: Step): Step[] => new Array<Step>(minutes * 6).fill(step);
const minutes = (at: number | null) => (at === null ? null : (at - START) / MINUTE_MS);

class Scene {
  readonly traffic = new CountedTraffic();
  readonly changes: AlertChange[] = [];
  book: AlertBook;
  at = START;
  readonly #objective: Objective;
  readonly #saved = new Map<string, StoredNote>();
  #heardAt: number | null = null;

  constructor(of: Objective = SHOP) {
    this.#objective = of;
    this.book = new AlertBook(policies({ objectives: [of] }));
  }

  run(all: readonly Step[]): this {
    for (const step of all) {
      if (step !== null && step[0] > 0) {
        this.traffic.add(this.#objective.id, this.at, step[0], step[1]);
        this.#heardAt = this.at + STEP_MS - 1;
      }
      this.at += STEP_MS;
      this.changes.push(...this.book.advance(this.traffic, this.at - 1, () => this.health()));
    }
    return this;
  }

  health(): TelemetryHealth {
    return telemetryHealth({ newestAt: this.#heardAt, streamAt: this.at - 1, isKnown: true });
  }

  restart(): void {
    for (const note of this.book.snapshot()) this.#saved.set(note.key, note);
    this.book = new AlertBook(policies({ objectives: [this.#objective] }));
    this.book.restore([...this.#saved.values()]);
  }

  /** From what, to what and at which minute. */
  get told() {
    return this.changes.map(({ from, to, at }) => [from, to, Math.ceil((at - START) / MINUTE_MS)]);
  }

  get view() {
    return this.book.view(this.#objective.id);
  }

  get incidents() {
    return this.book.incidents(this.#objective.id);
  }
}

describe('an outage', () => {
  const outage = [...steps(180, [100, 0]), ...steps(20, [100, 50]), ...steps(120, [100, 0])];

  it('pages, then leaves a ticket behind, and ends', () => {
    const scene = new Scene().run([...outage, ...steps(20 * 60, [100, 0])]);
    expect(scene.told.map(([from, to]) => [from, to])).toEqual([
      [null, 'ticket'],
      ['ticket', 'page'],
      ['page', 'ticket'],
      ['ticket', null],
    ]);
    const [, page] = scene.changes;
    expect(page?.reading).toMatchObject({ isFiring: true, why: 'rate', tier: { severity: 'page' } });
    expect(scene.changes[3]?.reading).toBeNull();
    expect(scene.view).toMatchObject({ severity: null, since: null, isFrozen: false });
  });

  it('is one incident, from its first bad slot to its last', () => {
    const scene = new Scene().run([...outage, ...steps(20 * 60, [100, 0])]);
    expect(scene.incidents).toHaveLength(1);
    const [incident] = scene.incidents;
    expect(minutes(incident?.startedAt ?? null)).toBe(180);
    expect(minutes(incident?.endedAt ?? null)).toBe(200);
    expect(incident?.detectedAt).toBe(scene.changes[0]?.at);
    expect(incident).toMatchObject({ objective: SHOP.id, severity: 'page', bad: 20 * 6 * 50, releases: [] });
    // Of what the budget allowed by then: 1 % of 200 minutes of 600 requests, so five times as much.
    expect(incident?.budgetShare).toBe(5);
  });

  it('is an incident without end while it goes on, with what it has spent so far', () => {
    const scene = new Scene().run(outage.slice(0, 198 * 6));
    expect(scene.incidents).toMatchObject([{ endedAt: null, severity: 'page', bad: 18 * 6 * 50 }]);
    scene.run(outage.slice(198 * 6, 199 * 6));
    expect(scene.incidents).toMatchObject([{ endedAt: null, bad: 19 * 6 * 50 }]);
  });

  it('gives times to detect and to restore', () => {
    const scene = new Scene().run([...outage, ...steps(20 * 60, [100, 0])]);
    const figures = deliveryFigures({ runs: [], incidents: scene.incidents, now: scene.at, windowMs: 30 * DAY_MS });
    expect(figures.meanTimeToRestoreMs).toBe(20 * MINUTE_MS);
    // Half of the requests fail, at 99 %: the trickle tier asks for more than 1 % of (180 + t) minutes, and half of t is that after 3 min 40 s.
    expect(figures.meanTimeToDetectMs).toBeCloseTo(3 * MINUTE_MS + 50_000 - 1, 6);
  });

  it('and another one are two incidents, newest first and apart', () => {
    const page = { ...SHOP, alerts: { ...SHOP.alerts, tiers: TIERS.slice(0, 1) } };
    const scene = new Scene(page).run([
      ...steps(60, [100, 0]),
      ...steps(20, [100, 50]),
      ...steps(30, [100, 0]),
      ...steps(10, [100, 80]),
      ...steps(90, [100, 0]),
    ]);
    expect(scene.incidents.map(({ startedAt, endedAt }) => [minutes(startedAt), minutes(endedAt)])).toEqual([
      [110, 120],
      [60, 80],
    ]);
    expect(scene.incidents.map(({ bad }) => bad)).toEqual([10 * 6 * 80, 20 * 6 * 50]);
  });
});

describe('readings', () => {
  it('agree with a recount of every window, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 50 })), { minLength: 20, maxLength: 60 }),
        (all) => {
          const scene = new Scene().run(all.flatMap(([valid, bad]) => steps(5, [valid, Math.min(valid, bad)])));
          expect(scene.view.tiers).toHaveLength(4);
          for (const { tier, long, short, longBurn } of scene.view.tiers) {
            expect(long).toEqual(scene.traffic.over(SHOP, scene.at - tier.longMs, scene.at));
            expect(short).toEqual(scene.traffic.over(SHOP, scene.at - tier.shortMs, scene.at));
            expect(longBurn).toBeCloseTo(long.bad / long.valid / 0.01, 9);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('agree with it in every second, not only where windows move on', () => {
    const scene = new Scene().run(steps(100, [10, 1]));
    const start = scene.at;
    for (let second = 0; second < 30; second++) {
      scene.traffic.add(SHOP.id, start + second * 1000, 5, second % 3);
      scene.book.advance(scene.traffic, start + second * 1000 + 999, () => ({ state: 'ok', heardAt: start + second * 1000 }));
      const to = (Math.floor((start + second * 1000) / STEP_MS) + 1) * STEP_MS;
      for (const { tier, long, short } of scene.view.tiers) {
        expect(long).toEqual(scene.traffic.over(SHOP, to - tier.longMs, to));
        expect(short).toEqual(scene.traffic.over(SHOP, to - tier.shortMs, to));
      }
    }
  });

  it('of the budget form count the period by the busiest of month, day and hour', () => {
    const budget = { ...SHOP, alerts: { ...SHOP.alerts, basis: 'budget' as const } };
    const scene = new Scene(budget).run(steps(120, [10, 1]));
    // 3,600 an hour for 720 hours, counted up to the last whole turn.
    expect(scene.view.tiers[0]?.longSpent).toBeCloseTo(360 / (0.01 * 3600 * 720), 9);
  });

  it('are not taken again within the same second', () => {
    const scene = new Scene().run([...steps(60, [100, 0]), ...steps(10, [100, 100])]);
    const before = scene.view;
    scene.traffic.add(SHOP.id, scene.at - 1, 1_000_000, 0);
    expect(scene.book.advance(scene.traffic, scene.at - 1, () => scene.health())).toEqual([]);
    expect(scene.view).toEqual(before);
  });
});

describe('lost telemetry', () => {
  it.each(['rate', 'budget', 'both'] as const)('for hours ends no ticket while the burn before and after it goes on, by %s', (basis) => {
    const tiers = TIERS.filter(({ longMs }) => longMs === 3 * DAY_MS);
    const of = { ...SHOP, alerts: { tiers, basis, minBad: 10 } };
    const scene = new Scene(of).run(steps(30 * 60, [100, 3]));
    expect(scene.view.severity).toBe('ticket');
    scene.run([...steps(5 * 60 + 30, null), ...steps(90, [100, 3])]);
    expect(scene.view.severity).toBe('ticket');
    expect(scene.changes.filter(({ to }) => to === null)).toEqual([]);
  });

  it('freezes state, readings and incident until it is heard again', () => {
    const scene = new Scene().run([...steps(60, [100, 0]), ...steps(20, [100, 50])]);
    const heard = scene.incidents;
    scene.run(steps(10 * 60, null));
    expect(scene.view).toMatchObject({ severity: 'page', isFrozen: true });
    expect(scene.incidents).toEqual(heard);
    scene.run(steps(1, [100, 0]));
    expect(scene.view).toMatchObject({ severity: 'page', isFrozen: false });
    scene.run(steps(60, [100, 0]));
    expect(scene.view.severity).not.toBe('page');
  });

  it('never fires and never ends anything, wherever it begins', () => {
    const all = [...steps(30, [100, 0]), ...steps(10, [100, 50]), ...steps(90, [100, 0])];
    fc.assert(
      fc.property(fc.nat(all.length - 1), (cut) => {
        const scene = new Scene().run(all.slice(0, cut));
        const told = scene.told.length;
        const { severity } = scene.view;
        scene.run(steps(60, null));
        expect(scene.view.severity).toBe(severity);
        expect(scene.told).toHaveLength(told);
      }),
      { numRuns: 30 },
    );
  });

  it('of a service says nothing of others', () => {
    const other = objective({ ...SHOP, service: 'cart', id: 'cart:availability' });
    const book = new AlertBook(policies({ objectives: [SHOP, other] }));
    const traffic = new CountedTraffic();
    for (const { id } of [SHOP, other]) traffic.add(id, START, 100, 100);
    const health = (service: string) =>
      telemetryHealth({ newestAt: service === 'cart' ? START : START - HOUR_MS, streamAt: START, isKnown: true });
    expect(book.advance(traffic, START, health).map((change) => change.objective.id)).toEqual([other.id]);
    expect(book.view(SHOP.id)).toMatchObject({ severity: null, isFrozen: true });
  });

  it('is not what state that is unknown needs to freeze', () => {
    const traffic = new CountedTraffic();
    traffic.add(SHOP.id, START, 100, 100);
    const book = new AlertBook(policies({ objectives: [SHOP] }));
    expect(book.advance(traffic, START, () => ({ state: 'unknown', heardAt: START }))).toEqual([]);
    expect(book.view(SHOP.id).isFrozen).toBe(true);
  });
});

describe('a restart', () => {
  const all = [
    ...steps(30, [100, 0]),
    ...steps(10, [100, 50]),
    ...steps(60, [100, 0]),
    ...steps(5, null),
    ...steps(10, [100, 90]),
    ...steps(80, [100, 0]),
  ];
  const whole = new Scene().run(all);

  it('at any moments changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(all.length - 1), { maxLength: 4 }), (cuts) => {
        const scene = new Scene();
        let done = 0;
        for (const cut of [...cuts].sort((a, b) => a - b)) {
          scene.run(all.slice(done, cut));
          scene.restart();
          done = Math.max(done, cut);
        }
        scene.run(all.slice(done));
        expect(scene.told).toEqual(whole.told);
        expect(scene.view).toEqual(whole.view);
        expect(scene.incidents).toEqual(whole.incidents);
      }),
      { numRuns: 15 },
    );
  });

  it('saves nothing where nothing happened', () => {
    const scene = new Scene().run(steps(10, [100, 0]));
    expect(scene.book.snapshot()).toEqual([]);
  });

  it('leaves out objectives that are gone', () => {
    const notes = new Scene().run(all.slice(0, 40 * 6)).book.snapshot();
    const book = new AlertBook(policies({ objectives: [objective({ service: 'cart' })] }));
    book.restore(notes);
    expect(book.view(SHOP.id).severity).toBeNull();
    expect(book.incidents(SHOP.id)).toEqual([]);
  });

  it.each(['{', '{}', '{"states":1,"open":[]}'])('from a note that is not what was written is refused: %s', (json) => {
    expect(() => new AlertBook(policies({ objectives: [SHOP] })).restore([{ key: 'alerts', json }])).toThrow('reading note alerts');
  });
});

describe('new policies', () => {
  const burning = [...steps(60, [100, 0]), ...steps(10, [100, 100])];

  it('keep the alert of an objective that stays', () => {
    const scene = new Scene().run(burning);
    const { since } = scene.view;
    scene.book.reconfigure(policies({ objectives: [{ ...SHOP, target: 0.995 }, objective({ service: 'cart' })] }));
    scene.run(steps(1, [100, 100]));
    expect(scene.view).toMatchObject({ severity: 'page', since });
    expect(scene.incidents).toHaveLength(1);
  });

  it('without tiers end the alert and its incident', () => {
    const scene = new Scene().run(burning);
    scene.book.reconfigure(policies({ objectives: [{ ...SHOP, alerts: { ...SHOP.alerts, tiers: [] } }] }));
    scene.run(steps(1, [100, 0]));
    expect(scene.view).toEqual({ severity: null, since: null, isFrozen: false, tiers: [] });
    expect(scene.incidents.map(({ endedAt }) => minutes(endedAt))).toEqual([70]);
  });

  it('without the objective drop all of it', () => {
    const scene = new Scene().run(burning);
    scene.book.reconfigure(policies({ objectives: [objective({ service: 'cart' })] }));
    expect(scene.view.severity).toBeNull();
    expect(scene.incidents).toEqual([]);
  });
});

it('a service whose first spans are of the last hour, all at once, is read by all of them', () => {
  const traffic = new CountedTraffic();
  const book = new AlertBook(policies({ objectives: [SHOP] }));
  const now = START + 5000;
  book.advance(traffic, now, () => telemetryHealth({ newestAt: null, streamAt: now, isKnown: true }));
  for (let at = START - HOUR_MS + STEP_MS; at <= START; at += STEP_MS) traffic.add(SHOP.id, at, 100, 20);
  book.advance(traffic, now + 1000, () => telemetryHealth({ newestAt: START, streamAt: now, isKnown: true }));
  expect(book.view(SHOP.id).tiers[0]).toMatchObject({ long: { valid: 36_000, bad: 7200 }, isFiring: true });
});
