/** The watchdog of a running process: what it says outside while all is well, that it falls silent when the process stands still, and what status says. */
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { processDocument, shopDocument } from './config.ts';
import { eventually, killAll, limitFiles, Running } from './running.ts';
import { HEALTHY, send, thisSecond } from './traffic.ts';

const folders = new TemporaryFolders();
let listener: Switch | null = null;

afterEach(async () => {
  await killAll();
  await listener?.close();
  listener = null;
  folders.clean();
});

/** A dead man's switch: raises the alarm when no heartbeat comes for so long. */
class Switch {
  beats = 0;
  readonly #server: Server;
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;
  #raise: () => void = () => {};

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#server = createServer((request, response) => {
      request.resume();
      this.beats++;
      this.#arm();
      response.writeHead(204).end();
    });
  }

  listen(): Promise<string> {
    return new Promise((resolve) =>
      this.#server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ping`)),
    );
  }

  alarm(): Promise<void> {
    return new Promise((resolve) => {
      this.#raise = resolve;
      this.#arm();
    });
  }

  close(): Promise<unknown> {
    clearTimeout(this.#timer);
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#raise(), this.#limitMs);
  }
}

async function start(watchdog: object): Promise<Running> {
  const document = { ...processDocument({ state: { checkpointInterval: '500ms' } }), watchdog: { interval: '1s', ...watchdog } };
  return Running.start({ folder: folders.make(), config: [document, shopDocument()] });
}

it('a process that stands still raises the alarm outside, and none while it goes on', async () => {
  listener = new Switch(4_000);
  const file = `${folders.make()}/heartbeat`;
  writeFileSync(file, await listener.listen());
  const running = await start({ heartbeatUrl: { file } });
  await eventually(
    async () => listener?.beats ?? 0,
    (beats) => beats >= 2,
  );
  running.signal('SIGSTOP');
  await listener.alarm();
  const silentAt = listener.beats;
  running.signal('SIGCONT');
  await eventually(
    async () => listener?.beats ?? 0,
    (beats) => beats > silentAt,
  );
});

it('nothing of the made-up canaries shows in counts, runs, signals or objectives', async () => {
  const running = await start({});
  const now = thisSecond();
  const sent = await send(running, now - 3_000, now, HEALTHY);
  await eventually(
    () => running.metric('watchdog_checks_total{part="signal",result="ok"}'),
    (rounds) => rounds >= 2,
  );
  const { services, runs, watchdog } = await running.state();
  expect(watchdog).toMatchObject({ lastSuccessAt: expect.any(Number), faults: [] });
  expect(services.map(({ service }) => service)).toEqual(['shop']);
  expect(runs).toEqual([]);
  expect(await running.json('/v1/signals')).toEqual({ signals: [] });
  expect(await running.metric('spans_total{disposition="counted"}')).toBe(sent.spans);
  expect(await running.metric('signals_total{action="rollback"}')).toBe(0);
  expect(await running.metric('watchdog_last_success_timestamp_seconds')).toBeGreaterThan(now / 1000);
  expect(running.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

it('a disk that refuses is named in status and by one line of the log', async () => {
  const running = await start({});
  const now = thisSecond();
  await send(running, now - 3_000, now, HEALTHY);
  limitFiles(running.pid, '1');
  const line = await running.log('the watchdog finds a part that does not work', { part: 'state' });
  expect(line.fault).toMatch(/the store refuses/);
  const { watchdog } = await running.state();
  expect(watchdog?.faults).toMatchObject([{ part: 'state', fault: expect.stringMatching(/the store refuses/), member: null }]);
  expect(await running.metric('watchdog_checks_total{part="state",result="failed"}')).toBeGreaterThan(0);
});

it('switched off, it does and says nothing', async () => {
  const running = await start({ enabled: false });
  expect((await running.state()).watchdog).toBeNull();
  expect(await (await running.ask('/metrics')).text()).not.toMatch(/^slipstream_watchdog_\w+\{/m);
});
