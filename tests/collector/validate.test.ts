/** Every configuration that is shown is one that a real Collector takes, with its defaults, and the page about them names them all. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ran } from '../cli/streams.ts';
import { COLLECTOR_TOOLS, collectorIn } from '../tools/collector.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { CONFIGURATIONS } from './rig/collector.ts';

const run = promisify(execFile);
const FILES = readdirSync(CONFIGURATIONS).filter((name) => name.endsWith('.yaml') && name !== 'kubernetes-account.yaml');

describeWithTools('the configurations for a Collector', [COLLECTOR_TOOLS], (directory) => {
  it.each(FILES)('%s is valid with nothing set in the environment', async (name) => {
    const env = { PATH: process.env.PATH };
    await expect(
      run(collectorIn(directory(COLLECTOR_TOOLS)), ['validate', '--config', join(CONFIGURATIONS, name)], { env }),
    ).resolves.toMatchObject({
      stdout: '',
    });
  });

  it('a slip of the pen is not', async () => {
    const changed = ['--config', join(CONFIGURATIONS, 'otlp-grpc.yaml'), '--config', 'yaml:exporters::otlp/slipstream::endpiont: x'];
    await expect(run(collectorIn(directory(COLLECTOR_TOOLS)), ['validate', ...changed])).rejects.toThrow('endpiont');
  });
});

describe('the page about them', () => {
  const file = join(CONFIGURATIONS, '../../docs/collector.md');
  const page = readFileSync(file, 'utf8');

  it('leads to every file, and only to files that are there', () => {
    const links = [...page.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => join(dirname(file), link));
    for (const name of readdirSync(CONFIGURATIONS)) expect(links).toContain(join(CONFIGURATIONS, name));
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
  });

  it('names settings and variables that the files have, and options that commands have', async () => {
    const texts = readdirSync(CONFIGURATIONS).map((name) => readFileSync(join(CONFIGURATIONS, name), 'utf8'));
    const variables = page.match(/\b(?:OTLP|SLIPSTREAM|QUEUE)_[A-Z_]+/g) ?? [];
    expect(variables.length).toBeGreaterThan(2);
    for (const name of variables)
      expect(
        texts.some((text) => text.includes(`env:${name}`)),
        name,
      ).toBe(true);
    for (const [, command = '', rest = ''] of page.matchAll(/^slipstream (\w+) ([^#\n]*)/gm)) {
      const { stdout } = await ran([command, '--help']);
      for (const option of rest.match(/--[a-z-]+/g) ?? []) expect(stdout, command).toContain(option);
    }
  });
});
