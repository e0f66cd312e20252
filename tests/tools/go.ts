/** Where the Go toolchain is, and programs built with it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { exists, make, type Say } from './toolset.ts';

const run = promisify(execFile);

const USUAL_FOLDERS = [
  '/usr/local/go/bin',
  '/usr/lib/go/bin',
  '/snap/bin',
  '/opt/homebrew/bin',
  join(homedir(), 'go/bin'),
  join(homedir(), '.local/go/bin'),
];

/** Its `go` command; null: there is none. */
export function goCommand(env: NodeJS.ProcessEnv = process.env): string | null {
  const folders = [...(env.PATH ?? '').split(delimiter), ...USUAL_FOLDERS].filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, 'go')).find((file) => existsSync(file)) ?? null;
}

/** The reason why what is built with Go cannot be had; null: it can. */
export function missingGo(env: NodeJS.ProcessEnv): string | null {
  return goCommand(env) === null ? 'Go is not installed' : null;
}

export interface GoBuild {
  /** The program that comes out. */
  readonly file: string;
  /** Package to build. */
  readonly command: string;
  /** Folder of the module it is built in. */
  readonly folder: string;
  /** For the linker. */
  readonly flags?: readonly string[];
  readonly tags?: string;
  readonly title: string;
  readonly say: Say;
}

export async function goBuild({ file, command, folder, flags = [], tags, title, say }: GoBuild): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const tagged = tags === undefined ? [] : ['-tags', tags];
  const args = ['build', '-trimpath', '-buildvcs=false', ...tagged, '-ldflags', ['-s', '-w', ...flags].join(' '), '-o', '{file}', command];
  // Files for work on several modules at once come with some modules, and name folders that do not.
  await make({ file, command: goCommand() ?? 'go', args, cwd: folder, env: { GOWORK: 'off' }, title, say });
}

export interface GoInstall {
  readonly file: string;
  /** Package of a command, as published. */
  readonly command: string;
  readonly version: string;
  readonly tags?: string;
  readonly say: Say;
}

/** A command that is built as its module was published. */
export async function goInstall({ file, command, version, tags, say }: GoInstall): Promise<void> {
  if (await exists(file)) return;
  const startedAt = performance.now();
  const folder = `${file}.part`;
  await mkdir(folder, { recursive: true });
  const tagged = tags === undefined ? [] : ['-tags', tags];
  const args = ['install', '-trimpath', ...tagged, '-ldflags', '-s -w', `${command}@${version}`];
  await run(goCommand() ?? 'go', args, { cwd: folder, env: { ...process.env, GOBIN: folder }, maxBuffer: 16 * 2 ** 20 });
  await rename(join(folder, basename(command)), file);
  await rm(folder, { recursive: true });
  say(`  ${basename(command)} ${version} built in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/**
 * A command of a module that replaces other modules, which counts only where it is the main one: built in a copy of its folder, as that can be
 * written.
 */
export async function goBuildAsMain(build: Omit<GoBuild, 'folder'> & { readonly downloaded: string }): Promise<void> {
  if (await exists(build.file)) return;
  await mkdir(dirname(build.file), { recursive: true });
  const folder = await mkdtemp(`${build.file}-`);
  try {
    await cp(build.downloaded, folder, { recursive: true });
    await run('chmod', ['-R', 'u+w', folder]);
    await goBuild({ ...build, folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Downloads a module; the folder it lies in cannot be written. */
export async function goModule(module: string, version: string, cwd: string): Promise<string> {
  const { stdout } = await run(goCommand() ?? 'go', ['mod', 'download', '-json', `${module}@${version}`], { cwd });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}
