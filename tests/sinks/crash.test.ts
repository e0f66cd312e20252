/** A signal survives the death of the process: the same id and bytes go out, and nothing new. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { messageOf } from '../../src/sinks/message.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const message = messageOf(sampleSignal(), DECIDED_AT);
const folders = new TemporaryFolders();
let receiver: WebhookReceiver;
let directory: string;

beforeEach(async () => {
  receiver = await WebhookReceiver.listen([SECRET]);
  directory = folders.make();
});
afterEach(async () => {
  await receiver.close();
  folders.clean();
});

/** Runs the service until it has journalled and so many requests have come in all, kills it, and returns what it printed. */
async function killedAfter(deliver: 'deliver' | 'wait', requests: number): Promise<string> {
  const program = join(import.meta.dirname, 'crashing-service.ts');
  const child = spawn(process.execPath, [program, directory, receiver.url, SECRET, deliver], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [[output]] = await Promise.all([once(child.stdout.setEncoding('utf8'), 'data'), receiver.received(requests)]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return output;
}

function journalled() {
  using store = new SqliteStore(directory);
  return store.journal.entries(10);
}

it('killed between journalling and sending, it sends exactly that signal after the restart', async () => {
  expect(await killedAfter('wait', 0)).toBe(`journalled ${message.id}\n`);
  expect(receiver.requests).toHaveLength(0);
  expect(journalled()).toMatchObject([{ state: 'pending', attempts: 0 }]);
  expect(await killedAfter('deliver', 1)).toBe('journalled \n');
  expect(receiver.requests).toMatchObject([{ id: message.id, body: message.body, verified: [true] }]);
  expect(journalled()).toHaveLength(1);
});

it('killed between sending and the answer, it repeats the same id and bytes after the restart', async () => {
  receiver.answer(() => 'silent');
  await killedAfter('deliver', 1);
  expect(journalled()).toMatchObject([{ state: 'sent', attempts: 1 }]);
  await killedAfter('deliver', 2);
  expect(receiver.requests.map(({ id, body }) => ({ id, body }))).toEqual(Array(2).fill({ id: message.id, body: message.body }));
  expect(journalled()).toMatchObject([{ state: 'sent', attempts: 2, signal: { id: message.id } }]);
});
