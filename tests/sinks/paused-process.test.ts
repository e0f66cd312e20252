/** A process that stood still, as a frozen virtual machine does, looks again before it sends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { WEBHOOK_SECRET } from '../support/sink-configs.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const folders = new TemporaryFolders();
let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.listen([WEBHOOK_SECRET]);
});
afterEach(async () => {
  await receiver.close();
  folders.clean();
});

/** Stops a delivery that fails, for so long, and returns how many requests came in after it went on. */
async function stoodStill(lifeMs: number, stoppedMs: number): Promise<{ after: number; state: string | undefined }> {
  const directory = folders.make();
  receiver.answer(() => ({ status: 503 }));
  const program = join(import.meta.dirname, 'crashing-decider.ts');
  const args = [program, directory, receiver.url, WEBHOOK_SECRET, 'journal first', '1', String(lifeMs)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'close');
  await receiver.received(1);
  child.kill('SIGSTOP');
  receiver.answer(() => ({ status: 204 }));
  // What was on its way has come in by then.
  await pause(stoppedMs);
  const before = receiver.requests.length;
  child.kill('SIGCONT');
  await ended;
  using store = new SqliteStore(directory);
  return { after: receiver.requests.length - before, state: store.journal.entries(1)[0]?.state };
}

it('sends nothing when the signal has expired meanwhile', async () => {
  expect(await stoodStill(2_000, 2_500)).toEqual({ after: 0, state: 'expired' });
});

it('goes on when the signal has not expired', async () => {
  expect(await stoodStill(60_000, 500)).toEqual({ after: 1, state: 'acknowledged' });
});
