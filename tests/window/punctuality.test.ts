import { describe, expect, it } from 'vitest';
import { LATENESS_BINS } from '../../src/model/slot-deltas.ts';
import { Punctuality } from '../../src/window/punctuality.ts';

const T0 = 1_800_000_000_000;

/** One flush: spans by whole seconds of lateness. */
function arrivals(maxEndMs: number, bySecond: Record<number, number>) {
  return byRelease(maxEndMs, { v1: bySecond });
}

function byRelease(maxEndMs: number, releases: Record<string, Record<number, number>>) {
  return {
    service: 's',
    maxEndMs,
    releases: Object.entries(releases).map(([release, bySecond]) => {
      const lateness = new Uint32Array(LATENESS_BINS);
      for (const [second, count] of Object.entries(bySecond)) lateness[Number(second)] = count;
      return { release, lateness };
    }),
  };
}

function heard(maxEndMs: number, bySecond: Record<number, number>, now = maxEndMs): Punctuality {
  const punctuality = new Punctuality();
  punctuality.add(arrivals(maxEndMs, bySecond), now);
  return punctuality;
}

describe('lag', () => {
  it.each([
    ['1 s when every span is in order', { 0: 10_000 }, 1000],
    ['1 s when one in a thousand is late', { 0: 9990, 30: 10 }, 1000],
    ['what covers 99.9 % of the spans', { 0: 9989, 5: 1, 7: 10 }, 6000],
    ['the SDK export interval when spans come in that rhythm', { 0: 2000, 1: 2000, 2: 2000, 3: 2000, 4: 2000 }, 5000],
    ['60 s at most', { 0: 1000, 63: 1000 }, 60_000],
    ['at least 5 s before 1,000 spans were seen', { 0: 999 }, 5000],
    ['more than 5 s before 1,000 spans were seen, when they are later', { 0: 10, 9: 10 }, 10_000],
    ['5 s before any span', {}, 5000],
  ])('is %s', (_, bySecond, lagMs) => {
    expect(heard(T0, bySecond).lagMs).toBe(lagMs);
  });

  it('forgets by half in ten minutes of event time, so a bad hour passes', () => {
    const punctuality = heard(T0, { 0: 90_000, 20: 10_000 });
    expect(punctuality.lagMs).toBe(21_000);
    // 10,000 late spans are 0.1 % of all once 2^-n of them face 100,000 punctual ones in each half-life: n = 7 leaves 78.
    for (let n = 1; n <= 7; n++) punctuality.add(arrivals(T0 + n * 600_000, { 0: 100_000 }), T0);
    expect(punctuality.lagMs).toBe(1000);
  });

  it('does not depend on how arrivals are cut into flushes within ten seconds', () => {
    const whole = heard(T0 + 5000, { 0: 1500, 3: 20 });
    const cut = heard(T0, { 0: 1000, 3: 5 });
    cut.add(arrivals(T0 + 5000, { 0: 500, 3: 15 }), T0);
    expect(cut.saved()).toEqual(whole.saved());
  });
});

