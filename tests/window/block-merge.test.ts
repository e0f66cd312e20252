import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { LANES } from '../../src/model/lane.ts';
import { BlockWriter } from '../../src/window/block-writer.ts';
import { RowView } from '../../src/window/row-view.ts';
import { SlotBlock } from '../../src/window/slot-block.ts';
import { type Span, Stream } from './stream.ts';

const T0 = 1_800_000_000_000;
const SERIES = 70;

const spans = fc.array(
  fc.record({
    series: fc.integer({ min: 0, max: SERIES }),
    endMs: fc.constant(T0),
    durationUs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 70_000_000 })),
    failed: fc.boolean(),
    timed: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
    weight: fc.constantFrom(1, 1, 1, 1, 8),
    valid: fc.integer({ min: 0, max: 255 }),
    lane: fc.integer({ min: -3, max: LANES }).map((lane) => Math.max(0, lane)),
  }),
  { maxLength: 150 },
);

const MS = 1_000_000;

describe.each([
  ['two thresholds', { thresholdsNs: [100_000, 50 * MS], rules: 0 }, 2],
  ['a threshold and seven event rules', { thresholdsNs: [50 * MS], rules: 7 }, 15],
  ['all counters that a row can have', { thresholdsNs: [1, 2, 3, 4, 5, 6, 7, 8].map((i) => i * 10 * MS), rules: 8 }, 24],
])('merging blocks with %s', (_, counters, slowCount) => {
  const stream = new Stream(counters);
  stream.endpoints(SERIES);
  const writer = new BlockWriter(stream.layout);

  function blockOf(list: readonly Span[]): SlotBlock {
    const deltas = stream.flush(list);
    return writer.fromDeltas(deltas, 0, deltas.size);
  }

  property.prop({ parts: fc.array(spans, { minLength: 1, maxLength: 6 }) })(
    'gives the bytes that counting all at once gives',
    ({ parts }) => {
      expect([...writer.merge(parts.map(blockOf)).bytes]).toEqual([...blockOf(parts.flat()).bytes]);
    },
  );

  property.prop({ a: spans, b: spans, c: spans })('is associative', ({ a, b, c }) => {
    const [x, y, z] = [blockOf(a), blockOf(b), blockOf(c)];
    const left = writer.merge([writer.merge([x, y]), z]);
    expect([...left.bytes]).toEqual([...writer.merge([x, writer.merge([y, z])]).bytes]);
  });

  property.prop({ a: spans, b: spans, budget: fc.integer({ min: 1, max: 200 }) })(
    'comes to the same in steps, with other merges in between',
    ({ a, b, budget }) => {
      const blocks = [blockOf(a), blockOf(b)];
      const merge = writer.startMerge(blocks);
      let merged = merge.step(budget);
      for (; merged === null; merged = merge.step(budget)) writer.merge([blockOf(b), blockOf(a)]);
      expect([...merged.bytes]).toEqual([...writer.mergeLanes(blocks).bytes]);
    },
  );

  property.prop({ parts: fc.array(spans, { minLength: 1, maxLength: 4 }) })(
    'without lanes gives the bytes that counting without pods gives',
    ({ parts }) => {
      const podless = parts.flat().map((span) => ({ ...span, lane: 0 }));
      expect([...writer.mergeLanes(parts.map(blockOf)).bytes]).toEqual([...blockOf(podless).bytes]);
    },
  );

  property.prop({ list: spans })('finds every series that is there, and no other', ({ list }) => {
    const block = blockOf(list);
    const view = new RowView();
    for (let series = 0; series <= SERIES + 1; series++) {
      const count = list.filter((span) => span.series === series).length;
      expect(block.find(series, view)).toBe(count > 0);
      if (count === 0) continue;
      view.open();
      expect([view.series, view.count, view.slowCount]).toEqual([series, count, slowCount]);
    }
  });

  property.prop({ list: spans, last: spans })('keeps every counter of a series as counting it all at once does', ({ list, last }) => {
    const merged = new SlotBlock(writer.merge([blockOf(list), blockOf(last)]).bytes, false);
    const view = new RowView();
    for (const [series, mine] of Map.groupBy([...list, ...last], (span) => span.series)) {
      expect(merged.find(series, view)).toBe(true);
      view.open();
      const weightOf = (some: readonly Span[]) => some.reduce((sum, { weight = 1 }) => sum + weight, 0);
      for (let rule = 0; rule < counters.rules; rule++) {
        const valid = mine.filter((span) => ((span.valid ?? 0) & (1 << rule)) !== 0);
        const bad = valid.filter(({ failed }) => failed === true);
        const at = counters.thresholdsNs.length + rule * 2;
        expect([...view.slow.subarray(at, at + 2)]).toEqual([valid.length, bad.length]);
        expect([...view.slowWeight.subarray(at, at + 2)]).toEqual([weightOf(valid), weightOf(bad)]);
      }
    }
  });

  it('takes about nine bytes for a quiet series and one for each counter', () => {
    const ids = Array.from({ length: SERIES }, (_, i) => i + 1);
    const quiet = blockOf(ids.map((series) => ({ series, endMs: T0, durationUs: 90 })));
    expect(quiet.bytes.length).toBeLessThan(SERIES * (9 + slowCount));
  });
});
