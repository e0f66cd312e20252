import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What a user is promised: the story is over within a minute, start included. */
const MINUTE_MS = 60_000;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function node(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const { FORCE_COLOR: _, ...own } = process.env;
    const options = { cwd: ROOT, env: { ...own, ...env }, timeout: MINUTE_MS, maxBuffer: 16 * 1024 * 1024 };
    execFile(process.execPath, [script, ...args], options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const demo = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> => node('tests/demo/demo.ts', args, env);

function found(pattern: RegExp, text: string): string {
  const part = pattern.exec(text)?.[1];
  if (part === undefined) throw new Error(`nothing matches ${pattern}`);
  return part;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the demo', () => {
  it('rolls back a canary that turns bad, says why, and judges its recording the same way', { timeout: 2 * MINUTE_MS }, async () => {
    const recording = join(folder, 'spans.jsonl');
    const live = await demo(['--scenario', 'both', '--record', recording], { TMPDIR: folder });
    expect(live.stdout + live.stderr).toContain('As it should be: the bad release was rolled back.');
    expect(live.code).toBe(0);
    expect(live.stdout).toMatch(/\d\.\d s from the first bad span to the signal/);
    expect(live.stdout).toContain('"type": "slipstream.signal.rollback"');
    expect(live.stdout).not.toContain('\x1b');
    for (const endpoint of [
      'POST /checkout',
      'GET /order/{id}',
      'GET /product/{id}',
      'POST /cart',
      'shop.Payment/Charge',
      'process orders',
    ]) {
      expect(live.stdout).toContain(endpoint);
    }
    expect((await readdir(folder)).filter((name) => name.startsWith('slipstream-demo-'))).toEqual([]);

    const replay = await node('src/main.ts', [
      ...['replay', recording, '--rollouts', `${recording}.rollouts.jsonl`],
      ...['--config', `${recording}.slipstream.yaml`, '-o', 'json'],
    ]);
    expect(replay.code).toBe(0);
    const { verdicts } = JSON.parse(replay.stdout) as { verdicts: object[] };
    expect(verdicts.at(-1)).toMatchObject({
      decision: 'rollback',
      at: found(/rollback at event time (\S+)/, live.stdout),
      signal: found(/"id": "(sig_\w+)"/, live.stdout),
    });
  });

  it('leaves a healthy canary alone', { timeout: MINUTE_MS + 5000 }, async () => {
    const { code, stdout, stderr } = await demo(['--scenario', 'healthy', '--seconds', '35']);
    expect(stdout + stderr).toContain('As it should be: nothing was rolled back.');
    expect(code).toBe(0);
    expect(stdout).not.toContain('first bad span');
  });

  it('explains itself and refuses what it does not understand', async () => {
    const help = await demo(['--help']);
    expect([help.code, help.stdout]).toEqual([0, expect.stringContaining('usage: npm run demo')]);
    const wrong = await demo(['--scenario', 'chaos']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('not "chaos"')]);
  });
});
