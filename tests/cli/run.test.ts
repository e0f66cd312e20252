/** The frame of the command line: help, usage errors, exit codes. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/cli/package-version.ts';
import { ran } from './streams.ts';

describe('help', () => {
  it('begins with examples and ends with exit codes, on stdout', async () => {
    const { code, stdout, stderr } = await ran(['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Examples:\n {2}slipstream serve/);
    expect(stdout).toMatch(/Exit codes:\n {2}0 {2}done/);
    expect(stderr).toBe('');
  });

  it('of every command begins with examples', async () => {
    const { stdout } = await ran(['--help']);
    const listed = /Commands:\n([\s\S]*?)\n\n/.exec(stdout)?.[1] ?? '';
    const names = [...listed.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name ?? '').filter((name) => name !== 'help');
    expect(names).toContain('status');
    for (const name of names) {
      const help = await ran([name, '--help']);
      expect(help.code).toBe(0);
      expect(help.stdout, name).toMatch(/^Examples:\n {2}slipstream /);
    }
  });
});

describe('wrong usage exits with 2 and says so on stderr', () => {
  it.each<[string, string[], RegExp]>([
    ['no command', [], /Usage: slipstream/],
    ['a mistyped command', ['stauts'], /unknown command 'stauts'\n\(Did you mean status\?\)/],
    ['a mistyped option', ['status', '--windov', '5m'], /unknown option '--windov'\n\(Did you mean --window\?\)/],
    ['an output nobody knows', ['version', '-o', 'xml'], /Allowed choices are table, json, yaml/],
    ['an address that is none', ['status', '--url', 'localhost:8080'], /must start with http/],
    ['too fast a watch', ['status', '--watch', '1ms'], /at least 100ms/],
    ['an argument too many', ['version', 'now'], /too many arguments/],
    ['a command that moves the cursor', ['\u001b[2Jx'], /unknown command '\\u\{1b\}\[2Jx'/],
  ])('%s', async (_name, argv, message) => {
    const { code, stdout, stderr } = await ran(argv);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
  });
});

describe('what cannot be done exits with 1 and says why once', () => {
  const config = ['--config', 'config/local.yaml'];

  it.each<[string, string[], string]>([
    [
      'spans that are not there',
      ['replay', 'absent.jsonl', ...config],
      'slipstream: reading spans from absent.jsonl: no such file or folder\n',
    ],
    [
      'rollouts that are not there',
      ['replay', 'README.md', ...config, '--rollouts', 'absent.jsonl'],
      'slipstream: reading rollouts from absent.jsonl: no such file or folder\n',
    ],
    [
      'rollouts that are none',
      ['replay', 'README.md', ...config, '--rollouts', 'README.md'],
      'slipstream: README.md:1: not JSON: Unexpected token',
    ],
    [
      'a recording that cannot be written',
      ['serve', ...config, '--record', 'absent/spans.binpb'],
      'slipstream: recording spans to absent/spans.binpb: no such file or folder\n',
    ],
    ['a configuration that is not there', ['serve', '--config', 'absent.yaml'], 'absent.yaml\n  does not exist\n'],
  ])('%s', async (_name, argv, message) => {
    const { code, stdout, stderr } = await ran(argv);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.slice(0, message.length)).toBe(message);
  });
});

it('a port that is taken is told of once', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const folder = mkdtempSync(join(tmpdir(), 'slipstream-taken-'));
  try {
    const file = join(folder, 'slipstream.yaml');
    writeFileSync(file, `receivers: { otlpGrpc: { port: ${port} }, otlpHttp: { port: 0 } }\napi: { port: 0 }\nstate: { enabled: false }\n`);
    const { code, stderr } = await ran(['serve', '--config', file]);
    expect([code, stderr]).toEqual([
      1,
      `slipstream: listening for OTLP/gRPC on 127.0.0.1:${port}: the address is in use by another process\n`,
    ]);
  } finally {
    taken.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('version', () => {
  it('prints one line for people', async () => {
    expect(await ran(['version'])).toEqual({
      code: 0,
      stdout: `slipstream ${VERSION} (node ${process.versions.node}, ${process.platform} ${process.arch})\n`,
      stderr: '',
    });
  });

  it('prints data for programs', async () => {
    expect(JSON.parse((await ran(['version', '-o', 'json'])).stdout)).toMatchObject({ name: 'slipstream', version: VERSION });
    expect((await ran(['version', '--output', 'yaml'])).stdout).toContain(`version: ${VERSION}\n`);
  });

  it('is also an option', async () => {
    expect(await ran(['--version'])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });
});
