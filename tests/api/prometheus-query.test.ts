/** PromQL is read as Prometheus reads it or refused, patterns match as regular expressions do, and no text makes either hang or break. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { durationLiteral, numberLiteral, stringLiteral } from '../../src/api/prometheus/literals.ts';
import type { MetricSource } from '../../src/api/prometheus/metric-source.ts';
import { parseQuery } from '../../src/api/prometheus/parse-query.ts';
import { Pattern } from '../../src/api/prometheus/pattern.ts';
import { PatternError } from '../../src/api/prometheus/pattern-tree.ts';
import { QueryError } from '../../src/api/prometheus/query-error.ts';
import { QueryRunner } from '../../src/api/prometheus/run-query.ts';
import { NO_METRICS } from './memory-metrics.ts';

const WORDS = [
  'sum',
  'rate',
  'by',
  '(',
  ')',
  '[5m]',
  '{',
  '}',
  'x',
  '="a"',
  '=~".*"',
  ',',
  '+',
  '-',
  '^',
  '> bool',
  '1',
  '1h',
  'or',
  'on',
  'offset',
  '"',
  '`',
  '#',
  '\n',
  'le',
  '@',
  ':',
  'group_left',
  'é',
];

describe('any text', () => {
  test.prop(
    [
      fc.oneof(
        fc.string(),
        fc.array(fc.constantFrom(...WORDS), { maxLength: 40 }).map((words) => words.join(' ')),
      ),
    ],
    { numRuns: 2000 },
  )('is a query or is refused with a place', (text) => {
    try {
      expect(parseQuery(text).kind).toBeDefined();
    } catch (error) {
      expect(error).toBeInstanceOf(QueryError);
      expect((error as QueryError).type).toBe('bad_data');
    }
  });

  it.each([
    ['nested parentheses', '('.repeat(4000)],
    ['nested calls', `${'abs('.repeat(1000)}x${')'.repeat(1000)}`],
    ['signs', `${'-'.repeat(4000)}1`],
    ['a long sum', Array.from({ length: 2000 }, () => '1').join('+')],
    ['too long a text', 'x'.repeat(10_000)],
    ['many matchers', `x{${'a="b",'.repeat(1300)}}`],
    ['braces', '{'.repeat(8000)],
  ])('%s is answered in no time', (_, text) => {
    const begun = performance.now();
    try {
      parseQuery(text);
    } catch (error) {
      expect(error).toBeInstanceOf(QueryError);
    }
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

describe('literals', () => {
  it.each([
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1y2w3d4h5m6s7ms', 365 * 86_400_000 + 14 * 86_400_000 + 3 * 86_400_000 + 4 * 3_600_000 + 5 * 60_000 + 6_007],
    ['15', 15_000],
    ['0.5', 500],
    ['5m1h', null],
    ['5x', null],
    ['', null],
  ])('the duration %j is %s ms', (text, wanted) => expect(durationLiteral(text)).toBe(wanted));

  it.each([
    ['1e3', 1000],
    ['.5', 0.5],
    ['-0x1F', -31],
    ['+Inf', Number.POSITIVE_INFINITY],
    ['NaN', Number.NaN],
    ['1m', 60],
    ['1_000', 1000],
    ['x', null],
  ])('the number %j is %s', (text, wanted) => expect(numberLiteral(text)).toBe(wanted));

  it.each([
    ['"a\\"b"', 'a"b'],
    ["'it\\'s'", "it's"],
    ['`\\d+`', '\\d+'],
    ['"\\u00e9\\x41\\101\\n"', 'éAA\n'],
    ['"\\d"', null],
    ['"\\U0011FFFF"', null],
  ])('the string %s', (text, wanted) => expect(stringLiteral(text)).toBe(wanted));
});

describe('patterns', () => {
  const ATOM = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '[a-c]', '\\.', '\\d', '(a|b)', '(?:ab)', '(a*b)');
  const REPEAT = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,3}', '{2,}', '*?');
  const SOURCE = fc.array(fc.tuple(ATOM, REPEAT), { maxLength: 6 }).map((parts) => parts.map((part) => part.join('')).join(''));
  const WHOLE = fc.array(SOURCE, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|'));

  test.prop([WHOLE, fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.', '1'), maxLength: 12 })], { numRuns: 2000 })(
    'match whole texts as regular expressions do',
    (source, text) => {
      expect(new Pattern(source).test(text)).toBe(new RegExp(`^(?:${source})$`, 'su').test(text));
    },
  );

  test.prop([fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 })], { numRuns: 1000 })('never break', (source, text) => {
    try {
      expect(typeof new Pattern(source).test(text)).toBe('boolean');
    } catch (error) {
      expect(error).toBeInstanceOf(PatternError);
    }
  });

  it.each([['(a*)*b'], ['(a|a)*b'], ['(a+)+(a+)+(a+)+b'], ['.*.*.*.*.*.*.*x'], ['(((((((a{1,3}){1,3}){1,3}))))){1,3}b']])(
    '%s takes no time that explodes',
    (source) => {
      const begun = performance.now();
      expect(new Pattern(source).test('a'.repeat(500))).toBe(false);
      expect(performance.now() - begun).toBeLessThan(1000);
    },
  );

  it.each(['(', ')', '[', 'a**', '*a', '\\', 'a{3,1}', 'a{1000}', '(?i)a', '^a$', '[[:alpha:]]', '(a{100}){100}', '\\Q', 'x'.repeat(600)])(
    '%j is refused',
    (source) => {
      expect(() => new Pattern(source)).toThrow(PatternError);
    },
  );
});

describe('limits', () => {
  const ASKED = { query: 'vector(1)', fromMs: 0, toMs: 0, stepMs: 1, timeoutMs: 1000 };

  it('so many may wait for a query that takes long; others are told to come again', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow: MetricSource = { ...NO_METRICS, scan: () => promise.then(() => []) };
    const runner = new QueryRunner(slow);
    const asked = Array.from({ length: 105 }, () =>
      runner.run(ASKED).then(
        () => 'answered',
        (error: QueryError) => error.type,
      ),
    );
    resolve();
    const told = await Promise.all(asked);
    expect(told.filter((one) => one === 'answered')).toHaveLength(100);
    expect(told.slice(100)).toEqual(Array(5).fill('unavailable'));
    expect((await runner.run(ASKED)).rows).toHaveLength(1);
  });

  it('a query that takes too long ends, and lets others in between', async () => {
    let now = 0;
    let breaths = 0;
    const source: MetricSource = {
      ...NO_METRICS,
      monotonicMs: () => now++,
      breathe: async () => {
        breaths++;
      },
    };
    const asked = { ...ASKED, toMs: 10_000, query: 'vector(1) + vector(2)' };
    await expect(new QueryRunner(source).run(asked)).rejects.toMatchObject({ type: 'timeout', status: 503 });
    expect(breaths).toBeGreaterThan(50);
  });

  it('an error of one query is none of the next', async () => {
    const runner = new QueryRunner(NO_METRICS);
    const told = await Promise.allSettled([runner.run({ ...ASKED, query: 'x[' }), runner.run(ASKED)]);
    expect(told.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });
});
