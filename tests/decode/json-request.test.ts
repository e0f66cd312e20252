/** OTLP/JSON: the same spans as protobuf, and refusals with a path. */
import { describe, expect, it } from 'vitest';
import { SpanDecoder } from '../../src/decode/decoder.ts';
import { ObservationBatch } from '../../src/model/observation-batch.ts';
import type { SpanRules } from '../../src/model/span-rules.ts';
import { spanRequestInput } from '../bench/otlp-payload.ts';
import { MapInterner } from '../support/map-interner.ts';
import { jsonRequest } from '../support/otlp-json.ts';
import { encodeRequest } from '../support/otlp-proto.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';
import { NOW_MS } from './one-span.ts';

const NOW_NS = `${NOW_MS}000000`;

function decodeJson(request: unknown, rules: Partial<SpanRules> = {}) {
  const interner = new MapInterner();
  const batch = new ObservationBatch(4);
  const bytes =
    request instanceof Uint8Array ? request : new TextEncoder().encode(typeof request === 'string' ? request : JSON.stringify(request));
  const error = new SpanDecoder({ ...TEST_SPAN_RULES, ...rules }, interner).decode('json', bytes, NOW_MS, batch);
  return { error, batch, interner };
}

const ofSpans = (...spans: unknown[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
const span = (fields: object) => ({ name: 'op', kind: 2, startTimeUnixNano: NOW_NS, endTimeUnixNano: NOW_NS, ...fields });
const withValue = (value: unknown, key = 'http.route') => ofSpans(span({ attributes: [{ key, value }] }));

describe('a request in JSON', () => {
  it('gives the rows that protobuf gives', () => {
    const input = spanRequestInput({ spans: 300, spansPerResource: 7, nowMs: NOW_MS, seed: 11 });
    const interner = new MapInterner();
    const decoder = new SpanDecoder(TEST_SPAN_RULES, interner);
    const rowsOf = (encoding: 'protobuf' | 'json', bytes: Uint8Array) => {
      const batch = new ObservationBatch();
      expect(decoder.decode(encoding, bytes, NOW_MS, batch)).toBeNull();
      const { size } = batch;
      return [batch.series, batch.endMs, batch.durationNs, batch.flags, batch.weight].map((column) => [...column.subarray(0, size)]);
    };
    expect(rowsOf('json', jsonRequest(input))).toEqual(rowsOf('protobuf', encodeRequest(input)));
    expect(interner.resources.length).toBe(2);
  });

  it('may be indented, begin with a byte order mark and hold any keys', () => {
    const text = JSON.stringify({ ...ofSpans(span({ resource_spans: 1, kindly: 'x' })), extra: [{ deep: {} }] }, null, 2);
    expect(decodeJson(`\ufeff${text}`).batch.size).toBe(1);
  });

  it.each([
    '{}',
    '{"resourceSpans":null}',
    '{"resourceSpans":[]}',
    '{"resource_spans":[{"scope_spans":5}]}',
    '{"resourceSpans":[null,{}]}',
  ])('without spans is empty: %s', (text) => {
    const { error, batch } = decodeJson(text);
    expect([error, batch.size]).toEqual([null, 0]);
  });

  it('keeps nanoseconds exact in text', () => {
    const { batch } = decodeJson(ofSpans(span({ startTimeUnixNano: '1789999999999999999', endTimeUnixNano: '1790000000000000002' })));
    expect(batch.durationNs[0]).toBe(3);
  });

  it('takes nanoseconds as numbers, as exactly as JSON has them', () => {
    const { batch, error } = decodeJson(
      `{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":2,"startTimeUnixNano":1789999999000000000,"endTimeUnixNano":${NOW_NS}}]}]}]}`,
    );
    expect([error, batch.durationNs[0]]).toEqual([null, 1e9]);
  });

  it('takes ids of either case and of any length', () => {
    expect(decodeJson(ofSpans(span({ traceId: 'AbCdEf', spanId: '', parentSpanId: 'FF' }))).error).toBeNull();
  });

  it('knows a parent by its hex digits', () => {
    const below = (parentSpanId: string) => decodeJson(ofSpans(span({ parentSpanId, flags: 0x100 }))).batch.size;
    expect([below('00000000000000A0'), below('0000000000000000'), below('')]).toEqual([0, 1, 1]);
  });

  it.each([[{ intValue: '503' }], [{ intValue: 503 }], [{ doubleValue: 503 }], [{ stringValue: '503' }]])(
    'reads a status from %j',
    (value) => {
      expect(decodeJson(withValue(value, 'http.response.status_code')).batch.flags[0]).toBe(1);
    },
  );

  it.each([
    [{ arrayValue: { values: [{ stringValue: 'x' }] } }],
    [{ kvlistValue: { values: [] } }],
    [{ bytesValue: 'AAAA' }],
    [{ doubleValue: 'NaN' }],
    [{ stringValue: null }],
    [{}],
    [null],
  ])('has no route in %j', (value) => {
    const { error, interner } = decodeJson(withValue(value));
    expect([error, interner.nameOf(0)]).toEqual([null, 'doubleValue' in (value ?? {}) ? 'HTTP op' : 'op']);
  });

  it('is not changed by keys that JavaScript minds', () => {
    const hostile =
      '{"__proto__":{"resourceSpans":[1]},"constructor":{"prototype":{"kind":2}},"resourceSpans":[{"__proto__":{"scopeSpans":[7]}}]}';
    const { error, batch } = decodeJson(hostile);
    expect([error, batch.size]).toEqual([null, 0]);
    expect(({} as Record<string, unknown>).kind).toBeUndefined();
  });

  it('applies the limits on spans, attributes and names', () => {
    const limits = { spansPerRequest: 2, attributesPerSpan: 1, depth: 4, nameBytes: 6 };
    const attributes = [
      { key: 'a', value: {} },
      { key: 'http.route', value: { stringValue: '/late' } },
    ];
    const { batch, interner } = decodeJson(ofSpans(span({ name: 'äääää', attributes }), span({}), span({})), { limits });
    expect([batch.size, batch.dispositions.at(-1)]).toEqual([2, 1]);
    expect(interner.nameOf(0)).toBe('äää');
  });
});

describe('a refusal', () => {
  it.each<[string, unknown]>([
    ['request', []],
    ['request', 'null'],
    ['resourceSpans', { resourceSpans: {} }],
    ['resourceSpans[1]', { resourceSpans: [{}, 5] }],
    ['resourceSpans[0].resource', { resourceSpans: [{ resource: [] }] }],
    ['resourceSpans[0].resource.attributes[0].key', { resourceSpans: [{ resource: { attributes: [{ key: 5 }] } }] }],
    ['resourceSpans[0].scopeSpans', { resourceSpans: [{ scopeSpans: 'x' }] }],
    ['resourceSpans[0].scopeSpans[0].spans[1]', ofSpans({}, 'x')],
    ['resourceSpans[0].scopeSpans[0].spans[0].kind', ofSpans(span({ kind: 'SPAN_KIND_SERVER' }))],
    ['resourceSpans[0].scopeSpans[0].spans[0].status.code', ofSpans(span({ status: { code: 'STATUS_CODE_ERROR' } }))],
    ['resourceSpans[0].scopeSpans[0].spans[0].name', ofSpans(span({ name: 5 }))],
    ['resourceSpans[0].scopeSpans[0].spans[0].traceId', ofSpans(span({ traceId: 'not hex' }))],
    ['resourceSpans[0].scopeSpans[0].spans[0].flags', ofSpans(span({ flags: -1 }))],
    ['resourceSpans[0].scopeSpans[0].spans[0].endTimeUnixNano', ofSpans(span({ endTimeUnixNano: '18446744073709551616' }))],
    ['resourceSpans[0].scopeSpans[0].spans[0].endTimeUnixNano', ofSpans(span({ endTimeUnixNano: -1 }))],
    ['resourceSpans[0].scopeSpans[0].spans[0].endTimeUnixNano', ofSpans(span({ endTimeUnixNano: '1e9' }))],
    ['resourceSpans[0].scopeSpans[0].spans[0].startTimeUnixNano', ofSpans(span({ startTimeUnixNano: 0.5 }))],
    ['resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value.stringValue', withValue({ stringValue: 5 })],
    ['resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value.intValue', withValue({ intValue: '0x10' })],
    ['resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value.boolValue', withValue({ boolValue: 'true' })],
    ['resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value', withValue('/a')],
  ])('names %s', (field, request) => {
    const { error, batch } = decodeJson(request);
    expect(error?.field).toBe(field);
    expect(batch.size).toBe(0);
  });

  it('takes the largest time there is', () => {
    expect(decodeJson(ofSpans(span({ endTimeUnixNano: '18446744073709551615' }))).error).toBeNull();
  });

  it.each([
    ['', 0],
    ['{"a":', 5],
    ['{"ä":1,}', 8],
    ['nonsense', 0],
  ])('tells where %j is no JSON', (text, offset) => {
    expect(decodeJson(text).error).toMatchObject({ field: 'request', message: 'the request is not JSON', offset });
  });

  it('of bytes that are not UTF-8', () => {
    expect(decodeJson(Uint8Array.of(0x22, 0xff, 0x22)).error?.message).toBe('the bytes are not UTF-8');
  });

  it('of nesting comes before anything is built', () => {
    const error = decodeJson(`${'['.repeat(1_000_000)}`).error;
    expect(error).toEqual({ offset: 76, field: 'request', message: 'JSON is nested deeper than 76 levels' });
  });

  it('is none for brackets in strings', () => {
    expect(decodeJson(`{"a":"${'[{\\"'.repeat(500)}"}`).error).toBeNull();
  });

  it('is none for values nested as deep as configured', () => {
    const limits = { ...TEST_SPAN_RULES.limits, depth: 5 };
    const nested = (levels: number): object =>
      levels === 0 ? { stringValue: 'x' } : { kvlistValue: { values: [{ key: 'k', value: nested(levels - 1) }] } };
    const eventWith = (levels: number) => ofSpans(span({ events: [{ attributes: [{ key: 'a', value: nested(levels) }] }] }));
    expect(decodeJson(eventWith(5), { limits }).error).toBeNull();
    expect(decodeJson(eventWith(6), { limits }).error?.message).toBe('JSON is nested deeper than 32 levels');
  });
});