describe('lag of a service with several releases', () => {
  /** A service of 10,000 spans a minute that came in order, then minutes of them and of another release. */
  function heardWith(minutes: number, other: Record<number, number>): Punctuality {
    const punctuality = new Punctuality();
    for (let minute = -60; minute < 0; minute++) punctuality.add(arrivals(T0 + minute * 60_000, { 0: 10_000 }), T0);
    for (let minute = 0; minute < minutes; minute++) punctuality.add(byRelease(T0 + minute * 60_000, { v1: { 0: 10_000 }, v2: other }), T0);
    return punctuality;
  }

  it.each([
    ['a release of 1 % at once, however much came before it', 1, { 2: 50, 4: 50 }, 5000],
    ['a release of 0.6 % in the long run', 60, { 7: 60 }, 8000],
    ['99.9 % of that release', 60, { 0: 9_980, 8: 15, 30: 5 }, 9000],
    ['no release of 0.1 %', 60, { 60: 10 }, 1000],
    ['no release of 0.4 %', 60, { 60: 40 }, 1000],
    ['no release of fewer than 20 spans', 1, { 30: 19 }, 1000],
  ])('covers %s', (_, minutes, other, lagMs) => {
    expect(heardWith(minutes, other).lagMs).toBe(lagMs);
  });

  it('does not take the first spans of a small release, a minute old and all at once, for its share', () => {
    const punctuality = heardWith(0, {});
    // 40 of 10,000 a minute, of which 167 came with them in one second.
    punctuality.add(byRelease(T0, { v1: { 0: 167 }, v2: { 60: 40 } }), T0);
    expect(punctuality.lagMs).toBe(1000);
  });

  it('is that of all spans where every release is small', () => {
    const releases = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`v${i}`, { 0: 90, 6: 10 }]));
    const punctuality = new Punctuality();
    punctuality.add(byRelease(T0, releases), T0);
    expect(punctuality.lagMs).toBe(7000);
    punctuality.add(byRelease(T0, { v0: { 0: 1000 } }), T0);
    expect(punctuality.lagMs).toBe(7000);
  });

  it('forgets a release that is gone, name and all', () => {
    const punctuality = heardWith(10, { 20: 100 });
    expect(punctuality.lagMs).toBe(21_000);
    for (let minute = 10; minute < 130; minute++) punctuality.add(arrivals(T0 + minute * 60_000, { 0: 10_000 }), T0);
    expect(punctuality.lagMs).toBe(1000);
    expect(punctuality.saved().releases.map(({ release }) => release)).toEqual(['v1']);
  });

  it('is the same after a restart', () => {
    const punctuality = heardWith(5, { 3: 90, 12: 10 });
    const restored = new Punctuality();
    restored.restore(JSON.parse(JSON.stringify(punctuality.saved())));
    expect([restored.lagMs, restored.saved()]).toEqual([13_000, punctuality.saved()]);
  });

  it('begins anew with a state that knows neither releases nor lateness', () => {
    const restored = new Punctuality();
    restored.restore({ newestAt: T0, mark: T0 - 6000, spans: 100_000, decayedTo: T0 });
    expect([restored.lagMs, restored.mark]).toEqual([1000, T0 - 6000]);
    restored.add(arrivals(T0 + 1000, { 2: 50 }), T0);
    expect(restored.lagMs).toBe(3000);
  });

  it('takes over a state that did not tell releases apart, and outlives it', () => {
    const restored = new Punctuality();
    restored.restore({ newestAt: T0, mark: T0 - 6000, spans: 100_000, decayedTo: T0, lateness: [90_000, 0, 0, 0, 0, 10_000] });
    expect(restored.lagMs).toBe(6000);
    for (let minute = 1; minute < 300; minute++) restored.add(arrivals(T0 + minute * 60_000, { 0: 10_000 }), T0);
    expect(restored.lagMs).toBe(1000);
    expect(restored.saved().releases.map(({ release }) => release)).toEqual(['v1']);
  });
});

describe('watermark', () => {
  it('is nothing before the first span', () => {
    expect(new Punctuality().watermark(T0)).toBe(Number.NEGATIVE_INFINITY);
  });

  it('stands lag behind the latest end time, whatever the wall clock says while spans come', () => {
    expect(heard(T0, { 0: 5000 }).watermark(T0 + 1)).toBe(T0 - 1000);
    // A backlog is being read: ten minutes behind is no silence.
    expect(heard(T0, { 0: 5000 }, T0 + 600_000).watermark(T0 + 600_500)).toBe(T0 - 1000);
  });

  it('is moved on by the wall clock once the service was silent for a minute', () => {
    const punctuality = heard(T0, { 0: 5000 });
    expect(punctuality.watermark(T0 + 59_999)).toBe(T0 - 1000);
    expect(punctuality.watermark(T0 + 60_000)).toBe(T0);
    expect(punctuality.watermark(T0 + 90_000)).toBe(T0 + 30_000);
  });

  it('is not held back by the wall clock where the clocks of the senders run ahead', () => {
    expect(heard(T0 + 30_000, { 0: 5000 }, T0).watermark(T0 + 60_000)).toBe(T0 + 29_000);
  });

  it('never goes back: not for a lag that grows, not for a clock that steps back', () => {
    const punctuality = heard(T0, { 0: 5000 });
    expect(punctuality.watermark(T0)).toBe(T0 - 1000);
    punctuality.add(arrivals(T0 + 100, { 30: 5000 }), T0 + 100);
    expect(punctuality.watermark(T0 + 100)).toBe(T0 - 1000);
    expect(punctuality.watermark(T0 - 50_000)).toBe(T0 - 1000);
  });

  it('is never later than now, however fast the clocks of the senders run', () => {
    expect(heard(T0 + 5000, { 0: 5000 }, T0).watermark(T0)).toBe(T0);
  });

  it('waits a minute of its own after a restart before it calls a service silent', () => {
    const restored = new Punctuality();
    restored.restore(heard(T0, { 0: 5000 }).saved());
    expect(restored.watermark(T0 + 3_600_000)).toBe(T0 - 1000);
    expect(restored.watermark(T0 + 3_659_999)).toBe(T0 - 1000);
    expect(restored.watermark(T0 + 3_660_000)).toBe(T0 + 3_600_000);
  });
});
