/** Reads the configuration of a process, all its files, and either gives all of it or everything that is wrong with it. */
import { eventRulesOf } from '../model/objective-binding.ts';
import type { EpochMs } from '../model/time.ts';
import { checkDocument } from './check-document.ts';
import type { Config } from './config.ts';
import { isOpenSlo } from './openslo/objects.ts';
import { resolvePolicies } from './policies.ts';
import { fileProblem, type Problem, sortedProblems } from './problem.ts';
import { type ProcessConfig, processConfig } from './process-config.ts';
import type { ProcessNames } from './process-names.ts';
import { processSchema } from './process-schema.ts';
import type { Environment } from './read-secret.ts';
import { parseSource, readSnapshot, type Snapshot } from './source-files.ts';
import type { SourceDocument } from './yaml-source.ts';

/** `warnings` are fine, but hardly meant. */
export type LoadResult = { readonly config: Config; readonly warnings: readonly Problem[] } | { readonly problems: readonly Problem[] };

/**
 * Reads the process file at `path` and the SLO files it names; secrets come from `env` or their files. Never throws for what files hold.
 * `now`: exclusions are known from 93 days before to 400 days after.
 */
export function loadConfig(path: string, env: Environment, now: EpochMs = Date.now()): LoadResult {
  return configOf(readSnapshot(path), env, now);
}

/** The configuration as it was when the snapshot was taken; `env` null leaves secrets unread. */
export function configOf(snapshot: Snapshot, env: Environment | null, now: EpochMs = Date.now()): LoadResult {
  const { processFile } = snapshot;
  const sloFiles = snapshot.sloFiles.map(parseSource);
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
      if (checked.value === null) checkSoundSections(source, checked.problems, env, problems);
      else {
        config = processConfig(source, checked.value, env, problems);
        names = { sinks: config.sinks.map((sink) => sink.name), releaseBy: config.spans.releaseBy };
      }
    }
  }
  if (!isFound && processFile.problems.length === 0) {
    problems.push(fileProblem(processFile.path, { message: 'no process document (receivers, api, state, …) in this file' }));
  }
  const {
    policies,
    exclude,
    problems: policyProblems,
    warnings,
  } = resolvePolicies(sloSources, names, snapshot.revision, problems.length === 0, now);
  problems.push(...policyProblems);
  const files = [processFile, ...sloFiles].map((file) => file.path);
  if (config === null || problems.length > 0) return { problems: sortedProblems(problems, files) };
  const allFiles = [...files, ...snapshot.secretFiles];
  return {
    config: { ...config, spans: { ...config.spans, exclude, events: eventRulesOf(policies) }, policies, files: allFiles },
    warnings: sortedProblems(warnings, files),
  };
}

/** What only shows after parsing, of the sections without mistakes, so that nobody has to mend a file twice. */
function checkSoundSections(source: SourceDocument, found: readonly Problem[], env: Environment | null, problems: Problem[]): void {
  const topOf = (problem: Problem): string => problem.path.split(/[.[]/, 1)[0] ?? '';
  const broken = new Set(found.map(topOf));
  const sections = Object.entries(source.value ?? {}).filter(([key]) => key in processSchema.shape && !broken.has(key));
  const sound = processSchema.safeParse(Object.fromEntries(sections));
  if (!sound.success) return;
  const further: Problem[] = [];
  processConfig(source, sound.data, env, further);
  problems.push(...further.filter((problem) => !broken.has(topOf(problem))));
}

/** SLO documents carry an envelope, process documents do not; OpenSLO objects may stand in a list. */
export function isSloDocument(value: unknown): boolean {
  if (isOpenSlo(value)) return true;
  return typeof value === 'object' && value !== null && ['apiVersion', 'kind', 'metadata', 'spec'].some((key) => key in value);
}
