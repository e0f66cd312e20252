/** `slipstream slo import` and `export` on real files. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ran } from './streams.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/openslo');
const SHOP = join(FIXTURES, 'spans/shop.yaml');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipstream-openslo-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('slo import', () => {
  it('prints a file that our own validation takes, with what people wrote as comments', async () => {
    const { code, stdout, stderr } = await ran(['slo', 'import', '--strict', SHOP]);
    expect(code).toBe(0);
    expect(stderr).toContain(`${SHOP}:95:25  spec.notificationTargets[0]`);
    expect(stderr).toContain('3 warnings in 1 file');
    expect(stdout).toContain(
      '        # Checkout is quick\n        # usual\n        - name: checkout-quick-usual\n          latency: p95 < 500ms\n',
    );
    const path = join(folder, 'printed.yaml');
    writeFileSync(path, stdout);
    expect(await ran(['validate', path])).toMatchObject({ code: 0, stdout: expect.stringContaining('objectives or policies for shop') });
  });

  it('writes a file for each service and never over one that is there', async () => {
    const out = join(folder, 'out');
    expect(await ran(['slo', 'import', SHOP, '--out', out])).toMatchObject({ code: 0, stdout: `${join(out, 'shop.yaml')}\n` });
    const before = readFileSync(join(out, 'shop.yaml'), 'utf8');
    const again = await ran(['slo', 'import', SHOP, '--out', out]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('it exists, and is not replaced');
    expect(readFileSync(join(out, 'shop.yaml'), 'utf8')).toBe(before);
  });

  it('exits with 1 and names everything when something was refused, and prints the rest', async () => {
    const { code, stdout, stderr } = await ran(['slo', 'import', SHOP, join(FIXTURES, 'occurrences-ratio.yaml')]);
    expect(code).toBe(1);
    expect(stderr).toContain('SLO `sign-up-works`: a source of type `Graphite` is not supported');
    expect(stdout).toContain('service: shop');
    expect(stdout).not.toContain('service: accounts');
  });

  it('is milder unless it is told to be strict', async () => {
    const path = join(folder, 'mild.yaml');
    writeFileSync(path, readFileSync(SHOP, 'utf8').replace('value: 500,', 'value: "500",'));
    expect(await ran(['slo', 'import', path])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('the text `500` is read as a number'),
    });
    expect(await ran(['slo', 'import', path, '--strict'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('`500` has the wrong type'),
    });
  });

  it('says what is no OpenSLO', async () => {
    const path = join(folder, 'ours.yaml');
    writeFileSync(path, 'apiVersion: slipstream.dev/v1\nkind: Defaults\nmetadata: { name: a }\nspec: {}\n');
    expect(await ran(['slo', 'import', path])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('is not known here') });
    expect(await ran(['slo', 'import', join(folder, 'nowhere.yaml')])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('does not exist'),
    });
  });
});

describe('slo export', () => {
  it('says what we ship in OpenSLO, valid to its own rules', async () => {
    const { code, stdout, stderr } = await ran(['slo', 'export', join(import.meta.dirname, '../../config/slos')]);
    expect(code).toBe(0);
    expect(stderr).toContain('`canary` has no place in OpenSLO and is not exported');
    const path = join(folder, 'exported.yaml');
    writeFileSync(path, stdout);
    const back = await ran(['slo', 'import', '--strict', path]);
    expect([back.code, back.stderr]).toEqual([0, '']);
    const kinds = parseAllDocuments(stdout).map((document) => document.get('kind'));
    expect(new Set(kinds)).toEqual(new Set(['DataSource', 'Service', 'SLO', 'AlertPolicy']));
  });

  it('writes a file for each service and one for what they share', async () => {
    const out = join(folder, 'openslo');
    const { code } = await ran(['slo', 'export', join(import.meta.dirname, '../../config/slos'), '--out', out]);
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['catalog.yaml', 'checkout.yaml', 'frontend.yaml', 'openslo.shared.yaml', 'payment.yaml']);
    expect((await ran(['slo', 'import', '--strict', out])).code).toBe(0);
  });

  it('exits with 1 and writes nothing when a file is wrong', async () => {
    const path = join(folder, 'wrong.yaml');
    writeFileSync(
      path,
      'apiVersion: slipstream.dev/v1\nkind: ServiceObjectives\nmetadata: { name: a }\nspec: { service: a, objectives: [{ latency: 5 }] }\n',
    );
    const out = join(folder, 'never');
    expect(await ran(['slo', 'export', path, '--out', out])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('wrong.yaml:4:'),
    });
    expect(existsSync(out)).toBe(false);
  });
});
