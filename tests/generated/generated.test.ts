/** What is made from the code is as the code has it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GENERATED_FILES } from './generated-files.ts';

describe('generated files', () => {
  it.each(GENERATED_FILES.map((file) => [file.path, file] as const))('%s is what `npm run generate` writes', (path, file) => {
    const current = readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
    expect(current).toBe(file.text(current));
  });
});
