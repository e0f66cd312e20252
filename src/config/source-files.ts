/** Finds and reads the files a configuration is made of: the process file and what its `slos` name. */
import { createHash } from 'node:crypto';
import { globSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { type Finding, fileProblem, type Problem } from './problem.ts';
import { readYaml, type SourceDocument } from './yaml-source.ts';

/** Larger files are no configuration. */
export const MAX_FILE_BYTES = 2 ** 20;
const MAX_FILES = 5000;
const MAX_TOTAL_CHARS = 32 * 2 ** 20;
const MAX_FOLDER_DEPTH = 8;
const YAML_NAME = /\.ya?ml$/i;
const GLOB = /[*?[{]/;

/** A file as it was at one moment; without text when it could not be read, and then `finding` says why. */
export interface TextFile {
  readonly path: string;
  readonly text: string | null;
  readonly finding: Finding | null;
}

/** A file with what is in it. */
export interface SourceFile {
  readonly path: string;
  readonly documents: readonly SourceDocument[];
  readonly problems: readonly Problem[];
}

const READ_TEXT: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['EACCES', 'may not be read by this user'],
  ['ERR_ENCODING_INVALID_ENCODED_DATA', 'not UTF-8 text'],
]);

export function readText(path: string): TextFile {
  const failed = (finding: Finding): TextFile => ({ path, text: null, finding });
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return failed({ message: 'not a file' });
    if (stats.size > MAX_FILE_BYTES)
      return failed({ message: `larger than a configuration can be (${stats.size} bytes)`, expected: 'at most 1 MiB' });
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)), finding: null };
  } catch (error) {
    return failed({ message: READ_TEXT.get(errorCode(error)) ?? `cannot be read (${errorCode(error)})` });
  }
}

export function parseSource({ path, text, finding }: TextFile): SourceFile {
  if (text === null) return { path, documents: [], problems: finding === null ? [] : [fileProblem(path, finding)] };
  return { path, ...readYaml(path, text) };
}

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

/**
 * YAML files that a path, folder or glob names, ascending; relative ones start at `base`. Folders are searched with their subfolders; names
 * that start with a dot are left out (a mounted ConfigMap keeps its copies in such folders).
 */
export function expandPath(named: string, base: string): { readonly paths: readonly string[] } | Finding {
  try {
    return expanded(named, base);
  } catch (error) {
    return { message: `\`${named}\` cannot be searched (${errorCode(error)})` };
  }
}

function expanded(named: string, base: string): { readonly paths: readonly string[] } | Finding {
  const path = isAbsolute(named) ? normalize(named) : join(base, named);
  const stats = statsOf(path);
  if (stats === null) {
    if (!GLOB.test(named)) return { message: `\`${named}\` does not exist` };
    const found = globSync(path).filter((match) => !basename(match).startsWith('.') && statsOf(match)?.isFile());
    return limited(found.sort(), `\`${named}\` matches no file`);
  }
  if (!stats.isDirectory()) return { paths: [path] };
  const found: string[] = [];
  collect(path, 0, found);
  return limited(found, `the folder \`${named}\` holds no .yaml file`);
}

function limited(paths: readonly string[], whenEmpty: string): { readonly paths: readonly string[] } | Finding {
  if (paths.length === 0) return { message: whenEmpty };
  return paths.length > MAX_FILES ? { message: `more than ${MAX_FILES} files` } : { paths };
}

function statsOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

function collect(folder: string, depth: number, found: string[]): void {
  for (const name of readdirSync(folder).sort()) {
    if (name.startsWith('.') || found.length > MAX_FILES) continue;
    const path = join(folder, name);
    const stats = statsOf(path);
    if (stats?.isDirectory()) {
      if (depth < MAX_FOLDER_DEPTH) collect(path, depth + 1, found);
    } else if (stats?.isFile() && YAML_NAME.test(name)) found.push(path);
  }
}

/** The process file and everything its `slos` name at one moment, each once, valid or not. Only the process file is parsed yet. */
export interface Snapshot {
  readonly processFile: SourceFile;
  readonly sloFiles: readonly TextFile[];
  /** About `slos` entries that name nothing, or too much. */
  readonly problems: readonly Problem[];
  /** Files the process file says hold secrets. Their content is in no hash that is shown. */
  readonly secretFiles: readonly string[];
  /** Hash over names and contents of the others. */
  readonly revision: string;
}

export function readSnapshot(processPath: string): Snapshot {
  const processText = readText(processPath);
  const processFile = parseSource(processText);
  const problems: Problem[] = [];
  const sloFiles = new Map<string, TextFile>();
  let total = 0;
  for (const document of processFile.documents) {
    for (const [index, named] of slosOf(document.value).entries()) {
      if (typeof named !== 'string' || named === '') continue;
      const found = expandPath(named, dirname(processPath));
      if ('message' in found) problems.push(document.problem(['slos', index], found));
      else {
        for (const path of found.paths) {
          if (sloFiles.has(path) || resolve(path) === resolve(processPath)) continue;
          if (total > MAX_TOTAL_CHARS) break;
          const file = readText(path);
          sloFiles.set(path, file);
          total += file.text?.length ?? 0;
        }
        if (total > MAX_TOTAL_CHARS)
          problems.push(
            document.problem(['slos', index], { message: 'these files are larger than all SLOs can be', expected: 'at most 32 MiB' }),
          );
      }
    }
  }
  const secretFiles = processFile.documents
    .flatMap((document) => secretFilesOf(document.value, 0))
    .map((named) => resolve(dirname(processPath), named));
  const texts = [...sloFiles.values()];
  return { processFile, sloFiles: texts, problems, secretFiles, revision: revisionOf([processText, ...texts]) };
}

const SECRETS_BELOW: ReadonlySet<string> = new Set(
  'receivers api token sinks secrets signingKeys url routingKey kafka sasl password watchdog heartbeatUrl'.split(' '),
);

/** Every `{ file: … }` where a secret may be, valid or not: a file that is missing now may be there at the next look. */
function secretFilesOf(value: unknown, depth: number): string[] {
  if (typeof value !== 'object' || value === null || depth > 4) return [];
  const { file } = value as { file?: unknown };
  const inner = Object.entries(value).flatMap(([key, entry]) =>
    Array.isArray(value) || SECRETS_BELOW.has(key) ? secretFilesOf(entry, depth + 1) : [],
  );
  return typeof file === 'string' && depth > 0 ? [file, ...inner] : inner;
}

function slosOf(value: unknown): readonly unknown[] {
  const slos = typeof value === 'object' && value !== null && 'slos' in value ? value.slos : [];
  return Array.isArray(slos) ? slos.slice(0, 1000) : [];
}

/** Short sha256 over names and contents, in order. */
function revisionOf(files: readonly TextFile[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(JSON.stringify([basename(file.path), file.text]));
  return hash.digest('hex').slice(0, 16);
}
