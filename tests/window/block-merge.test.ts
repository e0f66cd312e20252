import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { LANES } from '../../src/model/lane.ts';
import { BlockWriter } from '../../src/window/block-writer.ts';
import { RowView } from '../../src/window/row-view.ts';
import type { SlotBlock } from '../../src/window/slot-block.ts';
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
    lane: fc.integer({ min: -3, max: LANES }).map((lane) => Math.max(0, lane)),
  }),
  { maxLength: 150 },
);

const stream = new Stream({ thresholdsNs: [100_000, 50_000_000] });
stream.endpoints(SERIES);
const writer = new BlockWriter(stream.layout);

function blockOf(list: readonly Span[]): SlotBlock {
  const deltas = stream.flush(list);
  return writer.fromDeltas(deltas, 0, deltas.size);
}

describe('merging blocks', () => {
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
      expect([view.series, view.count, view.slowCount]).toEqual([series, count, 2]);
    }
  });

  it('takes about ten bytes for a quiet series with two thresholds', () => {
    const ids = Array.from({ length: SERIES }, (_, i) => i + 1);
    const quiet = blockOf(ids.map((series) => ({ series, endMs: T0, durationUs: 90 })));
    expect(quiet.bytes.length).toBeLessThan(SERIES * 10);
  });
});
