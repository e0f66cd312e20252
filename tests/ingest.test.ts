/** Stage A tells by event time alone when a flush is due. */
import { describe, expect, it } from 'vitest';
import { Ingest } from '../src/ingest.ts';
import { HistogramLayout } from '../src/model/histogram-layout.ts';
import { encodeRequest } from './support/otlp-proto.ts';
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
  const endTimeUnixNano = BigInt(T0 + endMs) * 1_000_000n;
  return encodeRequest({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
        scopeSpans: [{ spans: [{ name: 'GET /', kind: 2, startTimeUnixNano: endTimeUnixNano - 1_000_000n, endTimeUnixNano }] }],
      },
    ],
  });
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
