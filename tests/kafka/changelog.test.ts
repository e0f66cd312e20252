/** State in a topic of a real broker: restored whole, fenced, kept over a crash of the broker, and compacted. */
import { randomBytes, randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { type ChangelogParts, openChangelog } from '../../src/kafka/changelog.ts';
import type { ChangelogLog, ChangelogRow } from '../../src/kafka/changelog-row.ts';
import { kafkaClient } from '../../src/kafka/kafka-client.ts';
import { FencedError } from '../../src/kafka/transactional-writer.ts';
import { PermanentError } from '../../src/model/errors.ts';
import { ChangelogStore } from '../../src/store/changelog-store.ts';
import { DECIDED_AT, sampleCheckpoint, sampleSignal } from '../store/samples.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { type CommitFault, withCommitFaults } from './uncertain-commit.ts';

/** Small segments, so that what the cleaner may touch is soon there. */
const COMPACTED = [
  { name: 'cleanup.policy', value: 'compact' },
  { name: 'segment.bytes', value: String(1024 * 1024) },
  { name: 'min.cleanable.dirty.ratio', value: '0.01' },
  { name: 'delete.retention.ms', value: '0' },
];

describeKafka('state in a topic', (broker) => {
  const client = () => kafkaClient({ brokers: [broker().address], clientId: 'test', tls: null, sasl: null }, new MemoryTelemetry());

  async function topic(): Promise<string> {
    const name = `state-${randomUUID()}`;
    const admin = client().admin();
    await admin.connect();
    const topics = [{ topic: name, numPartitions: 2, replicationFactor: 1, configEntries: COMPACTED }];
    // A broker that has just begun may not know yet what it has made.
    await until(() => admin.createTopics({ topics }).then(() => true, isPassing));
    await admin.disconnect();
    return name;
  }

  interface Opened {
    readonly log: ChangelogLog;
    readonly rows: Map<string, string>;
    readonly records: number;
    readonly telemetry: MemoryTelemetry;
  }

  async function opened(name: string, change: Partial<ChangelogParts> = {}): Promise<Opened> {
    const rows = new Map<string, string>();
    const telemetry = new MemoryTelemetry();
    let records = 0;
    const parts = { client: client(), topic: name, partition: 1, transactionalId: `${name}-1`, telemetry, mayStillOwn: () => true };
    const log = await openChangelog({ ...parts, abort: new AbortController().signal, ...change }, ({ key, value }) => {
      records++;
      if (value === null) rows.delete(key);
      else rows.set(key, Buffer.from(value).toString('latin1'));
    });
    return { log, rows, records, telemetry };
  }

  const row = (key: string, text: string | null): ChangelogRow => ({ key, value: text === null ? null : Buffer.from(text, 'latin1') });

  it('gives to the next owner what the last one wrote, rows of any size among it', async () => {
    const name = await topic();
    const first = await opened(name);
    expect(first.rows.size).toBe(0);
    // Above what a record and what a batch may have, and not to be packed.
    const large = noise(2_500_000);
    await first.log.write([row('a', '1'), row('large', large), row('gone', '1'), row('empty', '')]);
    await first.log.write([row('a', '2'), row('gone', null), row('shrinks', large.slice(0, 1_500_000))]);
    await first.log.close();
    const second = await opened(name);
    expect(second.rows).toEqual(
      new Map([
        ['large', large],
        ['empty', ''],
        ['a', '2'],
        ['shrinks', large.slice(0, 1_500_000)],
      ]),
    );
    await second.log.write([row('shrinks', 'small'), row('large', null)]);
    await second.log.close();
    const third = await opened(name);
    expect(third.rows).toEqual(
      new Map([
        ['empty', ''],
        ['a', '2'],
        ['shrinks', 'small'],
      ]),
    );
    await third.log.close();
  });

  it('takes nothing more of an owner that has a successor', async () => {
    const name = await topic();
    const zombie = await opened(name);
    await zombie.log.write([row('a', 'zombie')]);
    const heir = await opened(name);
    expect(heir.rows).toEqual(new Map([['a', 'zombie']]));
    await expect(zombie.log.write([row('a', 'late')])).rejects.toThrow(FencedError);
    await heir.log.write([row('b', 'heir')]);
    const third = await opened(name);
    expect(third.rows).toEqual(
      new Map([
        ['a', 'zombie'],
        ['b', 'heir'],
      ]),
    );
    await Promise.all([zombie, heir, third].map(({ log }) => log.close()));
  });

  it.each<CommitFault[][]>([[['lost']], [['undone']], [['undone', 'lost']]])('is durable once though commits were %j', async (faults) => {
    const name = await topic();
    const left: CommitFault[] = [];
    const { log, telemetry } = await opened(name, { client: withCommitFaults(client(), left) });
    left.push(...faults);
    await log.write([row('a', '1'), row('b', '1')]);
    left.push(...faults);
    await log.write([row('a', '2'), row('b', null)]);
    expect(left).toEqual([]);
    expect(telemetry.lines.filter(({ message }) => message === 'the state is durable again')).toHaveLength(2);
    await log.close();
    const heir = await opened(name);
    expect(heir.rows).toEqual(new Map([['a', '2']]));
    await heir.log.close();
  });

  it('is not gone on with by an heir that was cut off before its first write, once the last owner has written more', async () => {
    const name = await topic();
    const stand = async () => {
      const faults: CommitFault[] = [];
      const gate = { mayStillOwn: false, asked: 0 };
      const mayStillOwn = () => {
        gate.asked++;
        return gate.mayStillOwn;
      };
      return { ...(await opened(name, { client: withCommitFaults(client(), faults), mayStillOwn })), faults, gate };
    };
    const last = await stand();
    await last.log.write([row('a', '1')]);
    last.faults.push('undone');
    const more = last.log.write([row('a', '2')]);
    await until(() => last.gate.asked > 0);
    const heir = await stand();
    expect(heir.rows).toEqual(new Map([['a', '1']]));
    heir.faults.push('undone');
    const first = heir.log.write([row('b', 'from what is old')]);
    first.catch(() => {});
    await until(() => heir.gate.asked > 0);
    last.gate.mayStillOwn = true;
    await more;
    heir.gate.mayStillOwn = true;
    await expect(first).rejects.toThrow(FencedError);
    const next = await opened(name);
    expect(next.rows).toEqual(new Map([['a', '2']]));
    await Promise.all([last, heir, next].map(({ log }) => log.close()));
  });

  it.each<[string, boolean, CommitFault]>([
    ['and whose first write was cut off', false, 'undone'],
    ['and whose write was cut off', true, 'undone'],
    ['and which did not hear of its commit', true, 'lost'],
  ])('is not overwritten by an owner that was cut off while another one came %s', async (_, hasWritten, fault) => {
    const name = await topic();
    const left: CommitFault[] = [];
    let mayStillOwn = false;
    let asked = 0;
    const zombie = await opened(name, {
      client: withCommitFaults(client(), left),
      mayStillOwn: () => {
        asked++;
        return mayStillOwn;
      },
    });
    if (hasWritten) await zombie.log.write([row('a', 'zombie')]);
    left.push(fault);
    const late = zombie.log.write([row('a', 'late')]);
    late.catch(() => {});
    await until(() => asked > 0);
    const heir = await opened(name);
    expect(heir.rows.get('a')).toBe(fault === 'lost' ? 'late' : hasWritten ? 'zombie' : undefined);
    await heir.log.write([row('a', 'heir')]);
    mayStillOwn = true;
    await expect(late).rejects.toThrow(FencedError);
    const third = await opened(name);
    expect(third.rows).toEqual(new Map([['a', 'heir']]));
    await Promise.all([zombie, heir, third].map(({ log }) => log.close()));
  });

  it('is the same after compaction, with fewer records', async () => {
    const name = await topic();
    const { log } = await opened(name);
    const values = Array.from({ length: 24 }, () => noise(900_000));
    for (let n = 0; n < 12; n++) {
      await log.write([row('large', values[n] as string), row(`old${n}`, values[12 + n] as string), row(`old${n - 1}`, null)]);
    }
    await log.close();
    const wanted = new Map([
      ['large', values[11]],
      ['old11', values[23]],
    ]);
    // The cleaner comes when it likes: it is looked for until it has been there. Three rows went with each write.
    await until(async () => {
      const heir = await opened(name);
      await heir.log.close();
      expect(heir.rows).toEqual(wanted);
      return heir.records < 12 * 3;
    });
  });

  it('carries a whole store from one owner to the next', async () => {
    const name = await topic();
    const folders = new TemporaryFolders();
    const restore = (lost?: (error: unknown) => void) =>
      ChangelogStore.restore({
        folder: folders.make(),
        ...(lost && { lost }),
        open: (take) => {
          const parts = { client: client(), topic: name, partition: 0, transactionalId: `${name}-0`, telemetry: new MemoryTelemetry() };
          return openChangelog({ ...parts, mayStillOwn: () => true, abort: new AbortController().signal }, take);
        },
      });
    try {
      const lost: unknown[] = [];
      const first = await restore((error) => lost.push(error));
      const slot = { level: 1, startSec: 7, bytes: new Uint8Array(2_000_000).fill(3) } as const;
      first.checkpoint(sampleCheckpoint({ slots: [slot], notes: [{ key: 'kafka-positions', json: '{"spans/0":5}' }] }));
      first.recordDecisions({ runs: [{ id: 'r', json: '1' }], notes: [] }, [{ signal: sampleSignal(), decidedAt: DECIDED_AT }]);
      await first.durable();
      const second = await restore();
      expect(second.load({ 1: 0 })).toEqual(first.load({ 1: 0 }));
      expect(second.journal.entries(9)).toEqual(first.journal.entries(9));
      first.journal.append([{ signal: sampleSignal({ id: 'sig_zombie' }), decidedAt: DECIDED_AT }]);
      await expect(first.durable()).rejects.toThrow(FencedError);
      expect(lost).toHaveLength(1);
      second.journal.append([{ signal: sampleSignal({ id: 'sig_heir' }), decidedAt: DECIDED_AT }]);
      expect(await second.finish(new AbortController().signal)).toBe(true);
      await first.finish(AbortSignal.abort());
      const third = await restore();
      expect(third.journal.pending().map(({ signal }) => signal.id)).toEqual([sampleSignal().id, 'sig_heir']);
      await third.finish(AbortSignal.abort());
    } finally {
      folders.clean();
    }
  });

  it('is durable after a crash of the broker, in the middle of which much was written', async () => {
    const name = await topic();
    const { log } = await opened(name);
    await log.write([row('n', '0')]);
    let last = 0;
    const writing = (async () => {
      for (let n = 1; n <= 40; n++) {
        await log.write([row('n', String(n)), row(`n${n}`, 'x'.repeat(200_000))]);
        last = n;
      }
    })();
    await until(() => last >= 10);
    await broker().kill();
    await broker().start();
    await writing;
    await log.close();
    const heir = await opened(name);
    expect(heir.rows.get('n')).toBe('40');
    expect(heir.rows.size).toBe(41);
    await heir.log.close();
  });

  it('is given up when it is closed while the broker is away', async () => {
    const { log } = await opened(await topic());
    await broker().kill();
    const late = log.write([row('a', '1')]);
    const ended = expect(late).rejects.toThrow(PermanentError);
    await log.close();
    await broker().start();
    await ended;
  });
});

/** Cannot be packed. */
function noise(length: number): string {
  return randomBytes(length).toString('latin1');
}

function isPassing(error: unknown): false {
  if (error instanceof kafkajs.KafkaJSProtocolError && error.retriable) return false;
  throw error;
}

/** Looks until it is so. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((next) => setTimeout(next, 20));
}
