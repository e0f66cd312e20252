/** What stands in the way of a start: a damaged or held state folder, taken ports, bad configuration, histograms of another layout. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { processDocument, rollout, SECRETS, shopDocument } from './config.ts';
import { eventually, killAll, limitFiles, Running } from './running.ts';
import { HEALTHY, SICK, send, thisSecond } from './traffic.ts';

const folders = new TemporaryFolders();
let receiver: WebhookReceiver;
let folder: string;

beforeEach(async () => {
  receiver = await WebhookReceiver.listen(SECRETS);
  folder = folders.make();
});
afterEach(async () => {
  await killAll();
  await receiver.close();
  folders.clean();
});

function config(more: object = {}) {
  return [processDocument({ webhookUrl: receiver.url, ...more }), shopDocument()];
}

/** A service that rolled one rollout back and had a second in flight when it was stopped; returns when that was. */
async function livedThroughTwoRollouts(): Promise<number> {
  const first = await Running.start({ folder, config: config() });
  const now = thisSecond();
  await first.startRollout(rollout(now - 30_000));
  await send(first, now - 30_000, now - 15_000, SICK);
  await first.log('signal delivered');
  await first.startRollout(rollout(now - 15_000, { id: 'shop-2', generation: 2 }));
  await send(first, now - 15_000, now, HEALTHY);
  await first.stop();
  return now;
}

const LOST = 'state could not be read back whole; nothing is decided until evidence has built up again';

describe('a state that cannot be trusted', () => {
  it('is put aside, and however sick a canary then looks, it is held, also after one more restart', async () => {
    const first = await Running.start({ folder, config: config() });
    const now = thisSecond();
    await send(first, now - 10_000, now, HEALTHY);
    await first.stop();
    const file = join(folder, 'state/slipstream.db');
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4_096, 12_288);
    writeFileSync(file, bytes);

    const second = await Running.start({ folder, config: config() });
    const told = await second.log(LOST);
    expect(told.level).toBe('error');
    expect(existsSync(join(folder, String(told.quarantined)))).toBe(true);
    expect(readdirSync(join(folder, 'state'))).toContain('slipstream.db.corrupt-1');
    await second.kill();

    const third = await Running.start({ folder, config: config() });
    await third.startRollout(rollout(now - 20_000));
    await send(third, now - 20_000, now, SICK);
    const run = await eventually(
      () => third.run('shop-1'),
      ({ verdict }) => (verdict.logWealth ?? 0) > (verdict.logLimit ?? 0),
    );
    expect(run).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'state_unknown' } });
    await third.stop();
    expect(receiver.requests).toEqual([]);
  });

  it('with histograms of another layout: objectives and finished rollouts stay, a rollout in flight begins anew and is held', async () => {
    const now = await livedThroughTwoRollouts();
    const valid = async (running: Running) => (await running.state()).services[0]?.objectives[0]?.judgement.evidence;

    const second = await Running.start({ folder, config: config({ histogram: { digits: 1 } }) });
    await second.log(LOST);
    expect(await valid(second)).toMatchObject({ valid: 6_000, good: 5_550 });
    expect(await second.run('shop-1')).toMatchObject({ state: 'rolled_back', verdict: { reason: 'harm_proven' } });
    expect(await second.run('shop-2')).toMatchObject({ rollout: { generation: 2 }, canaryRequests: 0, signalId: null });
    await send(second, now, now + 1_000, HEALTHY);
    expect(await second.runIn('running', 'shop-2')).toMatchObject({ verdict: { decision: 'hold', reason: 'state_unknown' } });
    await second.stop();
    expect(receiver.requests).toHaveLength(1);
  });
});

