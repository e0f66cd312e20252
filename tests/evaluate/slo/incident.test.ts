/** Where episodes of burning begin and end. */
import { describe, expect, it } from 'vitest';
import { burnEnd, burnStart, stepEdges } from '../../../src/evaluate/slo/incident.ts';

const MINUTE_MS = 60_000;

/** One step a minute from 0 on, at 99 %. */
function steps(...counts: readonly (readonly [valid: number, bad: number])[]) {
  return counts.map(([valid, bad], i) => ({ from: i * MINUTE_MS, to: (i + 1) * MINUTE_MS, valid, bad }));
}

const GOOD = [100, 0] as const;
const NOISE = [100, 1] as const;
const BAD = [100, 50] as const;
const NONE = [0, 0] as const;

describe('the begin of a burning', () => {
  it.each([
    ['is its first bad step', [GOOD, GOOD, BAD, BAD], 2],
    ['is not moved by a failure long before', [BAD, ...new Array(60).fill(GOOD), BAD, BAD], 61],
    ['is not moved by a burn that is sustainable', [NOISE, NOISE, NOISE, BAD, BAD], 3],
    ['is not moved by silence before it', [GOOD, NONE, NONE, BAD], 3],
    ['lies before a pause that is short for what is around it', [GOOD, BAD, GOOD, GOOD, BAD], 1],
    ['lies within what is looked at', [BAD, BAD], 0],
    ['of something that does not burn is its first bad step', [GOOD, NOISE, [1000, 1], GOOD], 1],
    ['of nothing bad at all is the end', [GOOD, GOOD], 2],
  ] as const)('%s', (_, counts, minute) => {
    expect(burnStart(steps(...counts), 0.99)).toBe(minute * MINUTE_MS);
  });
});

describe('the end of a burning', () => {
  it.each([
    ['is the end of its last bad step', [BAD, BAD, GOOD, GOOD], 2],
    ['is not moved by sustainable failures after it', [BAD, BAD, GOOD, [1000, 5], [1000, 5]], 2],
    ['is not moved by silence after it', [BAD, NONE, NONE], 1],
    ['nor by silence and then good requests', [BAD, NONE, NONE, GOOD], 1],
    ['is now when it burns to the end', [BAD, GOOD, BAD], 3],
    ['is after the last of two outages', [BAD, GOOD, BAD, GOOD, GOOD], 3],
    ['of nothing bad at all is the begin', [GOOD, GOOD], 0],
  ] as const)('%s', (_, counts, minute) => {
    expect(burnEnd(steps(...counts), 0.99)).toBe(minute * MINUTE_MS);
  });
});

describe('the steps looked at', () => {
  const day = stepEdges(-3.5 * 86_400_000, 0, 10_000);

  it('follow each other without overlap from before the begin to the end', () => {
    expect(day[0]).toBeLessThanOrEqual(-3.5 * 86_400_000);
    expect(day.at(-1)).toBe(0);
    for (let i = 1; i < day.length; i++) expect(day[i]).toBeGreaterThan(day[i - 1] as number);
  });

  it('are as fine as counts are kept, and begin at a multiple of their width', () => {
    const widths = new Set(day.slice(1).map((edge, i) => edge - (day[i] as number)));
    expect([...widths].sort((a, b) => a - b)).toEqual([10_000, 60_000, 600_000, 3_600_000]);
    const odd = stepEdges(0, 7 * 3_600_000 + 50_000, 10_000);
    for (let i = 0; i + 1 < odd.length; i++) {
      const ageMs = 7 * 3_600_000 + 50_000 - (odd[i + 1] as number);
      const width = ageMs < 14 * MINUTE_MS ? 10_000 : ageMs < 350 * MINUTE_MS ? MINUTE_MS : 10 * MINUTE_MS;
      expect((odd[i] as number) % width).toBe(0);
    }
  });

  it('are no finer than a slice', () => {
    expect(stepEdges(0, 600_000, 300_000)).toEqual([0, 300_000, 600_000]);
  });
});
