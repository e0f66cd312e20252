/** Which spans are counted, and what becomes of the others. */
import { describe, expect, it } from 'vitest';
import type { SpanRules } from '../../src/model/span-rules.ts';
import type { SpanInput } from '../support/otlp-proto.ts';
import { CLIENT, CONSUMER, NOW_MS, type Scalar, SERVER, seenOf } from './one-span.ts';

const PARENT = new Uint8Array(8).fill(1);
const LOCAL = 0x100;
const REMOTE = 0x300;
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;

describe('an entry span', () => {
  it.each<[string, 'counted' | 'not_entry', SpanInput, Record<string, Scalar>?]>([
    ['a server span without a parent', 'counted', { flags: LOCAL }],
    ['a server span below a remote parent', 'counted', { flags: REMOTE, parentSpanId: PARENT }],
    ['a server span below a local parent', 'not_entry', { flags: LOCAL, parentSpanId: PARENT }],
    ['a server span whose flags say nothing', 'counted', { flags: 1, parentSpanId: PARENT }],
    ['a server span with a parent of zeros', 'counted', { flags: LOCAL, parentSpanId: new Uint8Array(8) }],
    ['an internal span', 'not_entry', { kind: 1 }],
    ['a client span', 'not_entry', { kind: CLIENT }],
    ['a span of no kind', 'not_entry', { kind: 0 }],
    ['a span of a kind of the future', 'not_entry', { kind: 6 }],
    ['a consumer that handles a message', 'counted', { kind: CONSUMER }, { 'messaging.operation.type': 'process' }],
    [
      'a consumer below its local receive span',
      'counted',
      { kind: CONSUMER, flags: LOCAL, parentSpanId: PARENT },
      { 'messaging.operation.type': 'process' },
    ],
    ['a consumer in the old words', 'counted', { kind: CONSUMER }, { 'messaging.operation': 'deliver' }],
    ['a consumer that only fetches', 'not_entry', { kind: CONSUMER }, { 'messaging.operation': 'receive' }],
    ['a consumer that does not say', 'counted', { kind: CONSUMER }],
  ])('%s is %s', (_, disposition, span, attributes = {}) => {
    expect(seenOf({ span, attributes }).dispositions).toEqual([disposition]);
  });

  it('is any server span when nested ones are wanted too', () => {
    expect(seenOf({ span: { flags: LOCAL, parentSpanId: PARENT }, rules: { entryOnly: false } }).dispositions).toEqual(['counted']);
  });
});

describe('the time of a span', () => {
  it.each<[string, string[], bigint, bigint, number, boolean]>([
    ['of one nanosecond', ['counted'], NOW_NS - 1n, NOW_NS, 1, true],
    ['of zero', ['counted'], NOW_NS, NOW_NS, 0, true],
    ['across a carry of the low half', ['counted'], (5n << 32n) * 83_000_000n - 3n, (5n << 32n) * 83_000_000n, 3, true],
    ['that ends before it starts', ['counted', 'negative_duration'], NOW_NS + 1n, NOW_NS, 0, false],
    ['that starts beyond 2^63', ['counted', 'negative_duration'], 2n ** 64n - 1n, NOW_NS, 0, false],
    ['that never started', ['counted', 'absurd_duration'], 0n, NOW_NS, 0, false],
    ['at the longest', ['counted'], NOW_NS - 3_600_000_000_000n, NOW_NS, 3_600_000_000_000, true],
    ['beyond the longest', ['counted', 'absurd_duration'], NOW_NS - 3_600_000_000_001n, NOW_NS, 0, false],
    ['that never ended', ['no_end_time'], NOW_NS, 0n, 0, true],
    ['as far in the future as clocks may differ', ['counted'], NOW_NS, NOW_NS + 5_000_000_000n, 5_000_000_000, true],
    ['in the future', ['future'], NOW_NS, NOW_NS + 5_001_000_000n, 0, true],
    ['beyond 2^63', ['future'], NOW_NS, 2n ** 63n + 1n, 0, true],
    ['as old as may be', ['counted'], NOW_NS - 3_600_000_000_000n, NOW_NS - 3_600_000_000_000n, 0, true],
    ['ancient', ['ancient'], 1n, NOW_NS - 3_600_001_000_000n, 0, true],
  ])('%s is %j', (_, dispositions, startTimeUnixNano, endTimeUnixNano, durationNs, timed) => {
    const rules = { maxAgeMs: _ === 'across a carry of the low half' ? NOW_MS : 3_600_000 };
    expect(seenOf({ span: { startTimeUnixNano, endTimeUnixNano }, rules })).toMatchObject({ dispositions, durationNs, timed });
  });

  it('is the end in milliseconds with a fraction', () => {
    expect(seenOf({ span: { endTimeUnixNano: NOW_NS - 500_000n } }).endMs).toBeCloseTo(NOW_MS - 0.5, 3);
  });
});