describe('a start with runs that another program saved', () => {
  it('keeps the objectives and how what is over ended, and begins anew what is in flight', async () => {
    await livedThroughTwoRollouts();
    const store = new SqliteStore(join(folder, 'state'));
    const { at, runs } = store.load({});
    const foreign = runs.map(({ id, json }) => ({ id, json: JSON.stringify({ ...JSON.parse(json), format: 1, policy: { alpha: 1 } }) }));
    store.checkpoint({
      at: at ?? 0,
      series: [],
      slots: [],
      countKeys: [],
      counts: [],
      runs: foreign,
      notes: [],
      retain: [],
      retainCounts: [],
    });
    store.close();

    const second = await Running.start({ folder, config: config() });
    await second.log(LOST);
    expect((await second.state()).services[0]?.objectives[0]?.judgement.evidence).toMatchObject({ valid: 6_000, good: 5_550 });
    expect(await second.run('shop-1')).toMatchObject({
      rollout: { generation: 1 },
      state: 'rolled_back',
      verdict: { decision: 'rollback', reason: 'state_unknown' },
      signalId: expect.stringMatching(/^sig_/),
      judgements: [],
    });
    expect(await second.status('/v1/rollouts/shop-1/explanation')).toBe(200);
    expect(await second.run('shop-2')).toMatchObject({ rollout: { generation: 2 }, canaryRequests: 0, signalId: null });
    await second.stop();
    expect(receiver.requests).toHaveLength(1);
  });
});

describe('a start that cannot be', () => {
  it('because another process has the state folder: says so, and leaves the other alone', async () => {
    const first = await Running.start({ folder, config: config() });
    const second = new Running({ folder, config: config() });
    expect(await second.ended).toEqual({ code: 1, signal: null });
    expect(second.stderr).toMatch(/^slipstream: opening state folder \.\/state: another process is using it/);
    expect(await first.status('/readyz')).toBe(200);
    await first.stop();
  });

  it.each([
    ['receivers', (port: number) => ({ receivers: { otlpGrpc: { port } } })],
    ['receivers', (port: number) => ({ receivers: { otlpHttp: { port } } })],
    ['api', (port: number) => ({ api: { port } })],
  ])('because a port of %s is taken: names the address, and nothing is left running', async (_, more) => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    const running = new Running({ folder, config: config(more(port)) });
    expect(await running.ended).toEqual({ code: 1, signal: null });
    expect(running.stderr).toMatch(new RegExp(`^slipstream: listening .*on 127\\.0\\.0\\.1:${port}: .*in use`));
    expect(running.stderr.trim().split('\n')).toHaveLength(1);
    await new Promise((resolve) => holder.close(resolve));
    const next = await Running.start({ folder, config: config() });
    await next.stop();
  });

  it('because of mistakes in the configuration: shows all of them with their places', async () => {
    const broken = [{ ...processDocument(), telemetry: { logLevel: 'loud' } }, shopDocument([{ availability: 99.9 }])];
    const running = new Running({ folder, config: broken });
    expect(await running.ended).toEqual({ code: 1, signal: null });
    expect(running.stderr).toMatch(/slipstream\.yaml:\d+:\d+ {2}telemetry\.logLevel/);
    expect(running.stderr).toMatch(/slipstream\.yaml:\d+:\d+ {2}spec\.objectives\[0\]\.availability/);
    expect(running.stderr).toContain('2 problems in 1 file');
    expect(running.stdout).toBe('');
    expect(existsSync(join(folder, 'state'))).toBe(false);
  });
});

describe('a disk that is full', () => {
  it('is shown as not ready; no signal leaves until there is room, and then it leaves by itself', async () => {
    const running = await Running.start({ folder, config: config() });
    const now = thisSecond();
    await running.startRollout(rollout(now - 30_000));
    limitFiles(running.pid, '1');
    await send(running, now - 30_000, now, SICK);
    await running.log('verdict', { decision: 'rollback' });
    await running.log('the store refuses; no signal leaves until it takes them', { waitingSignals: 1 });
    expect(await running.json('/readyz')).toEqual({ ready: false, reasons: ['the store refuses to be written'] });
    expect(await running.status('/healthz')).toBe(200);
    const more = await running.startRollout(rollout(now, { id: 'other-1', service: 'other' }));
    expect(more.status).toBe(503);
    expect(more.headers.get('retry-after')).toBe('5');
    await send(running, now, now + 1_000, HEALTHY);
    expect(await running.metric('checkpoint_failures_total')).toBeGreaterThan(0);
    expect(receiver.requests).toEqual([]);

    limitFiles(running.pid, 'unlimited');
    await receiver.received(1);
    await running.log('signal delivered');
    await eventually(
      () => running.status('/readyz'),
      (status) => status === 200,
    );
    expect((await running.startRollout(rollout(now, { id: 'other-1', service: 'other' }))).status).toBe(200);
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    expect(receiver.requests).toHaveLength(1);
  });
});
