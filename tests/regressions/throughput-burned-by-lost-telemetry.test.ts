/** The minute in which all telemetry was lost had too few requests in it, and was held against the service. */
import { expect, it } from 'vitest';
import { Live, scenarioConfig } from '../scenarios/live.ts';
import { World } from '../scenarios/world.ts';
import { objective } from '../support/policies.ts';

const MINUTE_MS = 60_000;
const LOST = [605, 935] as const;
const BUSY = objective({
  service: 'checkout',
  target: 0.95,
  windowMs: 60 * MINUTE_MS,
  budgeting: { kind: 'timeslices', sliceMs: MINUTE_MS, ratio: null },
  sli: { kind: 'throughput', bound: 'least', perSecond: 6 },
});

function counted(heardMeanwhile: string | null): { valid: number; bad: number } {
  const live = new Live(scenarioConfig({ objectives: [BUSY] }));
  const exports = (second: number) => second < LOST[0] || second >= LOST[1];
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 10, exportMs: 1000, exports },
    { service: 'search', version: 'v1', rate: 3, ...(heardMeanwhile !== 'search' && { exports }) },
  ]);
  live.play(world, 1500);
  const [report] = live.engine.views.sloReport(live.now).objectives;
  return { valid: report?.counts.valid ?? 0, bad: report?.counts.bad ?? 0 };
}

it('what was lost with everything else is neither good nor bad', () => {
  expect(counted(null).bad).toBe(0);
});

it('what was missing while others were heard is bad', () => {
  expect(counted('search').bad).toBe(6);
});
