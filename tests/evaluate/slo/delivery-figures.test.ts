/** DORA's figures from runs and incidents. */
import { describe, expect, it } from 'vitest';
import { deliveryFigures } from '../../../src/evaluate/slo/delivery-figures.ts';
import { RUN_STATES } from '../../../src/model/rollout.ts';

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;
const WINDOW = { now: NOW, windowMs: 30 * DAY_MS };

describe('delivery figures', () => {
  it('count promoted and rolled back runs only', () => {
    const runs = RUN_STATES.map((state) => ({ state, endedAt: NOW - DAY_MS }));
    expect(deliveryFigures({ runs, incidents: [], ...WINDOW })).toEqual({
      windowMs: 30 * DAY_MS,
      rollouts: 2,
      rolledBack: 1,
      changeFailRatio: 0.5,
      rolloutsPerDay: 2 / 30,
      incidents: 0,
      meanTimeToDetectMs: null,
      meanTimeToRestoreMs: null,
    });
  });

  it('leave out what lies before the window or after now', () => {
    const runs = [-1, 0, 30, 31].map((days) => ({ state: 'promoted' as const, endedAt: NOW - days * DAY_MS }));
    expect(deliveryFigures({ runs, incidents: [], ...WINDOW })).toMatchObject({ rollouts: 2, changeFailRatio: 0 });
  });

  it('take means over incidents that were detected, and that have ended', () => {
    const incidents = [
      { startedAt: NOW - 1000, detectedAt: NOW - 900, endedAt: NOW - 400 },
      { startedAt: NOW - 2000, detectedAt: NOW - 1700, endedAt: null },
      { startedAt: NOW - 3000, detectedAt: null, endedAt: NOW - 2000 },
      { startedAt: NOW - 31 * DAY_MS, detectedAt: NOW, endedAt: NOW },
    ];
    expect(deliveryFigures({ runs: [], incidents, ...WINDOW })).toMatchObject({
      rollouts: 0,
      changeFailRatio: null,
      incidents: 3,
      meanTimeToDetectMs: 200,
      meanTimeToRestoreMs: 800,
    });
  });
});
