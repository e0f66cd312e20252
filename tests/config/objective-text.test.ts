/** Objectives as people say them. */
import { describe, expect, it } from 'vitest';
import { parseAvailability, parseErrorRate, parseInFlight, parseLatency, parseThroughput } from '../../src/config/objective-text.ts';

describe('an objective', () => {
  it.each([
    ['p95 < 500ms', 0.95, 500e6],
    ['p95<500ms', 0.95, 500e6],
    ['p95 <= 500ms', 0.95, 500e6],
    ['P99.9 < 1.5s', 0.999, 1_500e6],
    ['p50 < 250us', 0.5, 250e3],
    ['p99 < 24h', 0.99, 86_400e9],
  ])('`latency: %s` asks that %d take at most %d ns', (text, target, thresholdNs) => {
    expect(parseLatency(text)).toMatchObject({ target, sli: { kind: 'latency', thresholdNs }, text: `latency: ${text}` });
  });

  it.each([
    ['99.9%', 0.999],
    ['99.99%', 0.9999],
    ['50%', 0.5],
  ])('`availability: %s` asks that %d do not fail', (text, target) => {
    expect(parseAvailability(text)).toMatchObject({ target, sli: { kind: 'availability' }, defaultName: 'availability' });
  });

  it.each([
    ['< 0.1%', 0.999],
    ['<0.1%', 0.999],
    ['<= 0.05%', 0.9995],
    ['< 1%', 0.99],
  ])('`errorRate: %s` asks that %d do not fail', (text, target) => {
    expect(parseErrorRate(text)).toMatchObject({ target, sli: { kind: 'errorRate' }, defaultName: 'error-rate' });
  });

  it.each([
    ['> 10/s', 'least', 10],
    ['>= 10 req/s', 'least', 10],
    ['< 2000/s', 'most', 2000],
    ['> 90/min', 'least', 1.5],
    ['> 36/h', 'least', 0.01],
    ['> 5 rps', 'least', 5],
  ])('`throughput: %s` asks for at %s %d requests a second', (text, bound, perSecond) => {
    expect(parseThroughput(text)).toMatchObject({ target: 0.99, sli: { kind: 'throughput', bound, perSecond } });
  });

  it('`inFlight: < 200` asks for at most 200 requests at once', () => {
    expect(parseInFlight('< 200')).toMatchObject({ target: 0.99, sli: { kind: 'inFlight', limit: 200 }, defaultName: 'in-flight-200' });
  });

  it('on latency is named after percentile and limit, so that changing one does not continue the counts of another', () => {
    expect(parseLatency('p95 < 500ms')).toMatchObject({ defaultName: 'latency-p95-500ms' });
  });

  it.each([
    [parseLatency, 'p100 < 1s', /no error budget/],
    [parseLatency, 'p0 < 1s', /met by anything/],
    [parseLatency, 'p101 < 1s', /no percentile/],
    [parseLatency, 'p95 < 0ms', /takes no time/],
    [parseLatency, 'p95 < 25h', /at most 24h/],
    [parseLatency, 'fast', /not a latency objective/],
    [parseLatency, 500, /percentile is missing/],
    [parseAvailability, '100%', /no error budget/],
    [parseAvailability, '100.0%', /no error budget/],
    [parseAvailability, '0%', /met by anything/],
    [parseAvailability, '101%', /more than all/],
    [parseAvailability, '>= 99.9%', /without a sign/],
    [parseErrorRate, '< 0%', /no error budget/],
    [parseErrorRate, '< 100%', /met by anything/],
    [parseErrorRate, '0.1%', /needs its `<`/],
    [parseErrorRate, '< 0.1', /`%` is missing/],
    [parseThroughput, '> 0/s', /met by anything/],
    [parseThroughput, '< 0/s', /met by nothing/],
    [parseThroughput, 10, /unit is missing/],
    [parseThroughput, null, /not a throughput/],
    [parseThroughput, '> 1e9/s', /not a throughput/],
    [parseInFlight, 200, /needs its `<`/],
    [parseInFlight, '< 0', /works without requests/],
    [parseInFlight, '< many', /not a number of requests/],
  ])('%# is refused when it promises nothing or too much', (parse, value, message) => {
    expect((parse as (value: unknown) => unknown)(value)).toMatchObject({ message: expect.stringMatching(message) });
  });
});
