/** Stage A tells by event time alone when a flush is due. */
import { describe, expect, it } from 'vitest';
import { Ingest } from '../src/ingest.ts';
import { HistogramLayout } from '../src/model/histogram-layout.ts';
import { cellOf, TRACE_BYTES } from '../src/model/slot-deltas.ts';
import { jsonRequest } from './support/otlp-json.ts';
import { encodeRequest, type RequestInput } from './support/otlp-proto.ts';
import { TEST_SPAN_RULES } from './support/span-rules.ts';

const T0 = 1_800_000_000_000;

function stageA(): Ingest {
  return new Ingest({
    rules: TEST_SPAN_RULES,
    layout: new HistogramLayout(),
    source: 'test',
    epoch: '1',
    series: { maxTotal: 100, maxReleasesPerService: 10, maxSeriesOf: () => 10, thresholdsOf: () => [], isReserved: () => false },
  });
}

/** One span of `service` that ends so many ms after T0. */
function span(service: string, endMs: number): Uint8Array {
  return encodeRequest(requestOf({ 'service.name': service }, { endMs }));
}

interface Told {
  readonly endMs: number;
  readonly durationMs?: number;
  readonly traceId?: Uint8Array;
  readonly hasFailed?: boolean;
}

function requestOf(resource: Readonly<Record<string, string>>, { endMs, durationMs = 1, hasFailed = false, traceId }: Told): RequestInput {
  const endTimeUnixNano = BigInt(T0 + endMs) * 1_000_000n;
  const startTimeUnixNano = endTimeUnixNano - BigInt(durationMs) * 1_000_000n;
  const told = { name: 'GET /', kind: 2, startTimeUnixNano, endTimeUnixNano, status: { code: hasFailed ? 2 : 0 } };
  const attributes = Object.entries(resource).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [traceId === undefined ? told : { ...told, traceId }] }] }] };
}

describe('a flush', () => {
  it('is due when a service enters a new slot, but not within 250 ms of event time of the last one', () => {
    const ingest = stageA();
    const flushes: [string, number][] = [];
    const arrive = (service: string, endMs: number): void => {
      ingest.consume('protobuf', span(service, endMs), T0 + 10_000);
      if (!ingest.flushDue()) return;
      flushes.push([service, endMs]);
      ingest.flush();
    };
    arrive('shop', 100);
    arrive('shop', 600);
    arrive('cart', 610);
    arrive('shop', 999);
    arrive('shop', 1001);
    arrive('cart', 1100);
    arrive('shop', 1240);
    arrive('shop', 1260);
    arrive('cart', 1900);
    arrive('shop', 1999);
    expect(flushes).toEqual([
      ['shop', 100],
      ['cart', 610],
      ['shop', 1001],
      ['shop', 1260],
    ]);
  });

  it('is not due without spans, nor for spans of slots that its service was in already', () => {
    const ingest = stageA();
    expect(ingest.flushDue()).toBe(false);
    ingest.consume('protobuf', span('shop', 5000), T0 + 10_000);
    ingest.flush();
    ingest.consume('protobuf', span('shop', 5900), T0 + 10_000);
    ingest.consume('protobuf', span('shop', 1000), T0 + 10_000);
    expect(ingest.flushDue()).toBe(false);
    expect(ingest.pending).toBe(2);
  });
});

describe('an accepted request', () => {
  it('has nothing to tell its sender when all is well', () => {
    expect(stageA().consume('protobuf', span('shop', 0), T0)).toEqual({ kind: 'accepted', accepted: 1, rejected: 0, message: '' });
  });

  it('tells its sender how many spans were not counted, and why', () => {
    const ingest = stageA();
    const rejected = { kind: 'accepted', accepted: 0, rejected: 1 };
    expect(ingest.consume('protobuf', span('shop', 3_600_000), T0)).toEqual({ ...rejected, message: 'spans not counted: 1 future' });
    expect(ingest.consume('protobuf', span('shop', -7_200_000), T0)).toEqual({ ...rejected, message: 'spans not counted: 1 ancient' });
  });

  it('tells its sender that the service has no name, and counts the span all the same', () => {
    const message = '1 spans without service.name, counted as unknown_service';
    expect(stageA().consume('protobuf', span('', 0), T0)).toEqual({ kind: 'accepted', accepted: 1, rejected: 0, message });
  });
});

describe.each(['protobuf', 'json'] as const)('pods and traces in %s', (encoding) => {
  const bytesOf = (request: RequestInput) => (encoding === 'json' ? jsonRequest(request) : encodeRequest(request));
  const trace = (first: number) => new Uint8Array(TRACE_BYTES).fill(7).with(0, first);

  it('are in the flush: a lane of each pod of the one release, the slowest trace, and the last that failed', () => {
    const ingest = stageA();
    const layout = new HistogramLayout();
    const consume = (pod: string, told: Told): void => {
      const outcome = ingest.consume(
        encoding,
        bytesOf(requestOf({ 'service.name': 'shop', ...(pod && { 'k8s.pod.name': pod }) }, told)),
        T0,
      );
      expect(outcome.kind).toBe('accepted');
    };
    consume('shop-a', { endMs: 1, durationMs: 10, traceId: trace(1) });
    consume('shop-b', { endMs: 2, durationMs: 30, traceId: trace(2) });
    consume('shop-a', { endMs: 3, durationMs: 20, traceId: trace(3) });
    consume('', { endMs: 4, durationMs: 40 });
    consume('shop-b', { endMs: 5, durationMs: 90, traceId: trace(4), hasFailed: true });
    consume('shop-b', { endMs: 6, durationMs: 50, traceId: trace(5), hasFailed: true });
    const deltas = ingest.flush();
    expect([deltas.size, deltas.announced.length]).toEqual([1, 2]);
    const cell = (ms: number, hasFailed: boolean, lane: number) => cellOf(layout.index(ms * 1000), hasFailed, lane, layout.size);
    expect([...deltas.cells.subarray(0, deltas.cellStart[1])]).toEqual([
      cell(40, false, 0),
      cell(10, false, 1),
      cell(20, false, 1),
      cell(30, false, 2),
      cell(50, true, 2),
      cell(90, true, 2),
    ]);
    expect([deltas.slowestNs[0], deltas.failedNs[0]]).toEqual([30e6, 50e6]);
    expect([...deltas.slowestTrace.subarray(0, TRACE_BYTES)]).toEqual([...trace(2)]);
    expect([...deltas.failedTrace.subarray(0, TRACE_BYTES)]).toEqual([...trace(5)]);
    consume('shop-a', { endMs: 7 });
    const next = ingest.flush();
    expect([next.slowestNs[0], next.failedNs[0], ...next.slowestTrace.subarray(0, TRACE_BYTES)]).toEqual(
      new Array(TRACE_BYTES + 2).fill(0),
    );
  });
});
