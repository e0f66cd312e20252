/** How many requests a sampled span stands for. */
import { describe, expect, it } from 'vitest';
import { samplingWeight } from '../../src/decode/sampling-weight.ts';

describe('the weight of a span', () => {
  it.each<[string, number]>([
    ['', 1],
    ['ot=th:0', 1],
    ['ot=th:8', 2],
    ['ot=th:c', 4],
    ['ot=th:80', 2],
    ['ot=th:f', 16],
    ['ot=th:fff', 4096],
    ['ot=th:ffffffffffffff', 2 ** 56],
    ['ot=th:fffffffffffffe', 2 ** 55],
    ['ot=th:0000000fffffff', 2 ** 56 / (2 ** 56 - (2 ** 28 - 1))],
    ['ot=rv:abcdefabcdefab;th:8', 2],
    ['ot=th:8;rv:abcdefabcdefab', 2],
    ['vendor=x,ot=th:8', 2],
    ['vendor=x ,\t ot=th:8 ,b=c', 2],
    ['vendor=ot=th:8', 1],
    ['not=th:8', 1],
    ['ot=xth:8', 1],
    ['ot=th:', 1],
    ['ot=th', 1],
    ['ot', 1],
    ['ot=th:8g', 1],
    ['ot=th:F', 1],
    ['ot=th:123456789012345', 1],
    ['ot=th:8,ot=th:c', 2],
    ['ot=p:8,th:c', 1],
  ])('%s is %d', (traceState, weight) => {
    const bytes = new TextEncoder().encode(`;${traceState},ot=th:e`);
    expect(samplingWeight(bytes, 1, 1 + traceState.length)).toBe(weight);
  });

  it('is what undoes sampling: kept spans times weight is all spans', () => {
    for (const keptPerMille of [1, 10, 250, 500, 999]) {
      const threshold = BigInt(Math.round((1 - keptPerMille / 1000) * 2 ** 52)) << 4n;
      const bytes = new TextEncoder().encode(`ot=th:${threshold.toString(16).padStart(14, '0')}`);
      expect(samplingWeight(bytes, 0, bytes.length) * keptPerMille).toBeCloseTo(1000, 6);
    }
  });
});
