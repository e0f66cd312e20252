/** Whole requests: all or nothing, faults with their place, limits, and resources that repeat. */
import { describe, expect, it } from 'vitest';
import { SpanDecoder } from '../../src/decode/decoder.ts';
import { ObservationBatch, SPAN_DISPOSITIONS } from '../../src/model/observation-batch.ts';
import type { SpanRules } from '../../src/model/span-rules.ts';
import { spanRequest, spanRequestInput } from '../bench/otlp-payload.ts';
import { MapInterner } from '../support/map-interner.ts';
import { jsonRequest } from '../support/otlp-json.ts';
import { encodeRequest, type RequestInput } from '../support/otlp-proto.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';
import { attributesOf, NOW_MS, SERVER, traceOf } from './one-span.ts';
import { bytesField, concat, fixed64Field, textField, varintField } from './random-request.ts';

const NOW_NS = BigInt(NOW_MS) * 1_000_000n;

function setUp(rules: Partial<SpanRules> = {}) {
  const interner = new MapInterner();
  const decoder = new SpanDecoder({ ...TEST_SPAN_RULES, ...rules }, interner, 7);
  const batch = new ObservationBatch(4);
  const decode = (bytes: Uint8Array) => decoder.decode('protobuf', bytes, NOW_MS, batch);
  const dispositions = () =>
    Object.fromEntries(SPAN_DISPOSITIONS.map((name, i) => [name, batch.dispositions[i]]).filter(([, n]) => n !== 0));
  return { interner, decoder, batch, decode, dispositions };
}

function requestOf(spans: number, attributes: Record<string, string> = {}): RequestInput {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ 'service.name': 'shop' }) },
        scopeSpans: [
          {
            spans: Array.from({ length: spans }, (_, i) => ({
              name: `op`,
              kind: SERVER,
              startTimeUnixNano: NOW_NS - BigInt(i + 1),
              endTimeUnixNano: NOW_NS,
              attributes: attributesOf(attributes),
            })),
          },
        ],
      },
    ],
  };
}

