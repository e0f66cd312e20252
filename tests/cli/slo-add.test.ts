/** `slipstream slo add` on real files: what is added, what stays as it was, and what is refused. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { validateFiles } from '../../src/config/validate-files.ts';
import { ran } from './streams.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'slipstream-slo-add-'));
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

let count = 0;
let folder = '';
beforeEach(() => {
  folder = join(ROOT, String(count++));
  mkdirSync(folder);
});

const HEAD = `# Owned by the shop.
apiVersion: slipstream.dev/v1
kind: ServiceObjectives
metadata: { name: shop }    # for people
spec:
  service: shop             # as in spans
`;
const CONTRACT = 'p95 < 500ms, 99.9% available, throughput > 10/s';

function file(text: string, name = 'shop.yaml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function added(contract: string, ...options: string[]) {
  return ran(['slo', 'add', 'shop', contract, '--file', folder, ...options]);
}

/** Lines of `before` that are no longer there, in order. */
function lost(before: string, after: string): string[] {
  const rest = after.split('\n');
  return before.split('\n').filter((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(0, at + 1);
    return at < 0;
  });
}

describe('slo add', () => {
  it.each([
    ['a list in lines', `${HEAD}  objectives:\n    - latency: p99 < 2s    # slow ones\n\n    # the end\n  canary: { mode: hold }\n`],
    [
      'entries with options',
      `${HEAD}  objectives:\n    - errorRate: < 1%\n      name: broken   # name\n      bad:\n        - { span.status: error }\n  window: 7d\n`,
    ],
    ['nothing', `${HEAD}\n# the end\n`],
    ['another document behind', `${HEAD}  objectives:\n    - latency: p99 < 2s\n---\n${HEAD.replaceAll('shop', 'other')}  window: 7d\n`],
    ['a list less indented', `${HEAD}  objectives:\n  - latency: p99 < 2s\n  window: 7d\n`],
    ['no line break at the end', `${HEAD}  objectives:\n    - latency: p99 < 2s`],
  ])('beside %s only adds lines', async (_, text) => {
    const path = file(text);
    const { code, stdout, stderr } = await added(CONTRACT);
    expect([code, stderr]).toEqual([0, '']);
    const after = readFileSync(path, 'utf8');
    expect(lost(text, after)).toEqual([]);
    expect(after).toContain('- throughput: "> 10/s"');
    expect(stdout).toMatch(/is changed: 3 objectives of shop added\n +\d+ \+ /);
    expect(validateFiles([folder]).problems).toEqual([]);
  });

  it.each([
    ['one line', '  objectives: p99 < 2s    # contract\n', '  objectives: p99 < 2s, p95 < 500ms, 99.9%, throughput > 10/s    # contract\n'],
    ['one line in quotes', `  objectives: "p99 < 2s"\n`, `  objectives: "p99 < 2s, p95 < 500ms, 99.9%, throughput > 10/s"\n`],
    [
      'a list in brackets',
      '  objectives: [p99 < 2s, { errorRate: < 1% }]  # all\n',
      '  objectives: [p99 < 2s, { errorRate: < 1% }, { latency: p95 < 500ms }, { availability: 99.9% }, { throughput: "> 10/s" }]  # all\n',
    ],
    [
      'an empty list',
      '  objectives: []\n',
      '  objectives: [{ latency: p95 < 500ms }, { availability: 99.9% }, { throughput: "> 10/s" }]\n',
    ],
  ])('lengthens %s', async (_, before, after) => {
    const path = file(HEAD + before);
    expect((await added(CONTRACT)).code).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(HEAD + after);
  });

  it.each([
    ['no endpoints', `${HEAD}  objectives:\n    - p99 < 2s\n`],
    ['that endpoint', `${HEAD}  perEndpoint:\n    - match: POST /pay     # money\n      objectives:\n        - latency: p99 < 2s\n`],
    [
      'that endpoint by a class',
      `${HEAD}  perEndpoint:\n    - match: POST /pay\n      class: c\n---\n${HEAD.replace('ServiceObjectives', 'Defaults').replace(/ {2}service.*\n/, '  classes: { c: p99 < 2s }\n')}`,
    ],
    ['another endpoint', `${HEAD}  perEndpoint:\n    - match: GET /cart\n      objectives: p99 < 2s\n  canary: { mode: hold }\n`],
  ])('puts an objective of an endpoint below it, beside %s', async (_, text) => {
    const path = file(text);
    const first = await added('99.5% on POST /pay');
    expect([first.code, first.stderr]).toEqual([0, '']);
    const after = readFileSync(path, 'utf8');
    expect(lost(text, after)).toEqual([]);
    const second = await added('99.5%', '--endpoint', 'POST /pay', '-o', 'json');
    expect(JSON.parse(second.stdout)).toMatchObject({ written: false, added: [], kept: [{ id: 'shop:POST /pay:availability' }] });
    expect(readFileSync(path, 'utf8')).toBe(after);
  });

  it('changes nothing the second time', async () => {
    const path = file(HEAD);
    await added(CONTRACT);
    const after = readFileSync(path, 'utf8');
    const { code, stdout } = await added(' P95<500 ms,  throughput at least 10 rps , availability 99.9 % ');
    expect(code).toBe(0);
    expect(stdout).toMatch(/shop\.yaml stays as it is\n(.*is promised already.*\n){3}/);
    expect(readFileSync(path, 'utf8')).toBe(after);
    expect(readdirSync(folder)).toEqual(['shop.yaml']);
  });

  it('keeps the line breaks of other systems', async () => {
    const path = file(`${HEAD}  objectives:\n    - p99 < 2s\n`.replaceAll('\n', '\r\n'));
    await added(CONTRACT);
    const after = readFileSync(path, 'utf8');
    expect(after.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(validateFiles([path]).problems).toEqual([]);
  });

  it('rewrites a document that takes no lines, with its comments', async () => {
    const path = file(
      '# mine\n{ apiVersion: slipstream.dev/v1, kind: ServiceObjectives, metadata: { name: shop }, spec: { service: shop } } # end\n',
    );
    const { code } = await added(`${CONTRACT}, 99.5% on POST /pay`);
    expect(code).toBe(0);
    expect(readFileSync(path, 'utf8')).toMatch(/^# mine\n[\s\S]*# end/);
    expect(validateFiles([path])).toMatchObject({ problems: [], services: ['shop'] });
  });

  it('makes file and folder where there is none, and a document where the file is about others', async () => {
    const place = join(folder, 'new/slos');
    const { stdout } = await ran(['slo', 'add', 'shop/checkout', `${CONTRACT}, p99 < 1s on POST /pay`, '-f', place, '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ file: join(place, 'shop-checkout.yaml'), created: true, written: true });
    expect(validateFiles([place])).toMatchObject({ problems: [], services: ['shop/checkout'] });
    const path = file(`${HEAD}  window: 7d    # short\n`);
    expect((await ran(['slo', 'add', 'pay', '99%', '-f', path])).code).toBe(0);
    expect(readFileSync(path, 'utf8')).toMatch(/window: 7d {4}# short\n---\napiVersion/);
    expect(validateFiles([path]).services).toEqual(['pay', 'shop']);
  });

  it('only shows what it would do with --dry-run', async () => {
    const path = file(HEAD);
    const { code, stdout } = await added(CONTRACT, '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(/would be changed: 3 objectives of shop added\n {3}7 \+ {3}objectives:\n {3}8 \+ {5}- latency: p95 < 500ms\n/);
    expect(readFileSync(path, 'utf8')).toBe(HEAD);
  });

  it('writes through a link to the file behind it', async () => {
    const path = file(HEAD, 'real.txt');
    symlinkSync(path, join(folder, 'shop.yaml'));
    expect((await added(CONTRACT)).code).toBe(0);
    expect(readFileSync(path, 'utf8')).toContain('p95 < 500ms');
    expect(readdirSync(folder).sort()).toEqual(['real.txt', 'shop.yaml']);
  });

  it('takes the files of the shop as they are, comments and all', async () => {
    cpSync(join(import.meta.dirname, '../../config/slos'), folder, { recursive: true });
    const before = readFileSync(join(folder, 'shop.yaml'), 'utf8');
    const { code } = await ran(['slo', 'add', 'checkout', 'p99 < 3s, in flight < 200, 99.5% on POST /checkout', '--file', folder]);
    expect(code).toBe(0);
    expect(lost(before, readFileSync(join(folder, 'shop.yaml'), 'utf8'))).toEqual([]);
  });
});

describe('slo add refuses', () => {
  it.each([
    ['99,9%', 'a comma separates parts', '99.9%'],
    ['p95 < 500ms, 99.9', 'part 2 (`99.9`, column 14)', '99.9%'],
    ['fast', 'not an objective', ''],
  ])('what it does not understand, as wrong usage: %s', async (contract, message, suggestion) => {
    const { code, stderr } = await added(contract);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain(suggestion);
  });

  it('another value of what is promised already, and writes nothing', async () => {
    const text = `${HEAD}  objectives: 99.5%\n`;
    const path = file(text);
    const { code, stderr } = await added(CONTRACT);
    expect(code).toBe(3);
    expect(stderr).toContain('shop promises `availability: 99.5%` already');
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('two endpoints for one part', async () => {
    expect((await added('99% on GET /a', '-e', 'GET /b')).code).toBe(2);
  });

  it('files that the loader refuses, before and after', async () => {
    const path = file(`${HEAD}  objectivs: 99%\n`);
    expect(await added(CONTRACT)).toMatchObject({ code: 3, stderr: expect.stringContaining('objectives') });
    rmSync(path);
    const many = Array.from({ length: 8 }, (_, index) => `p9${index} < ${index + 1}s`).join(', ');
    const full = file(`${HEAD}  objectives: ${many}\n`);
    const before = readFileSync(full, 'utf8');
    expect(await added('p50 < 99ms')).toMatchObject({ code: 3, stderr: expect.stringContaining('more than 8 different latency limits') });
    expect(readFileSync(full, 'utf8')).toBe(before);
  });

  it('a service whose name is none', async () => {
    expect((await ran(['slo', 'add', 'a/b/c', '99%', '-f', join(folder, 'x.yaml')])).code).toBe(3);
    expect(existsSync(join(folder, 'x.yaml'))).toBe(false);
  });

  it('what would take the place of a promise that an alias stands for', async () => {
    const text = `${HEAD}  objectives: &all\n    - latency: p95 < 500ms\n  perEndpoint: [ { match: GET /cart, objectives: *all } ]\n`;
    const path = file(text);
    const { code, stderr } = await added('p99 < 2s on GET /cart');
    expect({ code, text: readFileSync(path, 'utf8') }).toEqual({ code: 3, text });
    expect(stderr).toContain('cannot be added to the document of shop as it is written');
  });

  it('to replace a file that is read-only', async () => {
    const path = file(`${HEAD}  objectives: p95 < 500ms\n`);
    chmodSync(path, 0o444);
    const { code, stderr } = await added('p99 < 2s');
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(`writing ${path}: the file is read-only`) });
    expect(readFileSync(path, 'utf8')).not.toContain('p99');
  });
});

describe('slo add leaves', () => {
  it.each(['\n', '\r\n'])('other documents as they are where one is written anew, with line breaks %j', async (lineBreak) => {
    const other = `${HEAD.replaceAll('shop', 'other')}  objectives: &all   # theirs\n    - latency: p99 < 2s\n`.replaceAll('\n', lineBreak);
    const own =
      '---\napiVersion: slipstream.dev/v1\nkind: ServiceObjectives\nmetadata: { name: shop }\nspec: { service: shop, objectives: 99.9% }\n';
    const path = file(`${other + own.replaceAll('\n', lineBreak)}---${lineBreak}# nothing${lineBreak}`);
    expect((await added('p95 < 500ms on GET /cart')).code).toBe(0);
    const text = readFileSync(path, 'utf8');
    expect(text.startsWith(`${other}---${lineBreak}`)).toBe(true);
    expect(text.endsWith(`---${lineBreak}# nothing${lineBreak}`)).toBe(true);
    expect(text.split('\n').every((line) => line === '' || line.endsWith('\r') === (lineBreak === '\r\n'))).toBe(true);
  });
});
