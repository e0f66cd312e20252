/** Where reading goes on, as a table: what is known of a log against the position. */
import { expect, it } from 'vitest';
import { goingOn, type Stand } from '../../src/kafka/positions.ts';

const of = { topic: 't', partition: 0 };
const anchor = { offset: 9, timestampMs: 1_000 };
const at10: Stand = { of, position: { offset: 10, anchor }, from: 'earliest', isMadeAgain: false, highestEnd: null };
const unasked = () => Promise.reject(new Error('nobody was to ask'));

it.each([
  ['proves the log by the record before it', at10, [0, 20], { offset: 10, readFrom: 9, gaps: [] }],
  ['has nothing to prove it by when that record was deleted', at10, [10, 20], { offset: 10, readFrom: 10, gaps: [] }],
  ['has nothing to prove at the start', { ...at10, position: { offset: 0, anchor: null } }, [0, 20], { offset: 0, readFrom: 0, gaps: [] }],
  [
    'does not prove by a time that is unknown',
    { ...at10, position: { offset: 10, anchor: { offset: 9, timestampMs: -1 } } },
    [0, 20],
    { offset: 10, readFrom: 10, gaps: [] },
  ],
  ['proves at the very end', at10, [0, 10], { offset: 10, readFrom: 9, gaps: [] }],
  ['tells of what was deleted', at10, [15, 20], { offset: 15, readFrom: 15, gaps: [['retention', 10, 15, 1_000]] }],
  ['tells of all that was deleted', at10, [20, 20], { offset: 20, readFrom: 20, gaps: [['retention', 10, 20, 1_000]] }],
  ['begins at the start', { ...at10, position: null }, [3, 20], { offset: 3, readFrom: 3, gaps: [] }],
  ['begins at the end', { ...at10, position: null, from: 'latest' as const }, [3, 20], { offset: 20, readFrom: 20, gaps: [] }],
  [
    'reads another log from its start',
    { ...at10, isMadeAgain: true },
    [0, 20],
    { offset: 0, readFrom: 0, gaps: [['recreated', 10, 10, 1_000]] },
  ],
  [
    'tells how much of the old log was not read, and what is gone of the new one',
    { ...at10, isMadeAgain: true, highestEnd: 14 },
    [5, 20],
    {
      offset: 5,
      readFrom: 5,
      gaps: [
        ['recreated', 10, 14, 1_000],
        ['retention', 0, 5, 1_000],
      ],
    },
  ],
  ['takes an empty log for another one', at10, [0, 0], { offset: 0, readFrom: 0, gaps: [['recreated', 10, 10, 1_000]] }],
  ['takes an emptied one for the same', at10, [4, 4], { offset: 4, readFrom: 4, gaps: [['truncated', 4, 10, 1_000]] }],
] as const)('%s', async (_, stand, [start, end], { offset, readFrom, gaps }) => {
  const next = await goingOn(stand, { start, end }, unasked);
  expect(next.position.offset).toBe(offset);
  expect(next.readFrom).toBe(readFrom);
  expect(next.gaps.map(({ reason, from, to, fromMs }) => [reason, from, to, fromMs])).toEqual(gaps);
});

it.each([
  ['all its records are younger than the anchor: another log', 0, 'recreated', 0],
  ['some are older: the same log that lost its end', 3, 'truncated', 6],
  ['none is younger: the same log that lost its end', 6, 'truncated', 6],
] as const)('of a log that ends before the position, %s', async (_, firstAfter, reason, offset) => {
  const asked: number[] = [];
  const next = await goingOn(at10, { start: 0, end: 6 }, async (time) => {
    asked.push(time);
    return firstAfter;
  });
  expect(asked).toEqual([1_000]);
  expect(next).toMatchObject({ position: { offset, anchor: null }, gaps: [{ reason, fromMs: 1_000, toMs: null }] });
});
