/** Jumps of the wall clock are told from time that passes, and time that passed unseen from time that was seen. */
import { expect, it } from 'vitest';
import { ClockWatch, SYSTEM_CLOCK } from '../../src/service/clock.ts';
import { ManualClock } from './manual-clock.ts';

const AT = Date.UTC(2026, 4, 1, 12);
const HOUR_MS = 3_600_000;

it.each([
  ['an hour ahead', HOUR_MS],
  ['an hour back', -HOUR_MS],
  ['a day back', -24 * HOUR_MS],
  ['a little over five seconds', 5_001],
])('a wall clock set %s is a jump, seen once', (_, jumpMs) => {
  const clock = new ManualClock(AT);
  const watch = new ClockWatch(clock);
  clock.pass(500);
  clock.jump(jumpMs);
  expect(watch.look()).toEqual({ jumpMs, pauseMs: 0 });
  clock.pass(500);
  expect(watch.look()).toEqual({ jumpMs: 0, pauseMs: 0 });
});

it.each([
  [0, 0],
  [500, 0],
  [5_000, 0],
  [5_001, 5_001],
  [HOUR_MS, HOUR_MS],
])('%i ms that pass are no jump, and a pause of %i ms, seen once', (ms, pauseMs) => {
  const clock = new ManualClock(AT);
  const watch = new ClockWatch(clock);
  clock.pass(ms);
  expect(watch.look()).toEqual({ jumpMs: 0, pauseMs });
  expect(watch.look()).toEqual({ jumpMs: 0, pauseMs: 0 });
});

it('a clock that is slewed is no jump, however far it gets in the end', () => {
  const clock = new ManualClock(AT);
  const watch = new ClockWatch(clock);
  for (let i = 0; i < 1_000; i++) {
    clock.pass(500);
    clock.jump(100);
    expect(watch.look()).toEqual({ jumpMs: 0, pauseMs: 0 });
  }
});

it('the clock of the process does not jump by itself', () => {
  const watch = new ClockWatch(SYSTEM_CLOCK);
  expect(watch.look()).toEqual({ jumpMs: 0, pauseMs: 0 });
  expect(Math.abs(SYSTEM_CLOCK.now() - Date.now())).toBeLessThan(1_000);
});
