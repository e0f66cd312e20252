/** Numbers as they are read. */
import { describe, expect, it } from 'vitest';
import { latencyText, lengthText, momentText, oddsText, percent, timesText, timeText } from '../../src/model/number-text.ts';
import { NOON } from './evidence.ts';

it.each([
  [0, '0 %'],
  [1, '100 %'],
  [0.5, '50 %'],
  [0.05, '5 %'],
  [0.0512, '5.1 %'],
  [0.000592, '0.059 %'],
  [0.999, '99.9 %'],
  [0.99955, '99.955 %'],
  [0.999996, '99.9996 %'],
  [1e-9, '< 0.0001 %'],
  [1 - 1e-9, '> 99.9999 %'],
  [1.5, '150 %'],
  [0.1, '10 %'],
])('the ratio %d is read as %s', (ratio, text) => {
  expect(percent(ratio)).toBe(text);
});

it.each([
  [0, '1'],
  [Math.log(3.5), '3.5'],
  [Math.log(455), '455'],
  [Math.log(2_980), '2,980'],
  [40, 'more than 1,000,000'],
  [-5, 'less than 0.1'],
])('a wealth of e^%d is read as odds of %s', (logWealth, text) => {
  expect(oddsText(logWealth)).toBe(text);
});

it.each([
  [89.3, '89'],
  [1.04, '1'],
  [1.26, '1.3'],
  [0.449, '0.45'],
  [0.0031, '0.0031'],
  [0, '0'],
  [12_345, '12,345'],
])('the factor %d is read as %s', (factor, text) => {
  expect(timesText(factor)).toBe(text);
});

it.each([
  [250, '0.25 ms'],
  [1_500, '1.5 ms'],
  [204_800, '205 ms'],
  [12_345_678, '12.3 s'],
])('%d µs are read as %s', (us, text) => {
  expect(latencyText(us)).toBe(text);
});

it.each([
  [0, '1 s'],
  [40_400, '40 s'],
  [99_499, '99 s'],
  [100_000, '2 min'],
  [2_400_000, '40 min'],
  [6_000_000, '2 h'],
  [86_400_000, '24 h'],
  [5 * 86_400_000, '5 days'],
])('%d ms to wait are read as %s', (ms, text) => {
  expect(lengthText(ms)).toBe(text);
});

describe('event time', () => {
  it('is UTC', () => {
    expect(timeText(NOON + 184_900)).toBe('12:03:04');
    expect(momentText(NOON)).toBe('2026-01-02 12:00:00 UTC');
  });

  it.each([Number.NEGATIVE_INFINITY, Number.NaN, 1e300])('%d is no time, and said so', (at) => {
    expect(timeText(at)).toBe('--:--:--');
  });
});
