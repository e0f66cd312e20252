/** Real programs that tests meet (helm, a Collector, an API server …): built from source once for each set of versions, outside the repository. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PermanentError } from '../../src/model/errors.ts';
import { lockFolder } from '../../src/store/folder-lock.ts';

const run = promisify(execFile);

export type Say = (line: string) => void;

/** What a test cannot do without. */
export interface Need {
  /** Why it can neither be built nor fetched here, in words; null when it can, or is here. Looks at this machine, builds nothing. */
  missing(env: NodeJS.ProcessEnv): string | null;
}

export interface Toolset extends Need {
  /** Of its folder. */
  readonly name: string;
  /** What is built, with all that changes it: another value is another folder. */
  readonly versions: unknown;
  /** What a person reads while it takes its time. */
  readonly takes: string;
  /** Puts everything into the folder; what is there already may be kept, as a build that was broken off goes on. */
  build(directory: string, say: Say): Promise<void>;
}

/** Thrown when the tools are neither there nor can be built here. */
export class NoTools extends Error {}

/** Where it is, or will be: every checkout shares it. */
export function toolsetDirectory({ name, versions }: Toolset, env: NodeJS.ProcessEnv): string {
  const hash = createHash('sha256').update(JSON.stringify(versions)).digest('hex').slice(0, 12);
  const root = env.SLIPSTREAM_TEST_TOOLS
    ? resolve(env.SLIPSTREAM_TEST_TOOLS)
    : join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'slipstream');
  return join(root, `${name}-${hash}`);
}

/** The folder with everything in it, built first where it is missing. A second process waits for the first. Throws NoTools. */
export async function readyToolset(toolset: Toolset, env: NodeJS.ProcessEnv, say: Say): Promise<string> {
  const directory = toolsetDirectory(toolset, env);
  if (await isFinished(toolset, directory)) return directory;
  const reason = toolset.missing(env);
  if (reason !== null) throw new NoTools(reason);
  await mkdir(directory, { recursive: true });
  const lock = await waitedFor(toolset, directory, say);
  try {
    if (await isFinished(toolset, directory)) return directory;
    const startedAt = performance.now();
    say(`building ${toolset.name} tools in ${directory}: ${toolset.takes}, once`);
    await toolset.build(directory, say);
    await writeFile(markerOf(directory), JSON.stringify(toolset.versions));
    say(`${toolset.name} tools: all built after ${seconds(startedAt)}`);
    return directory;
  } finally {
    lock.release();
  }
}

/** True when it can be used at once. */
export async function isFinished({ versions }: Toolset, directory: string): Promise<boolean> {
  return (await readFile(markerOf(directory), 'utf8').catch(() => null)) === JSON.stringify(versions);
}

function markerOf(directory: string): string {
  return join(directory, 'finished.json');
}

async function waitedFor({ name }: Toolset, directory: string, say: Say): Promise<{ release(): void }> {
  for (let isTold = false; ; await new Promise((again) => setTimeout(again, 500))) {
    try {
      return lockFolder(directory);
    } catch (error) {
      if (!(error instanceof PermanentError) || error.code !== 'state_locked') throw error;
    }
    if (!isTold) say(`another process builds the ${name} tools: waiting for it`);
    isTold = true;
  }
}

export interface Step {
  /** What comes out, by its path. */
  readonly file: string;
  readonly command: string;
  /** `{file}` stands for a name beside `file`, which becomes `file` only when the command ended well. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How it is called. */
  readonly title: string;
  readonly say: Say;
}

/** Runs a command that makes one file, unless that file is there. */
export async function make({ file, command, args, cwd, env, title, say }: Step): Promise<void> {
  if (await exists(file)) return;
  const startedAt = performance.now();
  const part = `${file}.part`;
  const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 16 * 2 ** 20 };
  await run(
    command,
    args.map((arg) => arg.replace('{file}', part)),
    options,
  );
  await rename(part, file);
  say(`  ${title} in ${seconds(startedAt)}`);
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(0)} s`;
}
