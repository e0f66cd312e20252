/** The files that a builder is sent: those of the repository that `.dockerignore` lets through. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';

/** True for paths (from the root of the context) that are sent; the last pattern that fits a path, or a folder it lies in, decides. */
export function contextFilter(dockerignore: string): (path: string) => boolean {
  const patterns = dockerignore.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  return (path) => {
    const parts = path.split('/');
    const folders = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    return patterns.reduce((isSent, pattern) => {
      const isException = pattern.startsWith('!');
      const glob = globOf(pattern.replace(/^!/, '').replace(/^\/|\/$/g, ''));
      return folders.some((folder) => glob.test(folder)) ? isException : isSent;
    }, true);
  };
}

/** As the builder reads them, a star stands for leading dots too. */
function globOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/?|\*|\?)/).map((part) => {
    if (part.startsWith('**')) return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}

/** Paths of all files under `path` that are sent, from the root of the context, sorted. */
export function contextFiles(root: string, path: string, isSent: (path: string) => boolean): string[] {
  const found: string[] = [];
  const visit = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const inside = relative(root, join(root, folder, entry.name));
      if (entry.isDirectory() && !ALWAYS_LARGE.has(inside)) visit(inside);
      else if (!entry.isDirectory() && isSent(inside)) found.push(inside);
    }
  };
  visit(path);
  return found.sort();
}

/** Not looked into: nobody sends them. */
const ALWAYS_LARGE: ReadonlySet<string> = new Set(['node_modules', '.git']);

/** The same for a source of COPY, which may be a file. */
export function contextFilesOf(root: string, source: string): string[] {
  const isSent = dockerignoreOf(root);
  return lstatSync(join(root, source)).isDirectory() ? contextFiles(root, posix.normalize(source), isSent) : [source].filter(isSent);
}

export function dockerignoreOf(root: string): (path: string) => boolean {
  return contextFilter(readFileSync(join(root, '.dockerignore'), 'utf8'));
}
