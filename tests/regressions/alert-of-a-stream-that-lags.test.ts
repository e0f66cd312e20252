/** Windows ended with the wall clock: a stream that was more than a short window behind, though heard all the time, never fired its page. */
import { expect, it } from 'vitest';
import { tierOf } from '../../src/model/tier.ts';
import { Live, scenarioConfig } from '../scenarios/live.ts';
import { WORLD_START, World } from '../scenarios/world.ts';
import { objective } from '../support/policies.ts';

const WEEK_MS = 7 * 86_400_000;
const SICK_FROM = 240;
/** The first of the usual tiers, scaled to a week. */
const tiers = [tierOf({ severity: 'page', longMs: 840_000, shortMs: 70_000, budgetShare: 0.02 }, WEEK_MS)];
const SHOP = objective({ service: 'checkout', target: 0.99, windowMs: WEEK_MS, alerts: { tiers, basis: 'rate', minBad: 10 } });

it.each([0, 60, 75, 110])('that is %i s behind fires by so much later, and no more', (lagSec) => {
  const live = new Live(scenarioConfig({ objectives: [SHOP] }));
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 10, behaviour: (second) => ({ errorRatio: second < SICK_FROM ? 0.001 : 0.8 }) },
  ]);
  for (const { at, bytes } of world.until(600)) live.arrive({ at: at + lagSec * 1000, bytes });
  const [report] = live.engine.views.sloReport(live.now).objectives;
  expect(report?.alert).toMatchObject({ severity: 'page', isFrozen: false });
  const detectedAt = report?.incidents[0]?.detectedAt ?? Number.POSITIVE_INFINITY;
  expect(detectedAt - WORLD_START).toBeLessThan((SICK_FROM + 90 + lagSec) * 1000);
});
