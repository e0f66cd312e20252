/** `slipstream gate` against a real API: answers, exit codes that are never mistaken for another, and what it hands in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { Secret } from '../../src/config/secret.ts';
import { SHORT, SPENT } from '../api/memory-gate.ts';
import { MemoryService } from '../api/memory-service.ts';
import { rememberingTelemetry } from '../api/remembering-telemetry.ts';
import { counted, facts, HOUR, NOW } from '../decide/gate-facts.ts';
import { ran } from './streams.ts';

const TOKEN = 'a-token-of-some-length';
const TOKEN_ENV = { SLIPSTREAM_API_TOKEN: TOKEN };

let service: MemoryService;
let api: Api;
let url = '';
let folder = '';

beforeEach(async () => {
  service = new MemoryService();
  const config = { host: '127.0.0.1', port: 0, publicUrl: null, token: new Secret(TOKEN) };
  api = createApi(service, config, rememberingTelemetry().telemetry, () => NOW);
  url = (await api.start()).address;
});
afterEach(() => api.stop());
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipstream-gate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function gate(...argv: string[]) {
  return ran(['gate', ...argv, '--url', url], TOKEN_ENV);
}

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('the exit code is the answer', () => {
  it.each([
    ['allow', 'shop', facts(), [], 0],
    ['warn', 'shop', SHORT, [], 1],
    ['warn', 'shop', SHORT, ['--warn-ok'], 0],
    ['refuse', 'shop', SPENT, [], 2],
    ['refuse', 'shop', SPENT, ['--warn-ok'], 2],
    ['unknown', 'nobody', facts(), [], 3],
    ['unknown', 'nobody', facts(), ['--warn-ok'], 3],
  ] as const)('%s of %s', async (answer, name, known, options, expected) => {
    service.gateFacts = known;
    const { code, stdout, stderr } = await gate(name, ...options);
    expect([code, stderr]).toEqual([expected, '']);
    expect(stdout).toMatch(new RegExp(`^${answer}: a deploy of ${name} `));
    const data = await gate(name, ...options, '-o', 'json');
    expect([data.code, JSON.parse(data.stdout)]).toMatchObject([expected, { service: name, answer }]);
  });

  it('reasons are printed worst first, with numbers', async () => {
    service.gateFacts = facts({
      objectives: [counted(0, 50_000, { id: 'shop:a', label: 'latency' }), counted(56, 50_000)],
    });
    expect((await gate('shop')).stdout).toBe(
      [
        'refuse: a deploy of shop must not go out (2026-11-21 12:00:00 UTC)',
        '',
        'ANSWER  REASON        WHY',
        'refuse  budget_spent  budget of availability: -12 % left (56 bad of 50 allowed); the gate refuses below 0 %',
        'allow   budget_left   budget of latency: 100 % left (0 bad of 50 allowed)',
        '',
      ].join('\n'),
    );
  });

  it('of many reasons that allow, only some are printed', async () => {
    service.gateFacts = facts({ objectives: Array.from({ length: 12 }, (_, n) => counted(0, 1000, { id: `shop:${n}`, label: `o${n}` })) });
    const { stdout } = await gate('shop');
    expect(stdout.match(/budget_left/g)).toHaveLength(10);
    expect(stdout).toContain('and 2 more that allow it; -o json has all');
  });

  it('what names and reasons contain cannot move the cursor', async () => {
    service.gateFacts = facts({ objectives: [counted(0, 1000, { label: '\u001b[2J' })] });
    expect((await gate('shop')).stdout).toContain('budget of \\u{1b}[2J');
  });
});

describe('whatever keeps the gate from being asked exits with 3', () => {
  it.each<[string, string[], RegExp]>([
    ['no service', ['gate'], /missing required argument 'service'/],
    ['an empty service', ['gate', ''], /must not be empty/],
    ['a service too many', ['gate', 'shop', 'cart'], /too many arguments/],
    ['a mistyped option', ['gate', 'shop', '--warn-okay'], /unknown option '--warn-okay'/],
    ['an output nobody knows', ['gate', 'shop', '-o', 'xml'], /Allowed choices/],
    ['an address that is none', ['gate', 'shop', '--url', 'localhost:8080'], /must start with http/],
    ['an empty address', ['gate', 'shop', '--url', ''], /must start with http/],
    ['an option of gate before it', ['--warn-ok', 'gate', 'shop'], /unknown option/],
    ['a wait without an end', ['gate', 'shop', '--wait', 'long'], /must be a duration/],
    ['an override by nobody', ['gate', 'shop', '--override', 'fixes the checkout', '--for', '2h'], /--override needs --by NAME and --for/],
    ['an override for ever', ['gate', 'shop', '--override', 'fixes the checkout', '--by', 'ana'], /--override needs --by NAME and --for/],
    ['an end by nobody', ['gate', 'shop', '--end-override'], /--end-override needs --by/],
    ['a name without an override', ['gate', 'shop', '--by', 'ana'], /--by belongs to/],
    ['a length without an override', ['gate', 'shop', '--for', '2h'], /--for belongs to --override/],
    [
      'an override and its end',
      ['gate', 'shop', '--override', 'fixes the checkout', '--end-override', '--by', 'ana', '--for', '2h'],
      /exclude each other/,
    ],
    ['two load tests', ['gate', 'shop', '--load-test', 'x.json', '--load-test-outcome', 'pass', '--candidate', 'a'], /exclude each other/],
    ['a load test of nothing', ['gate', 'shop', '--load-test-outcome', 'pass'], /needs --candidate/],
    ['a load test nobody knows', ['gate', 'shop', '--load-test-outcome', 'good', '--candidate', 'a'], /Allowed choices/],
    ['a candidate of no test', ['gate', 'shop', '--candidate', 'a'], /--candidate belongs to/],
    ['a summary of no test', ['gate', 'shop', '--summary', 'a'], /--summary belongs to/],
  ])('%s', async (_name, argv, message) => {
    const { code, stdout, stderr } = await ran(argv, { ...TOKEN_ENV, SLIPSTREAM_URL: url });
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(message);
    expect([service.gateBook.overrides(), service.gateBook.loadTestsOf('shop')]).toEqual([[], []]);
  });

  it.each<[string, string[], RegExp]>([
    ['a reason too short', ['--override', 'because', '--by', 'ana', '--for', '2h'], /\/reason: must be at least 8 characters/],
    ['an override too long', ['--override', 'fixes the checkout', '--by', 'ana', '--for', '8d'], /\/for: must be a duration of 1s to 7d/],
    ['no override to end', ['--end-override', '--by', 'ana'], /no override of this service is in force/],
    ['a comparison that is not there', ['--load-test', 'absent.json'], /reading a comparison from absent\.json: no such file/],
    ['a comparison that is none', ['--load-test', 'package.json'], /not what `slipstream compare -o json` writes/],
    ['a comparison that is no JSON', ['--load-test', 'README.md'], /it is not JSON/],
    ['a token that is not there', ['--token-env', 'NOPE', '--end-override', '--by', 'ana'], /environment variable NOPE is not set/],
  ])('%s', async (_name, argv, message) => {
    const { code, stdout, stderr } = await gate('shop', ...argv);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(message);
    expect(service.gateBook.overrides()).toEqual([]);
  });

  it('nobody who answers, or somebody else who does', async () => {
    await api.stop();
    const alone = await gate('shop');
    expect([alone.code, alone.stdout]).toEqual([3, '']);
    expect(alone.stderr).toMatch(/connection refused/);
    const other = createServer((_request, response) => response.end('{"answer":"allow"}')).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const elsewhere = await ran(['gate', 'shop', '--url', `http://127.0.0.1:${(other.address() as AddressInfo).port}`]);
    other.close();
    expect([elsewhere.code, elsewhere.stdout]).toEqual([3, '']);
    expect(elsewhere.stderr).toMatch(/not that of a Slipstream/);
  });

  it('an address in the environment that is none, which other commands do not mind', async () => {
    const wrong = await ran(['gate', 'shop'], { SLIPSTREAM_URL: 'localhost:8080' });
    expect([wrong.code, wrong.stdout]).toEqual([3, '']);
    expect(wrong.stderr).toContain('(SLIPSTREAM_URL) must start with http:// or https://');
    expect((await ran(['version'], { SLIPSTREAM_URL: 'localhost:8080' })).code).toBe(0);
  });

  it('help is no answer either, and exits with 0 as everywhere', async () => {
    const { code, stdout } = await ran(['gate', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('case $code in');
    expect(stdout).toMatch(
      /Exit codes, other than those of most commands:\n {2}0 {2}allow\n {2}1 {2}warn .*\n {2}2 {2}refuse\n {2}3 {2}unknown/,
    );
  });
});

describe('an override', () => {
  const OVERRIDE = ['--override', 'fixes the checkout', '--by', 'ana', '--for', '2h'];

  it('is handed in, and the gate asked afterwards', async () => {
    service.gateFacts = SPENT;
    const { code, stdout, stderr } = await gate('shop', ...OVERRIDE);
    expect([code, stderr]).toEqual([1, 'slipstream: the gate of shop is overridden until 2026-11-21 14:00:00 UTC\n']);
    expect(stdout).toMatch(/^warn +overridden +overridden by ana until 2026-11-21 14:00:00 UTC: fixes the checkout$/m);
    expect(stdout).toMatch(/^refuse +budget_spent /m);
    expect(service.gateBook.overrideOf('shop', NOW)).toMatchObject({ by: 'ana', until: NOW + 2 * HOUR });
    const ended = await gate('shop', '--end-override', '--by', 'ben');
    expect([ended.code, ended.stderr]).toEqual([2, 'slipstream: the override of shop by ana is ended\n']);
  });

  it('of nothing is told to be needless', async () => {
    const { code, stdout } = await gate('shop', ...OVERRIDE);
    expect(code).toBe(0);
    expect(stdout).toContain('An override by ana is in force until 2026-11-21 14:00:00 UTC, and is not needed.');
  });

  it('needs the token, from the variable that is named, and shows it nowhere', async () => {
    const argv = ['gate', 'shop', ...OVERRIDE, '--url', url];
    const without = await ran(argv);
    expect(without.code).toBe(3);
    expect(without.stderr).toContain('401 authorization: a valid bearer token is needed');
    expect(without.stderr).toContain('it is taken from the environment variable SLIPSTREAM_API_TOKEN');
    const wrong = await ran([...argv, '--token-env', 'OTHER'], { ...TOKEN_ENV, OTHER: 'another-token-that-is-wrong' });
    expect([wrong.code, wrong.stderr.includes('another-token')]).toEqual([3, false]);
    const broken = await ran([...argv, '--token-env', 'OTHER'], { OTHER: `${TOKEN}\n` });
    expect([broken.code, broken.stderr.includes(TOKEN)]).toEqual([3, false]);
    expect(service.gateBook.overrides()).toEqual([]);
    expect((await ran([...argv, '--token-env', 'OTHER'], { OTHER: TOKEN })).code).toBe(0);
  });
});

describe('a load test', () => {
  const one = { service: 'shop', outcome: 'fail', candidate: '1.5.0', summary: 'p95 of POST /checkout +34 %\nand more', metrics: [] };
  const COMPARISON = { kind: 'comparison', at: NOW - HOUR, outcome: 'fail', services: [{ ...one, service: 'cart', outcome: 'pass' }, one] };

  it('is handed in as it was compared, for the service that is asked of', async () => {
    const { code, stdout, stderr } = await gate('shop', '--load-test', file('compare.json', COMPARISON));
    expect([code, stderr]).toEqual([2, 'slipstream: load test of 1.5.0 handed in: fail\n']);
    expect(stdout).toMatch(/^refuse +load_test_failed +load test of 1\.5\.0 failed at 2026-11-21 11:00:00 UTC: p95 of POST \/checkout/m);
    const again = await gate('cart', '--load-test', file('compare.json', COMPARISON), '--candidate', 'abc123');
    expect([again.code, service.gateBook.loadTestsOf('cart')]).toMatchObject([
      0,
      [{ candidate: 'abc123', outcome: 'pass', at: NOW - HOUR }],
    ]);
  });

  it('is handed in whatever its release is called', async () => {
    const odd = { ...one, outcome: 'pass', candidate: `\u001b[2J${'x'.repeat(300)}` };
    const { code } = await gate('shop', '--load-test', file('odd.json', { ...COMPARISON, services: [odd] }));
    expect(code).toBe(0);
    expect(service.gateBook.loadTestsOf('shop')[0]?.candidate).toMatch(/^\\u\{1b\}\[2Jx{180,}…$/);
  });

  it('that compared nothing is none', async () => {
    const nothing = { ...one, service: 'store', outcome: 'inconclusive', summary: 'only in the candidate' };
    const { code, stderr } = await gate('store', '--load-test', file('nothing.json', { ...COMPARISON, services: [nothing] }));
    expect(code).toBe(3);
    expect(stderr).toContain('nothing of store was compared: only in the candidate');
    expect(service.gateBook.loadTestsOf('store')).toEqual([]);
  });

  it('comes through a pipe too', async () => {
    const argv = ['gate', 'shop', '--load-test', '-', '--url', url];
    expect((await ran(argv, TOKEN_ENV, undefined, JSON.stringify(COMPARISON))).code).toBe(2);
  });

  it('of other services is refused, naming them', async () => {
    const { code, stderr } = await gate('pay', '--load-test', file('compare.json', COMPARISON));
    expect(code).toBe(3);
    expect(stderr).toContain('pay is not in it; there is cart, shop');
  });

  it('of another tool is handed in by hand', async () => {
    const { code } = await gate('shop', '--load-test-outcome', 'inconclusive', '--candidate', 'k6 #12', '--summary', 'too short');
    expect(code).toBe(0);
    expect(service.gateBook.loadTestsOf('shop')).toEqual([
      { service: 'shop', outcome: 'inconclusive', candidate: 'k6 #12', summary: 'too short', at: NOW },
    ]);
  });
});

describe('waiting', () => {
  it('ends when the gate opens', async () => {
    service.gateFacts = SPENT;
    const asked = service.gate.bind(service);
    let times = 0;
    service.gate = (name: string) => {
      if (++times === 3) service.gateFacts = facts();
      return asked(name);
    };
    const { code, stderr } = await gate('shop', '--wait', '4s');
    expect([code, times]).toEqual([0, 3]);
    expect(stderr).toMatch(/^slipstream: refuse; asking again for 4 s\n$/);
  });

  it('ends with the last answer when the time is up', async () => {
    service.gateFacts = SPENT;
    expect((await gate('shop', '--wait', '200ms')).code).toBe(2);
    await api.stop();
    const { code, stderr } = await gate('shop', '--wait', '200ms');
    expect(code).toBe(3);
    expect(stderr).toMatch(/it cannot be asked; asking again[\s\S]*connection refused/);
  });
});