describe('a request', () => {
  it('without bytes is empty and sound', () => {
    const { decode, batch } = setUp();
    expect(decode(new Uint8Array())).toBeNull();
    expect(batch.size).toBe(0);
  });

  it('keeps the order of its spans, also beyond the capacity of the batch', () => {
    const { decode, batch } = setUp();
    expect(decode(encodeRequest(requestOf(100)))).toBeNull();
    expect([...batch.durationNs.subarray(0, batch.size)]).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  it('may be a Buffer inside a larger one', () => {
    const { decode, batch } = setUp();
    const bytes = encodeRequest(requestOf(3));
    const pool = Buffer.alloc(bytes.length + 20, 0xff);
    pool.set(bytes, 11);
    expect(decode(pool.subarray(11, 11 + bytes.length))).toBeNull();
    expect(batch.size).toBe(3);
  });

  it('cut anywhere is refused whole, or is the spans before the cut', () => {
    const { decode, batch, dispositions } = setUp();
    const first = encodeRequest(requestOf(2, { 'http.route': '/a', 'http.request.method': 'GET' }));
    const bytes = concat([first, encodeRequest(requestOf(3))]);
    for (let end = 0; end <= bytes.length; end++) {
      const error = decode(bytes.subarray(0, end));
      const whole = new Map([
        [0, 0],
        [first.length, 2],
        [bytes.length, 5],
      ]).get(end);
      expect([end, error === null ? batch.size : null]).toEqual([end, whole ?? null]);
      if (error === null) continue;
      expect(error.field).toBe(end < first.length ? 'resourceSpans[0]' : 'resourceSpans[1]');
      expect(error.offset).toBeLessThanOrEqual(end);
      expect([batch.size, dispositions()]).toEqual([0, {}]);
    }
  });

  it('that is refused leaves nothing behind for the next one', () => {
    const { decode, batch, dispositions } = setUp();
    const bytes = encodeRequest(requestOf(5));
    expect(decode(concat([bytes, Uint8Array.of(0x0b)]))).toEqual({
      offset: bytes.length,
      field: 'request',
      message: 'a field has the wire type 3',
    });
    expect(decode(bytes)).toBeNull();
    expect([batch.size, dispositions()]).toEqual([5, { counted: 5 }]);
  });

  it('counts rows of services without a name, for this request only', () => {
    const { decode, decoder } = setUp();
    const nameless = encodeRequest({ resourceSpans: [{ scopeSpans: requestOf(3).resourceSpans?.[0]?.scopeSpans ?? [] }] });
    decode(nameless);
    expect(decoder.missingServiceName).toBe(3);
    decode(encodeRequest(requestOf(2)));
    expect(decoder.missingServiceName).toBe(0);
  });
});

describe('a fault', () => {
  const sound = textField(5, 'op');
  const span = (...fields: Uint8Array[]) => bytesField(2, concat([varintField(6, SERVER), ...fields]));
  const attribute = (...fields: Uint8Array[]) => bytesField(9, concat(fields));
  const request = (...spans: Uint8Array[]) =>
    concat([bytesField(1, new Uint8Array()), bytesField(1, concat([bytesField(2, new Uint8Array()), bytesField(2, concat(spans))]))]);
  const broken = Uint8Array.of(0x0f);
  const known = textField(1, 'http.route');

  it.each<[string, string, Uint8Array]>([
    ['a span', 'resourceSpans[1].scopeSpans[1].spans[1]', request(span(sound), span(sound, broken))],
    ['a status', 'resourceSpans[1].scopeSpans[1].spans[0].status', request(span(bytesField(15, broken)))],
    [
      'an attribute',
      'resourceSpans[1].scopeSpans[1].spans[2].attributes[1]',
      request(span(), span(), span(attribute(known), attribute(known, broken))),
    ],
    ['a value', 'resourceSpans[1].scopeSpans[1].spans[0].attributes[0].value', request(span(attribute(known, bytesField(2, broken))))],
    [
      'the first of two',
      'resourceSpans[1].scopeSpans[1].spans[0].attributes[0]',
      request(span(attribute(known, broken), Uint8Array.of(0x0e))),
    ],
    ['a resource', 'resourceSpans[0].resource', bytesField(1, bytesField(1, broken))],
    ['a resource attribute', 'resourceSpans[0].resource.attributes[0]', bytesField(1, bytesField(1, bytesField(1, broken)))],
    ['a request', 'request', broken],
  ])('is found in %s', (_, field, bytes) => {
    const { decode } = setUp();
    expect(decode(bytes)).toEqual({ offset: bytes.lastIndexOf(0x0f), field, message: 'a field has the wire type 7' });
  });

  it('is told from the field that is cut off', () => {
    const bytes = request(span(), bytesField(2, Uint8Array.of(0x30, 0x80)));
    expect(setUp().decode(bytes)).toEqual({
      offset: bytes.length - 1,
      field: 'resourceSpans[1].scopeSpans[1].spans[1].kind',
      message: 'a varint is cut off',
    });
  });

  it.each<[string, Uint8Array]>([
    ['the value of an attribute that no rule reads', request(span(attribute(textField(1, 'x'), bytesField(2, broken))))],
    ['attributes of spans that are not counted', request(bytesField(2, concat([varintField(6, 3), bytesField(9, broken)])))],
    ['events and links', request(span(bytesField(11, broken), bytesField(13, broken)))],
    ['scopes', bytesField(1, bytesField(2, bytesField(1, broken)))],
  ])('is not looked for in %s', (_, bytes) => {
    expect(setUp().decode(bytes)).toBeNull();
  });
});

describe('a limit', () => {
  const limits = TEST_SPAN_RULES.limits;

  it('on spans leaves the rest of the request out and keeps the beginning', () => {
    const { decode, batch, dispositions } = setUp({ limits: { ...limits, spansPerRequest: 3 } });
    expect(decode(encodeRequest(requestOf(5)))).toBeNull();
    expect([batch.size, dispositions()]).toEqual([3, { counted: 3, over_limit: 2 }]);
  });

  it('on attributes leaves the later ones out', () => {
    const { decode, interner } = setUp({ limits: { ...limits, attributesPerSpan: 2 } });
    decode(encodeRequest(requestOf(1, { a: '1', 'http.request.method': 'GET', 'http.route': '/late' })));
    expect(interner.nameOf(0)).toBe('GET op');
  });

  it('of nesting is none where nothing nested is read', () => {
    let value: Uint8Array = textField(1, 'deep');
    for (let i = 0; i < 10_000; i++) value = bytesField(5, bytesField(1, value));
    const attribute = bytesField(9, concat([textField(1, 'http.route'), bytesField(2, value)]));
    const { decode, batch } = setUp();
    expect(decode(bytesField(1, bytesField(2, bytesField(2, concat([varintField(6, SERVER), attribute])))))).toBeNull();
    expect(batch.size).toBe(0);
  });
});

describe('the trace of a span', () => {
  const id = (first: number, length = 16) => Uint8Array.from({ length }, (_, i) => (i === 0 ? first : i));
  const spans = [id(1), id(0, 8), id(0xff), new Uint8Array(16), new Uint8Array()].map((traceId) => ({
    traceId,
    kind: SERVER,
    startTimeUnixNano: NOW_NS,
    endTimeUnixNano: NOW_NS,
  }));
  const request: RequestInput = { resourceSpans: [{ scopeSpans: [{ spans }] }] };
  const traces = [`01${'0102030405060708090a0b0c0d0e0f'}`, null, `ff${'0102030405060708090a0b0c0d0e0f'}`, null, null];

  it.each([
    ['protobuf', encodeRequest(request)],
    ['json', jsonRequest(request)],
  ] as const)('is where the batch says, or nowhere when it is no id: %s', (encoding, bytes) => {
    const { decoder, batch } = setUp();
    expect(decoder.decode(encoding, bytes, NOW_MS, batch)).toBeNull();
    expect(traces.map((_, row) => traceOf(batch, row))).toEqual(traces);
  });

  it('is as it was sent in each of thousands of spans of a JSON request, and in the next request', () => {
    const { decoder, batch } = setUp();
    for (const salt of [0, 1]) {
      const many = Array.from({ length: 3000 }, (_, i) => ({ ...spans[0], traceId: id(1 + ((i + salt) % 250)) }));
      expect(decoder.decode('json', jsonRequest({ resourceSpans: [{ scopeSpans: [{ spans: many }] }] }), NOW_MS, batch)).toBeNull();
      expect(many.map((_, row) => traceOf(batch, row))).toEqual(many.map(({ traceId }) => Buffer.from(traceId).toString('hex')));
    }
  });

  it('is let go with the batch', () => {
    const { decode, batch } = setUp();
    decode(encodeRequest(request));
    batch.clear();
    expect(batch.traceBytes.length).toBe(0);
    expect(decode(Uint8Array.of(0xff))).not.toBeNull();
    expect(batch.traceBytes.length).toBe(0);
  });
});

describe('a resource', () => {
  it('is given a number once, however often and in whatever bytes it comes', () => {
    const { decode, interner } = setUp();
    for (const seed of [1, 2, 3])
      expect(decode(spanRequest({ spans: 512, spansPerResource: 8, pods: 64, nowMs: NOW_MS, seed }))).toBeNull();
    expect(interner.resources.length).toBe(2);
    expect(interner.asked.length).toBe(new Set(interner.asked).size);
    expect(interner.asked.length).toBeGreaterThan(interner.resources.length);
  });

  it('is given none while no span of it is counted', () => {
    const { decode, interner } = setUp({ kinds: ['client'] });
    decode(encodeRequest(requestOf(3)));
    expect(interner.resources).toEqual([]);
  });

  it('is the same behind its spans and in pieces', () => {
    const { decode, batch, interner } = setUp();
    const spans = bytesField(2, bytesField(2, concat([varintField(6, SERVER), fixed64Field(8, NOW_NS)])));
    const keyValue = (key: string, value: string) =>
      bytesField(1, bytesField(1, concat([textField(1, key), bytesField(2, textField(1, value))])));
    const pieces = concat([keyValue('service.name', 'cart'), spans, keyValue('service.namespace', 'shop')]);
    expect(decode(bytesField(1, pieces))).toBeNull();
    expect(batch.size).toBe(1);
    expect(interner.resources.map(({ service }) => service)).toEqual(['shop/cart']);
  });

  it('is told apart from thousands of others that pass through', () => {
    const { decode, interner } = setUp();
    const request = spanRequestInput({ spans: 1, nowMs: NOW_MS, seed: 5 });
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 6000; i++) {
        const resource = { attributes: attributesOf({ 'service.name': `s${i}` }) };
        decode(encodeRequest({ resourceSpans: [{ ...request.resourceSpans?.[0], resource }] }));
      }
    }
    expect(new Set(interner.resources.map(({ service }) => service)).size).toBe(6000);
    expect(interner.list.every(({ identity }, id) => interner.list[id]?.identity === identity)).toBe(true);
  });
});
