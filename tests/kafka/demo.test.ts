/** The demo's story through a real broker and two roles, as a user starts it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, it } from 'vitest';
import './rig/global-setup.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Five processes and a broker start before the story, on a machine that may be busy. */
const LIMIT_MS = 120_000;

const folder = mkdtempSync(join(tmpdir(), 'slipstream-kafka-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly output: string;
}

function demo(args: readonly string[]): Promise<Ended> {
  const options = { cwd: ROOT, env: { ...process.env, TMPDIR: folder }, timeout: LIMIT_MS, maxBuffer: 16 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['tests/demo/demo.ts', ...args], options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

const kafka = inject('kafka');

it.skipIf('missing' in kafka)(
  `rolls back a bad canary over Kafka and leaves nothing behind${'missing' in kafka ? ` (${kafka.missing})` : ''}`,
  { timeout: LIMIT_MS + 5_000 },
  async () => {
    const { code, output } = await demo(['--kafka', '--scenario', 'both', '--seconds', '60']);
    expect(output).toContain('As it should be: the bad release was rolled back.');
    expect(output).toContain('"type": "slipstream.signal.rollback"');
    expect(code).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  },
);
