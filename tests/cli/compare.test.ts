/** `slipstream compare` as pipelines use it: the real program in a bash script, its exit codes, and what it writes. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { DOMParser } from '@xmldom/xmldom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparisonReport } from '../../src/api/comparison-schema.ts';
import { comparedServices } from '../../src/api/gate-schemas.ts';
import { WORLD_START } from '../scenarios/world.ts';
import { jsonLinesFile, recordedFile, requestsOf, shop } from '../support/recordings.ts';
import { ran } from './streams.ts';

let folder: string;
const inFolder = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipstream-compare-'));
  const recording = (name: string, pods: Parameters<typeof shop>[0], seed: number) =>
    recordedFile(inFolder(name), requestsOf([shop(pods)], 60, seed));
  await recording('main.binpb', {}, 1);
  await recording('good.binpb', { version: '2' }, 2);
  await recording('slow.binpb', { version: '3', behaviour: () => ({ slowdown: 1.6 }) }, 3);
  const isBrief = (second: number) => second >= 30 && second < 33;
  await recording('brief.binpb', { version: '3', behaviour: (second) => (isBrief(second) ? { errorRatio: 0.1 } : {}) }, 6);
  await recording('short.binpb', { rate: 5 }, 4);
  await recording('renamed.binpb', { service: 'store' }, 5);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Done {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A script as a user writes it, in which `slipstream` is the program. */
