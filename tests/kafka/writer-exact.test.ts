/** A copy of a log is exact whatever happens in between: zombies that write on, crashes on either side of a commit, brokers that die. */
import { expect, it } from 'vitest';
import type { LogPosition } from '../../src/kafka/log.ts';
import { committedPositions } from '../../src/kafka/log-reader.ts';
import { FencedError, TransactionalWriter, UncertainError } from '../../src/kafka/transactional-writer.ts';
import { RetryableError } from '../../src/model/errors.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { clientOf, keysOf, makeTopic, settle } from './writer-support.ts';

const RECORDS = 1500;
const STEP = 10;
const FROM = { topic: 'exact-in', partition: 0 };
const TO = { topic: 'exact-out', partition: 0 };
const GROUP = 'exact';

const position = (offset: number): LogPosition => ({ offset, anchor: null });

describeKafka('a copy in transactions', (broker) => {
  it('has every record once and in order, after zombies, crashes and three deaths of the broker', async () => {
    const telemetry = new MemoryTelemetry();
    const client = clientOf(broker(), telemetry);
    await makeTopic(client, FROM.topic);
    await makeTopic(client, TO.topic);
    const writer = () => new TransactionalWriter({ client, transactionalId: 'exact', telemetry });
    const seen = { zombies: 0, fenced: 0, uncertain: 0, other: 0, deaths: 0 };
    const copy = (by: TransactionalWriter, from: number): Promise<void> => {
      const to = Math.min(from + STEP, RECORDS);
      const records = Array.from({ length: to - from }, (_, i) => ({ ...TO, key: `${from + i}`, value: Buffer.alloc(20) }));
      return by.write(records, { groupId: GROUP, positions: [{ ...FROM, position: position(to) }] });
    };
    const restarts: Promise<void>[] = [];
    const zombies: Promise<unknown>[] = [];
    let current = writer();
    let at: number | null = null;
    for (let round = 0; at === null || at < RECORDS; round++) {
      try {
        if (at === null) {
          await current.claim();
          at = (await committedPositions(client, GROUP, [FROM])).get('exact-in/0')?.offset ?? 0;
          continue;
        }
        if (round % 60 === 40 && seen.deaths < 3) {
          seen.deaths++;
          // At another moment of the transaction each time.
          setTimeout(
            () =>
              restarts.push(
                broker()
                  .kill()
                  .then(() => broker().start()),
              ),
            seen.deaths * 7,
          );
        }
        if (round % 9 === 4) {
          // The process is thought dead and replaced while it writes; each time it has come another way by then.
          seen.zombies++;
          const zombie = current;
          zombies.push(copy(zombie, at).catch((error: unknown) => error).then((error) => zombie.close().then(() => error))); // biome-ignore format: one thing
          await new Promise((resume) => setTimeout(resume, round % 31));
          current = writer();
          at = null;
          continue;
        }
        await copy(current, at);
        at += STEP;
      } catch (error) {
        if (error instanceof FencedError) seen.fenced++;
        else if (error instanceof UncertainError) seen.uncertain++;
        else if (error instanceof RetryableError) seen.other++;
        else throw error;
        at = null;
      }
    }
    await Promise.all(restarts);
    await settle(current);
    const ends = await Promise.all(zombies);
    const keys = await keysOf(client, TO);
    expect(keys).toEqual(Array.from({ length: RECORDS }, (_, i) => `${i}`));
    expect((await committedPositions(client, GROUP, [FROM])).get('exact-in/0')?.offset).toBe(RECORDS);
    // It was no idle test: some zombies came through, some did not, and the owner was never taken for one.
    expect(seen).toMatchObject({ fenced: 0, deaths: 3 });
    expect(ends.filter((end) => end instanceof FencedError || end instanceof RetryableError).length).toBeGreaterThan(0);
    expect(ends.filter((end) => end instanceof Error && !(end instanceof FencedError || end instanceof RetryableError))).toEqual([]);
  });
});
