/** The status over hours adds what the store keeps to what is in memory, and counts every request once. */
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { encodeRequest } from '../support/otlp-proto.ts';
import { testStages } from '../support/test-stages.ts';

const START_SEC = 1_800_000_000;
const SECONDS = 3 * 3600;
const HOUR_MS = 3_600_000;

/** One request a second: a span of 20 ms (every 50th of 900 ms and failed). */
function second(i: number): Uint8Array {
  const endNs = BigInt(START_SEC + i) * 1_000_000_000n + 500_000_000n;
  const isBad = i % 50 === 0;
  return encodeRequest({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        scopeSpans: [
          {
            spans: [
              {
                name: 'GET /',
                kind: 2,
                startTimeUnixNano: endNs - (isBad ? 900_000_000n : 20_000_000n),
                endTimeUnixNano: endNs,
                attributes: [
                  { key: 'http.request.method', value: { stringValue: 'GET' } },
                  { key: 'http.route', value: { stringValue: '/' } },
                ],
                status: { code: isBad ? 2 : 0 },
              },
            ],
          },
        ],
      },
    ],
  });
}

describe('the status over hours', () => {
  const store = new MemoryStore();
  const { ingest, engine } = testStages();
  for (let i = 0; i < SECONDS; i++) {
    const now = (START_SEC + i) * 1000 + 600;
    ingest.consume('protobuf', second(i), now);
    if (ingest.flushDue()) engine.merge(ingest.flush());
    engine.advance(now);
    if (i % 5 === 4) store.checkpoint(engine.checkpoint(now));
  }
  const now = (START_SEC + SECONDS) * 1000;

  it.each([
    ['a minute', 60_000, 60],
    ['ten minutes', 600_000, 600],
    ['an hour', HOUR_MS, 3600],
    ['two hours', 2 * HOUR_MS, 7200],
    ['a day, of which there are three hours', 24 * HOUR_MS, SECONDS],
    ['four weeks, of which there are three hours', 28 * 24 * HOUR_MS, SECONDS],
  ])('of %s holds every request once', (_, windowMs, requests) => {
    const stored = engine.views.storedPieces(windowMs).flatMap(({ level, fromSec, toSec }) => store.slots(level, fromSec, toSec));
    const row = engine.views.status(windowMs, now, 'shop', stored).services[0]?.endpoints[0];
    // The start is rounded outward to a slot: at most a minute here.
    expect(row?.requests).toBeGreaterThanOrEqual(requests);
    expect(row?.requests).toBeLessThanOrEqual(Math.min(SECONDS, requests + 60));
    expect(Math.abs((row?.failed ?? 0) - (row?.requests ?? 0) / 50)).toBeLessThan(1);
    expect(row?.p50Ms).toBeCloseTo(20.1, 0);
    expect(row?.p99Ms).toBeGreaterThan(890);

    const latency = engine.views.latency({ service: 'shop', endpoint: 'GET /', release: null, windowMs }, stored);
    expect(latency?.total).toBe(row?.requests);
    expect(latency?.buckets.reduce((sum, { count }) => sum + count, 0)).toBe(latency?.total);
    const decoded = decodeFromCompressedBase64(latency?.hdr ?? '');
    expect(decoded.totalCount).toBe(latency?.total);
    expect(decoded.getValueAtPercentile(50) / 1000).toBe(latency?.quantiles[0]?.ms);
  });

  it('gives rates over the time that was seen, not over a window older than the service', () => {
    const stored = engine.views.storedPieces(24 * HOUR_MS).flatMap(({ level, fromSec, toSec }) => store.slots(level, fromSec, toSec));
    expect(engine.views.status(24 * HOUR_MS, now, 'shop', stored).services[0]?.endpoints[0]?.rate).toBeCloseTo(1, 2);
    expect(engine.views.status(60_000, now, 'shop').services[0]?.endpoints[0]?.rate).toBeCloseTo(1, 1);
  });

  it('knows no latency of an endpoint there is not', () => {
    expect(engine.views.latency({ service: 'shop', endpoint: 'GET /none', release: null, windowMs: 60_000 })).toBeNull();
  });
});
