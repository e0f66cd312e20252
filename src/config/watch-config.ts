/** Notices changed configuration files by their content, since file watchers miss how a mounted ConfigMap changes, and reloads. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import { configOf, type LoadResult } from './load-config.ts';
import type { Environment } from './read-secret.ts';
import { readSnapshot, type Snapshot } from './source-files.ts';

export interface WatchOptions {
  readonly path: string;
  readonly env: Environment;
  /** What is in force now. */
  readonly config: Config;
  /** Called once for each change: with a new configuration, or with the problems for which the one in force stays. */
  readonly onChange: (result: LoadResult) => void;
  /** Time between two looks, in ms. */
  readonly intervalMs?: number;
  /** Calls `act` every `intervalMs` until the returned function is called; by default a timer that keeps no process alive. */
  readonly every?: (act: () => void, intervalMs: number) => () => void;
}

export interface ConfigWatch {
  /** Looks now, as the timer does. */
  look(): void;
  stop(): void;
}

const INTERVAL_MS = 2000;

export function watchConfig(options: WatchOptions): ConfigWatch {
  const first = readSnapshot(options.path);
  // A change between loading and watching is a change, too.
  let seen = first.revision === options.config.policies.revision ? fingerprint(first) : '';
  const look = (): void => {
    const snapshot = readSnapshot(options.path);
    const now = fingerprint(snapshot);
    if (now === seen) return;
    seen = now;
    options.onChange(configOf(snapshot, options.env));
  };
  const stop = (options.every ?? timer)(look, options.intervalMs ?? INTERVAL_MS);
  return { look, stop };
}

function timer(act: () => void, intervalMs: number): () => void {
  const interval = setInterval(act, intervalMs).unref();
  return () => clearInterval(interval);
}

/** Revision, what could not be found, and the content of secret files; stays in memory. */
function fingerprint(snapshot: Snapshot): string {
  const hash = createHash('sha256').update(snapshot.revision).update(JSON.stringify(snapshot.problems));
  for (const path of snapshot.secretFiles) hash.update(JSON.stringify([path, secretText(path)]));
  return hash.digest('hex');
}

function secretText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
