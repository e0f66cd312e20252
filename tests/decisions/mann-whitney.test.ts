/** The comparison with Kayenta is fair: its classifier gives what R and its own users' cases give. */
import { describe, expect, it } from 'vitest';
import { isHigh, rankSumZ, shiftAt } from '../bench/decisions/comparators/mann-whitney.ts';

const ten = (from: number, step = 0.01) => Array.from({ length: 10 }, (_, i) => from + i * step);

describe('the rank-sum statistic', () => {
  it('is (9 - 4.5 - 0.5) / sqrt(5.25) for three points below three', () => {
    expect(rankSumZ([1, 2, 3], [4, 5, 6], 0)).toBeCloseTo(4 / Math.sqrt(5.25), 12);
  });

  it('averages the ranks of ties and takes their spread away', () => {
    expect(rankSumZ([1, 2], [2, 3], 0)).toBeCloseTo(1 / Math.sqrt(1.5), 12);
  });

  it('is zero between alike points and the other way round when they change places', () => {
    expect(rankSumZ([1, 3], [2, 2], 0)).toBe(0);
    expect(rankSumZ([4, 5, 6], [1, 2, 3], 0)).toBeCloseTo(-4 / Math.sqrt(5.25), 12);
  });

  it('says nothing when all points are tied', () => {
    expect(rankSumZ([0, 0], [0, 0, 0], 0)).toBeNaN();
  });
});

describe('the shift', () => {
  it('is the median of all differences (Hodges and Lehmann)', () => {
    // Differences: -15, -5, -5, 5, 5, 5, 15, 15, 25.
    expect(shiftAt([0, 10, 20], [5, 15, 25], 0)).toBeCloseTo(5, 3);
  });

  it('has an interval that ends at the extremes when there are too few points', () => {
    expect(shiftAt([1, 2], [11, 12], 2.33)).toBe(9);
    expect(shiftAt([1, 2], [11, 12], -2.33)).toBe(11);
  });
});

describe('the classification', () => {
  it.each([
    ['no points', [], [1, 2, 3], false],
    ['the same points', ten(1), ten(1), false],
    ['two points far above two: an interval from too little', [1, 2], [11, 12], true],
    ['five points far above five', [100, 101, 102, 103, 104], [200, 201, 202, 203, 204], true],
    [
      'seven of ten minutes a hundred times slower (spinnaker#6278)',
      ten(1, 0),
      [...ten(1, 0).slice(0, 3), ...ten(100, 0).slice(0, 7)],
      false,
    ],
    [
      'eight of ten minutes a hundred times slower (spinnaker#6278)',
      ten(1, 0),
      [...ten(1, 0).slice(0, 2), ...ten(100, 0).slice(0, 8)],
      true,
    ],
    ['few errors against none (kayenta#426)', [0, 0, 0, 0, 0, 0], [0, 1, 2, 1, 0, 0], false],
    ['a consistent shift of a thousandth: the margin is relative to the shift', ten(100, 0.0001), ten(100.1, 0.0001), true],
    ['faster than the control', ten(2), ten(1), false],
  ])('of %s', (_, control, experiment, expected) => {
    expect(isHigh(control, experiment)).toBe(expected);
  });
});
