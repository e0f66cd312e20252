/** One process that reads Kafka is killed again and again while spans come: what it counts is exact, and stays so. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { eventually, killAll } from '../service/running.ts';
import { SICK, thisSecond } from '../service/traffic.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { counted, SourceStand } from './source-stand.ts';

const KILLS = 5;

afterEach(killAll);

describeKafka('a process that reads Kafka', (broker) => {
  it(`counts every span once though it is killed ${KILLS} times while they come`, async () => {
    await using stand = await SourceStand.make({ address: broker().address, topic: 'crash', partitions: 3 });
    let isOver = false;
    const producing = (async () => {
      let from = thisSecond();
      while (!isOver) {
        const to = thisSecond();
        if (to > from) await stand.send(from, to, SICK);
        from = to;
        await pause(100);
      }
    })();
    let running = await stand.start();
    for (let i = 0; i < KILLS; i++) {
      const before = await counted(running);
      // Somewhere behind a checkpoint and before the next one, or before any: all of it must come out the same.
      if (i !== 2) {
        await eventually(
          () => counted(running),
          ({ valid }) => valid > before.valid,
        );
        await pause(150 * i);
      }
      await running.kill();
      running = await stand.start();
    }
    isOver = true;
    await producing;
    await eventually(
      () => counted(running),
      ({ valid }) => valid >= stand.spans,
    );
    expect(await counted(running)).toEqual(stand.sent);
    expect((await running.stop()).code).toBe(0);
    const last = await stand.start();
    expect(await counted(last)).toEqual(stand.sent);
    expect(last.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
