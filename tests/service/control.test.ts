/** Operators hold rollbacks of a running service back, through the API and by a file, over a death of the process; then the rollback arrives. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BreakerWire, HoldListWire } from '../../src/api/control-schemas.ts';
import { ran } from '../cli/streams.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { processDocument, rollout, SECRETS, shopDocument } from './config.ts';
import { API_TOKEN, eventually, killAll, Running } from './running.ts';
import { SICK, send, thisSecond } from './traffic.ts';

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

function start(): Promise<Running> {
  const config = { ...processDocument({ webhookUrl: receiver.url }), killSwitchFile: join(folder, 'hold') };
  return Running.start({ folder, config: [config, shopDocument()] });
}

async function sickRollout(running: Running): Promise<void> {
  const now = thisSecond();
  await running.startRollout(rollout(now - 30_000));
  await send(running, now - 30_000, now, SICK);
}

const held = (running: Running) =>
  eventually(
    () => running.run('shop-1'),
    (run) => run.verdict.reason === 'overridden',
  );

const inForce = (running: Running, scope: string, count: number) =>
  eventually(
    () => running.metric(`overrides_in_force{scope="${scope}"}`),
    (value) => value === count,
  );

it('an override outlives the process; when it is ended the rollback that it put off arrives, once', async () => {
  const first = await start();
  const slipstream = (running: Running, ...argv: string[]) =>
    ran(['override', ...argv], { SLIPSTREAM_URL: running.api, SLIPSTREAM_API_TOKEN: API_TOKEN });
  const begun = await slipstream(first, '--service', 'shop', '--mode', 'hold', '--reason', 'database is being moved', '--by', 'ana');
  expect([begun.code, begun.stderr]).toEqual([0, '']);
  await sickRollout(first);
  expect(await held(first)).toMatchObject({ state: 'running', verdict: { decision: 'hold' } });
  await first.kill();

  const second = await start();
  const { overrides } = (await second.json('/v1/overrides')) as HoldListWire;
  expect(overrides).toMatchObject([{ service: 'shop', mode: 'hold', by: 'ana', isInForce: true }]);
  await inForce(second, 'service', 1);
  await send(second, thisSecond() - 3_000, thisSecond(), SICK);
  expect(await held(second)).toMatchObject({ state: 'running' });
  expect(receiver.requests).toEqual([]);

  const { code } = await slipstream(second, 'end', '--service', 'shop', '--by', 'ben');
  expect(code).toBe(0);
  await second.runIn('rolled_back');
  await receiver.received(1);
  expect((await second.json('/v1/breaker')) as BreakerWire).toMatchObject({ rollbacksLastHour: 1, isOpen: false });
  expect(receiver.requests).toHaveLength(1);
});

it('a file on the machine does the same where the API is out of reach', async () => {
  const running = await start();
  writeFileSync(join(folder, 'hold'), '');
  await running.log('the kill switch holds all rollbacks');
  await inForce(running, 'kill_switch', 1);
  await sickRollout(running);
  await held(running);
  expect(((await running.json('/v1/overrides')) as HoldListWire).killSwitchSince).not.toBeNull();
  rmSync(join(folder, 'hold'));
  await running.log('the kill switch is gone; rollbacks may leave again');
  await running.runIn('rolled_back');
  await receiver.received(1);
  await inForce(running, 'kill_switch', 0);
});
