/** One start of a container: the files of its image and its volumes in namespaces of its own, as the user of its pod, under its limit of memory. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PodImage } from './image.ts';
import { onlyChild } from './network.ts';

const CGROUPS = '/sys/fs/cgroup';
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom'];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface ContainerParts {
  readonly image: PodImage;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly from: string; readonly to: string; readonly isReadOnly: boolean }[];
  /** Files of the pod that name machines: `hosts`, `hostname`, `resolv.conf`. */
  readonly etc: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly workingDir: string;
  readonly isRootReadOnly: boolean;
  readonly mayGainPrivileges: boolean;
  /** 0: no limit. */
  readonly memoryBytes: number;
  /** Empty at first; of this start alone. */
  readonly folder: string;
  readonly log: string;
  /** Command that enters the network of the pod. */
  readonly enter: readonly string[];
}

export interface Ended {
  /** As a shell has it: 128 and the signal's number, when one ended it. */
  readonly exitCode: number;
}

export class ContainerProcess {
  readonly startedAt = new Date().toISOString();
  readonly ended: Promise<Ended>;
  /** Of its process 1, as this machine counts. */
  readonly pid: number;
  readonly #parts: ContainerParts;

  private constructor(parts: ContainerParts, pid: number, child: ChildProcess, cgroup: string | null) {
    this.#parts = parts;
    this.pid = pid;
    this.ended = once(child, 'exit').then(async ([code, signal]) => {
      if (cgroup !== null) await rmdir(cgroup).catch(() => undefined);
      return { exitCode: (code as number | null) ?? 128 + (SIGNALS[signal as string] ?? 0) };
    });
  }

  static async start(parts: ContainerParts): Promise<ContainerProcess> {
    const cgroup = await memoryGroup(parts);
    for (const name of ['layer', 'root']) await mkdir(join(parts.folder, name), { recursive: true });
    const [command = '', ...enter] = parts.enter;
    const args = [...enter, 'unshare', '--mount', '--pid', '--ipc', '--uts', '--fork', '/bin/sh', '-ec', script(parts, cgroup), 'sh'];
    const log = await open(parts.log, 'a');
    const child = spawn(command, [...args, ...parts.argv], { env: { PATH, ...parts.env }, stdio: ['ignore', log.fd, log.fd] });
    await once(child, 'spawn').finally(() => log.close());
    const pid = await onlyChild(await onlyChild(child.pid ?? 0));
    return new ContainerProcess(parts, pid, child, cgroup);
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    try {
      process.kill(this.pid, signal);
    } catch {
      // It ended in between.
    }
  }

  /** Runs a command in it; its output when it ends with 0, else throws. */
  async exec(argv: readonly string[], timeoutMs: number): Promise<string> {
    const { uid, gid } = this.#parts.user;
    const enter = ['--mount', '--net', '--pid', '--ipc', '--uts', '--root', `--wd=/proc/${this.pid}/cwd`];
    const args = [`--target=${this.pid}`, ...enter, `--setgid=${gid}`, `--setuid=${uid}`, '--', ...argv];
    const env = { PATH, ...this.#parts.env };
    return new Promise((resolve, reject) => {
      execFile('nsenter', args, { env, timeout: timeoutMs, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${argv.slice(0, 3).join(' ')}: ${error.code ?? error.message}: ${stdout}${stderr}`));
      });
    });
  }
}

const SIGNALS: Readonly<Record<string, number>> = { SIGKILL: 9, SIGTERM: 15, SIGSEGV: 11, SIGABRT: 6 };

/** For a shell that is process 1 of the container, still with the files of this machine; it becomes the command it is given. */
function script(parts: ContainerParts, cgroup: string | null): string {
  const { image, mounts, etc, user, folder } = parts;
  const [root, layer] = [join(folder, 'root'), join(folder, 'layer')];
  const lines: string[] = [];
  const bind = (from: string, to: string, isReadOnly: boolean, isFile = false): void => {
    const target = quoted(`${root}${to}`);
    lines.push(isFile ? `mkdir -p ${quoted(join(root, to, '..'))}; : >> ${target}` : `mkdir -p ${target}`);
    lines.push(`mount --bind ${quoted(from)} ${target}`);
    if (isReadOnly) lines.push(`mount -o remount,bind,ro ${target}`);
  };
  if (cgroup !== null) lines.push(`echo 0 > ${quoted(join(cgroup, 'cgroup.procs'))}`);
  // What the runtime writes into the image, such as folders to mount on, is in memory.
  lines.push(`mount -t tmpfs tmpfs ${quoted(layer)}`, `mkdir ${quoted(`${layer}/up`)} ${quoted(`${layer}/work`)}`);
  const layers = `lowerdir=${image.root},upperdir=${layer}/up,workdir=${layer}/work`;
  lines.push(`mount -t overlay overlay -o ${quoted(layers)} ${quoted(root)}`);
  lines.push(`mkdir -p ${quoted(`${root}/proc`)} ${quoted(`${root}/dev`)}`, `mount -t proc proc ${quoted(`${root}/proc`)}`);
  lines.push(`mount -t tmpfs -o mode=755 tmpfs ${quoted(`${root}/dev`)}`);
  for (const device of DEVICES) bind(`/dev/${device}`, `/dev/${device}`, false, true);
  if (existsSync(CGROUPS)) lines.push(`mkdir -p ${quoted(root + CGROUPS)}; mount --rbind ${CGROUPS} ${quoted(root + CGROUPS)}`);
  for (const name of ['hosts', 'hostname', 'resolv.conf']) bind(join(etc, name), `/etc/${name}`, false, true);
  // Parents before what is mounted in them.
  for (const { from, to, isReadOnly } of [...mounts].sort((a, b) => a.to.length - b.to.length)) bind(from, to, isReadOnly);
  if (parts.isRootReadOnly) lines.push(`mount -o remount,ro ${quoted(root)}`);
  const bounds = ['-all', '+sys_chroot', '+setuid', '+setgid'].join(',');
  const privileges = parts.mayGainPrivileges ? '' : '--no-new-privs';
  const as = `--root=${quoted(root)} --wd=${quoted(parts.workingDir)} --setgid=${user.gid} --setuid=${user.uid}`;
  lines.push(`exec setpriv --bounding-set=${bounds} --inh-caps=-all ${privileges} unshare ${as} "$@"`);
  return lines.join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Folder of a group that limits memory; null: there is no limit, or groups cannot be made here. */
async function memoryGroup({ memoryBytes, folder }: ContainerParts): Promise<string | null> {
  if (memoryBytes === 0) return null;
  const isSecond = existsSync(join(CGROUPS, 'cgroup.controllers'));
  const group = join(CGROUPS, isSecond ? '' : 'memory', `pod-${folder.replaceAll(/\W+/g, '-').slice(-150)}`);
  try {
    await mkdir(group);
    await writeFile(join(group, isSecond ? 'memory.max' : 'memory.limit_in_bytes'), String(memoryBytes));
    return group;
  } catch {
    await rmdir(group).catch(() => undefined);
    return null;
  }
}
