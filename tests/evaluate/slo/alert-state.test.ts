/** Alert states: what fires, what takes over, what ends it and when, and that lost telemetry does neither. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AlertState, holdMs, NO_ALERT, nextAlert } from '../../../src/evaluate/slo/alert-state.ts';
import { telemetryHealth } from '../../../src/evaluate/slo/telemetry-health.ts';
import { readTier } from '../../../src/evaluate/slo/tier-reading.ts';
import type { AlertPolicy, Severity, Tier } from '../../../src/model/objective.ts';
import { tierOf } from '../../../src/model/tier.ts';

const MINUTE_MS = 60_000;
const STEP_MS = 10_000;
const PERIOD_MS = 60 * 60 * MINUTE_MS;

/** Small enough to simulate: pages at 10 over 20 min and 2 min, a ticket at 2 over an hour and 5 min. */
const TIERS: readonly Tier[] = [
  tierOf({ severity: 'page', longMs: 20 * MINUTE_MS, shortMs: 2 * MINUTE_MS, budgetShare: 10 / 180 }, PERIOD_MS),
  tierOf({ severity: 'ticket', longMs: 60 * MINUTE_MS, shortMs: 5 * MINUTE_MS, budgetShare: 2 / 60 }, PERIOD_MS),
];
const POLICY: AlertPolicy = { tiers: TIERS, basis: 'rate', minBad: 5 };

/** Events of every 10 s; null: none came and the telemetry was lost. */
type Step = readonly [valid: number, bad: number] | null;

/** States after every step, at a target of 99 %. */
function run(
  steps: readonly Step[],
  policy = POLICY,
  from: AlertState = NO_ALERT,
  isLost = (i: number) => steps[i] === null,
): AlertState[] {
  let state = from;
  let heardAt = 0;
  return steps.map((step, i) => {
    const at = (i + 1) * STEP_MS;
    if (step !== null) heardAt = at;
    const over = (windowMs: number) => {
      const within = steps.slice(Math.max(0, i + 1 - windowMs / STEP_MS), i + 1);
      const sum = (column: 0 | 1) => within.reduce((total, step) => total + (step?.[column] ?? 0), 0);
      return { from: at - windowMs, to: at, valid: sum(0), bad: sum(1) };
    };
    const readings = policy.tiers.map((tier) =>
      readTier({ tier, long: over(tier.longMs), short: over(tier.shortMs), target: 0.99, policy, period: 360_000 }),
    );
    state = nextAlert(state, readings, { at, heardAt, isFrozen: isLost(i), policy });
    return state;
  });
}

const steps = (minutes: number, step: Step): Step[] => new Array<Step>(minutes * 6).fill(step);
const severityAt = (states: readonly AlertState[], minute: number) => states[minute * 6 - 1]?.severity;

describe('an alert', () => {
  it('is the worst that fires: the page silences the ticket', () => {
    const states = run([...steps(60, [100, 0]), ...steps(15, [100, 100])]);
    expect(severityAt(states, 60)).toBeNull();
    expect(severityAt(states, 75)).toBe('page');
    expect(states.at(-1)?.held.map(({ severity }) => severity)).toEqual(['page', 'ticket']);
  });

  it('goes from page to ticket when only that still burns, and tells since when', () => {
    const states = run([...steps(60, [100, 0]), ...steps(15, [100, 50]), ...steps(30, [100, 4]), ...steps(90, [100, 0])]);
    const changes = states.flatMap(({ severity, since }, i) => (severity === (states[i - 1]?.severity ?? null) ? [] : [[severity, since]]));
    expect(changes.map(([severity]) => severity)).toEqual(['ticket', 'page', 'ticket', null]);
    expect(changes.map(([, since]) => since)).toEqual([...changes.slice(0, 3).map(([, since]) => since as number), null]);
    expect(states.every(({ severity, since }) => (severity === null) === (since === null))).toBe(true);
  });

  it('does not end at the first calm moment, but when it has been calm for the short window of its tier', () => {
    const page = { ...POLICY, tiers: [TIERS[0] as Tier] };
    const states = run([...steps(60, [100, 0]), ...steps(10, [100, 100]), ...steps(20, [100, 0])], page);
    // The short window of 2 min is calm after 1 min 50 s of good requests or so; two minutes later the alert goes.
    expect(severityAt(states, 70)).toBe('page');
    expect(severityAt(states, 73)).toBe('page');
    expect(severityAt(states, 74)).toBeNull();
  });

  it('stays on through an outage of one minute in every three', () => {
    const page = { ...POLICY, tiers: [TIERS[0] as Tier] };
    const cycle = [...steps(1, [100, 100]), ...steps(2, [100, 0])];
    const states = run([...steps(30, [100, 0]), ...Array.from({ length: 10 }, () => cycle).flat()], page);
    const severities = states.slice(40 * 6).map(({ severity }) => severity);
    expect(new Set(severities)).toEqual(new Set(['page']));
  });

  it.each([
    [30_000, 120_000],
    [300_000, 300_000],
    [1_800_000, 1_800_000],
    [21_600_000, 1_800_000],
  ])('with a short window of %d ms must be calm for %d ms', (shortMs, hold) => {
    expect(holdMs({ shortMs })).toBe(hold);
  });

  it('is not ended by requests that stop, before the long window has let go of what went wrong', () => {
    const page = { ...POLICY, tiers: [TIERS[0] as Tier] };
    const states = run([...steps(60, [100, 0]), ...steps(5, [100, 100]), ...steps(40, [0, 0])], page, NO_ALERT, () => false);
    expect(severityAt(states, 84)).toBe('page');
    expect(severityAt(states, 88)).toBeNull();
  });

  it('of a tier that is no longer declared ends at once', () => {
    const states = run([...steps(60, [100, 0]), ...steps(15, [100, 100])]);
    const fired = states.at(-1) as AlertState;
    expect(nextAlert(fired, [], { at: 1, heardAt: 1, isFrozen: false, policy: POLICY })).toEqual(NO_ALERT);
  });
});

