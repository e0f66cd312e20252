/** Checking files before they are used: no process, no secrets needed. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { validateFiles } from '../../src/config/validate-files.ts';

const ROOT = join(import.meta.dirname, '../..');
const GOOD = join(import.meta.dirname, 'fixtures/good');

describe('validating files', () => {
  it('finds nothing wrong with what we ship', () => {
    const { problems, warnings, services } = validateFiles([join(ROOT, 'config/local.yaml'), join(ROOT, 'config/example.yaml')]);
    expect([...problems, ...warnings]).toEqual([]);
    expect(services).toEqual(['catalog', 'checkout', 'frontend', 'payment']);
  });

  it('takes a folder with process files and SLO files mixed, each once', () => {
    const { problems, files, services } = validateFiles([GOOD, join(GOOD, 'globs.yaml')]);
    expect(problems).toEqual([]);
    expect(files).toHaveLength(new Set(files).size);
    expect(files).toHaveLength(5);
    expect(services).toEqual(['payment', 'shop/checkout']);
  });

  it('does not ask SLO files alone for sinks and classes that lie elsewhere', () => {
    const { problems, services } = validateFiles([join(GOOD, 'slos/team-a/payment.yaml')]);
    expect(problems).toEqual([]);
    expect(services).toEqual(['payment']);
  });

  it('asks for no secrets', () => {
    expect(validateFiles([join(ROOT, 'config/example.yaml')]).problems).toEqual([]);
  });

  it('says so when there is nothing to validate', () => {
    expect(validateFiles([join(GOOD, 'nowhere.yaml')]).problems).toMatchObject([{ message: expect.stringContaining('does not exist') }]);
    expect(validateFiles([join(GOOD, '*.json')]).problems).toMatchObject([{ message: expect.stringContaining('matches no file') }]);
  });
});
