/** Bytes that are no record of ours are refused with the field and the place, whatever they are, and change nothing. */
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import type { ProgressReport } from '../../src/model/source-progress.ts';
import { DeltaReader } from '../../src/wire/delta-reader.ts';
import { encodeDeltas } from '../../src/wire/encode-deltas.ts';
import { encodeProgress, readProgress } from '../../src/wire/progress-record.ts';
import { kindOf } from '../../src/wire/record-kind.ts';
import { isWireError, wireErrorText } from '../../src/wire/wire-error.ts';
import { countingMember, LAYOUT, requestOf, T0, type TestSpan } from './members.ts';

const SPANS: readonly TestSpan[] = Array.from({ length: 30 }, (_, i) => ({
  service: 'shop',
  version: `${1 + (i % 2)}`,
  pod: `pod-${i % 5}`,
  endpoint: i % 3 === 0 ? 'work' : 'GET /a',
  endMs: i * 300,
  durationMs: i * 7 - 1,
  hasFailed: i % 4 === 0,
  weight: i % 5 === 0 ? 4 : 1,
  trace: i % 10,
}));

function record(): Uint8Array {
  const member = countingMember();
  for (const span of SPANS) member.partition('a').consume('protobuf', requestOf(span), T0 + 20_000);
  const [first] = encodeDeltas(member.partition('a').flush({ source: 'spans/0', epoch: 'e', sequence: 30 }), member.names);
  return first?.bytes ?? new Uint8Array(0);
}

const RECORD = record();

const REPORT: ProgressReport = {
  member: 'ingest-1',
  progress: [
    { source: 'spans/0', completeUntilMs: T0 + 0.5, isClosed: false },
    { source: 'otlp/ingest-1', completeUntilMs: Number.NEGATIVE_INFINITY, isClosed: true },
  ],
  expected: ['spans/0', 'spans/1'],
  gaps: [
    { source: 'spans/0', reason: 'retention', fromMs: T0, toMs: null, text: 'spans/0: offsets 3 to 9 were deleted' },
    { source: 'spans/1', reason: 'crash', fromMs: null, toMs: T0, text: 'ünï' },
  ],
};

