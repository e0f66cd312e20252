/** `slipstream coverage`: of a recording, of an interface description, of a running Slipstream; and its exit codes in a pipeline. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { MemoryService, NOW } from '../api/memory-service.ts';
import { rememberingTelemetry } from '../api/remembering-telemetry.ts';
import { recordedFile, requestsOf, shop } from '../support/recordings.ts';
import { ran } from './streams.ts';

const OPENAPI = `openapi: 3.1.0
info: { title: shop, version: '1' }
servers: [{ url: 'https://shop.example/api/' }]
paths:
  /cart: { get: {}, summary: what is in it }
  /orders/{orderId}:
    parameters: [{ name: orderId, in: path, required: true }]
    get: { responses: {} }
    delete: { responses: {} }
`;

const SLOS = `apiVersion: slipstream.dev/v1
kind: ServiceObjectives
metadata: { name: shop }
spec:
  service: shop
  perEndpoint:
    - match: GET /cart
      objectives: [{ availability: 99.9% }]
    - match: GET /orders/{id}
      objectives: [{ latency: p95 < 300ms }]
`;

let folder: string;
let api: Api;
let url: string;
const inFolder = (name: string) => join(folder, name);
const coverage = async (...args: string[]) => ran(['coverage', ...args]);
const uncovered = (stdout: string): string[] =>
  (JSON.parse(stdout) as { rows: { endpoint: string; isCovered: boolean }[] }).rows
    .filter((row) => !row.isCovered)
    .map(({ endpoint }) => endpoint);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipstream-coverage-'));
  writeFileSync(inFolder('api.yaml'), OPENAPI);
  writeFileSync(inFolder('slos.yaml'), SLOS);
  writeFileSync(inFolder('whole.yaml'), SLOS.replace('  perEndpoint:', '  objectives: [{ availability: 99% }]\n  perEndpoint:'));
  await recordedFile(inFolder('spans.binpb'), requestsOf([shop({ endpoints: { 'GET /cart': 3, 'POST /checkout': 1 } })], 10, 1));
  api = createApi(
    new MemoryService(),
    { host: '127.0.0.1', port: 0, publicUrl: null, token: null },
    rememberingTelemetry().telemetry,
    () => NOW,
  );
  url = (await api.start()).address;
});
afterAll(async () => {
  await api.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('of an interface description', () => {
  it('needs no running Slipstream, and names what is not covered', async () => {
    const { code, stdout, stderr } = await coverage(
      '--openapi',
      inFolder('api.yaml'),
      '--service',
      'shop',
      '--slos',
      inFolder('slos.yaml'),
    );
    expect([code, stderr]).toEqual([3, '']);
    expect(stdout).toMatch(/^SERVICE +ENDPOINT .*\nshop +DELETE \/orders\/\{orderId\} +- +openapi +none +-\n/);
    expect(stdout).toMatch(/\n2 of 3 endpoints are covered, 1 is not\n$/);
  });

  it('may be JSON', async () => {
    const file = inFolder('api.json');
    writeFileSync(file, JSON.stringify({ openapi: '3.0.3', paths: { '/cart': { get: {} } } }));
    expect((await coverage('--openapi', file, '--service', 'shop', '--slos', inFolder('slos.yaml'))).code).toBe(0);
  });

  it('is covered by an objective of the service, unless each needs its own', async () => {
    const args = ['--openapi', inFolder('api.yaml'), '--service', 'shop', '--slos', inFolder('whole.yaml'), '-o', 'json'];
    const any = await coverage(...args);
    expect([any.code, uncovered(any.stdout)]).toEqual([0, []]);
    expect(JSON.parse(any.stdout).rows).toContainEqual(
      expect.objectContaining({ endpoint: 'DELETE /orders/{orderId}', coverage: 'service only' }),
    );
    const own = await coverage(...args, '--require', 'endpoint');
    expect([own.code, uncovered(own.stdout)]).toEqual([3, ['DELETE /orders/{orderId}']]);
    expect((await coverage(...args, '--require', 'endpoint', '--ignore', 'DELETE /**')).code).toBe(0);
  });

  it.each([
    ['is not there', 'absent.yaml', null, /reading .*absent.yaml: no such file/],
    ['is of another kind', 'other.yaml', 'swagger: "2.0"\n', /not an OpenAPI 3.x file/],
    ['is no YAML', 'broken.yaml', 'openapi: [', /neither YAML nor JSON/],
    ['lists nothing', 'empty.yaml', 'openapi: 3.0.0\npaths: {}\n', /lists no endpoint/],
  ])('that %s exits with 1', async (_name, name, content, message) => {
    if (content !== null) writeFileSync(inFolder(name), content);
    const { code, stderr } = await coverage('--openapi', inFolder(name), '--service', 'shop', '--slos', inFolder('slos.yaml'));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

describe('of a recording', () => {
  it('names what is not covered with its traffic', async () => {
    const { code, stdout } = await coverage('--recording', inFolder('spans.binpb'), '--slos', inFolder('slos.yaml'));
    expect(code).toBe(3);
    expect(stdout).toMatch(/\nshop +POST \/checkout +\d{3} +traffic +none +-\n/);
  });

  it('is joined with an interface description', async () => {
    const files = ['--recording', inFolder('spans.binpb'), '--openapi', inFolder('api.yaml'), '--slos', inFolder('slos.yaml')];
    const { stdout } = await coverage(...files, '--service', 'shop', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ endpoints: 4, uncovered: 2 });
    expect(uncovered(stdout)).toEqual(['POST /checkout', 'DELETE /orders/{orderId}']);
    expect(JSON.parse(stdout).rows[0]).toMatchObject({ endpoint: 'GET /cart', inTraffic: true, inOpenApi: true, coverage: 'endpoint' });
  });
});

it('of a running Slipstream, endpoints and objectives are its own', async () => {
  const any = await coverage('--url', url, '-o', 'json');
  expect(any.code).toBe(0);
  expect(JSON.parse(any.stdout).rows).toMatchObject([
    {
      service: 'shop',
      endpoint: 'POST /checkout',
      inTraffic: true,
      coverage: 'service only',
      objectives: [{ text: 'availability: 99.9%' }],
    },
  ]);
  const own = await coverage('--url', url, '--require', 'endpoint', '-o', 'json');
  expect([own.code, uncovered(own.stdout)]).toEqual([3, ['POST /checkout']]);
});

describe('wrong usage exits with 2', () => {
  it.each<[string, string[], RegExp]>([
    ['a list of nobody', ['--openapi', 'api.yaml'], /--openapi needs --service/],
    ['a recording without objectives', ['--recording', 'spans.binpb'], /--recording needs --config or --slos/],
    ['two sources of traffic', ['--recording', 'spans.binpb', '--url', 'http://localhost:1', '--slos', 'x'], /cannot be used with/],
    ['a demand nobody knows', ['--require', 'all'], /Allowed choices are any, endpoint/],
  ])('%s', async (_name, args, message) => {
    const { code, stderr } = await coverage(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

it('checks a pull request in a script', async () => {
  const script = `slipstream() { "${process.execPath}" "${resolve('src/main.ts')}" "$@"; }
if slipstream coverage --openapi api.yaml --service shop --slos slos.yaml > report.txt; then echo covered
else [ $? -eq 3 ] && grep -c ' none ' report.txt; fi`;
  const child = spawn('bash', ['-c', script], { cwd: folder, env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  expect([code, stdout, stderr]).toEqual([0, '1\n', '']);
});