describe('an exclusion', () => {
  const excluded = (
    rules: [string, Record<string, string[]>[]][],
    attributes: Record<string, Scalar>,
    resource?: Record<string, Scalar>,
  ) => {
    const exclude: SpanRules['exclude'] = new Map(rules);
    return seenOf({ attributes, rules: { exclude }, ...(resource === undefined ? {} : { resource }) }).dispositions[0] === 'excluded';
  };

  it.each<[string, boolean, [string, Record<string, string[]>[]][], Record<string, Scalar>, Record<string, Scalar>?]>([
    [
      'of every service applies',
      true,
      [['*', [{ 'user_agent.synthetic.type': ['bot', 'test'] }]]],
      { 'user_agent.synthetic.type': 'test' },
    ],
    ['with another value does not', false, [['*', [{ 'user_agent.synthetic.type': ['bot'] }]]], { 'user_agent.synthetic.type': 'test' }],
    ['of this service applies', true, [['shop', [{ 'http.route': ['/healthz'] }]]], { 'http.route': '/healthz' }],
    ['of another service does not', false, [['cart', [{ 'http.route': ['/healthz'] }]]], { 'http.route': '/healthz' }],
    ['of any value needs the attribute', false, [['*', [{ probe: ['*'] }]]], {}],
    ['of any value applies', true, [['*', [{ probe: ['*'] }]]], { probe: 'x' }],
    ['knows numbers', true, [['*', [{ 'http.response.status_code': ['404'] }]]], { 'http.response.status_code': 404 }],
    ['knows bools', true, [['*', [{ probe: ['true'] }]]], { probe: true }],
    ['needs all attributes of a rule', false, [['*', [{ probe: ['*'], 'http.route': ['/b'] }]]], { probe: 1, 'http.route': '/a' }],
    ['needs one rule of several', true, [['*', [{ a: ['1'] }, { b: ['2'] }]]], { b: '2' }],
    [
      'takes attributes of the resource',
      true,
      [['*', [{ 'k8s.namespace.name': ['ci'] }]]],
      {},
      { 'service.name': 'shop', 'k8s.namespace.name': 'ci' },
    ],
    [
      'takes them together with the span',
      true,
      [['*', [{ env: ['ci'], probe: ['1'] }]]],
      { probe: 1 },
      { 'service.name': 'shop', env: 'ci' },
    ],
    ['without attributes matches nothing', false, [['*', [{}]]], {}],
  ])('%s', (_, expected, rules, attributes, resource) => {
    expect(excluded(rules, attributes, resource)).toBe(expected);
  });

  it('is told before a time that would be rejected', () => {
    const exclude: SpanRules['exclude'] = new Map([['*', [{ probe: ['*'] }]]]);
    expect(seenOf({ attributes: { probe: 1 }, span: { endTimeUnixNano: 0n, kind: SERVER }, rules: { exclude } }).dispositions).toEqual([
      'excluded',
    ]);
  });
});
