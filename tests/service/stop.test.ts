/** How the service stops: nothing that was acknowledged is lost, and it does not take long. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { grpcClient } from '../receivers/grpc-client.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { processDocument, SERVICE, shopDocument } from './config.ts';
import { API_TOKEN, configFile, eventually, killAll, limitFiles, Running } from './running.ts';
import { exportRequest, HEALTHY, post, SICK, send, thisSecond } from './traffic.ts';

const folders = new TemporaryFolders();
afterEach(async () => {
  await killAll();
  folders.clean();
});

function start(folder: string): Promise<Running> {
  return Running.start({ folder, config: [processDocument(), shopDocument()] });
}

async function counted(running: Running): Promise<{ valid: number; good: number }> {
  const { services } = await running.state();
  const evidence = services.find(({ service }) => service === SERVICE)?.objectives[0]?.judgement.evidence;
  return evidence?.kind === 'objective' ? { valid: evidence.valid, good: evidence.good } : { valid: 0, good: 0 };
}

/** A request that the service has begun to read and that will not end. */
async function stuckRequest(running: Running): Promise<{ readonly ended: Promise<unknown> }> {
  const ended = fetch(running.http, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: new ReadableStream({ start: (controller) => controller.enqueue(Buffer.alloc(200_000, ' ')) }),
    duplex: 'half',
  } as RequestInit).catch(() => null);
  await eventually(
    () => running.metric('receiver_in_flight_bytes'),
    (bytes) => bytes >= 100_000,
  );
  return { ended };
}

it('SIGTERM under load: ends with 0 within 10 s, stays reachable while it drains, and all it acknowledged is in the state', async () => {
  const folder = folders.make();
  const first = await start(folder);
  const now = thisSecond();
  let spans = 0;
  let failed = 0;
  let hasStopped = false;
  // Four senders that never rest, each with seconds of its own.
  const senders = Array.from({ length: 4 }, async (_, sender) => {
    for (let n = sender; !hasStopped; n += 4) {
      const request = exportRequest(now - 20_000 + (n % 20) * 1_000, now - 19_000 + (n % 20) * 1_000, SICK);
      const response = await post(first, request.body).catch(() => null);
      if (response === null) return;
      const said = await response.text().catch(() => '');
      if (response.status === 200) {
        expect(said).toBe('{}');
        spans += request.spans;
        failed += request.failed;
      }
    }
  });
  await eventually(
    async () => spans,
    (sent) => sent > 20_000,
  );
  const begun = performance.now();
  const ended = await first.stop();
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(ended).toEqual({ code: 0, signal: null });
  hasStopped = true;
  await Promise.all(senders);
  expect(first.lines.at(-1)?.msg).toBe('stopped');
  const second = await start(folder);
  expect(await counted(second)).toEqual({ valid: spans, good: spans - failed });
  await second.stop();
});

it('is not ready while it drains, says so, and ends at once when asked a second time', async () => {
  const running = await start(folders.make());
  // A request that does not end keeps the receiver from stopping.
  const stuck = await stuckRequest(running);
  running.signal('SIGTERM');
  await running.log('stopping');
  const answer = await running.ask('/readyz');
  expect(answer.status).toBe(503);
  expect(await answer.json()).toEqual({ ready: false, reasons: ['stopping'] });
  expect(await running.status('/healthz')).toBe(200);
  running.signal('SIGTERM');
  expect(await running.ended).toEqual({ code: 1, signal: null });
  expect(running.lines.map(({ msg }) => msg)).not.toContain('stopped');
  await stuck.ended;
});

it('a sender that never ends its request holds up a stop for less than 10 s', async () => {
  const running = await start(folders.make());
  const stuck = await stuckRequest(running);
  const begun = performance.now();
  expect(await running.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - begun).toBeLessThan(10_000);
  await stuck.ended;
});

it('connections on which nothing happens do not hold up a stop', async () => {
  const running = await start(folders.make());
  const now = thisSecond();
  await send(running, now - 1_000, now, HEALTHY);
  const call = grpcClient(new URL(running.grpc).host);
  expect(await call(Buffer.alloc(0))).toMatchObject({ code: 0 });
  const begun = performance.now();
  expect(await running.stop()).toEqual({ code: 0, signal: null });
  // A connection in use would be cut off after 4 s.
  expect(performance.now() - begun).toBeLessThan(3_500);
});

