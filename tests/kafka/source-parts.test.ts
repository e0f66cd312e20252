/** The parts of a source that reads Kafka, each by itself: positions, pace, quarantine, and what is in a record. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRecord, PartitionStatus, TopicPartition } from '../../src/kafka/log.ts';
import { partitionName } from '../../src/kafka/log.ts';
import { RecordIntake } from '../../src/receivers/kafka/record-intake.ts';
import type { ConsumeOutcome } from '../../src/receivers/receiver.ts';
import { OthersWatch } from '../../src/service/kafka-source-others.ts';
import { Pace } from '../../src/service/kafka-source-pace.ts';
import { goesOnExactly, SourcePositions } from '../../src/service/kafka-source-positions.ts';
import { Quarantine } from '../../src/service/kafka-source-quarantine.ts';
import { ManualClock } from '../service/manual-clock.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

const TOPIC = 'otlp_spans';
const at = (partition: number): TopicPartition => ({ topic: TOPIC, partition });
const name = (partition: number): string => partitionName(at(partition));

function record(offset: number, timestampMs = 1_000 + offset, value: Uint8Array | null = new Uint8Array(0)): LogRecord {
  return { offset, timestampMs, key: null, value, headers: {} };
}

function status(partition: number, more: Partial<PartitionStatus> = {}): PartitionStatus {
  return { ...at(partition), position: 0, end: 100, lag: 100, completeUntilMs: 0, deafSinceMs: null, ...more };
}

describe('positions', () => {
  it('are those of what was merged, not of what was taken', () => {
    const positions = new SourcePositions(true, []);
    positions.took(name(0), record(7));
    expect(positions.merged).toEqual(new Map());
    expect(positions.origin(name(0))).toEqual({ source: name(0), epoch: '0', sequence: 8 });
    positions.merge([status(0, { position: 8 })]);
    positions.took(name(0), record(8));
    expect(positions.merged).toEqual(new Map([[name(0), { offset: 8, anchor: { offset: 7, timestampMs: 1_007 } }]]));
  });

  it('come back from what was saved, and are saved again only when they moved', () => {
    const first = new SourcePositions(true, []);
    first.took(name(3), record(41));
    first.merge([]);
    const notes = first.notes();
    expect(first.notes()).toEqual([]);
    const second = new SourcePositions(true, notes);
    expect(second.begin(name(3))).toEqual({ offset: 42, anchor: { offset: 41, timestampMs: 1_041 } });
    expect(second.begin(name(4))).toBeUndefined();
    expect(goesOnExactly(notes)).toBe(true);
    expect(goesOnExactly(new SourcePositions(false, notes).notes())).toBe(false);
    expect(goesOnExactly([])).toBe(false);
    expect(() => goesOnExactly([{ key: 'kafka-positions', json: '{' }])).toThrow('reading note kafka-positions');
  });

  it('pass over what is no record, and keep where reading began though nothing came', () => {
    const positions = new SourcePositions(true, []);
    positions.merge([status(0, { position: 0, end: null, lag: null })]);
    expect(positions.begin(name(0))).toBeUndefined();
    positions.merge([status(0, { position: 50, end: 50, lag: 0 })]);
    expect(positions.begin(name(0))).toEqual({ offset: 50, anchor: null });
    positions.took(name(0), record(60));
    positions.merge([status(0, { position: 64, end: 64, lag: 0 })]);
    expect(positions.begin(name(0))).toEqual({ offset: 64, anchor: { offset: 60, timestampMs: 1_060 } });
  });

  it('of a log that was made again go back, and its flushes are other ones; until a record of it came the old ones are kept', () => {
    const positions = new SourcePositions(true, []);
    positions.took(name(0), record(99));
    positions.merge([]);
    positions.gap({ ...at(0), reason: 'recreated', from: 100, to: 120, fromMs: null, toMs: null });
    positions.merge([status(0, { position: 0 })]);
    expect(positions.merged.get(name(0))?.offset).toBe(100);
    positions.took(name(0), record(4));
    expect(positions.origin(name(0))).toEqual({ source: name(0), epoch: '1', sequence: 5 });
    positions.merge([status(0, { position: 5 })]);
    expect(positions.merged.get(name(0))).toEqual({ offset: 5, anchor: { offset: 4, timestampMs: 1_004 } });
    expect(new SourcePositions(true, positions.notes()).origin(name(0)).epoch).toBe('1');
  });

  it('of a log that was cut off at its start go on behind what is gone', () => {
    const positions = new SourcePositions(true, []);
    positions.took(name(0), record(9));
    positions.gap({ ...at(0), reason: 'retention', from: 10, to: 30, fromMs: 1, toMs: 2 });
    positions.merge([]);
    expect(positions.merged.get(name(0))).toEqual({ offset: 30, anchor: null });
  });

  it('never say more than what was merged, whatever is taken, merged and begun again in whatever order', () => {
    const step = fc.constantFrom('take', 'merge', 'begin', 'crash');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let positions = new SourcePositions(true, []);
        let next = 0;
        let merged = 0;
        let saved: ReturnType<SourcePositions['notes']> = [];
        for (const one of steps) {
          if (one === 'take') positions.took(name(0), record(next++));
          else if (one === 'merge') {
            positions.merge([]);
            merged = next;
            const notes = positions.notes();
            if (notes.length > 0) saved = notes;
          } else {
            if (one === 'crash') positions = new SourcePositions(true, saved);
            next = positions.begin(name(0))?.offset ?? 0;
          }
          expect(positions.merged.get(name(0))?.offset ?? 0).toBe(merged);
        }
      }),
    );
  });
});

describe('the pace of partitions', () => {
  const nobody: ReadonlySet<string> = new Set();

  it('holds what is far ahead of the slowest, until that one has come near', () => {
    const pace = new Pace();
    const behind = [status(0, { completeUntilMs: 100_000 }), status(1, { completeUntilMs: 50_000 })];
    expect(pace.look(behind, nobody)).toEqual([]);
    expect(pace.holds(at(0), record(5, 80_000), () => behind)).toBe(false);
    expect(pace.holds(at(0), record(6, 80_001), () => behind)).toBe(true);
    expect(pace.look(behind, nobody)).toEqual([]);
    expect(pace.look([status(0, { completeUntilMs: 100_000 }), status(1, { completeUntilMs: 50_001 })], nobody)).toEqual([at(0)]);
    expect(pace.look(behind, nobody)).toEqual([]);
  });

  it.each([
    ['is drained', { lag: 0 }, nobody],
    ['is waited for by nobody', {}, new Set([name(1)])],
  ])('takes no heed of a partition that %s', (_, more, unwaited) => {
    const pace = new Pace();
    const statuses = [status(0, { completeUntilMs: 100_000 }), status(1, { completeUntilMs: 0, ...more })];
    pace.look(statuses, unwaited);
    expect(pace.holds(at(0), record(5, 200_000), () => statuses)).toBe(false);
  });

  it('asks how far all are before anything has to wait', () => {
    const pace = new Pace();
    pace.look([status(0, { completeUntilMs: 100_000 }), status(1, { completeUntilMs: 0 })], nobody);
    const now = [status(0, { completeUntilMs: 100_000 }), status(1, { completeUntilMs: 99_000 })];
    expect(pace.holds(at(0), record(5, 110_000), () => now)).toBe(false);
  });

  it('holds what runs ahead between two looks', () => {
    const pace = new Pace();
    const seen = [status(0, { completeUntilMs: 0 }), status(1, { completeUntilMs: 0 })];
    pace.look(seen, nobody);
    expect(pace.holds(at(0), record(5, 40_000), () => seen)).toBe(false);
    expect(pace.holds(at(0), record(6, 41_000), () => [status(0, { completeUntilMs: 40_000 }), status(1)])).toBe(true);
  });

  it('forgets what it held of a partition that is ours no more', () => {
    const pace = new Pace();
    const statuses = [status(0, { completeUntilMs: 100_000 }), status(1, { completeUntilMs: 0 })];
    pace.look(statuses, nobody);
    expect(pace.holds(at(0), record(5, 200_000), () => statuses)).toBe(true);
    pace.forget(at(0));
    expect(pace.look([status(0), status(1, { completeUntilMs: 300_000 })], nobody)).toEqual([]);
  });

  it('lets at least one partition go on, however far apart their records are', () => {
    const time = fc.oneof(fc.constant(Number.NEGATIVE_INFINITY), fc.integer({ min: 0, max: 500_000 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(time, fc.integer({ min: 0, max: 1_000_000 })), { minLength: 1, maxLength: 6 }), (partitions) => {
        const pace = new Pace();
        const statuses = partitions.map(([completeUntilMs], partition) => status(partition, { completeUntilMs }));
        pace.look(statuses, nobody);
        const held = partitions.filter(([, next], partition) => pace.holds(at(partition), record(1, next), () => statuses));
        expect(held.length).toBeLessThan(partitions.length);
      }),
    );
  });
});

describe('what is in a record', () => {
  const NOW = 1_000_000;

  function stand(outcome: ConsumeOutcome = { kind: 'accepted', accepted: 3, rejected: 0, message: '' }) {
    const telemetry = new MemoryTelemetry();
    const seen: unknown[] = [];
    const intake = new RecordIntake({ encoding: 'otlp_json', maxRequestBytes: 10, telemetry, now: () => NOW });
    const take = (one: LogRecord) =>
      intake.take(one, (encoding, bytes, arrivedAt) => {
        seen.push([encoding, bytes.length, arrivedAt]);
        return outcome;
      });
    return { telemetry, seen, take };
  }

  it.each([
    ['when it was made', 500_000, 500_000],
    ['now at the latest', NOW + 1, NOW],
    ['now where nobody knows when it was made', -1, NOW],
  ])('counts as of %s', (_, timestampMs, arrivedAt) => {
    const { take, seen, telemetry } = stand();
    expect(take(record(0, timestampMs, new Uint8Array(4)))).toBeNull();
    expect(seen).toEqual([['json', 4, arrivedAt]]);
    expect(telemetry.value('receiver_accepted_spans_total', { transport: 'kafka' })).toBe(3);
  });

  it('is nothing when it has no value', () => {
    const { take, seen } = stand();
    expect([take(record(0, 1, null)), seen]).toEqual([null, []]);
  });

  it('is refused, with the reason, when it is larger than a request may be or cannot be decoded', () => {
    const { take, telemetry } = stand({ kind: 'malformed', message: 'resourceSpans at byte 3: cut off' });
    expect(take(record(0, 1, new Uint8Array(11)))).toBe('it has 11 bytes, and a request at most 10');
    expect(take(record(0, 1, new Uint8Array(9)))).toBe('resourceSpans at byte 3: cut off');
    expect(telemetry.value('receiver_refused_requests_total', { transport: 'kafka', outcome: 'too_large' })).toBe(1);
    expect(telemetry.value('receiver_refused_requests_total', { transport: 'kafka', outcome: 'malformed' })).toBe(1);
  });
});

describe('records that hold no spans', () => {
  it('are remembered, the newest hundred, and a flood of them is told to judging', () => {
    const telemetry = new MemoryTelemetry();
    const clock = new ManualClock(5_000_000);
    const quarantine = new Quarantine(telemetry, clock, []);
    const gaps = Array.from({ length: 120 }, (_, offset) => quarantine.add(at(2), record(offset), 'not OTLP')).filter(
      (gap) => gap !== null,
    );
    expect(telemetry.value('ingest_quarantined_records_total')).toBe(120);
    expect(gaps[0]).toMatchObject({ source: name(2), reason: 'poison', fromMs: 1_000 });
    expect(gaps.at(-1)).toMatchObject({ toMs: 1_119 });
    const notes = quarantine.notes();
    expect(quarantine.notes()).toEqual([]);
    const records = new Quarantine(telemetry, clock, notes).records;
    expect([records.length, records[0], records.at(-1)?.offset]).toEqual([
      100,
      { topic: TOPIC, partition: 2, offset: 20, timestampMs: 1_020, reason: 'not OTLP' },
      119,
    ]);
  });

  it('are a line of the log each, but few a minute, and no matter for judging while they are few', () => {
    const telemetry = new MemoryTelemetry();
    const quarantine = new Quarantine(telemetry, new ManualClock(0), []);
    expect(quarantine.add(at(0), record(1), 'x')).toBeNull();
    for (let i = 0; i < 50; i++) quarantine.add(at(0), record(i), 'x');
    const told = telemetry.lines.filter(({ level }) => level === 'warn').length;
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThan(20);
  });
});

describe('partitions that others read', () => {
  it('are named once, after a while, and that they are back as well', () => {
    const telemetry = new MemoryTelemetry();
    const watch = new OthersWatch(telemetry, 'slipstream');
    const look = (ours: readonly string[], ms: number) => watch.look([name(0), name(1)], new Set(ours), ms);
    look([name(0)], 0);
    look([name(0), name(1)], 5_000);
    look([name(0)], 6_000);
    look([name(0)], 15_999);
    expect(telemetry.lines).toEqual([]);
    look([name(0)], 16_000);
    look([name(0)], 17_000);
    expect(telemetry.lines).toMatchObject([{ level: 'error', fields: { group: 'slipstream', partitions: [name(1)], count: 1 } }]);
    look([name(0), name(1)], 18_000);
    expect(telemetry.lines.at(-1)).toMatchObject({ level: 'info' });
  });
});
