/** The line of a contract as people write it: forgiving in spaces and words, exact in meaning. */
import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { type ContractPart, parseContract } from '../../src/config/contract-line.ts';
import { Complaint } from '../../src/config/quantity.ts';

function partsOf(line: string): readonly ContractPart[] {
  const parts = parseContract(line);
  if (parts instanceof Complaint) throw new Error(`${parts.message}, did you mean ${parts.suggestion}`);
  return parts;
}

describe('a contract', () => {
  it('becomes one objective for each part', () => {
    const parts = partsOf('p95 < 500 ms, 99.9 % available, error rate < 0.1 %');
    expect(parts.map(({ objective }) => [objective.sli, objective.target, objective.text])).toEqual([
      [{ kind: 'latency', thresholdNs: 500e6 }, 0.95, 'latency: p95 < 500ms'],
      [{ kind: 'availability' }, 0.999, 'availability: 99.9%'],
      [{ kind: 'errorRate' }, 0.999, 'errorRate: < 0.1%'],
    ]);
    expect(parts.map(({ column }) => column)).toEqual([1, 15, 33]);
  });

  it.each([
    ['p95 < 500ms', 'latency: p95 < 500ms'],
    ['P95<0.5s', 'latency: p95 < 0.5s'],
    ['p 99.9 <= 1.5 sec', 'latency: p99.9 <= 1.5s'],
    ['p95 under 500 milliseconds', 'latency: p95 < 500ms'],
    ['p95 ≤ 500 MS', 'latency: p95 <= 500ms'],
    ['latency p95 is below 500 ms', 'latency: p95 < 500ms'],
    ['response time p95 < 500ms', 'latency: p95 < 500ms'],
    ['p95 latency under 500ms', 'latency: p95 < 500ms'],
    ['P99 response time < 2 seconds', 'latency: p99 < 2s'],
    ['99.9th percentile of latency < 2s', 'latency: p99.9 < 2s'],
    ['median < 100ms', 'latency: p50 < 100ms'],
    ['p95 < 500μs', 'latency: p95 < 500µs'],
    ['99.9 percent available', 'availability: 99.9%'],
    ['99.9%', 'availability: 99.9%'],
    ['99.9 % available', 'availability: 99.9%'],
    ['99.9% uptime', 'availability: 99.9%'],
    ['99.9% availability', 'availability: 99.9%'],
    ['availability 99.9%', 'availability: 99.9%'],
    ['Availability: 99.9 %', 'availability: 99.9%'],
    ['availability >= 99.9%', 'availability: 99.9%'],
    ['uptime at least 99.95%', 'availability: 99.95%'],
    ['errors < 0.1%', 'errorRate: < 0.1%'],
    ['error rate <0.1 %', 'errorRate: < 0.1%'],
    ['errorRate <= 0.1%', 'errorRate: <= 0.1%'],
    ['error-rate below 0.1%', 'errorRate: < 0.1%'],
    ['throughput > 10/s', 'throughput: > 10/s'],
    ['throughput at least 10 req/s', 'throughput: > 10/s'],
    ['rate > 10 rps', 'throughput: > 10/s'],
    ['throughput < 2000 requests / second', 'throughput: < 2000/s'],
    ['throughput > 600/min', 'throughput: > 600/m'],
    ['in flight < 200', 'inFlight: < 200'],
    ['in-flight at most 200', 'inFlight: < 200'],
    ['concurrency < 200', 'inFlight: < 200'],
  ])('`%s` is `%s`', (line, text) => {
    const [part] = partsOf(line);
    expect(part).toMatchObject({ endpoint: null, objective: { text } });
  });

  it.each([
    ['p95 < 500ms on POST /checkout', 'POST /checkout'],
    ['99.9 % available  on  GET /items/{id}', 'GET /items/{id}'],
    ['errors < 1% on shop.Cart/Add', 'shop.Cart/Add'],
    ['throughput > 10/s on GET /reports/**', 'GET /reports/**'],
  ])('`%s` is about one endpoint', (line, endpoint) => {
    expect(partsOf(line)).toMatchObject([{ endpoint }]);
  });

  it('counts a rate by the second, and asks of 99 % of the slices', () => {
    expect(partsOf('throughput > 600/m, in flight < 50')).toMatchObject([
      { objective: { sli: { kind: 'throughput', bound: 'least', perSecond: 10 }, target: 0.99 } },
      { objective: { sli: { kind: 'inFlight', limit: 50 }, target: 0.99 } },
    ]);
  });

  it('may end with a comma', () => {
    expect(partsOf('99.9%, p95 < 1s,')).toHaveLength(2);
  });

  it('means the same however it is spaced', () => {
    const tight = partsOf('p95<500ms,99.9%,errors<0.1%').map(({ objective }) => objective);
    const loose = partsOf('  p95  <  500  ms ,  99.9  % ,  errors  <  0.1  % ').map(({ objective }) => objective);
    expect(loose).toEqual(tight);
  });
});

