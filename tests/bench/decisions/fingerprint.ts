/** Tells one state of the programs from another, so that outcomes of different ones are never mixed. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');
/** All that an outcome can depend on. */
const PLACES = [
  'src/engine.ts',
  'src/engine',
  'src/model',
  'src/window',
  'src/evaluate',
  'src/decide',
  'tests/bench/decisions',
  'tests/evaluate/policy.ts',
];

/** Short sha256 over the sources of simulation, comparators and engine. */
export function fingerprint(): string {
  const hash = createHash('sha256');
  for (const path of PLACES.flatMap(sources).toSorted()) hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  return hash.digest('hex').slice(0, 16);
}

function sources(place: string): string[] {
  if (place.endsWith('.ts')) return [place];
  return readdirSync(join(ROOT, place), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(place, path));
}