describe('lost telemetry', () => {
  const outage = [...steps(60, [100, 0]), ...steps(10, [100, 100])];

  it('freezes a page for as long as it lasts, and then counts on', () => {
    const states = run([...outage, ...steps(5, null), ...steps(1, [100, 0]), ...steps(120, null), ...steps(20, [100, 0])]);
    expect(severityAt(states, 70)).toBe('page');
    expect(severityAt(states, 196)).toBe('page');
    expect(states[195 * 6 - 1]?.isFrozen).toBe(true);
    expect(states.at(-1)?.isFrozen).toBe(false);
    expect(severityAt(states, 216)).not.toBe('page');
  });

  it('lets no time pass: calm of before and after add up, and the hole counts one minute', () => {
    const page = { ...POLICY, tiers: [TIERS[0] as Tier] };
    const slow = { ...page, tiers: [{ ...(TIERS[0] as Tier), shortMs: 10 * MINUTE_MS }] };
    const lastOf = (all: readonly Step[]) => run(all, slow).findLastIndex(({ severity }) => severity === 'page') + 1;
    const oneGood = [...outage, ...steps(60, null), [100, 0] as const];
    expect(run(oneGood, page).at(-1)?.severity).toBe('page');
    const quiet = steps(12, [100, 0]);
    // The first good step after the hole comes with a minute instead of its own ten seconds.
    expect(lastOf([...outage, ...quiet, ...steps(60, null), ...steps(30, [100, 0])])).toBe(
      lastOf([...outage, ...quiet, ...steps(30, [100, 0])]) + 60 * 6 - (6 - 1),
    );
  });

  it('ends for a service that speaks once in five minutes, if later', () => {
    const page = { ...POLICY, tiers: [TIERS[0] as Tier] };
    const seldom = Array.from({ length: 12 }, () => [...steps(2, null), ...steps(3, null).slice(1), [100, 0] as const]).flat();
    expect(run([...outage, ...seldom], page).at(-1)?.severity).toBeNull();
  });

  it('is not heard through by state that is unknown: calm does not count there', () => {
    const page = { ...POLICY, tiers: [TIERS[0] as Tier] };
    const all = [...outage, ...steps(90, [100, 0])];
    const states = run(all, page, NO_ALERT, (i) => i >= 71 * 6 && i < 131 * 6);
    expect(severityAt(states, 131)).toBe('page');
    expect(states[131 * 6]?.held[0]?.calmMs).toBeLessThanOrEqual(STEP_MS);
    expect(states.at(-1)?.severity).toBeNull();
  });

  const step = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.integer({ min: 0, max: 50 }), fc.double({ min: 0, max: 1, noNaN: true })) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
  const traffic = fc
    .array(fc.tuple(step, fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 12 })
    .map((runs) =>
      runs.flatMap(([one, length]) =>
        new Array<Step>(length).fill(one === null ? null : [one[0], Math.floor(one[0] * (one[1] < 0.5 ? 0 : one[1]))]),
      ),
    );
  const basis = fc.constantFrom('rate', 'budget', 'both' as const);

  it('never changes a severity', () => {
    fc.assert(
      fc.property(traffic, basis, (all, form) => {
        const states = run(all, { ...POLICY, basis: form });
        states.forEach(({ severity, isFrozen }, i) => {
          expect(isFrozen).toBe(all[i] === null);
          if (isFrozen) expect(severity).toBe(states[i - 1]?.severity ?? null);
        });
      }),
    );
  });

  it('or not, of the same requests more bad ones never end an alert earlier or make it less', () => {
    const rank: Record<Severity | 'none', number> = { none: 0, ticket: 1, page: 2 };
    fc.assert(
      fc.property(traffic, fc.infiniteStream(fc.integer({ min: 0, max: 20 })), basis, (all, extra, form) => {
        const policy = { ...POLICY, basis: form };
        const worse = all.map((one): Step => (one === null ? null : [one[0], Math.min(one[0], one[1] + (extra.next().value as number))]));
        const before = run(all, policy);
        const after = run(worse, policy);
        after.forEach(({ severity }, i) => {
          expect(rank[severity ?? 'none']).toBeGreaterThanOrEqual(rank[before[i]?.severity ?? 'none']);
        });
      }),
    );
  });

  it('or not, the state goes through JSON at any moment and nothing changes', () => {
    fc.assert(
      fc.property(traffic, fc.nat(), (all, cut) => {
        const at = cut % all.length;
        const states = run(all);
        const state = states[at] as AlertState;
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      }),
    );
  });
});

describe('a service', () => {
  it.each([
    ['never heard', null, 1_000_000, true, 'silent'],
    ['heard now', 1_000_000, 1_000_000, true, 'ok'],
    ['two minutes behind', 880_000, 1_000_000, true, 'ok'],
    ['more than two minutes behind', 879_999, 1_000_000, true, 'silent'],
    ['heard, of which the past is lost', 1_000_000, 1_000_000, false, 'unknown'],
  ] as const)('%s is told so', (_, newestAt, streamAt, isKnown, state) => {
    expect(telemetryHealth({ newestAt, streamAt, isKnown })).toEqual({ state, heardAt: newestAt });
  });
});
