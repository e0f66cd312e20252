/** Folders of stages as they were after a costly command, kept until something before that command changes. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { exists } from '../tools/toolset.ts';
import { contextFilesOf } from './context.ts';
import { expanded, type Stage } from './dockerfile.ts';

const run = promisify(execFile);
const STALE_MS = 24 * 60 * 60_000;

interface LayersOfStage {
  readonly stage: Stage;
  readonly parentKey: string;
  readonly contextRoot: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  keyOfStage(name: string): string;
}

/** For each instruction of the stage, what names the folder after it: all instructions so far with what they read. */
export function layerKeys({ stage, parentKey, contextRoot, buildArgs, keyOfStage }: LayersOfStage): string[] {
  let key = parentKey;
  return stage.instructions.map(({ name, flags, rest }) => {
    const given = name === 'ARG' ? (buildArgs[/^\w+/.exec(rest)?.[0] ?? ''] ?? null) : null;
    const hash = createHash('sha256').update(JSON.stringify([key, name, flags, rest, given]));
    if (name === 'COPY' && flags.from !== undefined) hash.update(keyOfStage(flags.from));
    else if (name === 'COPY') {
      for (const source of expanded(rest, new Map()).split(/\s+/).slice(0, -1)) {
        for (const file of contextFilesOf(contextRoot, source))
          hash
            .update(`${file}\0`)
            .update(readFileSync(join(contextRoot, file)))
            .update('\0');
      }
    }
    key = hash.digest('hex').slice(0, 20);
    return key;
  });
}

export class LayerCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** True: `root`, which must not be there yet, is now what was kept. The files are the same ones: later commands may replace them, not write into them. */
  async restore(key: string, root: string): Promise<boolean> {
    const kept = join(this.#directory, key);
    if (!(await exists(kept))) return false;
    await utimes(kept, new Date(), new Date());
    await run('cp', ['-al', kept, root]);
    return true;
  }

  async keep(key: string, root: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await this.#removeStale();
    const part = join(this.#directory, `${key}.${process.pid}.part`);
    await run('cp', ['-a', root, part]);
    // Another build may have been faster.
    await rename(part, join(this.#directory, key)).catch(() => rm(part, { recursive: true, force: true }));
  }

  async #removeStale(): Promise<void> {
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name);
      const used = await stat(path).catch(() => null);
      if (used !== null && Date.now() - used.mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true });
    }
  }
}
