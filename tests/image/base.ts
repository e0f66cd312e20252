/** What a base image would bring, taken from this machine: for stages that run commands, and for the one that becomes the image. */
import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { chmod, copyFile, link, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where the official image has it. */
const NODE = 'usr/local/bin/node';
const MACHINE_FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/lib', '/usr/lib64', '/usr/share', '/etc', '/dev'];
const MERGED = ['bin', 'sbin', 'lib', 'lib64'];
/** Of the C library's own package, so that they come with it on any base, whoever asks for them. */
const GLIBC = ['libdl.so.2', 'libpthread.so.0', 'librt.so.1', 'libutil.so.1', 'libresolv.so.2', 'libnss_dns.so.2', 'libnss_files.so.2'];
/** Settings that lead a package manager to its registry; builders pass such on as predefined arguments or secrets. */
const REGISTRY_VARIABLES = /^(npm_config_(registry|cafile)|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|(https?|no)_proxy)$/i;

/** Why no image can be built here; null: it can. */
export function missingForImages(): string | null {
  if (process.platform !== 'linux') return 'images are built with Linux namespaces';
  if (process.getuid?.() !== 0) return 'building an image needs root';
  return npmFolder() === null ? 'there is no npm' : null;
}

/** The folder becomes one in which commands can be run by `runInBase`. */
export async function prepareBuildBase(root: string): Promise<void> {
  for (const folder of [...MACHINE_FOLDERS, '/proc', '/root', '/tmp', '/usr/local/bin', '/usr/local/lib/node_modules/npm']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  for (const name of MERGED) await symlink(`usr/${name}`, join(root, name));
  await writeFile(join(root, NODE), '');
  for (const name of ['npm', 'npx']) await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, `usr/local/bin/${name}`));
}

export interface BaseCommand {
  readonly root: string;
  readonly command: string;
  readonly workingDirectory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Kept from one build to the next, by their path in the stage. */
  readonly caches: readonly string[];
}

/** Runs a shell's command line as root inside the folder, with this machine's programs and Node's own mounted for reading. */
export async function runInBase({ root, command, workingDirectory, env, caches }: BaseCommand): Promise<void> {
  const passed = Object.entries(process.env).filter(([name, value]) => REGISTRY_VARIABLES.test(name) && value !== undefined);
  const mounts: (readonly [from: string, to: string])[] = MACHINE_FOLDERS.map((folder) => [folder, folder]);
  mounts.push([realpathSync(process.execPath), `/${NODE}`], [npmFolder() ?? '', '/usr/local/lib/node_modules/npm']);
  for (const [, value = ''] of passed) {
    if (value.startsWith('/') && existsSync(value) && !value.startsWith('/etc/') && !value.startsWith('/usr/'))
      mounts.push([realpathSync(value), value]);
  }
  for (const to of caches) mounts.push([await npmCache(), to]);
  for (const [, to] of mounts) {
    const inside = join(root, to);
    if (existsSync(inside)) continue;
    if (caches.includes(to)) await mkdir(inside, { recursive: true });
    else {
      await mkdir(dirname(inside), { recursive: true });
      await writeFile(inside, '');
    }
  }
  const script = [
    ...mounts.map(([from, to]) => `mount --${from === '/dev' ? 'r' : ''}bind ${quoted(from)} ${quoted(join(root, to))}`),
    `mount -t proc proc ${quoted(join(root, 'proc'))}`,
    `umask 022`,
    `exec chroot ${quoted(root)} /bin/sh -c ${quoted(`cd ${quoted(workingDirectory)} && ${command}`)}`,
  ].join('\n');
  const whole = {
    HOME: '/root',
    npm_config_cache: '/root/.npm',
    npm_config_update_notifier: 'false',
    ...Object.fromEntries(passed),
    ...env,
  };
  try {
    await run('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', script], { env: whole, maxBuffer: 64 * 2 ** 20 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`RUN ${command} failed:\n${`${stdout}${stderr}`.split('\n').slice(-20).join('\n')}`);
  }
}

/** Node, what it is linked with, and the few files that any base has, with no shell and no other program. */
export async function addRuntimeBase(root: string): Promise<void> {
  for (const folder of ['dev', 'proc', 'sys', 'run', 'etc', 'root', 'usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await mkdir(join(root, 'tmp'), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  for (const name of MERGED) await symlink(`usr/${name}`, join(root, name));
  for (const file of ['hosts', 'resolv.conf', 'hostname']) await writeFile(join(root, 'etc', file), '');
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  await linkOrCopy(realpathSync(process.execPath), join(root, NODE));
  const { stdout } = await run('ldd', [process.execPath]);
  const linked = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
  const folderOfC = dirname(linked.find((path) => path.includes('/libc.so.')) ?? '');
  for (const path of new Set([...linked, ...GLIBC.map((name) => join(folderOfC, name)).filter((file) => existsSync(file))])) {
    const inside = join(root, path.replace(/^\/(?=lib)/, '/usr/'));
    await mkdir(dirname(inside), { recursive: true });
    await copyFile(realpathSync(path), inside);
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rm(to, { force: true });
  await link(from, to).catch(() => copyFile(from, to));
}

function npmFolder(): string | null {
  const folders = (process.env.PATH ?? '').split(':').map((folder) => join(folder, 'npm'));
  const npm = folders.find((file) => existsSync(file));
  return npm === undefined ? null : resolve(dirname(realpathSync(npm)), '..');
}

async function npmCache(): Promise<string> {
  const { stdout } = await run('npm', ['config', 'get', 'cache']);
  await mkdir(stdout.trim(), { recursive: true });
  return stdout.trim();
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
