/** `--config` and `--slos` of commands that need no process file: what they say, or the built-in defaults; secrets are not read. */
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { configOf, type LoadResult } from '../config/load-config.ts';
import { resolvePolicies } from '../config/policies.ts';
import { fileProblem, type Problem, renderProblems } from '../config/problem.ts';
import { expandPath, parseSource, readSnapshot, readText, type TextFile } from '../config/source-files.ts';
import { PermanentError } from '../model/errors.ts';
import type { CliContext } from './context.ts';

const DEFAULTS: TextFile = { path: '(defaults)', text: 'sinks: []\n', finding: null };

/** `slos`: files or folders, besides those that the process file names. Throws PermanentError `configuration`; what is wrong is on `stderr`. */
export function configured(context: CliContext, path: string | undefined, slos: readonly string[] = []): Config {
  const { stderr } = context.streams;
  const problems: Problem[] = [];
  const files = new Map<string, TextFile>();
  for (const slo of slos) {
    const found = expandPath(slo, '.');
    if ('message' in found) problems.push(fileProblem(slo, found));
    else for (const each of found.paths) files.set(resolve(each), readText(each));
  }
  const loaded = path === undefined ? withoutProcessFile([...files.values()], problems) : withProcessFile(path, files, problems);
  if ('problems' in loaded) {
    stderr.write(renderProblems(loaded.problems));
    throw new PermanentError('configuration', 'the configuration cannot be used as it is');
  }
  stderr.write(renderProblems(loaded.warnings, 'warning'));
  return loaded.config;
}

function withProcessFile(path: string, files: ReadonlyMap<string, TextFile>, problems: readonly Problem[]): LoadResult {
  const snapshot = readSnapshot(path);
  const named = new Map([...snapshot.sloFiles.map((file) => [resolve(file.path), file] as const), ...files]);
  return configOf({ ...snapshot, sloFiles: [...named.values()], problems: [...snapshot.problems, ...problems] }, null);
}

/** Which sinks there are is not known then, so none is missing. */
function withoutProcessFile(files: readonly TextFile[], problems: readonly Problem[]): LoadResult {
  const defaults = configOf({ processFile: parseSource(DEFAULTS), sloFiles: [], problems: [], secretFiles: [], revision: '' }, null);
  if ('problems' in defaults) return defaults;
  const sources = files.map(parseSource);
  const read = [...problems, ...sources.flatMap((source) => source.problems)];
  const documents = sources.flatMap((source) => source.documents);
  const { policies, exclude, problems: found, warnings } = resolvePolicies(documents, null, '', read.length === 0);
  if (read.length + found.length > 0) return { problems: [...read, ...found] };
  return { config: { ...defaults.config, policies, spans: { ...defaults.config.spans, exclude } }, warnings };
}
