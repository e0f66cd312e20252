/** Carries out a Dockerfile's stages in folders of this machine: the image's files, and what it says about itself. */
import { execFile } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { copyFile, cp, mkdir } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { addRuntimeBase, prepareBuildBase, runInBase } from './base.ts';
import { contextFilesOf } from './context.ts';
import { type Dockerfile, expanded, fail, type Instruction, type Stage } from './dockerfile.ts';
import { configured, EMPTY_CONFIG, type ImageConfig } from './image-config.ts';
import { type LayerCache, layerKeys } from './layer-cache.ts';

const run = promisify(execFile);
/** What an official image sets. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface CarriedOut {
  readonly root: string;
  readonly config: ImageConfig;
}

interface BuiltStage extends CarriedOut {
  readonly args: ReadonlyMap<string, string>;
  /** Of all that made it. */
  readonly key: string;
}

export interface CarryOut {
  readonly dockerfile: Dockerfile;
  /** Of the files that are sent to the builder. */
  readonly contextRoot: string;
  /** Empty folder for the stages. */
  readonly directory: string;
  /** As BuildKit sets them: TARGETARCH and the like, and `--build-arg`. */
  readonly buildArgs: Readonly<Record<string, string>>;
  /** False: the image is of another platform, so it gets no base of this one. */
  readonly isOwnPlatform: boolean;
  readonly layers: LayerCache;
}

export async function carryOut(options: CarryOut): Promise<CarriedOut> {
  const { dockerfile, directory, buildArgs } = options;
  const globals = new Map(Object.entries(buildArgs));
  for (const arg of dockerfile.args) declare(arg, globals, buildArgs, globals);
  const built = new Map<string, BuiltStage>();
  let last: BuiltStage | null = null;
  for (const [index, stage] of dockerfile.stages.entries()) {
    const root = join(directory, stage.name ?? `stage-${index}`);
    const from = expanded(/^\S+/.exec(stage.from.rest)?.[0] ?? '', globals);
    const isLast = index === dockerfile.stages.length - 1;
    last = await stageOf({ ...options, stage, root, parent: built.get(from) ?? null, isLast, built, globals });
    if (stage.name !== null) built.set(stage.name, last);
  }
  if (last === null) throw new Error('the Dockerfile has no stage');
  if (options.isOwnPlatform) await addRuntimeBase(last.root);
  return { root: last.root, config: last.config };
}

interface StageWork extends CarryOut {
  readonly stage: Stage;
  readonly root: string;
  readonly parent: BuiltStage | null;
  readonly isLast: boolean;
  readonly built: ReadonlyMap<string, BuiltStage>;
  readonly globals: ReadonlyMap<string, string>;
}

async function stageOf(work: StageWork): Promise<BuiltStage> {
  const { stage, root, parent, isLast, layers } = work;
  const { contextRoot, buildArgs } = work;
  const parentKey = parent?.key ?? process.version;
  const keys = layerKeys({ stage, parentKey, contextRoot, buildArgs, keyOfStage: (name) => work.built.get(name)?.key ?? '' });
  const restored = await restoredUpTo(stage, keys, root, layers);
  if (restored < 0) await begin(root, parent, isLast);
  const args = new Map(parent?.args ?? []);
  let config: ImageConfig = parent?.config ?? { ...EMPTY_CONFIG, env: { PATH } };
  for (const [index, instruction] of stage.instructions.entries()) {
    const values = new Map([...args, ...Object.entries(config.env)]);
    const isDone = index <= restored;
    switch (instruction.name) {
      case 'ARG':
        declare(instruction, args, work.buildArgs, work.globals);
        break;
      case 'WORKDIR':
        config = { ...config, workingDirectory: posix.resolve(config.workingDirectory, expanded(instruction.rest, values)) };
        await mkdir(join(root, config.workingDirectory), { recursive: true });
        break;
      case 'COPY':
        if (!isDone) await copy(work, instruction, config.workingDirectory, values);
        break;
      case 'RUN':
        if (isLast) fail(instruction, 'runs a command in an image that may have no shell');
        if (isDone) break;
        await runIn(work, instruction, config, args);
        if (isCostly(instruction)) await layers.keep(keys[index] ?? '', root);
        break;
      default:
        config = configured(config, instruction, values);
    }
  }
  return { root, config, args, key: keys.at(-1) ?? parentKey };
}

