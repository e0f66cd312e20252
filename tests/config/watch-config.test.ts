/** Hot reload: changes are noticed by content, and a bad file keeps what is in force. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LoadResult, loadConfig } from '../../src/config/load-config.ts';
import { type ConfigWatch, watchConfig } from '../../src/config/watch-config.ts';

const slo = (objective: string): string =>
  `apiVersion: slipstream.dev/v1\nkind: ServiceObjectives\nmetadata: { name: a }\nspec: { service: a, objectives: [{ availability: ${objective} }] }\n`;

let folder: string;
let path: string;
let seen: LoadResult[];
let intervals: number[];
let watch: ConfigWatch;
const ENV = { TOKEN: 'correct-horse-battery' };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipstream-watch-'));
  path = join(folder, 'process.yaml');
  seen = [];
  intervals = [];
  mkdirSync(join(folder, 'slos'));
  writeFileSync(join(folder, 'slos/a.yaml'), slo('99.9%'));
  writeFileSync(join(folder, 'token'), 'correct-horse-battery');
  writeFileSync(path, 'api: { token: { file: token } }\nslos: [slos/]\n');
});

afterEach(() => {
  watch.stop();
  rmSync(folder, { recursive: true });
});

function start(): void {
  const first = loadConfig(path, ENV);
  if ('problems' in first) throw new Error(first.problems[0]?.message);
  const every = (_act: () => void, intervalMs: number) => {
    intervals.push(intervalMs);
    return () => intervals.pop();
  };
  watch = watchConfig({ path, env: ENV, config: first.config, onChange: (result) => seen.push(result), every });
}

/** Target of the only objective, or the paths of the problems. */
function outcome(result: LoadResult | undefined): unknown {
  if (result === undefined) return undefined;
  if ('problems' in result) return result.problems.map((problem) => problem.path);
  return result.config.policies.services.get('a')?.objectives[0]?.target;
}

describe('watching the configuration', () => {
  it('looks every two seconds until it is stopped', () => {
    start();
    expect(intervals).toEqual([2000]);
    watch.stop();
    expect(intervals).toEqual([]);
  });

  it('uses a timer of its own when it is given none', () => {
    vi.useFakeTimers();
    try {
      const first = loadConfig(path, ENV);
      if ('problems' in first) throw new Error(first.problems[0]?.message);
      watch = watchConfig({ path, env: ENV, config: first.config, onChange: (result) => seen.push(result) });
      writeFileSync(join(folder, 'slos/a.yaml'), slo('99%'));
      vi.advanceTimersByTime(2000);
      watch.stop();
      writeFileSync(join(folder, 'slos/a.yaml'), slo('98%'));
      vi.advanceTimersByTime(10_000);
    } finally {
      vi.useRealTimers();
    }
    expect(seen.map(outcome)).toEqual([0.99]);
  });

  it('says nothing while nothing changes, even when a file is written again', () => {
    start();
    writeFileSync(join(folder, 'slos/a.yaml'), slo('99.9%'));
    watch.look();
    expect(seen).toEqual([]);
  });

  it('tells of a changed file once', () => {
    start();
    writeFileSync(join(folder, 'slos/a.yaml'), slo('99%'));
    watch.look();
    watch.look();
    expect(seen.map(outcome)).toEqual([0.99]);
  });

  it('tells of a bad file as problems, once, and of the mended one as a configuration', () => {
    start();
    writeFileSync(join(folder, 'slos/a.yaml'), slo('99'));
    watch.look();
    watch.look();
    writeFileSync(join(folder, 'slos/a.yaml'), slo('99%'));
    watch.look();
    expect(seen.map(outcome)).toEqual([['spec.objectives[0].availability'], 0.99]);
  });

  it('notices files that come and go', () => {
    start();
    writeFileSync(join(folder, 'slos/b.yaml'), slo('99%').replaceAll(': a', ': b'));
    watch.look();
    rmSync(join(folder, 'slos'), { recursive: true });
    watch.look();
    mkdirSync(join(folder, 'slos'));
    writeFileSync(join(folder, 'slos/a.yaml'), slo('99.9%'));
    watch.look();
    expect(seen.map(outcome)).toEqual([0.999, ['slos[0]'], 0.999]);
  });

  it('notices the swapped link of a mounted ConfigMap', () => {
    mkdirSync(join(folder, 'slos/..1'));
    mkdirSync(join(folder, 'slos/..2'));
    writeFileSync(join(folder, 'slos/..1/a.yaml'), slo('99.9%'));
    writeFileSync(join(folder, 'slos/..2/a.yaml'), slo('99%'));
    symlinkSync('..1', join(folder, 'slos/..data'));
    rmSync(join(folder, 'slos/a.yaml'));
    symlinkSync('..data/a.yaml', join(folder, 'slos/a.yaml'));
    start();
    symlinkSync('..2', join(folder, 'slos/..new'));
    renameSync(join(folder, 'slos/..new'), join(folder, 'slos/..data'));
    watch.look();
    expect(seen.map(outcome)).toEqual([0.99]);
  });

  it('notices a rotated secret, and one that went missing', () => {
    start();
    writeFileSync(join(folder, 'token'), 'staple-battery-horse');
    watch.look();
    rmSync(join(folder, 'token'));
    watch.look();
    writeFileSync(join(folder, 'token'), 'staple-battery-horse');
    watch.look();
    expect(seen.map(outcome)).toEqual([0.999, ['api.token'], 0.999]);
  });

  it.each([
    ['receivers.token', 'correct-horse-battery', 'receivers: { token: { file: other } }\n'],
    ['watchdog.heartbeatUrl', 'https://heartbeats.example.com/x', 'watchdog: { heartbeatUrl: { file: other } }\n'],
    ['sinks[0].routingKey', '0123456789abcdef0123456789abcdef', 'sinks: [{ type: pagerduty, name: a, routingKey: { file: other } }]\n'],
    ['sinks[0].url', 'https://hooks.slack.com/services/T0/B0/x', 'sinks: [{ type: slack, name: a, url: { file: other } }]\n'],
    [
      'sinks[0].signingKeys[0]',
      `whsk_${Buffer.alloc(32, 2).toString('base64')}`,
      'sinks: [{ type: webhook, name: a, url: "https://example.com", signingKeys: [{ file: other }] }]\n',
    ],
  ])('notices a secret of %s that is changed', (at, secret, text) => {
    writeFileSync(path, text);
    writeFileSync(join(folder, 'other'), secret);
    start();
    writeFileSync(join(folder, 'other'), '');
    watch.look();
    expect(seen.map(outcome)).toEqual([[at]]);
  });

  it('notices what changed between loading and watching', () => {
    const first = loadConfig(path, ENV);
    if ('problems' in first) throw new Error(first.problems[0]?.message);
    writeFileSync(join(folder, 'slos/a.yaml'), slo('99%'));
    watch = watchConfig({ path, env: ENV, config: first.config, onChange: (result) => seen.push(result), every: () => () => undefined });
    watch.look();
    expect(seen.map(outcome)).toEqual([0.99]);
  });
});
