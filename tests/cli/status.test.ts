/** `slipstream status` against a real API. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { AVAILABILITY, harmedRun, MemoryService, NOW } from '../api/memory-service.ts';
import { rememberingTelemetry } from '../api/remembering-telemetry.ts';
import { ran } from './streams.ts';

const service = new MemoryService();
let api: Api;
let url = '';

beforeAll(async () => {
  service.put(harmedRun('r-1\u001b[2J'));
  api = createApi(service, { host: '127.0.0.1', port: 0, publicUrl: null, token: null }, rememberingTelemetry().telemetry, () => NOW);
  url = (await api.start()).address;
});

afterAll(() => api.stop());

describe('the table', () => {
  it('has a line per endpoint and release, objectives with budgets, and runs with the reason in words', async () => {
    const { code, stdout, stderr } = await ran(['status', '--url', url]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('shop  judged 4.9 s behind the newest span, 2 late spans, 2 of 500 series');
    expect(stdout).toMatch(/^ENDPOINT +RELEASE +REQ\/S +P50 MS +P95 MS +P99 MS +ERRORS$/m);
    expect(stdout).toMatch(/^POST \/checkout +2 +13\.5 +12\.5 +40\.0 +95\.3 +5 %$/m);
    expect(stdout).toMatch(/^POST \/checkout +1 +0\.0 +- +- +- +-$/m);
    expect(stdout).toMatch(/^availability: 99\.9% +\(all\) +99\.95 % +99\.9 % +50 % +met$/m);
    expect(stdout).toMatch(/#3 +shop +rolled back +rollback +812 +0 +harm proven$/m);
    expect(stdout).toContain('at most 1 of 100 rollouts');
  });

  it('says first why rollbacks do not leave, when something withholds them', async () => {
    const held = new MemoryService();
    const other = createApi(
      held,
      { host: '127.0.0.1', port: 0, publicUrl: null, token: null },
      rememberingTelemetry().telemetry,
      () => NOW,
    );
    const { address } = await other.start();
    try {
      expect((await ran(['status', '--url', address])).stdout).not.toContain('leaves');
      const args = [
        'override',
        '--url',
        address,
        '--service',
        'shop',
        '--mode',
        'hold',
        '--reason',
        'the database is moved',
        '--by',
        'ana',
        '--for',
        '2h',
      ];
      expect((await ran(args)).code).toBe(0);
      const { stdout } = await ran(['status', '--url', address]);
      expect(stdout).toMatch(
        /^Override of service shop: no rollback leaves, by ana until 2026-11-21 14:00:00 UTC: the database is moved\n\n/,
      );
      expect(JSON.parse((await ran(['status', '--url', address, '-o', 'json'])).stdout)).toHaveProperty('services');
    } finally {
      await other.stop();
    }
  });

  it('cannot be forged by names', async () => {
    const { stdout } = await ran(['status', '--url', url]);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('r-1\\u{1b}[2J');
  });

  it('fits a terminal and is coloured there, unless asked not to', async () => {
    const colored = await ran(['status', '--url', url], {}, { columns: 80 });
    expect(colored.stdout).toContain('\u001b[31m');
    const plain = await ran(['status', '--url', url], { NO_COLOR: '1' }, { columns: 80 });
    expect(plain.stdout).not.toContain('\u001b');
    const tables = plain.stdout.split('\n').filter((line) => !line.includes(': '));
    expect(Math.max(...tables.map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe('for programs', () => {
  it('prints the same data as JSON and YAML', async () => {
    const json = JSON.parse((await ran(['status', '--url', url, '-o', 'json'])).stdout);
    expect(json.services[0].service).toBe('shop');
    expect(parse((await ran(['status', '--url', url, '-o', 'yaml'])).stdout)).toEqual(json);
  });

  it('asks for window and service', async () => {
    await ran(['status', '--url', `${url}/`, '--window', '5m', '--service', 'shop & co']);
    expect(service.windows.at(-1)).toEqual([300_000, 'shop & co']);
  });

  it('takes the address from the environment', async () => {
    expect((await ran(['status'], { SLIPSTREAM_URL: url })).code).toBe(0);
  });

  it('exits with 3 only when asked to check, and a canary is proven worse', async () => {
    expect((await ran(['status', '--url', url, '--check'])).code).toBe(3);
    expect((await ran(['status', '--url', url])).code).toBe(0);
  });

  it('exits with 3 when asked to check and an objective is breached, and with 0 when all is well', async () => {
    const calm = new MemoryService();
    const other = createApi(
      calm,
      { host: '127.0.0.1', port: 0, publicUrl: null, token: null },
      rememberingTelemetry().telemetry,
      () => NOW,
    );
    const { address } = await other.start();
    expect((await ran(['status', '--url', address, '--check'])).code).toBe(0);
    calm.availability = { ...AVAILABILITY, outcome: 'fail', reason: 'objective_breached' };
    const { code, stdout } = await ran(['status', '--url', address, '--check']);
    await other.stop();
    expect(code).toBe(3);
    expect(stdout).toMatch(/breached$/m);
  });
});

describe('when there is no answer, exits with 1 and says why on stderr', () => {
  const answers: readonly [string, (server: Server) => void, RegExp][] = [
    ['another program answers', (s) => s.on('request', (_q, r) => r.end('<html>')), /not that of a Slipstream/],
    ['it is another API', (s) => s.on('request', (_q, r) => r.end('{"services":3}')), /not that of a Slipstream/],
    ['it redirects', (s) => s.on('request', (_q, r) => r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()), /: 302 Found/],
    ['it fails', (s) => s.on('request', (_q, r) => r.writeHead(500).end()), /500 Internal Server Error/],
    ['it hangs up', (s) => s.on('connection', (socket) => socket.destroy()), /connection closed before the answer|UND_ERR_SOCKET/],
  ];

  it.each(answers)('%s', async (_name, arrange, message) => {
    const server = createServer();
    arrange(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { code, stdout, stderr } = await ran(['status', '--url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
    server.closeAllConnections();
    server.close();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^slipstream: asking http:\/\/127\.0\.0\.1:\d+ for its status: /);
    expect(stderr).toMatch(message);
  });

  it('nobody listens', async () => {
    const { code, stderr } = await ran(['status', '--url', 'http://127.0.0.1:1']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/is `slipstream serve` running there\?\n$/);
  });

  it('the window is refused', async () => {
    const { code, stderr } = await ran(['status', '--url', url, '--window', '91d']);
    expect(code).toBe(1);
    expect(stderr).toContain('400 ?window: must be 1s to 90d');
  });
});
