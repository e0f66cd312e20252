/** `slipstream explain` against a real API. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Api, createApi } from '../../src/api/create-api.ts';
import type { ExplainedRunWire } from '../../src/api/schemas.ts';
import { harmedRun, MemoryService, NOW } from '../api/memory-service.ts';
import { rememberingTelemetry } from '../api/remembering-telemetry.ts';
import { ran } from './streams.ts';

const service = new MemoryService();
let api: Api;
let url = '';

beforeAll(async () => {
  const older = harmedRun('r-old');
  service.put({ ...older, rollout: { ...older.rollout, startedAt: NOW - 60_000 } });
  service.put(harmedRun('r-1\u001b[2J/x'));
  service.put({ ...older, rollout: { ...older.rollout, id: 'r-cart', service: 'cart', startedAt: NOW - 90_000 } });
  api = createApi(service, { host: '127.0.0.1', port: 0, publicUrl: null, token: null }, rememberingTelemetry().telemetry, () => NOW);
  url = (await api.start()).address;
});

afterAll(() => api.stop());

describe('explains', () => {
  it('the newest rollout when none is named', async () => {
    const { code, stdout, stderr } = await ran(['explain', '--url', url]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Roll back: the canary is proven worse than the baseline\.\n/);
    expect(stdout).toContain('rollout   r-1\\u{1b}[2J/x, generation 3');
  });

  it.each([
    ['by its id', ['r-old'], 'rollout   r-old, generation 3'],
    ['by an id that names cannot forge', ['r-1\u001b[2J/x'], 'rollout   r-1\\u{1b}[2J/x, generation 3'],
    ['of a service', ['--service', 'cart'], 'service   cart\n'],
  ])('a rollout %s', async (_name, given, text) => {
    expect((await ran(['explain', ...given, '--url', url])).stdout).toContain(text);
  });

  it('with all numbers for programs', async () => {
    const json = JSON.parse((await ran(['explain', 'r-old', '--url', url, '-o', 'json'])).stdout);
    expect(json).toMatchObject({ rollout: { id: 'r-old' }, judgements: [{ evidence: { canary: { bad: 41 } } }, {}] });
    expect(json.explanation.page).toContain('canary    41 of 812 bad (5 %)');
    expect(parse((await ran(['explain', 'r-old', '--url', url, '-o', 'yaml'])).stdout)).toEqual(json);
  });

  it('as the API explains it', async () => {
    const page = await (await fetch(`${url}/v1/rollouts/r-old/explanation`)).text();
    expect((await ran(['explain', 'r-old'], { SLIPSTREAM_URL: url })).stdout).toBe(page);
  });
});

describe('exits with 1 and says why', () => {
  it('when the rollout is not known', async () => {
    expect(await ran(['explain', 'nobody', '--url', url])).toEqual({
      code: 1,
      stdout: '',
      stderr: `slipstream: asking ${url} for rollout nobody: 404 no rollout of this id is known\n`,
    });
  });

  it('when there is no rollout yet', async () => {
    const { code, stdout, stderr } = await ran(['explain', '--service', 'none', '--url', url]);
    expect([code, stdout, stderr]).toEqual([1, '', 'slipstream: no rollout is known yet\n']);
  });

  it('when another program answers', async () => {
    const server: Server = createServer((_request, response) => response.end('{"rollouts":[{"id":"\u001b[2J"}]}')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { code, stderr } = await ran(['explain', '--url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain('not that of a Slipstream');
  });
});

it('a page of a Slipstream that is none cannot move the cursor', async () => {
  const run = (await (await fetch(`${url}/v1/rollouts/r-old`)).json()) as ExplainedRunWire;
  const forged = JSON.stringify({ ...run, explanation: { ...run.explanation, page: 'all is well\u001b[2J\nreally' } });
  const server: Server = createServer((_request, response) => response.end(forged)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { stdout } = await ran(['explain', 'r-old', '--url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
  server.close();
  expect(stdout).toBe('all is well\\u{1b}[2J\nreally\n');
});

it('its help begins with examples', async () => {
  const { code, stdout } = await ran(['explain', '--help']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Examples:\n {2}slipstream explain +the newest rollout\n/);
});
