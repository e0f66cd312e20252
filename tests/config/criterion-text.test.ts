/** Criteria as people write them, right and wrong: every wrong one is answered with what was probably meant. */
import { describe, expect, it } from 'vitest';
import { CRITERION_PATTERN, parseCriterion } from '../../src/config/criterion-text.ts';
import { Complaint } from '../../src/config/quantity.ts';

const GOOD: readonly [string, object][] = [
  ['p99 <= +10%', { kind: 'relative', check: 'p99', unit: 'share', increase: 0.1 }],
  ['p99 < +10%', { kind: 'relative', check: 'p99', unit: 'share', increase: 0.1 }],
  ['p50<=+12.5%', { kind: 'relative', check: 'p50', unit: 'share', increase: 0.125 }],
  ['P95 <= +0%', { kind: 'relative', check: 'p95', unit: 'share', increase: 0 }],
  ['errors <= +0.1pp', { kind: 'relative', check: 'errors', unit: 'points', increase: 0.001 }],
  ['errors <= +10%', { kind: 'relative', check: 'errors', unit: 'share', increase: 0.1 }],
  ['p95 < 500ms', { kind: 'absolute', subject: 'p95', limitRatio: 0.05, edgeUs: 500_000 }],
  ['p 95 <= 1.5s', { kind: 'absolute', subject: 'p95', limitRatio: 0.05, edgeUs: 1_500_000 }],
  ['p99.9 < 2s', { kind: 'absolute', subject: 'p99.9', limitRatio: 0.001, edgeUs: 2_000_000 }],
  ['p75 < 800us', { kind: 'absolute', subject: 'p75', limitRatio: 0.25, edgeUs: 800 }],
  ['errors < 1%', { kind: 'absolute', subject: 'errors', limitRatio: 0.01, edgeUs: null }],
  ['errors <= 0.05%', { kind: 'absolute', subject: 'errors', limitRatio: 0.0005, edgeUs: null }],
];

/** Of a form that an editor with the schema refuses, too. Text, part of the message, suggestion. */
const MALFORMED: readonly [unknown, string, string | undefined][] = [
  // units
  ['p95 < 500', 'the limit `500`: the unit is missing', 'p95 < 500ms'],
  ['p95 < 500msec', 'there is no unit `msec`', 'p95 < 500ms'],
  ['p95 <= +10', 'the unit of the increase is missing', 'p95 <= +10%'],
  ['errors <= +1', 'the unit of the increase is missing', 'errors <= +1pp'],
  ['errors < 0.5', 'could be a ratio or a percentage', 'errors < 50%'],
  ['errors < 500ms', 'not a percentage', undefined],
  ['p95 <= +0.1pp', 'percentage points are for errors', 'p95 <= +0.1%'],
  ['p95 < +500ms', 'a criterion compares by a share', 'p95 < 500ms'],
  ['errors <= +5ms', 'errors do not grow by `ms`', 'errors <= +5pp'],
  ['p95 < 500 ms', 'a duration has no spaces', 'p95 < 500ms'],
  ['p95 <= +10 %', 'an increase has no spaces', 'p95 <= +10%'],
  // signs
  ['p95 <= 10%', 'a difference needs its sign', 'p95 <= +10%'],
  ['errors <= 0.1pp', 'a difference needs its sign', 'errors <= +0.1pp'],
  ['p95 <= -10%', 'never asked to be better', 'p95 <= +10%'],
  ['errors <= +x', 'not an increase', undefined],
  // operators
  ['p95 >= 500ms', 'an upper limit', 'p95 <= 500ms'],
  ['errors > 1%', 'an upper limit', 'errors <= 1%'],
  ['p95 = 500ms', 'an upper limit', 'p95 <= 500ms'],
  ['p95 =< 500ms', 'an upper limit', 'p95 <= 500ms'],
];

/** The same for what only its meaning tells. */
const MEANINGLESS: readonly [unknown, string, string | undefined][] = [
  ['errors <= +0.1%', 'next to nothing', 'errors <= +0.1pp'],
  // what is compared
  ['p90 <= +10%', 'p90 is not compared with the baseline', undefined],
  ['p999 < 1s', 'there is no percentile 999', 'p99.9 < 1s'],
  ['p100 < 1s', 'there is no percentile 100', 'p99 < 1s'],
  ['p0 < 1s', 'there is no percentile 0', undefined],
  ['errorRate < 1%', 'not something a criterion can ask for', 'errors < 1%'],
  ['error_rate <= +0.1pp', 'not something a criterion can ask for', 'errors < +0.1pp'],
  ['latency.p95 < 500ms', 'not something a criterion can ask for', 'p95 < 500ms'],
  ['latency < 500ms', 'not something a criterion can ask for', 'p50 < 500ms'],
  ['erors < 1%', 'not something a criterion can ask for', 'errors < 1%'],
  ['availability > 99.5%', 'say how many requests may fail', 'errors < 0.5%'],
  ['success-rate > high', 'say how many requests may fail', undefined],
  ['throughput > 10', 'not something a criterion can ask for', undefined],
  ['500ms', 'what is to be compared is missing', 'p95 < 500ms'],
  ['<= +1pp', 'what is to be compared is missing', 'errors <= +1pp'],
  // sizes
  ['errors < 0%', '0% leaves no room', 'errors < 1%'],
  ['errors < 100%', '100% is met by anything', undefined],
  ['p95 < 0s', 'no request is that fast', undefined],
  ['p95 < 2h', 'at most 1h', undefined],
  ['p95 <= +5000%', 'larger than can be meant', undefined],
  // no text at all
  ['', 'not a criterion', undefined],
  ['p95', 'not a criterion', undefined],
  [500, 'not a criterion', undefined],
  [`p95 < ${'1'.repeat(100)}ms`, 'not a criterion', undefined],
];

const BAD = [...MALFORMED, ...MEANINGLESS];

describe('a criterion', () => {
  it.each(GOOD)('is read: %s', (text, expected) => {
    expect(parseCriterion(text)).toEqual({ text, ...expected });
  });

  it.each(GOOD)('is taken by an editor that knows the schema: %s', (text) => {
    expect(new RegExp(CRITERION_PATTERN).test(text)).toBe(true);
  });

  it.each(MALFORMED)('is refused by that editor too: %s', (text) => {
    expect(new RegExp(CRITERION_PATTERN).test(String(text))).toBe(false);
  });

  it.each(BAD.flatMap(([text, , suggestion]) => (suggestion === undefined ? [] : [[text, suggestion]])))(
    'is understood as it is suggested for %s: %s',
    (_, suggestion) => {
      expect(parseCriterion(suggestion)).not.toBeInstanceOf(Complaint);
    },
  );
});
