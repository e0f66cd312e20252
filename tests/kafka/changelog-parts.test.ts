/** Rows of any size as records: what is cut comes together again whatever compaction leaves, and what is torn is refused. */
import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { RowJoiner, RowSplitter } from '../../src/kafka/changelog-parts.ts';
import type { ChangelogRow } from '../../src/kafka/changelog-row.ts';
import { PermanentError } from '../../src/model/errors.ts';

const PART_BYTES = 8;

function joined(records: readonly ChangelogRow[]): ReadonlyMap<string, string> {
  const rows = new Map<string, string>();
  const joiner = new RowJoiner(({ key, value }) => {
    if (value === null) rows.delete(key);
    else rows.set(key, Buffer.from(value).toString('hex'));
  });
  for (const record of records) joiner.add(record);
  joiner.finish();
  return rows;
}

const numbers = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => from + i);

describe('rows of any size', () => {
  it('come back as they last were, whatever part of what was replaced is left, over many owners', () => {
    const row = fc.record({
      key: fc.constantFrom('["a",1]', '["b#1",1]', '["a",1]#'),
      value: fc.option(fc.uint8Array({ maxLength: 5 * PART_BYTES })),
      isNewOwner: fc.boolean(),
    });
    void fc.assert(
      fc.property(fc.array(fc.array(row, { maxLength: 3 }), { maxLength: 6 }), fc.array(fc.boolean()), (writes, isLeft) => {
        const log: ChangelogRow[] = [];
        const expected = new Map<string, string>();
        let splitter = new RowSplitter(PART_BYTES);
        for (const rows of writes) {
          // One row per key and write, as a transaction has it.
          const once = [...new Map(rows.map((one) => [one.key, one])).values()];
          if (once[0]?.isNewOwner) {
            splitter = new RowSplitter(PART_BYTES);
            const owner = splitter;
            const joiner = new RowJoiner(({ key }, parts) => owner.known(key, parts));
            for (const record of log) joiner.add(record);
          }
          const records = splitter.records(once);
          expect(splitter.records(once)).toEqual(records);
          splitter.written(once);
          log.push(...records);
          for (const { key, value } of once) {
            if (value === null) expected.delete(key);
            else expected.set(key, Buffer.from(value).toString('hex'));
          }
        }
        const last = new Map(log.map(({ key }, at) => [key, at]));
        // What was replaced may be gone or not; the latest of each key is there, and a deletion may be gone when all before it is.
        const left = log.filter(({ key }, at) => last.get(key) === at || (isLeft[at] ?? false));
        expect(joined(left)).toEqual(expected);
        const compacted = log.filter(({ key, value }, at) => last.get(key) === at && value !== null);
        expect(joined(compacted)).toEqual(expected);
        expect(compacted.every(({ value }) => (value?.length ?? 0) <= PART_BYTES + 7)).toBe(true);
      }),
    );
  });

  it('are refused when a part is missing', () => {
    const [first, second, third] = new RowSplitter(PART_BYTES).records([{ key: 'k', value: numbers(20) }]) as [
      ChangelogRow,
      ChangelogRow,
      ChangelogRow,
    ];
    expect(joined([first, second, third]).size).toBe(1);
    for (const torn of [
      [first, second],
      [first, third],
      [second, third, first],
    ]) {
      expect(() => joined(torn)).toThrow(PermanentError);
    }
  });

  it('are refused when their parts are of two values', () => {
    const [first] = new RowSplitter(PART_BYTES).records([{ key: 'k', value: numbers(20) }]) as [ChangelogRow];
    const [, ...others] = new RowSplitter(PART_BYTES).records([{ key: 'k', value: numbers(20, 1) }]);
    expect(() => joined([first, ...others])).toThrow(PermanentError);
  });

  it.each([
    ['empty', new Uint8Array(0)],
    ['of a newer program', Uint8Array.of(9, 1, 1)],
    ['a first part and nothing else', Uint8Array.of(1, 0, 2, 0, 0, 0, 0)],
    ['a first part of one', Uint8Array.of(1, 0, 1, 0, 0, 0, 0, 7)],
    ['a later part in the place of a first one', Uint8Array.of(2, 0, 1, 0, 0, 0, 0, 7)],
  ])('are refused when a record is %s', (_, value) => {
    expect(() => joined([{ key: 'k', value }])).toThrow(PermanentError);
  });

  it('are refused when a part has a bit flipped', () => {
    const records = new RowSplitter(PART_BYTES).records([{ key: 'k', value: numbers(20) }]);
    records[1]?.value?.fill(99, 10);
    expect(() => joined(records)).toThrow(expect.objectContaining({ name: 'PermanentError', code: 'state_damaged' }));
  });
});
