/** Requests that anybody may send once kept spans and verdicts waiting for seconds: queries one after the other, patterns on many labels, large bodies. */
import { expect, it } from 'vitest';
import type { MetricSource } from '../../src/api/prometheus/metric-source.ts';
import { Pattern, patternBudget } from '../../src/api/prometheus/pattern.ts';
import { PatternError } from '../../src/api/prometheus/pattern-tree.ts';
import { QueryRunner } from '../../src/api/prometheus/run-query.ts';
import { parsedJson } from '../../src/api/request-body.ts';
import { NO_METRICS } from '../api/memory-metrics.ts';

const AT = { fromMs: 0, toMs: 0, stepMs: 1, timeoutMs: 1000 };

it('lets everything else go on before each query, and after each look at all series', async () => {
  let breaths = 0;
  const source: MetricSource = { ...NO_METRICS, monotonicMs: () => 0, breathe: async () => void breaths++ };
  const runner = new QueryRunner(source);
  await Promise.all(Array.from({ length: 40 }, () => runner.run({ query: 'vector(1)', ...AT })));
  expect(breaths).toBeGreaterThanOrEqual(40);
  breaths = 0;
  const rate = 'rate(slipstream_requests_total[1m])';
  await runner.run({ query: Array(12).fill(rate).join(' or '), ...AT });
  expect(breaths).toBeGreaterThanOrEqual(13);
});

it('ends a query whose time is up between one look at all series and the next', async () => {
  let clock = 0;
  const breathe = async (): Promise<void> => {
    clock += 300;
  };
  const source: MetricSource = { ...NO_METRICS, monotonicMs: () => clock, breathe };
  const query = Array(12).fill('rate(slipstream_requests_total[1m])').join(' or ');
  await expect(new QueryRunner(source).run({ query, ...AT })).rejects.toThrow('timed out');
  expect(clock).toBeLessThanOrEqual(1200);
});

it('gives all patterns of a selector so many steps together', () => {
  const budget = patternBudget();
  const patterns = Array.from({ length: 10 }, (_, i) => new Pattern(`${'(.*a?)'.repeat(60)}${i}`, budget));
  const labels = Array.from({ length: 1000 }, (_, i) => `/${i}/${'a'.repeat(60)}`);
  expect(() => labels.forEach((label) => void patterns.every((pattern) => !pattern.test(label)))).toThrow(PatternError);
  const plain = new Pattern('.*checkout.*');
  expect(Array.from({ length: 10_000 }, (_, i) => `/checkout/${i}`).every((label) => plain.test(label))).toBe(true);
});

it('reads a body that is nested as deep as it is long, and finds a prototype in the depth of it', () => {
  const nested = (inner: string): string => `${'['.repeat(200_000)}${inner}${']'.repeat(200_000)}`;
  expect(parsedJson(nested('1')).ok).toBe(true);
  expect(parsedJson(nested('{"a":[{"__pro\\u0074o__":1}]}'))).toMatchObject({ ok: false, detail: expect.stringContaining('__proto__') });
});