async function bash(script: string): Promise<Done> {
  const program = `slipstream() { "${process.execPath}" "${resolve('src/main.ts')}" "$@"; }`;
  const child = spawn('bash', ['-c', `${program}\n${script}`], {
    cwd: folder,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

describe('the exit code', () => {
  it.each<[string, string, number]>([
    ['as good', 'main.binpb good.binpb', 0],
    ['too little to say', 'main.binpb short.binpb', 1],
    ['too little to say, and that is all right', 'main.binpb short.binpb --inconclusive-ok', 0],
    ['worse', 'main.binpb slow.binpb', 2],
    ['worse, inconclusive being all right', 'main.binpb slow.binpb --inconclusive-ok', 2],
    ['worse, and that much is tolerated', 'main.binpb slow.binpb --fail-above +80%', 0],
    ['as good, and failures are tolerated too', 'main.binpb good.binpb --errors-above +0.5pp --alpha 0.1%', 0],
    ['another service', 'main.binpb renamed.binpb', 3],
    ['another service, inconclusive being all right', 'main.binpb renamed.binpb --inconclusive-ok', 3],
    ['a recording that is not there', 'main.binpb absent.binpb', 3],
    ['an option nobody knows', 'main.binpb good.binpb --tolerate 5%', 3],
    ['a recording too few', 'main.binpb', 3],
  ])('of %s', async (_name, args, code) => {
    const argv = args.split(' ').map((arg) => (arg.endsWith('.binpb') ? inFolder(arg) : arg));
    expect((await ran(['compare', ...argv])).code).toBe(code);
  });

  it('leads a pipeline script', async () => {
    const script = `
set -u
judge() {
  local code=0
  slipstream compare main.binpb "$1" --label "$1" -o json --junit "$1.xml" > "$1.json" || code=$?
  case $code in
    0) echo "$1 as good" ;;
    1) echo "$1 unproven" ;;
    2) echo "$1 worse" ;;
    *) echo "$1 not compared" ;;
  esac
}
for recording in good.binpb short.binpb slow.binpb absent.binpb; do judge "$recording"; done`;
    const { code, stdout, stderr } = await bash(script);
    expect(stdout.trim().split('\n')).toEqual([
      'good.binpb as good',
      'short.binpb unproven',
      'slow.binpb worse',
      'absent.binpb not compared',
    ]);
    expect(stderr).toBe('slipstream: reading spans from absent.binpb: no such file or folder\n');
    expect(code).toBe(0);
    for (const [name, outcome] of [
      ['good.binpb', 'pass'],
      ['short.binpb', 'inconclusive'],
      ['slow.binpb', 'fail'],
    ] as const) {
      const report = comparisonReport.parse(JSON.parse(readFileSync(inFolder(`${name}.json`), 'utf8')));
      expect(report.outcome).toBe(outcome);
      expect(report.services.map(({ service, candidate }) => [service, candidate])).toEqual([['shop', name]]);
      expect(comparedServices.parse(report).services).toMatchObject([{ service: 'shop', outcome, candidate: name }]);
    }
  });

  it('is not that of a regression for a passing disturbance, and the table says which it is', async () => {
    const { code, stdout } = await ran(['compare', inFolder('main.binpb'), inFolder('brief.binpb')]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^GET \/cart +errors .* inconclusive: worse on the whole, but within too few seconds to tell it from a passing/m,
    );
    expect(stdout).not.toMatch(/errors .*would show from/);
  });

  it('is not a pass when one was cut off, and says so', async () => {
    const file = inFolder('cut.binpb');
    const good = readFileSync(inFolder('good.binpb'));
    writeFileSync(file, good.subarray(0, good.length - 10));
    const { code, stdout } = await ran(['compare', inFolder('main.binpb'), file]);
    expect(code).toBe(1);
    expect(stdout).toContain(`Not all of ${file} could be read: what is missing may be worse`);
    const report = comparisonReport.parse(JSON.parse((await ran(['compare', inFolder('main.binpb'), file, '-o', 'json'])).stdout));
    expect(report.services).toMatchObject([{ outcome: 'inconclusive', reason: 'data_quality' }]);
  });

  it('is the same for a recording from a pipe', async () => {
    const { code, stdout } = await bash('cat slow.binpb | slipstream compare main.binpb - -o json');
    expect(code).toBe(2);
    expect(comparisonReport.parse(JSON.parse(stdout)).candidate.file).toBe('(standard input)');
  });
});

describe('wrong usage and failure', () => {
  it.each<[string, string[], RegExp]>([
    ['two pipes', ['-', '-'], /only one of the recordings can be standard input/],
    ['a tolerance without its sign', ['a', 'b', '--fail-above', '10'], /must be a percentage like 10%/],
    ['no tolerance', ['a', 'b', '--fail-above', '0%'], /more than 0%/],
    ['errors in percent', ['a', 'b', '--errors-above', '0.1%'], /must be percentage points like 0.1pp/],
    ['a chance that is none', ['a', 'b', '--alpha', '60%'], /must be a chance like 1%/],
    ['an output nobody knows', ['a', 'b', '-o', 'yaml'], /Allowed choices are table, json, junit/],
    ['a configuration that is not there', ['a', 'b', '--config', 'absent.yaml'], /the configuration cannot be used as it is/],
    ['a file without spans', ['README.md', 'README.md'], /nothing in it could be read as OTLP spans/],
  ])('%s exits with 3, and says so once', async (_name, args, message) => {
    const { code, stdout, stderr } = await ran(['compare', ...args]);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr.match(new RegExp(message, 'g'))).toHaveLength(1);
  });

  it('a service that is in neither recording exits with 3 and names those that are', async () => {
    const { code, stderr } = await ran(['compare', inFolder('main.binpb'), inFolder('good.binpb'), '--service', 'shpo']);
    expect([code, stderr]).toEqual([3, 'slipstream: comparing shpo: no such service in either recording; there are shop\n']);
  });

  it('a JUnit file that cannot be written exits with 3', async () => {
    const { code } = await ran(['compare', inFolder('main.binpb'), inFolder('good.binpb'), '--junit', inFolder('absent/x.xml')]);
    expect(code).toBe(3);
  });

  it('help exits with 0 and shows the codes', async () => {
    const { code, stdout } = await ran(['compare', '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Exit codes:\n {2}0 {2}pass/);
  });
});

it('the table says how much, how sure and against which limit', async () => {
  const { stdout } = await ran(['compare', inFolder('main.binpb'), inFolder('slow.binpb')]);
  expect(stdout).toMatch(/^shop: FAIL, worse: p50 GET \/cart \+[56]\d\.?\d* %/);
  expect(stdout).toMatch(/GET \/cart +errors +\d+ of [\d,]+ \([\d.]+ %\) +\d+ of [\d,]+ \([\d.]+ %\)/);
  expect(stdout).toContain('A candidate that is as good is called worse in at most 1 % of comparisons.');
});

it('a policy of a process file sets the tolerances, and an option goes before it', async () => {
  const config = inFolder('slipstream.yaml');
  const slos = `apiVersion: slipstream.dev/v1
kind: ServiceObjectives
metadata: { name: shop }
spec:
  service: shop
  canary:
    tolerances: { p50: { harm: +100% }, p95: { harm: +100% }, p99: { harm: +100% } }
`;
  writeFileSync(config, 'sinks: [{ type: print, name: print }]\nslos: [shop.yaml]\n');
  writeFileSync(inFolder('shop.yaml'), slos);
  const files = [inFolder('main.binpb'), inFolder('slow.binpb'), '--config', config];
  expect((await ran(['compare', ...files])).code).toBe(0);
  expect((await ran(['compare', ...files, '--fail-above', '10%'])).code).toBe(2);
});

describe('JUnit XML', () => {
  /** Endpoints that XML has trouble with, one slower, one gone. */
  const NASTY = 'GET /a"&<b>\'/]]>';
  const lines = (name: string, nasty: number, others: readonly string[]) =>
    jsonLinesFile(
      inFolder(name),
      'shop & <co>',
      Array.from({ length: 40 }, (_, second) =>
        Array.from({ length: 120 }, (_unused, n) => {
          const endpoint = n % 2 === 0 ? NASTY : (others[(n >> 1) % others.length] as string);
          const endMs = WORLD_START + second * 1000 + n * 8;
          return { endpoint, endMs, durationMs: (endpoint === NASTY ? nasty : 20) + (n % 7) };
        }),
      ),
    );

  it('is read by a parser as it was meant, whatever the names', async () => {
    const [before, after] = [lines('before.jsonl', 20, ['GET /x', 'GET /gone']), lines('after.jsonl', 45, ['GET /x'])];
    const { code, stdout } = await ran(['compare', before, after, '-o', 'junit']);
    expect(code).toBe(2);
    const document = new DOMParser({
      onError: (level, message) => {
        throw new Error(`${level}: ${message}`);
      },
    }).parseFromString(stdout, 'text/xml');
    const suites = [...document.getElementsByTagName('testsuite')];
    expect(suites.map((suite) => suite.getAttribute('name'))).toEqual(['shop & <co>']);
    const cases = [...document.getElementsByTagName('testcase')].map((element) => ({
      name: `${element.getAttribute('name')} of ${element.getAttribute('classname')}`,
      failure: element.getElementsByTagName('failure')[0]?.textContent ?? null,
      skipped: element.getElementsByTagName('skipped')[0]?.getAttribute('message') ?? null,
    }));
    const slow = cases.find(({ name }) => name === `p50 of shop & <co> ${NASTY}`);
    expect(slow?.failure).toMatch(/^p50 23\.\d ms → 4\d\.\d ms, \+\d+/);
    expect(cases.find(({ name }) => name === 'compared of shop & <co> GET /gone')?.skipped).toBe(
      'GET /gone: only in the baseline (1,200 and 0 requests)',
    );
    const suite = suites[0];
    expect(suite?.getAttribute('tests')).toBe(String(cases.length));
    expect(suite?.getAttribute('failures')).toBe(String(cases.filter(({ failure }) => failure !== null).length));
    expect(suite?.getAttribute('skipped')).toBe(String(cases.filter(({ skipped }) => skipped !== null).length));
  });

  it('has no character that XML cannot hold', async () => {
    const odd = 'GET /bell\u0007\u0000\ufffe';
    const one = jsonLinesFile(inFolder('odd.jsonl'), 'shop', [[{ endpoint: odd, endMs: WORLD_START, durationMs: 5 }]]);
    const { stdout } = await ran(['compare', one, one, '-o', 'junit']);
    expect(stdout).toContain('GET /bell');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
  });
});
