/** What a reader says of a partition while it knows of lost records that its user does not know of yet. */
import { describe, expect, it } from 'vitest';
import type { LogGap } from '../../src/kafka/log.ts';
import { Reading } from '../../src/kafka/log-consumer-reading.ts';
import { SourcePositions } from '../../src/service/kafka-source-positions.ts';

const OF = { topic: 'spans', partition: 0 };
const ANCHOR = { offset: 9, timestampMs: 1_000 };
const gap = (change: Partial<LogGap>): LogGap => ({ ...OF, reason: 'retention', from: 10, to: 50, fromMs: 1_000, toMs: null, ...change });

describe('a position', () => {
  it.each<[string, number, LogGap[]]>([
    ['were deleted', 50, [gap({})]],
    ['are of a log that was made again and cut off', 50, [gap({ reason: 'recreated', to: 10 }), gap({ from: 0 })]],
    ['are gone from the end of the log', 8, [gap({ reason: 'truncated', from: 8, to: 10 })]],
  ])('stays before records that %s until its user was told, so that none is saved beyond them', (_, offset, gaps) => {
    const reading = new Reading(OF);
    reading.restart({ offset: 10, anchor: ANCHOR });
    const positions = new SourcePositions(true, []);
    positions.took('spans/0', { ...ANCHOR, key: null, value: null, headers: {} });
    positions.merge([]);
    reading.goOn({ position: { offset, anchor: null }, readFrom: offset, gaps });
    reading.saw(60, 2_000);
    expect(reading.status()).toMatchObject({ position: Math.min(...gaps.map(({ from }) => from)), end: 60, lag: 60 - offset });
    positions.merge([reading.status()]);
    expect(positions.begin('spans/0')).toEqual({ offset: 10, anchor: ANCHOR });
    for (const told of reading.gaps.splice(0)) positions.gap(told);
    expect(reading.status().position).toBe(offset);
  });
});
