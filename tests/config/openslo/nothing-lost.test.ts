/** However a file is broken: reading it never throws, and an objective that is not there in the end is named. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { openSloDocuments } from '../../../src/config/openslo/import.ts';
import { readYaml } from '../../../src/config/yaml-source.ts';

const SHOP = readFileSync(join(import.meta.dirname, '../../fixtures/openslo/spans/shop.yaml'), 'utf8');
const OBJECTS = parseAllDocuments(SHOP).map((document): unknown => document.toJS());
const PROMISED = 6;

type Path = readonly (string | number)[];

/** Every place of a value, from the outside to the inside. */
function paths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => paths(inner, [...path, Array.isArray(value) ? Number(key) : key]))];
}

function replaced(value: unknown, [step, ...rest]: Path, by: unknown): unknown {
  if (step === undefined) return by;
  if (Array.isArray(value)) return value.map((entry, index) => (index === step ? replaced(entry, rest, by) : entry));
  const entries = Object.entries(value as object);
  return Object.fromEntries(
    entries.flatMap(([key, entry]) =>
      key !== step ? [[key, entry]] : by === undefined && rest.length === 0 ? [] : [[key, replaced(entry, rest, by)]],
    ),
  );
}

const change = fc.tuple(
  fc.constantFrom(...paths(OBJECTS).filter((path) => path.length > 1)),
  fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 2 })),
);

describe('a broken file', () => {
  it('is read to its end in both modes, and what is missing is named', () => {
    let short = 0;
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('strict' as const, 'lenient' as const),
        (changes, mode) => {
          let objects: unknown = OBJECTS;
          for (const [path, by] of changes) {
            if (paths(objects).some((known) => JSON.stringify(known) === JSON.stringify(path))) objects = replaced(objects, path, by);
          }
          const { documents, problems, unsupported, warnings } = openSloDocuments(
            readYaml('broken.yaml', JSON.stringify(objects)).documents,
            mode,
          );
          const entries = documents.flatMap(({ value }) => [
            ...(value.spec.objectives ?? []),
            ...(value.spec.perEndpoint ?? []).flatMap(({ objectives }) => objectives),
          ]);
          // An empty list of objectives promises nothing, and is warned of.
          const isEmpty = warnings.some(({ message }) => message.includes('without objectives nothing is promised'));
          if (entries.length < PROMISED && !isEmpty && !changes.some(([, by]) => Array.isArray(by))) {
            short++;
            expect(problems.length + unsupported.length).toBeGreaterThan(0);
          }
          for (const problem of [...problems, ...unsupported]) expect(problem.line).toBeGreaterThan(0);
        },
      ),
      { numRuns: 120, seed: 5 },
    );
    expect(short).toBeGreaterThan(40);
  });
});
