/** Reads the files that `slo import` and `slo export` are given, and writes what they make, never over what is there. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileProblem, type Problem } from '../config/problem.ts';
import { expandPath, parseSource, readText } from '../config/source-files.ts';
import type { SourceDocument } from '../config/yaml-source.ts';

export interface SourcesRead {
  readonly sources: readonly SourceDocument[];
  readonly problems: readonly Problem[];
}

/** Files, folders and globs; relative ones start at the working directory. */
export function readSources(named: readonly string[]): SourcesRead {
  const sources: SourceDocument[] = [];
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const name of named) {
    const found = expandPath(name, '.');
    if ('message' in found) {
      problems.push(fileProblem(name, found));
      continue;
    }
    for (const path of found.paths) {
      if (seen.has(path)) continue;
      seen.add(path);
      const file = parseSource(readText(path));
      problems.push(...file.problems);
      sources.push(...file.documents);
      if (file.problems.length === 0 && file.documents.length === 0)
        problems.push(fileProblem(path, { message: 'nothing is in this file' }));
    }
  }
  return { sources, problems };
}

/** Writes all or nothing: throws when one of the files is there. Gives their paths. */
export function writeNewFiles(folder: string, texts: ReadonlyMap<string, string>): readonly string[] {
  const paths = [...texts].map(([name, text]) => ({ path: join(folder, name), text }));
  for (const { path } of paths) if (existsSync(path)) throw new Error(`writing ${path}: it exists, and is not replaced`);
  mkdirSync(folder, { recursive: true });
  // A file that came in between is not replaced either.
  for (const { path, text } of paths) writeFileSync(path, text, { flag: 'wx' });
  return paths.map(({ path }) => path);
}
