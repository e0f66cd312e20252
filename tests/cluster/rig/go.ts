/** Where the Go toolchain is: on the path, or where its installers put it. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

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