describe('a record of counts', () => {
  it('is refused when it ends early, at whichever byte', () => {
    const reader = new DeltaReader({ layout: LAYOUT });
    const taken = Array.from({ length: RECORD.length }, (_, length) => reader.read(RECORD.subarray(0, length))).filter(
      (read) => !isWireError(read),
    );
    expect(taken).toEqual([]);
  });

  it('is refused when something follows it', () => {
    const longer = new Uint8Array([...RECORD, 0]);
    expect(new DeltaReader({ layout: LAYOUT }).read(longer)).toMatchObject({ kind: 'malformed', field: 'end', offset: RECORD.length });
  });

  const mutation = fc.record({ at: fc.nat(RECORD.length - 1), byte: fc.nat(255), how: fc.constantFrom('set', 'insert', 'remove') });

  property.prop([fc.array(mutation, { minLength: 1, maxLength: 4 })], { numRuns: 3000 })(
    'is refused or keeps all promises when bytes of it change',
    (mutations) => {
      const bytes = [...RECORD];
      for (const { at, byte, how } of mutations)
        bytes.splice(Math.min(at, bytes.length), how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [byte]));
      const read = new DeltaReader({ layout: LAYOUT }).read(new Uint8Array(bytes));
      if (isWireError(read)) {
        expect(read.offset).toBeLessThanOrEqual(bytes.length);
        expect(wireErrorText(read)).toContain(`${read.field} at byte ${read.offset}: `);
        return;
      }
      for (let r = 0; r < read.size; r++) {
        const [count = 0, failed = 0, timed = 0] = [read.count[r], read.failed[r], read.timed[r]];
        expect(failed <= count && timed <= count).toBe(true);
        for (const weight of [read.weight[r], read.failedWeight[r], read.timedWeight[r]]) expect(weight).toBeGreaterThanOrEqual(0);
        const cells = [...read.cells.subarray(read.cellStart[r], read.cellStart[r + 1])];
        expect(cells).toEqual([...new Set(cells)].sort((a, b) => a - b));
        expect(read.cellCounts.subarray(read.cellStart[r], read.cellStart[r + 1]).reduce((sum, spans) => sum + spans, 0)).toBe(timed);
      }
    },
  );

  property.prop([fc.uint8Array({ maxLength: 200 })], { numRuns: 1000 })('is not what any bytes are', (noise) => {
    const reader = new DeltaReader({ layout: LAYOUT });
    expect(isWireError(reader.read(noise))).toBe(true);
    expect(isWireError(reader.read(new Uint8Array([0xd1, 1, ...noise])))).toBe(true);
  });

  it('that is refused leaves no series, pod or note behind', () => {
    const reader = new DeltaReader({ layout: LAYOUT });
    expect(isWireError(reader.read(RECORD.subarray(0, RECORD.length - 1)))).toBe(true);
    expect(reader.notes()).toEqual([]);
    const read = reader.read(RECORD);
    expect(isWireError(read) ? [] : read.announced.map(({ id }) => id)).toEqual([0, 1, 2, 3]);
    expect(reader.notes()).toHaveLength(1);
  });

  it('says it when it tells of more than its bytes can hold', () => {
    const writesMany = new Uint8Array([0xd1, 1, 2, ...varint(60_000_000), 0, 0, 0, 1, 0x61, ...varint(2 ** 40)]);
    expect(new DeltaReader({ layout: LAYOUT }).read(writesMany)).toMatchObject({ kind: 'malformed', field: 'releases' });
  });

  it('of another version, or of histograms of another layout, is refused with what was expected', () => {
    const newer = RECORD.with(1, 2);
    expect(new DeltaReader({ layout: LAYOUT }).read(newer)).toMatchObject({
      field: 'version',
      message: 'version 2 of the layout is unknown, expected 1: written by another release',
    });
    expect(new DeltaReader({ layout: new HistogramLayout(2, 1_000_000) }).read(RECORD)).toMatchObject({
      field: 'layout',
      message: expect.stringContaining('every member needs the same histogram settings'),
    });
  });
});

describe('a report of progress', () => {
  it('reads as it was written', () => {
    expect(readProgress(encodeProgress(REPORT))).toEqual(REPORT);
    const empty = { member: '', progress: [], expected: [], gaps: [] };
    expect(readProgress(encodeProgress(empty))).toEqual(empty);
  });

  it('is refused when it ends early, at whichever byte, or goes on', () => {
    const bytes = encodeProgress(REPORT);
    const taken = Array.from({ length: bytes.length }, (_, length) => readProgress(bytes.subarray(0, length))).filter(
      (read) => !isWireError(read),
    );
    expect(taken).toEqual([]);
    expect(readProgress(new Uint8Array([...bytes, 1]))).toMatchObject({ field: 'end' });
  });

  property.prop([fc.nat(encodeProgress(REPORT).length - 1), fc.nat(255)], { numRuns: 2000 })(
    'is refused or read when a byte changes',
    (at, byte) => {
      const read = readProgress(encodeProgress(REPORT).with(at, byte));
      expect(isWireError(read) || read.progress.every(({ completeUntilMs }) => !Number.isNaN(completeUntilMs))).toBe(true);
    },
  );
});

describe('the kind of a record', () => {
  it.each([
    [RECORD, 'deltas'],
    [encodeProgress(REPORT), 'progress'],
    [new Uint8Array(0), null],
    [new TextEncoder().encode('{"resourceSpans":[]}'), null],
    [new Uint8Array([0x0a, 3, 1, 2, 3]), null],
  ] as const)('is told by its first byte', (bytes, kind) => {
    expect(kindOf(bytes)).toBe(kind);
  });

  it('is not mistaken for the other', () => {
    expect(readProgress(RECORD)).toMatchObject({ field: 'kind', offset: 0 });
    expect(new DeltaReader({ layout: LAYOUT }).read(encodeProgress(REPORT))).toMatchObject({ field: 'kind', offset: 0 });
  });
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 0x80, ...varint(Math.floor(value / 128))];
}
