import { expect, it } from 'vitest';
import { Aggregator } from '../../src/aggregate/aggregator.ts';
import { SeriesTable } from '../../src/aggregate/series-table.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { ObservationBatch } from '../../src/model/observation-batch.ts';

const T0 = 1_800_000_000_000;
const NAMES = 5_000_000;
const PER_BATCH = 10_000;
const QUOTA = 500;

it('keeps memory bounded and another service exact through 5 million random endpoint names', () => {
  const table = new SeriesTable({
    maxTotal: 10_000,
    maxReleasesPerService: 10,
    maxSeriesOf: () => QUOTA,
    thresholdsOf: () => [500_000],
    isReserved: (service, endpoint) => service === 'flood' && endpoint === '/reserved',
    hashSeed: 12345,
  });
  const aggregator = new Aggregator(table, new HistogramLayout(), { source: 'a', epoch: 'e', capacity: PER_BATCH });
  const flood = table.resource({ service: 'flood', releaseAttributes: new Map() });
  const shop = table.resource({ service: 'shop', releaseAttributes: new Map() });
  const name = new Uint8Array(24);
  const checkout = new TextEncoder().encode('/checkout');
  const seriesOf = (resource: number, bytes: Uint8Array) => table.series(resource, 0, bytes, 0, bytes.length, 0, bytes, 0, 0);
  const checkoutId = seriesOf(shop, checkout);

  // xorshift32: a fixed sequence of names.
  let state = 2463534242;
  const batch = new ObservationBatch(PER_BATCH * 2);
  const total = { floodSpans: 0, shopSpans: 0, shopFailed: 0, shopSlow: 0, announced: 0 };
  const expected = { shopFailed: 0, shopSlow: 0 };
  let tableBytesAfterFirst = 0;
  for (let done = 0; done < NAMES; done += PER_BATCH) {
    batch.clear();
    for (let i = 0; i < PER_BATCH; i++) {
      for (let at = 0; at < name.length; at += 4) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        name[at] = 33 + (state & 63);
        name[at + 1] = 33 + ((state >>> 8) & 63);
        name[at + 2] = 33 + ((state >>> 16) & 63);
        name[at + 3] = 33 + ((state >>> 24) & 63);
      }
      batch.add(seriesOf(flood, name), T0, 1000, 0, 1);
      if (i % 10 !== 0) continue;
      const failed = state & 1;
      const durationNs = (state & 2) === 0 ? 400_000 : 600_000;
      batch.add(seriesOf(shop, checkout), T0, durationNs, failed, 1);
      expected.shopFailed += failed;
      expected.shopSlow += durationNs > 500_000 ? 1 : 0;
    }
    aggregator.append(batch);
    const deltas = aggregator.flush();
    total.announced += deltas.announced.length;
    for (let row = 0; row < deltas.size; row++) {
      const count = deltas.count[row] as number;
      if (deltas.series[row] === checkoutId) {
        total.shopSpans += count;
        total.shopFailed += deltas.failed[row] as number;
        total.shopSlow += deltas.slow[deltas.slowStart[row] as number] as number;
      } else total.floodSpans += count;
    }
    if (done === 0) tableBytesAfterFirst = table.tableBytes;
  }

  expect(total).toEqual({
    floodSpans: NAMES,
    shopSpans: NAMES / 10,
    ...expected,
    announced: QUOTA + 1 + 2,
  });
  expect(table.size).toBe(QUOTA + 1);
  expect(table.tableBytes).toBe(tableBytesAfterFirst);
  expect(table.tableBytes).toBeLessThan(100_000);
  expect(aggregator.overflowSpans).toBe(NAMES - QUOTA);
  // What an objective names still finds its place.
  expect(table.info(seriesOf(flood, new TextEncoder().encode('/reserved'))).endpoint).toBe('/reserved');
});
