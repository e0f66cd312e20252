/** Checks configuration files before they are used: process files and SLO files, mixed, also whole folders. Reads no secrets. */
import { resolve } from 'node:path';
import { configOf, isSloDocument } from './load-config.ts';
import { resolvePolicies } from './policies.ts';
import { fileProblem, type Problem, sortedProblems } from './problem.ts';
import { expandPath, parseSource, readSnapshot, readText, type SourceFile } from './source-files.ts';

export interface Validation {
  /** All files that were read. */
  readonly files: readonly string[];
  /** Services that have objectives or a policy of their own; only those of valid files. */
  readonly services: readonly string[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * A process file is checked together with the SLO files it names; the other SLO files are checked together, without knowing which sinks
 * there are. Relative paths start at the working directory.
 */
export function validateFiles(paths: readonly string[]): Validation {
  const files = new Map<string, string>();
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const services = new Set<string>();
  const alone: SourceFile[] = [];
  const given = new Map<string, string>();
  for (const path of paths) {
    const found = expandPath(path, '.');
    if ('message' in found) problems.push(fileProblem(path, found));
    else for (const each of found.paths) given.set(resolve(each), each);
  }
  const sources = [...given.values()].map((path) => parseSource(readText(path)));
  const isProcess = (file: SourceFile): boolean => file.documents.some((document) => !isSloDocument(document.value));
  for (const { path } of sources.filter(isProcess)) {
    const snapshot = readSnapshot(path);
    for (const file of [snapshot.processFile, ...snapshot.sloFiles]) files.set(resolve(file.path), file.path);
    const result = configOf(snapshot, null);
    if ('problems' in result) problems.push(...result.problems);
    else {
      warnings.push(...result.warnings);
      for (const service of result.config.policies.services.keys()) services.add(service);
    }
  }
  for (const source of sources) {
    if (files.has(resolve(source.path))) continue;
    files.set(resolve(source.path), source.path);
    alone.push(source);
    problems.push(...source.problems);
    if (source.problems.length === 0 && source.documents.length === 0)
      problems.push(fileProblem(source.path, { message: 'nothing is in this file' }));
  }
  if (alone.length > 0) {
    const resolved = resolvePolicies(
      alone.flatMap((file) => file.documents),
      null,
      '',
      false,
    );
    problems.push(...resolved.problems);
    warnings.push(...resolved.warnings);
    for (const service of resolved.policies.services.keys()) services.add(service);
  }
  const order = [...files.values()];
  return {
    files: order,
    services: [...services].sort(),
    problems: sortedProblems(problems, order),
    warnings: sortedProblems(warnings, order),
  };
}
