/** The program as a process: pipes, exit codes. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { configSchemaText } from '../../src/config/config-schema.ts';
import { MemoryService, NOW } from '../api/memory-service.ts';
import { rememberingTelemetry } from '../api/remembering-telemetry.ts';

let api: Api;
let url = '';

beforeAll(async () => {
  api = createApi(
    new MemoryService(),
    { host: '127.0.0.1', port: 0, publicUrl: null, token: null },
    rememberingTelemetry().telemetry,
    () => NOW,
  );
  url = (await api.start()).address;
});

afterAll(() => api.stop());

describe('the program', () => {
  function program(argv: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    return spawn(process.execPath, ['src/main.ts', ...argv], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH } });
  }

  it('answers with its exit code', async () => {
    const child = program(['stauts']);
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(said).toContain('Did you mean status?');
    expect(code).toBe(2);
  });

  it('loses nothing of a long answer in a pipe', async () => {
    const child = program(['schema']);
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect([said, code]).toEqual([configSchemaText(), 0]);
  });

  it('ends without complaint when the reader of its output is gone', async () => {
    const child = program(['status', '--url', url, '--watch', '100ms']);
    child.stdout.once('data', () => child.stdout.destroy());
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect([said, code]).toEqual(['', 0]);
  });
});
