/** A tier whose short window was no longer than a slice and the wait for late spans saw no slice at all, and slept through every outage. */
import { expect, it } from 'vitest';
import { googleTiers } from '../../src/model/tier.ts';
import { Live, scenarioConfig } from '../scenarios/live.ts';
import { WORLD_START, World } from '../scenarios/world.ts';
import { objective } from '../support/policies.ts';

const DAY_MS = 86_400_000;
const SICK_FROM = 600;

it.each([
  ['10 s', '70 s', 10_000, 7],
  ['1 min', '70 s', 60_000, 7],
  ['5 min', '5 min', 300_000, 30],
  ['10 min', '5 min', 600_000, 30],
])('slices of %s wake a tier with a short window of %s', (_, __, sliceMs, days) => {
  const windowMs = days * DAY_MS;
  const alerts = { tiers: googleTiers(windowMs).slice(0, 1), basis: 'rate', minBad: 1 } as const;
  const shop = objective({ service: 'checkout', target: 0.95, windowMs, budgeting: { kind: 'timeslices', sliceMs, ratio: 0.9 }, alerts });
  const live = new Live(scenarioConfig({ objectives: [shop] }));
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 3, behaviour: (second) => ({ errorRatio: second < SICK_FROM ? 0 : 1 }) },
  ]);
  live.play(world, 3600);
  const [report] = live.engine.views.sloReport(live.now).objectives;
  const [reading] = report?.alert.tiers ?? [];
  expect(report?.alert.severity).toBe('page');
  expect(reading?.short.valid).toBeGreaterThan(0);
  expect(reading?.short.bad).toBe(reading?.short.valid);
  expect(report?.incidents[0]?.detectedAt).toBeGreaterThan(WORLD_START + SICK_FROM * 1000);
});
