/** Adds what a contract line promises to the SLO file of a service, as far as it is not promised there yet. */
import { join, resolve } from 'node:path';
import type { Objective } from '../model/objective.ts';
import type { ContractPart } from './contract-line.ts';
import { documentName, documentOf, type NewObjective, withNewDocument, withObjectives } from './edit-objectives.ts';
import { isSloDocument } from './load-config.ts';
import { type ResolvedPolicies, resolvePolicies } from './policies.ts';
import { fileProblem, type Problem } from './problem.ts';
import { expandPath, parseSource, readText, type TextFile } from './source-files.ts';

export interface Addition {
  /** The file that is to be written. */
  readonly file: string;
  /** Null: there is no such file yet. */
  readonly before: string | null;
  /** Equal to `before` when there is nothing to add. */
  readonly after: string;
  readonly added: readonly Objective[];
  /** Promised already. */
  readonly kept: readonly Objective[];
  readonly warnings: readonly Problem[];
}

/**
 * `place` is a file or folder, there or not. Nothing is written: `after` is what the file would be, and the loader has taken it together with the
 * other files of the place.
 */
export function addition(
  place: string,
  service: string,
  parts: readonly ContractPart[],
): Addition | { readonly problems: readonly Problem[] } {
  const files = filesOf(place);
  const found = files.find((file) => documentOf(file.text ?? '', service) !== null);
  const path = found?.path ?? (isFileName(place) ? place : join(place, `${documentName(service)}.yaml`));
  const target: TextFile = files.find((file) => resolve(file.path) === resolve(path)) ?? { path, text: null, finding: null };
  const others = files.filter((file) => file !== target);
  const before = resolvedOf([...others, target]);
  if (before.problems.length > 0) return { problems: before.problems };
  const existing = before.policies.services.get(service)?.objectives ?? [];
  const kept: Objective[] = [];
  const missing: NewObjective[] = [];
  for (const { objective, endpoint } of parts) {
    const { text, defaultName: name } = objective;
    const twin = existing.find((other) => other.endpoint === endpoint && isSamePromise(other, objective));
    const rival = existing.find((other) => other.endpoint === endpoint && other.name === name);
    if (twin !== undefined) kept.push(twin);
    else if (rival !== undefined) {
      const message = `${service} promises \`${rival.text}\` already, and \`${text}\` would have the same name`;
      return { problems: [fileProblem(path, { message, expected: `the new value in the file, or an entry with a \`name\` of its own` })] };
    } else if (!missing.some((other) => other.endpoint === endpoint && other.text === text)) missing.push({ text, endpoint });
  }
  const index = target.text === null ? null : documentOf(target.text, service);
  const text = target.text ?? '';
  const after =
    missing.length === 0 ? text : index === null ? withNewDocument(text, service, missing) : withObjectives(text, index, missing);
  const result = resolvedOf([...others, { ...target, text: after, finding: null }]);
  if (missing.length > 0 && result.problems.length > 0) return { problems: result.problems };
  const known = new Set(existing.map(({ id }) => id));
  const added = (result.policies.services.get(service)?.objectives ?? []).filter(({ id }) => !known.has(id));
  if (added.length !== missing.length || isSomethingLost(before.policies, result.policies)) {
    const message = `the objectives cannot be added to the document of ${service} as it is written`;
    return { problems: [fileProblem(path, { message, expected: 'a list of objectives in lines of their own' })] };
  }
  return {
    file: path,
    before: target.text,
    after,
    added,
    kept,
    warnings: missing.length === 0 ? [] : result.warnings.filter((warning) => warning.file === path),
  };
}

function isFileName(place: string): boolean {
  return /\.ya?ml$/i.test(place);
}

/** Whatever a file may look like: what was promised before, by any service, is promised after. */
function isSomethingLost(before: ResolvedPolicies['policies'], after: ResolvedPolicies['policies']): boolean {
  return [...before.services].some(([service, { objectives }]) => {
    const kept = new Map(after.services.get(service)?.objectives.map((objective) => [objective.id, objective]));
    return objectives.some((objective) => JSON.stringify(kept.get(objective.id)) !== JSON.stringify(objective));
  });
}

/** None where the place is not there yet. */
function filesOf(place: string): readonly TextFile[] {
  const found = expandPath(place, '.');
  return 'message' in found ? [] : found.paths.map(readText);
}

/** Sinks and other files are not known here, so neither are checked. */
function resolvedOf(files: readonly TextFile[]): ResolvedPolicies {
  const sources = files.filter((file) => file.text !== null || file.finding !== null).map(parseSource);
  const documents = sources.flatMap((source) => source.documents).filter((document) => isSloDocument(document.value));
  const resolved = resolvePolicies(documents, null, '', false);
  return { ...resolved, problems: [...sources.flatMap((source) => source.problems), ...resolved.problems] };
}

function isSamePromise(existing: Objective, { sli, target }: ContractPart['objective']): boolean {
  return existing.target === target && JSON.stringify(existing.sli) === JSON.stringify(sli);
}