describe('a mistake in a contract', () => {
  it.each([
    ['99,9 % available', 'part 1 (`99,9`, column 1): a comma separates parts; decimals have a dot', '99.9%'],
    ['p95 < 500ms, errors < 0,1%', 'part 2 (`0,1`, column 23): a comma separates parts', '0.1%'],
    ['p95 < 1,5s', 'part 1 (`1,5`, column 7)', '1.5'],
    ['99.9%, p95 < 500', 'part 2 (`p95 < 500`, column 8): the limit `500`: the unit is missing', 'p95 < 500ms'],
    ['p95 > 500ms', 'part 1 (`p95 > 500ms`, column 1): a latency objective is an upper limit', 'p95 < 500ms'],
    ['99.9', 'the `%` is missing', '99.9%'],
    ['availability 0.999', 'the `%` is missing', '99.9%'],
    ['100%', 'leaves no error budget', '99.9%'],
    ['errors 0.1%', 'an error rate needs its `<`', 'errors < 0.1%'],
    ['errors < 0.1', 'could be a ratio or a percentage', 'errors < 0.1%'],
    ['errors < 0.001', 'could be a ratio or a percentage', 'errors < 0.1%'],
    ['< 0.1 % errors', 'what is less stands before the sign', 'errors < 0.1%'],
    ['p95: 500 ms', 'needs its `<`', 'p95 < 500ms'],
    ['> 10 req/s', 'what is counted is missing', 'throughput > 10req/s'],
    ['p95 < 500ms for POST /checkout', 'an endpoint stands behind `on`', 'p95 < 500ms on POST /checkout'],
    ['p95 < 500ms on POST /a, GET /b', 'an endpoint without a promise', 'p95 < 500ms on GET /b'],
    ['p95 < 500ms on all endpoints', 'would be an endpoint of that name', 'p95 < 500ms'],
    ['99.9 % available per month', 'the line says no time', '99.9 % available'],
    ['99.9% over 28d', 'the line says no time', '99.9%'],
    ['errors > 0.1%', 'an error rate is an upper limit', 'errors < 0.1%'],
    ['availability < 99.9%', 'an availability is a lower limit', '99.9%'],
    ['95% < 500ms', 'a percentile is written with its `p`', 'p95 < 500ms'],
    ['95 % of requests < 500 ms', 'a percentile is written with its `p`', 'p95 < 500ms'],
    ['< 500 ms', 'what is to be less is missing', 'p95 < 500ms'],
    ['< 0.1 %', 'what is to be less is missing', 'errors < 0.1%'],
    ['throughput 10/s', 'a throughput needs its `>` or `<`', 'throughput > 10/s'],
    ['throughput > 10', 'the unit is missing', 'throughput > 10/s'],
    ['throughput > 10/fortnight', 'there is no unit `/fortnight`', undefined],
    ['in flight > 10', 'a limit of requests in flight is an upper one', 'in flight < 10'],
    ['troughput > 10/s', 'not an objective', 'throughput > 10/s'],
    ['eror rate < 1%', 'not an objective', 'error rate < 1%'],
    ['p95 < 500ms,, 99%', 'part 2 (``, column 13): nothing is promised here', undefined],
    ['p95 < 500ms on', '`on` names no endpoint', undefined],
    ['fast', 'not an objective', undefined],
    ['', 'nothing is promised here', undefined],
  ])('`%s` is named: %s', (line, message, suggestion) => {
    const complaint = parseContract(line);
    expect(complaint).toBeInstanceOf(Complaint);
    expect((complaint as Complaint).message).toContain(message);
    expect((complaint as Complaint).suggestion).toBe(suggestion);
  });

  it('is not searched for in lines that nobody writes', () => {
    expect(parseContract('9'.repeat(3000))).toBeInstanceOf(Complaint);
    expect(parseContract('99.9%, '.repeat(60))).toBeInstanceOf(Complaint);
  });
});

describe('any text', () => {
  const word = fc.constantFrom(
    'p95',
    'p 99',
    '99.9',
    '%',
    ' ',
    '<',
    '>',
    '<=',
    'errors',
    'error rate',
    'on',
    'GET /x',
    '500',
    'ms',
    's',
    ',',
    ', ',
    'throughput',
    '10/s',
    'in flight',
    '0,5',
    '-',
    'é',
    '\n',
  );

  it.prop([fc.array(word, { maxLength: 12 }).map((words) => words.join(''))], { numRuns: 2000 })(
    'is either read or refused with what was expected',
    (line) => {
      const parts = parseContract(line);
      if (parts instanceof Complaint) expect(parts.expected ?? '').not.toBe('');
      else for (const { objective } of parts) expect(objective.target > 0 && objective.target < 1).toBe(true);
    },
  );

  it.prop([fc.shuffledSubarray(['p95 < 500 ms', '99.9 % available', 'errors < 0.5 %', 'throughput > 10/s', 'in flight < 200 on GET /x'])])(
    'promises the same in any order of its parts',
    (parts) => {
      if (parts.length === 0) return;
      const texts = (line: string): string[] =>
        partsOf(line)
          .map(({ objective, endpoint }) => `${objective.text} ${endpoint}`)
          .sort();
      expect(texts(parts.join(', '))).toEqual(parts.flatMap(texts).sort());
    },
  );
});

describe('a contract in several lines', () => {
  it.each(['\n', '\r\n', '; '])('parted by %j has the same parts', (separator) => {
    const parts = partsOf(['p95 < 500ms', '99.9%', 'errors < 1% on GET  /x'].join(separator));
    expect(parts.map(({ objective, endpoint }) => [objective.text, endpoint])).toEqual([
      ['latency: p95 < 500ms', null],
      ['availability: 99.9%', null],
      ['errorRate: < 1%', 'GET /x'],
    ]);
  });

  it('has no control characters, which no endpoint has either', () => {
    expect(parseContract('p95 < 500ms on GET /\u001b[31m')).toMatchObject({ message: 'has control characters' });
  });
});