async function begin(root: string, parent: BuiltStage | null, isLast: boolean): Promise<void> {
  await mkdir(root, { recursive: true });
  if (parent !== null) await run('cp', ['-a', `${parent.root}/.`, root]);
  else if (!isLast) await prepareBuildBase(root);
}

/** Index of the last instruction that need not be carried out again; below 0: all must. */
async function restoredUpTo(stage: Stage, keys: readonly string[], root: string, layers: LayerCache): Promise<number> {
  for (let index = keys.length - 1; index >= 0; index--) {
    const instruction = stage.instructions[index];
    if (instruction !== undefined && isCostly(instruction) && (await layers.restore(keys[index] ?? '', root))) return index;
  }
  return -1;
}

/** What has a cache of its own asks a registry. */
function isCostly({ name, flags }: Instruction): boolean {
  return name === 'RUN' && flags.mount !== undefined;
}

/** `ARG NAME[=default]`: what was asked for wins, then the default, then what stands before the first stage. */
function declare(
  arg: Instruction,
  into: Map<string, string>,
  buildArgs: Readonly<Record<string, string>>,
  globals: ReadonlyMap<string, string>,
): void {
  const [, name = '', initial] = /^(\w+)(?:=(.*))?$/.exec(arg.rest) ?? fail(arg, 'wants NAME or NAME=default');
  const value = buildArgs[name] ?? (initial === undefined ? globals.get(name) : expanded(initial, into));
  if (value !== undefined) into.set(name, value);
}

async function runIn({ root }: StageWork, instruction: Instruction, config: ImageConfig, args: ReadonlyMap<string, string>): Promise<void> {
  const { mount, ...unknown } = instruction.flags;
  const caches =
    mount === undefined ? [] : [/^type=cache,target=(\/\S+)$/.exec(mount)?.[1] ?? fail(instruction, 'wants a mount of type=cache')];
  if (Object.keys(unknown).length > 0) fail(instruction, `has unknown flags ${Object.keys(unknown).join(', ')}`);
  const env = { ...Object.fromEntries(args), ...config.env };
  await runInBase({ root, command: instruction.rest, workingDirectory: config.workingDirectory, env, caches });
}

async function copy(
  work: StageWork,
  instruction: Instruction,
  workingDirectory: string,
  values: ReadonlyMap<string, string>,
): Promise<void> {
  const { from, chown, ...unknown } = instruction.flags;
  if (chown !== undefined && !/^\d+:\d+$/.test(chown)) fail(instruction, 'wants --chown=uid:gid in numbers');
  if (Object.keys(unknown).length > 0) fail(instruction, `has unknown flags ${Object.keys(unknown).join(', ')}`);
  const words = expanded(instruction.rest, values).split(/\s+/);
  const destination = words.pop() ?? '';
  if (words.length === 0 || (words.length > 1 && !destination.endsWith('/')))
    fail(instruction, 'wants sources and a folder that ends with /');
  const stage = from === undefined ? null : (work.built.get(from) ?? fail(instruction, 'copies from a stage that is not there'));
  for (const source of words) {
    if (/[*?[]/.test(source)) fail(instruction, 'has a pattern, which is not understood here');
    const target = join(work.root, posix.resolve(workingDirectory, destination));
    await (stage === null ? copyContext(work, source, target, destination) : copyStage(join(stage.root, source), target, destination));
    // All of it is root's otherwise, as root carries this out.
    if (chown !== undefined) await run('chown', ['-R', '-h', chown, target]);
  }
}

async function copyContext({ contextRoot }: StageWork, source: string, target: string, destination: string): Promise<void> {
  const isFolder = lstatSync(join(contextRoot, source)).isDirectory();
  const files = contextFilesOf(contextRoot, source);
  if (files.length === 0) throw new Error(`COPY ${source}: nothing of it is sent to the builder (see .dockerignore)`);
  for (const file of files) {
    const to = isFolder
      ? join(target, posix.relative(source, file))
      : destination.endsWith('/')
        ? join(target, posix.basename(file))
        : target;
    await mkdir(dirname(to), { recursive: true });
    await copyFile(join(contextRoot, file), to);
  }
}

async function copyStage(source: string, target: string, destination: string): Promise<void> {
  if (lstatSync(source).isDirectory()) {
    await mkdir(target, { recursive: true });
    await run('cp', ['-a', `${source}/.`, target]);
  } else {
    const to = destination.endsWith('/') ? join(target, posix.basename(source)) : target;
    await mkdir(dirname(to), { recursive: true });
    await cp(source, to, { preserveTimestamps: true });
  }
}
