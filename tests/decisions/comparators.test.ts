/** The other methods do what they are said to do, on numbers that can be checked by hand. */
import { describe, expect, it } from 'vitest';
import type { ArmSlot } from '../../src/evaluate/canary/arm-slot.ts';
import { CumulativeBets } from '../bench/decisions/comparators/cumulative-bets.ts';
import { Flagger } from '../bench/decisions/comparators/flagger.ts';
import { Kayenta } from '../bench/decisions/comparators/kayenta.ts';
import { Minute } from '../bench/decisions/comparators/minute.ts';
import { Tables } from '../bench/decisions/comparators/tables.ts';
import { twoProportionZ, ZTest } from '../bench/decisions/comparators/z-test.ts';
import { LAYOUT } from '../bench/decisions/latencies.ts';
import type { Comparator } from '../bench/decisions/method.ts';

/** `requests` of which `failed` fail and all others take `ms`. */
function second(requests: number, failed: number, ms = 50): ArmSlot {
  const size = requests > failed ? 1 : 0;
  return { requests, failed, size, buckets: [LAYOUT.index(ms * 1000)], counts: [requests - failed] };
}

/** Seconds from the start until it rolls back, or null within ten minutes; five minutes of baseline come first. */
function play(comparator: Comparator, canary: (second: number) => ArmSlot, baseline = () => second(1000, 1)): number | null {
  for (let at = -300; at < 600 && !comparator.isDone; at++) {
    comparator.tick(at, { baseline: baseline(), canary: at < 0 ? second(0, 0) : canary(at) });
  }
  return comparator.said.rollback;
}

describe('a minute', () => {
  it('has the quantiles of its requests, interpolated inside a bucket', () => {
    const minute = new Minute();
    minute.add(second(90, 0, 10));
    minute.add(second(10, 5, 100));
    expect(minute.errorRatio).toBe(0.05);
    expect(minute.quantileMs(0.5)).toBeCloseTo(10, 0);
    expect(minute.quantileMs(0.99)).toBeCloseTo(100, 0);
    minute.clear();
    expect(minute.quantileMs(0.5)).toBeNaN();
  });
});

describe('Flagger', () => {
  it('rolls back at the fifth failed minute, though they do not follow each other', () => {
    expect(play(new Flagger(), (at) => second(100, Math.floor(at / 60) % 2 === 0 ? 2 : 0))).toBe(540);
  });

  it('asks for 99 % of successes and for a p99 of at most 500 ms', () => {
    expect(play(new Flagger(), () => second(100, 1))).toBeNull();
    expect(play(new Flagger(), () => second(100, 0, 490))).toBeNull();
    expect(play(new Flagger(), () => second(100, 0, 520))).toBe(300);
  });
});

describe('Kayenta', () => {
  it('says nothing before five points, and then what they show', () => {
    expect(play(new Kayenta(), () => second(100, 30))).toBe(300);
    expect(play(new Kayenta(), () => second(100, 0, 80))).toBe(300);
  });

  it('passes what is better', () => {
    expect(play(new Kayenta(), () => second(100, 0, 40))).toBeNull();
  });
});

describe('the z-test', () => {
  it('is that of the textbooks', () => {
    const pooled = 120 / 1100;
    expect(twoProportionZ(1000, 100, 100, 20)).toBeCloseTo(0.1 / Math.sqrt(pooled * (1 - pooled) * 0.011), 12);
    expect(twoProportionZ(1000, 100, 100, 20)).toBeCloseTo(3.0584, 4);
  });

  it('says nothing while fewer than five bad requests are expected, or without one of the releases', () => {
    expect(twoProportionZ(1900, 2, 100, 4)).toBe(0);
    expect(twoProportionZ(0, 0, 100, 20)).toBe(0);
  });

  it('takes the tolerance off the difference', () => {
    expect(twoProportionZ(1000, 100, 100, 20, 1.5, 0.05)).toBeCloseTo(0, 12);
  });

  it('rolls back more errors than the limit at once, and tolerates less only when asked to', () => {
    expect(play(new ZTest(new Tables(), false), () => second(1000, 30))).toBe(1);
    const slightlyMore = (at: number) => second(1000, at % 10 < 4 ? 2 : 1);
    expect(play(new ZTest(new Tables(), false), slightlyMore)).not.toBeNull();
    expect(play(new ZTest(new Tables(), true), slightlyMore)).toBeNull();
  });
});

describe('bets on cumulated tables', () => {
  it('take a moving split for harm, which bets second by second do not', () => {
    // Both releases fail 0.1 % for five minutes and 2 % afterwards, when the canary gets half of the traffic.
    const isLater = (at: number) => at >= 300;
    let now = -300;
    const baseline = () => {
      const at = now++;
      return isLater(at) ? second(500, 10) : second(1000, 1);
    };
    expect(play(new CumulativeBets(new Tables()), (at) => (isLater(at) ? second(500, 10) : second(10, 0)), baseline)).toBeGreaterThan(300);
  });
});
