/** Where the limit for harm lies on the scale of what was measured. */
import { expect, it } from 'vitest';
import { type ComparedMetric, limitAsChange } from '../../src/model/recorded-comparison.ts';

const LATENCY: ComparedMetric['limit'] = { kind: 'latency', harm: { ratio: 0.1, addUs: 5000 }, healthy: { ratio: 0.25, addUs: 5000 } };
const ERRORS: ComparedMetric['limit'] = { kind: 'errors', oddsRatio: 1.1, harm: 0.0005, healthy: 0.005 };

it.each([
  ['the ratio of a slow endpoint', LATENCY, 100_000, 0.1],
  ['the addition of a fast one: 5 ms on 20 ms', LATENCY, 20_000, 0.25],
  ['nowhere without a latency', LATENCY, null, Number.POSITIVE_INFINITY],
  ['the addition where nothing failed', ERRORS, 0, 0.0005],
  ['what the odds allow besides where 1 % failed', ERRORS, 0.01, 0.0015],
])('the limit is %s', (_, limit, value, expected) => {
  expect(limitAsChange({ limit, baseline: { requests: 1000, failed: 10, value } })).toBeCloseTo(expected, 12);
});
