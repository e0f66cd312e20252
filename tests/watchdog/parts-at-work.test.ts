/** The parts of a process at work, each broken in a way that is its own, and the watchdog's words for it. */
import { afterEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { Admission } from '../../src/receivers/admission.ts';
import type { Consume } from '../../src/receivers/receiver.ts';
import { otlpReceivers } from '../../src/service/otlp-receivers.ts';
import { cellChecks, type WatchedCell } from '../../src/service/watchdog/cell-checks.ts';
import type { WatchdogCheck } from '../../src/service/watchdog/finding.ts';
import { Heartbeat } from '../../src/service/watchdog/heartbeat.ts';
import { commitCheck, groupCheck } from '../../src/service/watchdog/member-checks.ts';
import { receiverChecks } from '../../src/service/watchdog/receiver-check.ts';
import { Lanes } from '../../src/sinks/lane.ts';
import { ManualClock } from '../service/manual-clock.ts';
import { PipelineStand } from '../service/pipeline-stand.ts';
import { HEALTHY } from '../service/traffic.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { RawServer } from '../support/raw-server.ts';

const PROCESS = new PipelineStand().config;

async function faultsOf(checks: readonly WatchdogCheck[]): Promise<Record<string, string>> {
  const findings = (await Promise.all(checks.map(({ look }) => look()))).flat();
  return Object.fromEntries(findings.flatMap(({ part, fault }) => (fault === null ? [] : [[part, fault]])));
}

describe('judging at work', () => {
  const watched = (stand: PipelineStand, more: Partial<WatchedCell> = {}) =>
    cellChecks({
      cells: () => [{ partition: null, judging: stand.judging, delivery: stand.delivery, durable: () => null, ...more }],
      checkpointIntervalMs: 5_000,
      clock: stand.clock,
    });

  it('is well while it ticks and is saved', async () => {
    const stand = new PipelineStand();
    const checks = watched(stand);
    stand.pass(60, HEALTHY);
    stand.judging.checkpoint();
    expect(await faultsOf(checks)).toEqual({});
  });

  it('that stands still is named, although the clock goes on', async () => {
    const stand = new PipelineStand();
    stand.pass(5, HEALTHY);
    stand.clock.pass(12_000);
    stand.judging.checkpoint();
    expect(await faultsOf(watched(stand))).toEqual({ judging: 'it should move on twice a second, and has not for 12 s' });
    stand.pipeline.tick();
    expect(await faultsOf(watched(stand))).toEqual({});
  });

  it('that breaks whenever it is to move on is named', async () => {
    const stand = new PipelineStand();
    stand.stages.engine.advance = () => {
      throw new RangeError('out of bounds');
    };
    for (let i = 0; i < 30; i++) {
      stand.clock.pass(500);
      expect(() => stand.pipeline.tick()).toThrow('out of bounds');
    }
    stand.judging.checkpoint();
    expect(Object.keys(await faultsOf(watched(stand)))).toEqual(['judging']);
  });

  it('whose store refuses is named at once, and well again when it takes what waits', async () => {
    const stand = new PipelineStand();
    stand.judging.checkpoint();
    stand.store.refuses = 'for now';
    stand.pass(2, HEALTHY);
    stand.judging.checkpoint();
    expect(await faultsOf(watched(stand))).toEqual({
      state: 'it should be written, and the store refuses; the last checkpoint is 2.0 s old',
    });
    stand.store.refuses = 'nothing';
    stand.judging.checkpoint();
    expect(await faultsOf(watched(stand))).toEqual({});
  });

  it('whose checkpoints do not come any more is named', async () => {
    const stand = new PipelineStand();
    stand.pass(30, HEALTHY);
    expect(await faultsOf(watched(stand))).toEqual({ state: 'a checkpoint is due every 5.0 s, and the last one is 30 s old' });
  });

  it('with an attempt to deliver that never ends is named, and its partition', async () => {
    const stand = new PipelineStand();
    stand.judging.checkpoint();
    expect(await faultsOf(watched(stand, { partition: 7, delivery: { oldestStepMs: 700_000 } }))).toEqual({
      delivery: 'partition 7: an attempt to deliver should have ended, and has been under way for 700 s',
    });
  });

  it('is not blamed for a cell that another member took over meanwhile', async () => {
    const stand = new PipelineStand();
    stand.judging.checkpoint();
    const lost = Promise.withResolvers<void>();
    const { judging, delivery } = stand;
    const owned = [{ partition: 3, judging, delivery, durable: () => lost.promise }];
    const checks = cellChecks({ cells: () => owned, checkpointIntervalMs: 5_000, clock: stand.clock });
    const looked = faultsOf(checks);
    owned.pop();
    lost.reject(new Error('the partition is lost'));
    expect(await looked).toEqual({});
  });

  it('waits for the writes of all its cells at once, and names the one whose write fails', async () => {
    const stand = new PipelineStand();
    stand.judging.checkpoint();
    const { delivery } = stand;
    const others = new PipelineStand();
    others.judging.checkpoint();
    const isAsked = Promise.withResolvers<void>();
    const cells = [
      { partition: 0, judging: stand.judging, delivery, durable: () => isAsked.promise },
      {
        partition: 1,
        judging: others.judging,
        delivery,
        durable: () => {
          isAsked.resolve();
          return Promise.reject(new Error('no answer'));
        },
      },
    ];
    const checks = cellChecks({ cells: () => cells, checkpointIntervalMs: 5_000, clock: stand.clock });
    expect(await faultsOf(checks)).toEqual({ state: 'partition 1: looking failed: no answer' });
  });

  it('counts how long attempts are under way from their begin, not from when they were asked for', async () => {
    const clock = new ManualClock(0);
    const lanes = new Lanes(1, () => clock.monotonicMs());
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    expect(lanes.oldestMs).toBe(0);
    lanes.run('sink', () => first.promise, false);
    lanes.run('sink', () => second.promise, false);
    clock.pass(300);
    expect(lanes.oldestMs).toBe(300);
    first.resolve();
    await first.promise.finally();
    await expect.poll(() => lanes.oldestMs).toBe(0);
    clock.pass(50);
    expect(lanes.oldestMs).toBe(50);
    second.resolve();
    await lanes.close();
  });
});

describe('members that share the work', () => {
  it('are not blamed for a group that finds together anew, and are for one that does not', async () => {
    const clock = new ManualClock(0);
    const now = { isLive: false, pending: 0 };
    const checks = [groupCheck({ isLive: () => now.isLive, pending: () => now.pending, clock })];
    expect(await faultsOf(checks)).toEqual({});
    clock.pass(30_000);
    expect(await faultsOf(checks)).toEqual({});
    clock.pass(30_000);
    expect(await faultsOf(checks)).toEqual({ group: 'it should answer, and has not for 60 s' });
    Object.assign(now, { isLive: true, pending: 2 });
    expect(await faultsOf(checks)).toEqual({});
    clock.pass(100_000);
    expect(await faultsOf(checks)).toEqual({ group: 'partitions (2) should be taken over, and some have waited for 100 s' });
  });

  it.each([
    ['nobody looks what is due', { tickedMs: 0 }, /nobody has looked for 100 s/],
    ['a transaction never ends', { oldestCommitMs: 80_000 }, /a transaction has taken 80 s/],
    [
      'counts are refused for long',
      { broken: ['otlp_spans/3'] },
      /counts of otlp_spans\/3 should be handed over, and have not been for 100 s/,
    ],
  ])('hand nothing over when %s', async (_name, trouble, fault) => {
    const clock = new ManualClock(0);
    const state = { broken: [] as readonly string[], oldestCommitMs: 0, tickedMs: 100_000, ...trouble };
    const checks = [
      commitCheck({ broken: () => state.broken, oldestCommitMs: () => state.oldestCommitMs, tickedMs: () => state.tickedMs, clock }),
    ];
    await faultsOf(checks);
    clock.pass(100_000);
    expect((await faultsOf(checks)).commits).toMatch(fault);
    Object.assign(state, { broken: [], oldestCommitMs: 0, tickedMs: 100_000 });
    expect(await faultsOf(checks)).toEqual({});
  });
});

describe('our own receivers', () => {
  const token = new Secret('a-token-nobody-may-see');
  const limits = {
    ...PROCESS.receivers,
    otlpGrpc: { host: '127.0.0.1', port: 0, maxConcurrentStreams: 10, maxConnections: 10, maxSessionMemoryMiB: 10, maxConnectionAgeMs: 0 },
    otlpHttp: { host: '127.0.0.1', port: 0, maxConnections: 10, headersTimeoutMs: 5_000, requestTimeoutMs: 5_000 },
    tokens: [token],
  };
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function listening(consume: Consume) {
    const telemetry = new MemoryTelemetry();
    const receivers = otlpReceivers({ receivers: limits }, new Admission(limits.maxInFlightBytes, telemetry), telemetry);
    for (const receiver of receivers.all) {
      stops.push(() => receiver.stop(0));
      await receiver.start(consume);
    }
    return { receivers, telemetry };
  }

  it('take an empty request with the token that they ask for, and count no span of it', async () => {
    let spans = 0;
    const { receivers, telemetry } = await listening((_encoding, bytes) => {
      spans += bytes.length;
      return { kind: 'accepted', accepted: 0, rejected: 0, message: '' };
    });
    expect(await faultsOf(receiverChecks(receivers, null))).toEqual({});
    expect(spans).toBe(0);
    expect(telemetry.value('receiver_accepted_spans_total')).toBe(0);
  });

  it('are sent the token that is asked for now, when others came with a new configuration', async () => {
    const { receivers } = await listening(() => ({ kind: 'accepted', accepted: 0, rejected: 0, message: '' }));
    const checks = receiverChecks(receivers, null);
    receivers.reconfigure({ receivers: { ...limits, tokens: [new Secret('another-token-nobody-may-see')] } });
    expect(await faultsOf(checks)).toEqual({});
  });

  it('are named when they are closed, and when nobody takes what they got', async () => {
    const { receivers } = await listening(() => ({ kind: 'unavailable', message: 'the queue is full' }));
    expect(await faultsOf(receiverChecks(receivers, null))).toEqual({
      otlp_grpc: expect.stringMatching(/an empty request should be taken at 127\.0\.0\.1:\d+: /),
      otlp_http: expect.stringMatching(/an empty request should be taken at 127\.0\.0\.1:\d+: HTTP status 503/),
    });
    await receivers.grpc?.stop(0);
    expect(await faultsOf(receiverChecks({ ...receivers, http: null }, null))).toEqual({ otlp_grpc: 'it should listen, and does not' });
  });
});

describe('the heartbeat', () => {
  const clock = new ManualClock(Date.UTC(2026, 4, 1));

  it.each([
    ['is taken', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', null],
    ['is refused', 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n', 'sending the heartbeat: 404'],
    ['is sent elsewhere, where it does not go', 'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n', /302/],
  ])('tells when it %s, and never where to', async (_name, answer, told) => {
    const server = await RawServer.listen(({ socket }) => socket.write(answer));
    const heartbeat = new Heartbeat(new Secret(`http://127.0.0.1:${server.port}/ping/a-key-nobody-may-see`), clock);
    const fault = await heartbeat.send(clock.now());
    if (told === null) expect(fault).toBeNull();
    else expect(fault).toMatch(told);
    expect(fault ?? '').not.toContain('a-key-nobody-may-see');
    expect(server.connections[0]?.text).toMatch(/^POST \/ping\/a-key-nobody-may-see HTTP\/1\.1\r\n/);
    expect(server.connections[0]?.text).toContain('{"type":"slipstream.heartbeat","timestamp":"2026-05-01T00:00:00.000Z"}');
    await heartbeat.close();
    await server.close();
  });

  it('goes to no address that hands out credentials', async () => {
    const heartbeat = new Heartbeat(new Secret('http://169.254.169.254/latest/meta-data'), clock);
    expect(await heartbeat.send(clock.now())).toMatch(/no address of the host may be connected to/);
    await heartbeat.close();
  });
});
