/** Jumps of the wall clock are told from time that passes. */
import { expect, it } from 'vitest';
import { JumpDetector, SYSTEM_CLOCK } from '../../src/service/clock.ts';
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
  const jumps = new JumpDetector(clock);
  clock.pass(500);
  clock.jump(jumpMs);
  expect(jumps.look()).toBe(jumpMs);
  clock.pass(500);
  expect(jumps.look()).toBe(0);
});

it.each([0, 500, 5_000, HOUR_MS])('%i ms that pass are no jump', (ms) => {
  const clock = new ManualClock(AT);
  const jumps = new JumpDetector(clock);
  clock.pass(ms);
  expect(jumps.look()).toBe(0);
});

it('a clock that is slewed is no jump, however far it gets in the end', () => {
  const clock = new ManualClock(AT);
  const jumps = new JumpDetector(clock);
  for (let i = 0; i < 1_000; i++) {
    clock.pass(500);
    clock.jump(100);
    expect(jumps.look()).toBe(0);
  }
});

it('the clock of the process does not jump by itself', () => {
  const jumps = new JumpDetector(SYSTEM_CLOCK);
  expect(jumps.look()).toBe(0);
  expect(Math.abs(SYSTEM_CLOCK.now() - Date.now())).toBeLessThan(1_000);
});
