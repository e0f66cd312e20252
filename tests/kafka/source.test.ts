/** One process that reads Kafka: what it counts, what it leaves out, and what it judges. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { rollout } from '../service/config.ts';
import { eventually, killAll } from '../service/running.ts';
import { exportRequest, HEALTHY, post, SICK, thisSecond } from '../service/traffic.ts';
import { encodeRequest, type RequestInput } from '../support/otlp-proto.ts';
import { describeKafka } from './rig/describe-kafka.ts';
import { counted, SourceStand } from './source-stand.ts';

afterEach(killAll);

/** Ids as bytes, as protobuf has them. */
function protobuf(body: object): Buffer {
  const request = JSON.parse(JSON.stringify(body), (key, value) =>
    key === 'traceId' || key === 'spanId' ? Buffer.from(value as string, 'hex') : value,
  ) as RequestInput;
  return Buffer.from(encodeRequest(request));
}

describeKafka('spans from Kafka', (broker) => {
  it('count in protobuf as a Collector writes them; records that hold none are left out, told of, and hold up nothing', async () => {
    const receiver = { encoding: 'otlp_proto', topics: ['^proto-.*$'] };
    await using stand = await SourceStand.make({ address: broker().address, topic: 'proto-1', partitions: 2, receiver });
    const now = thisSecond();
    const { body, spans } = exportRequest(now - 5_000, now, HEALTHY);
    await stand.write(0, Buffer.from('this is no request'));
    await stand.write(1, protobuf(body));
    await stand.write(0, null);
    const running = await stand.start();
    await eventually(
      () => counted(running),
      ({ valid }) => valid === spans,
    );
    await running.log('a record holds no spans that can be read; it is left out', { topic: 'proto-1', partition: 0, offset: 0 });
    expect(await running.metric('ingest_quarantined_records_total')).toBe(1);
    expect(await running.metric('receiver_accepted_spans_total{transport="kafka"}')).toBe(spans);
    const more = exportRequest(now, now + 1_000, HEALTHY);
    await stand.write(0, protobuf(more.body));
    await eventually(
      () => counted(running),
      ({ valid }) => valid === spans + more.spans,
    );
    expect((await running.stop()).code).toBe(0);
  });

  it('of hours ago count as they would have then, however far apart partitions are read', async () => {
    const spans = { maxAge: '1m' };
    await using stand = await SourceStand.make({ address: broker().address, topic: 'backlog', partitions: 3, spans });
    const hoursAgo = thisSecond() - 3 * 3_600_000;
    await stand.send(hoursAgo, hoursAgo + 400_000, SICK, 0);
    await stand.send(hoursAgo + 100_000, hoursAgo + 500_000, HEALTHY, 1);
    await stand.send(hoursAgo + 490_000, hoursAgo + 500_000, SICK, 2);
    const running = await stand.start();
    await eventually(
      () => counted(running),
      ({ valid }) => valid >= stand.spans,
    );
    expect(await counted(running)).toEqual(stand.sent);
    expect(await running.metric('late_spans_total')).toBe(0);
    expect(await running.metric('ingest_lag_records')).toBe(0);
  });

  it('count beside those of receivers', async () => {
    const receivers = { otlpHttp: { port: 0 } };
    await using stand = await SourceStand.make({ address: broker().address, topic: 'both', partitions: 1, receivers });
    const running = await stand.start();
    const now = thisSecond();
    await stand.send(now - 10_000, now - 5_000, SICK);
    const { body, spans, failed } = exportRequest(now - 5_000, now, SICK);
    expect((await post(running, body)).status).toBe(200);
    await eventually(
      () => counted(running),
      ({ valid }) => valid === stand.spans + spans,
    );
    expect((await counted(running)).good).toBe(stand.spans + spans - stand.failed - failed);
  });

  it('from now on alone are read where nothing was read before, and after that none is left out', async () => {
    const receiver = { from: 'latest' };
    await using stand = await SourceStand.make({ address: broker().address, topic: 'latest', partitions: 2, receiver });
    const now = thisSecond();
    const before = exportRequest(now - 9_000, now - 6_000, HEALTHY);
    await stand.write(0, Buffer.from(JSON.stringify(before.body)));
    const first = await stand.start();
    await eventually(
      () => first.metric('ingest_partitions'),
      (partitions) => partitions === 2,
    );
    await stand.send(now - 6_000, now - 4_000, SICK);
    await eventually(
      () => counted(first),
      ({ valid }) => valid >= stand.spans,
    );
    const checkpoints = await first.metric('checkpoint_seconds_count');
    await eventually(
      () => first.metric('checkpoint_seconds_count'),
      (count) => count >= checkpoints + 2,
    );
    await first.kill();
    await stand.send(now - 4_000, now - 2_000, SICK);
    const second = await stand.start();
    await eventually(
      () => counted(second),
      ({ valid }) => valid >= stand.spans,
    );
    expect(await counted(second)).toEqual(stand.sent);
  });

  it('judge a canary on through a crash, without a gap in what it was judged by', async () => {
    await using stand = await SourceStand.make({ address: broker().address, topic: 'canary', partitions: 2 });
    const first = await stand.start();
    const begin = thisSecond();
    expect((await first.startRollout(rollout(begin))).status).toBe(201);
    let isOver = false;
    let canaries = 0;
    const producing = (async () => {
      let from = begin;
      for (;;) {
        const to = thisSecond();
        // The canary breaks a while after the crash.
        const isSick = from - begin >= 12_000;
        if (to > from) {
          await stand.send(from, to, isSick ? SICK : HEALTHY);
          canaries += (to - from) / 10;
        }
        from = to;
        if (isOver) return;
        await pause(100);
      }
    })();
    await eventually(
      () => first.run('shop-1'),
      ({ canaryRequests }) => canaryRequests >= 300,
    );
    await first.kill();
    const second = await stand.start();
    const run = await second.runIn('rolled_back');
    isOver = true;
    await producing;
    expect(run.verdict).toMatchObject({ reason: 'harm_proven' });
    expect(run.history.map(({ decision }) => decision)).not.toContain('promote');
    expect(await second.metric('signals_total{action="rollback"}')).toBe(1);
    // All seconds before the decision were seen: those of the canary's 100 requests each that its time covers.
    const seconds = (run.verdict.at - begin) / 1_000;
    expect(run.canaryRequests).toBeGreaterThan((seconds - 5) * 100);
    expect(run.canaryRequests).toBeLessThanOrEqual(canaries);
  });

  it('that another member of the group reads are missed, by name', async () => {
    await using stand = await SourceStand.make({ address: broker().address, topic: 'shared', partitions: 2 });
    await using other = await SourceStand.make({ address: broker().address, topic: 'shared', partitions: 2 });
    const first = await stand.start();
    await eventually(
      () => first.metric('ingest_partitions'),
      (partitions) => partitions === 2,
    );
    const second = await other.start();
    const told = await first.log(
      'another member of the group reads these partitions, so no verdict is given: a process that judges by itself needs a group of its own',
    );
    expect(told).toMatchObject({ level: 'error', group: 'shared', count: 1 });
    await second.stop();
    await stand.send(thisSecond() - 4_000, thisSecond(), SICK);
    await first.log('all partitions are ours again');
    await eventually(
      () => counted(first),
      ({ valid }) => valid === stand.spans,
    );
  });
});
