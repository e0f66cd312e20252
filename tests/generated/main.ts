/** `npm run generate`: writes every file that is made from the code. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GENERATED_FILES } from './generated-files.ts';

const ROOT = join(import.meta.dirname, '../..');

for (const { path, text } of GENERATED_FILES) {
  const file = join(ROOT, path);
  const current = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const next = text(current);
  if (next === current) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, next);
  process.stdout.write(`${path} written\n`);
}
