/** The image as `docker build` would make it, as a folder: made by carrying out the Dockerfile, and kept for as long as nothing in it changes. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readyToolset, type Toolset } from '../tools/toolset.ts';
import { missingForImages } from './base.ts';
import { carryOut } from './carry-out.ts';
import { contextFilesOf } from './context.ts';
import { parseDockerfile } from './dockerfile.ts';
import type { ImageConfig } from './image-config.ts';
import { LayerCache } from './layer-cache.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const STALE_MS = 60 * 60_000;
/** What carries out the Dockerfile. */
const BUILDERS = ['base', 'build-image', 'carry-out', 'context', 'dockerfile', 'image-config', 'layer-cache'];
export type Architecture = 'x64' | 'arm64';

export interface BuiltImage {
  /** Its file system, ready for `chroot` when it is of this machine's architecture: with Node and what that needs, and no shell. Do not write. */
  readonly root: string;
  readonly config: ImageConfig;
}

export interface BuildImage {
  readonly architecture?: Architecture;
}

/** Builds it where it is not there yet (5 to 20 s on an idle machine), else takes what is there. Throws NoTools where no image can be built. */
export async function buildImage(options: BuildImage = {}): Promise<BuiltImage> {
  return imageIn(await readyToolset(imageToolset(options), process.env, (line) => process.stderr.write(`${line}\n`)));
}

/** What is in the folder of `imageToolset`. */
export async function imageIn(directory: string): Promise<BuiltImage> {
  const config = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8')) as ImageConfig;
  return { root: join(directory, 'root'), config };
}

/** For `describeWithTools`: builds nothing by itself. */
export function imageToolset({ architecture = ownArchitecture() }: BuildImage = {}): Toolset {
  return {
    name: 'image',
    versions: { content: contentHash(), node: process.version, architecture },
    takes: '5 to 20 seconds on two cores',
    missing: () => missingForImages(),
    build: (directory) => build(directory, architecture),
  };
}

function ownArchitecture(): Architecture {
  return process.arch === 'arm64' ? 'arm64' : 'x64';
}

async function build(directory: string, architecture: Architecture): Promise<void> {
  await removeStale(dirname(directory));
  const [stages, root] = [join(directory, 'stages'), join(directory, 'root')];
  for (const folder of [stages, root]) await rm(folder, { recursive: true, force: true });
  const umask = process.umask(0o022);
  try {
    const [target, own] = [architecture, ownArchitecture()].map((name) => (name === 'x64' ? 'amd64' : 'arm64'));
    const out = await carryOut({
      dockerfile: parseDockerfile(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8')),
      contextRoot: REPOSITORY,
      directory: stages,
      buildArgs: { TARGETARCH: target ?? '', TARGETOS: 'linux', TARGETPLATFORM: `linux/${target}`, BUILDPLATFORM: `linux/${own}` },
      isOwnPlatform: target === own,
      layers: new LayerCache(join(dirname(directory), 'image-layers')),
    });
    await rename(out.root, root);
    await writeFile(join(directory, 'config.json'), JSON.stringify(out.config));
  } finally {
    process.umask(umask);
    await rm(stages, { recursive: true, force: true });
  }
}

/** All that changes the image: the files sent to the builder, the Dockerfile, and how it is carried out here. */
function contentHash(): string {
  const hash = createHash('sha256');
  const own = BUILDERS.map((name) => `tests/image/${name}.ts`);
  const files = [...contextFilesOf(REPOSITORY, '.'), 'Dockerfile', ...own];
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(REPOSITORY, file)))
      .update('\0');
  return hash.digest('hex');
}

/** Each change of the source makes another folder, and a build that fails leaves one. */
async function removeStale(parent: string): Promise<void> {
  for (const name of readdirSync(parent).filter((entry) => /^image-[0-9a-f]{12}$/.test(entry))) {
    const made = await stat(join(parent, name)).catch(() => null);
    if (made !== null && Date.now() - made.mtimeMs > STALE_MS) await rm(join(parent, name), { recursive: true, force: true });
  }
}