it('what could not be saved is told of, also by the exit code', async () => {
  const running = await start(folders.make());
  const now = thisSecond();
  await send(running, now - 3_000, now, HEALTHY);
  limitFiles(running.pid, '1');
  expect(await running.stop()).toEqual({ code: 1, signal: null });
  await running.log('stopped, but what came since the last checkpoint could not be saved', { level: 'error' });
});

it('a recording that cannot be written is told of, and spans are taken all the same', async () => {
  const config = [processDocument(), shopDocument()];
  const running = await Running.start({ folder: folders.make(), config, args: ['--record', '/dev/full'] });
  const now = thisSecond();
  const sent = await send(running, now - 10_000, now, HEALTHY);
  await running.log('requests are missing in the recording', { level: 'error' });
  expect(await running.metric('spans_total{disposition="counted"}')).toBe(sent.spans);
  expect(await running.stop()).toEqual({ code: 0, signal: null });
  await running.log('the recording is not complete');
});

it('inside another process it leaves no listener behind', async () => {
  const folder = folders.make();
  const events = ['SIGTERM', 'SIGINT', 'SIGHUP', 'uncaughtException', 'unhandledRejection'];
  const listeners = () => events.map((event) => process.listenerCount(event));
  const before = listeners();
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const file = configFile(folder, [processDocument({ state: { enabled: false } }), shopDocument()]);
  const ended = run(['serve', '--config', file], { SLIPSTREAM_API_TOKEN: API_TOKEN }, streams);
  const banner = String(await once(streams.stderr, 'data'));
  expect(banner).toContain('in memory: gone with this process');
  expect(listeners()).toEqual(before.map((count) => count + 1));
  process.emit('SIGTERM');
  expect(await ended).toBe(0);
  expect(listeners()).toEqual(before);
});

it('asked to stop while it still starts, it does so in order once it has started: to PID 1 of a container nothing is said twice', async () => {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const file = configFile(folders.make(), [processDocument({ state: { enabled: false } }), shopDocument()]);
  const said: string[] = [];
  streams.stdout.on('data', (line) => said.push(String(line)));
  const listens = new Promise<void>((resolve) => {
    const onListener = (event: string | symbol): void => {
      if (event !== 'SIGTERM') return;
      process.off('newListener', onListener);
      // It is told just before.
      queueMicrotask(resolve);
    };
    process.on('newListener', onListener);
  });
  const ended = run(['serve', '--config', file], { SLIPSTREAM_API_TOKEN: API_TOKEN }, streams);
  await listens;
  // Nobody has been told yet that it runs.
  expect(streams.stderr.readableLength).toBe(0);
  process.emit('SIGTERM');
  expect(await ended).toBe(0);
  expect(said.join('')).toContain('"msg":"stopped"');
});

it('killed, it knows all counts up to the last checkpoint, and none twice', async () => {
  const folder = folders.make();
  const first = await start(folder);
  const now = thisSecond();
  const sent = await send(first, now - 20_000, now - 10_000, SICK);
  const checkpoints = await first.metric('checkpoint_seconds_count');
  // What was counted is flushed after a pause, and saved by the next checkpoint.
  await eventually(
    () => counted(first),
    ({ valid }) => valid === sent.spans,
  );
  await eventually(
    () => first.metric('checkpoint_seconds_count'),
    (count) => count >= checkpoints + 3,
  );
  await first.kill();
  const second = await start(folder);
  expect(await counted(second)).toEqual({ valid: sent.spans, good: sent.spans - sent.failed });
  const more = await send(second, now - 5_000, now, HEALTHY);
  await second.stop();
  const third = await start(folder);
  expect(await counted(third)).toEqual({ valid: sent.spans + more.spans, good: sent.spans - sent.failed + more.spans });
  await third.stop();
});

it('a service whose log nobody reads any more stops in order, and keeps what it counted', async () => {
  const folder = folders.make();
  const first = await start(folder);
  const now = thisSecond();
  const sent = exportRequest(now - 2_000, now - 1_000, HEALTHY);
  expect((await post(first, sent.body)).status).toBe(200);
  first.closeOutput();
  // A new run is worth a line in the log.
  await first
    .ask('/v1/rollouts', {
      method: 'POST',
      headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ service: SERVICE, generation: 1, baseline: { 'service.version': '1' }, canary: { 'service.version': '2' } }),
    })
    .catch(() => null);
  expect(await first.ended).toEqual({ code: 0, signal: null });
  const second = await start(folder);
  await eventually(
    () => counted(second),
    ({ valid }) => valid === sent.spans,
  );
  expect((await second.stop()).code).toBe(0);
});
