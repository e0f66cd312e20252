/** Reads the configuration of a process, all its files, and either gives all of it or everything that is wrong with it. */
import { checkDocument } from './check-document.ts';
import type { Config } from './config.ts';
import { type ProcessNames, resolvePolicies } from './policies.ts';
import { fileProblem, type Problem, sortedProblems } from './problem.ts';
import { type ProcessConfig, processConfig } from './process-config.ts';
import { processSchema } from './process-schema.ts';
import type { Environment } from './read-secret.ts';
import { readSnapshot, type Snapshot } from './source-files.ts';
import type { SourceDocument } from './yaml-source.ts';

export type LoadResult = { readonly config: Config } | { readonly problems: readonly Problem[] };

/** Reads the process file at `path` and the SLO files it names; secrets come from `env` or their files. Never throws for what files hold. */
export function loadConfig(path: string, env: Environment): LoadResult {
  return configOf(readSnapshot(path), env);
}

/** The configuration as it was when the snapshot was taken; `env` null leaves secrets unread. */
export function configOf(snapshot: Snapshot, env: Environment | null): LoadResult {
  const { processFile, sloFiles } = snapshot;
  const problems: Problem[] = [...snapshot.problems, ...[processFile, ...sloFiles].flatMap((file) => file.problems)];
  const sloSources: SourceDocument[] = sloFiles.flatMap((file) => file.documents);
  let config: ProcessConfig | null = null;
  let names: ProcessNames | null = null;
  let isFound = false;
  for (const source of processFile.documents) {
    if (isSloDocument(source.value)) sloSources.unshift(source);
    else if (isFound)
      problems.push(
        source.problem([], { message: 'a second process document', expected: 'one, and SLO documents with apiVersion and kind' }),
      );
    else {
      isFound = true;
      const checked = checkDocument(processSchema, source);
      problems.push(...checked.problems);
      if (checked.value === null) continue;
      config = processConfig(source, checked.value, env, problems);
      names = { sinks: config.sinks.map((sink) => sink.name), releaseBy: config.spans.releaseBy };
    }
  }
  if (!isFound && processFile.problems.length === 0) {
    problems.push(fileProblem(processFile.path, { message: 'no process document (receivers, api, state, …) in this file' }));
  }
  const { policies, exclude, problems: policyProblems } = resolvePolicies(sloSources, names, snapshot.revision);
  problems.push(...policyProblems);
  const files = [processFile, ...sloFiles].map((file) => file.path);
  if (config === null || problems.length > 0) return { problems: sortedProblems(problems, files) };
  return { config: { ...config, spans: { ...config.spans, exclude }, policies, files } };
}

/** SLO documents carry an envelope, process documents do not. */
export function isSloDocument(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ['apiVersion', 'kind', 'metadata', 'spec'].some((key) => key in value);
}
