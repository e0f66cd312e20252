/** All files of a built image, with what a container's user may do with them. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ImageFile {
  /** Absolute, as in the image. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly mode: number;
  readonly owner: string;
  readonly bytes: number;
}

/** Sorted by path; without the root itself. */
export function filesOf(root: string, from = '/'): ImageFile[] {
  return readdirSync(join(root, from))
    .sort()
    .flatMap((name) => {
      const path = join(from, name);
      const { mode, uid, gid, size } = lstatSync(join(root, path));
      const isFolder = (mode & 0o170000) === 0o040000;
      const kind = isFolder ? 'folder' : (mode & 0o170000) === 0o120000 ? 'link' : 'file';
      const file: ImageFile = { path, kind, mode: mode & 0o7777, owner: `${uid}:${gid}`, bytes: kind === 'file' ? size : 0 };
      return isFolder ? [file, ...filesOf(root, path)] : [file];
    });
}

/** `name@version` of each package in a `node_modules`, also of those inside others; sorted. */
export function packagesOf(root: string): string[] {
  const manifests = filesOf(root, '/app/node_modules').filter(({ path }) => /\/node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path));
  return manifests
    .map(({ path }) => JSON.parse(readFileSync(join(root, path), 'utf8')) as { name: string; version: string })
    .map(({ name, version }) => `${name}@${version}`)
    .sort();
}

/** What a native part runs on, by its ELF header: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html, numbers of the machines in elf.h. */
export function machineOf(file: string): string {
  const header = readFileSync(file).subarray(0, 20);
  if (header.toString('latin1', 0, 4) !== '\x7fELF') return 'none';
  return { 62: 'x64', 183: 'arm64' }[header.readUInt16LE(18)] ?? 'other';
}
