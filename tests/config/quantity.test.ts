/** Quantities are read exactly, and only with their unit. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { Complaint, complementOfPercent, parseBytes, parseDurationNs, parsePercent, ratioOfPercent } from '../../src/config/quantity.ts';

describe('a duration', () => {
  it.each([
    ['500ms', 500_000_000n],
    ['0s', 0n],
    ['1.5s', 1_500_000_000n],
    ['1h30m', 5_400_000_000_000n],
    ['250us', 250_000n],
    ['250µs', 250_000n],
    ['28d', 2_419_200_000_000_000n],
    ['4w', 2_419_200_000_000_000n],
  ])('`%s` is %s ns', (text, ns) => {
    expect(parseDurationNs(text)).toBe(ns);
  });

  it.each([
    [30, 'the unit is missing', '30s'],
    ['30', 'the unit is missing', '30s'],
    ['30 s', 'a duration has no spaces', '30s'],
    ['30sec', 'there is no unit `sec`', '30s'],
    ['30S', 'there is no unit `S`', '30s'],
    ['30y', 'there is no unit `y`', undefined],
    ['1M', '`M` could be minutes (`m`) or months (`30d`)', undefined],
    ['-5s', 'a duration is not negative', undefined],
    ['0.1ns', 'finer than a nanosecond', undefined],
    ['', 'not a duration', undefined],
    ['soon', 'not a duration', undefined],
    ['5s later', 'not a duration', undefined],
    [true, 'not a duration', undefined],
    [['5s'], 'not a duration', undefined],
  ])('%j is refused: %s', (value, message, suggestion) => {
    expect(parseDurationNs(value)).toMatchObject({ message, suggestion });
  });

  test.prop([fc.nat(1_000_000), fc.constantFrom('ms', 's', 'm')])('of a whole number of units is that many of them', (n, unit) => {
    const factor = { ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n }[unit as 'ms' | 's' | 'm'];
    expect(parseDurationNs(`${n}${unit}`)).toBe(BigInt(n) * factor);
  });
});

describe('a percentage', () => {
  it.each([
    ['99.9%', 0.999, 0.001],
    ['99.95%', 0.9995, 0.0005],
    ['0.1%', 0.001, 0.999],
    ['5%', 0.05, 0.95],
    ['99.999%', 0.99999, 0.00001],
    ['33.3%', 0.333, 0.667],
  ])('`%s` is %d, and 1 less it is %d, without float dirt', (text, ratio, complement) => {
    const digits = parsePercent(text) as string;
    expect(ratioOfPercent(digits)).toBe(ratio);
    expect(complementOfPercent(digits)).toBe(complement);
  });

  it.each([
    [99.9, '99.9%'],
    ['99.9', '99.9%'],
    ['99.9 %', '99.9%'],
    [0.999, '99.9%'],
    ['0.0005', '0.05%'],
    ['0.5', '50%'],
  ])('%j is refused, and %s is meant', (value, suggestion) => {
    expect(parsePercent(value)).toMatchObject({ suggestion });
  });

  it.each(['', '%', '-1%', '1e3%', 'all', '99,9%'])('`%s` is none', (text) => {
    expect(parsePercent(text)).toBeInstanceOf(Complaint);
  });

  test.prop([fc.nat(99_999_999), fc.integer({ min: 0, max: 6 })])('and its complement add up to one in their decimals', (units, scale) => {
    const text = (units / 1e6).toFixed(scale);
    const sum = ratioOfPercent(text) + complementOfPercent(text);
    expect(Math.abs(sum - 1)).toBeLessThanOrEqual(Number.EPSILON);
  });
});

describe('a size', () => {
  it.each([
    ['256B', 256],
    ['64KiB', 65_536],
    ['64MiB', 67_108_864],
    ['1GiB', 1_073_741_824],
  ])('`%s` is %d bytes', (text, size) => {
    expect(parseBytes(text)).toBe(size);
  });

  it.each([
    ['64MB', '64MiB'],
    ['64m', '64MiB'],
    ['64 MiB', '64MiB'],
    [64, undefined],
    ['64TB', undefined],
    ['many', undefined],
  ])('%j is refused, and %s is meant', (value, suggestion) => {
    const complaint = parseBytes(value);
    expect(complaint).toBeInstanceOf(Complaint);
    expect(complaint).toMatchObject({ suggestion });
  });
});
