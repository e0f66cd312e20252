/** `slipstream validate` and `slipstream schema` on real files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ran } from './streams.ts';

const GOOD = `apiVersion: slipstream.dev/v1
kind: ServiceObjectives
metadata: { name: shop }
spec:
  service: shop
  objectives:
    - availability: 99.9%
`;
const BAD = GOOD.replace('availability', 'availabillity');

let folder = '';
let good = '';
let bad = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipstream-cli-'));
  good = join(folder, 'good.yaml');
  bad = join(folder, 'bad.yaml');
  writeFileSync(good, GOOD);
  writeFileSync(bad, BAD);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('validate', () => {
  it('says that files are valid and whose they are', async () => {
    const { code, stdout, stderr } = await ran(['validate', good]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/1 file is valid, with objectives or policies for shop\n$/);
  });

  it('refuses with 3 and names place and nearest name', async () => {
    const { code, stdout } = await ran(['validate', bad]);
    expect(code).toBe(3);
    expect(stdout).toContain(`${bad}:7:7`);
    expect(stdout).toContain('did you mean `availability`?');
  });

  it('refuses all when one is bad, and gives the problems as data', async () => {
    const { code, stdout } = await ran(['validate', good, bad, '-o', 'json']);
    expect(code).toBe(3);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ valid: false, files: [good, bad] });
    expect(answer.problems[0]).toMatchObject({ file: bad, line: 7, suggestion: 'availability' });
    expect(parse((await ran(['validate', good, bad, '-o', 'yaml'])).stdout)).toEqual(answer);
  });

  it('reads standard input as -, and calls it that', async () => {
    expect((await ran(['validate', '-'], {}, undefined, GOOD)).code).toBe(0);
    const { code, stdout } = await ran(['validate', '-'], {}, undefined, BAD);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^<stdin>:7:7/);
    expect(stdout).not.toContain(tmpdir());
  });

  it('refuses a file that is not there', async () => {
    const { code, stdout } = await ran(['validate', join(folder, 'absent.yaml')]);
    expect(code).toBe(3);
    expect(stdout).toContain('absent.yaml');
  });

  it('without a file is wrong usage', async () => {
    const { code, stderr } = await ran(['validate']);
    expect(code).toBe(2);
    expect(stderr).toContain("missing required argument 'files'");
  });
});

describe('schema', () => {
  it('prints a JSON Schema that takes the good file and refuses the bad one', async () => {
    const { code, stdout } = await ran(['schema']);
    expect(code).toBe(0);
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(stdout));
    expect(validate(parse(GOOD))).toBe(true);
    expect(validate(parse(BAD))).toBe(false);
  });
});
