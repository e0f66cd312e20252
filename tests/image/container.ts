/** One container of an image, in namespaces of its own: its user, no rights, a file system that cannot be written, a network with loopback alone. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { BuiltImage } from './build-image.ts';

const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 50;

export interface Done {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ContainerOptions {
  readonly image: BuiltImage;
  /** Files of `/etc/slipstream`, by their path in it. */
  readonly files: Readonly<Record<string, string>>;
}

export class Container {
  output = '';
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #image: BuiltImage;
  readonly #folder: string;
  #hasEnded = false;

  /** Starts its entry point with its usual command, as PID 1. */
  constructor({ image, files }: ContainerOptions) {
    this.#image = image;
    this.#folder = mkdtempSync(join(tmpdir(), 'slipstream-container-'));
    for (const name of ['upper', 'work', 'merged', 'etc', 'state']) mkdirSync(join(this.#folder, name), { mode: 0o755 });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.#folder, 'etc', path)), { recursive: true });
      writeFileSync(join(this.#folder, 'etc', path), text);
    }
    const [uid = '', gid = ''] = image.config.user.split(':');
    const isolated = ['--mount', '--net', '--pid', '--fork', '--kill-child=SIGKILL', '--propagation', 'private'];
    this.#child = spawn('unshare', [...isolated, 'sh', '-ec', this.#script(uid, gid)], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.ended = once(this.#child, 'close').then(([code]: (number | null)[]) => {
      this.#hasEnded = true;
      return code ?? null;
    });
  }

  /** What a container runtime does: an own layer for mount points, then nothing may be written but the volume and `/tmp`. */
  #script(uid: string, gid: string): string {
    const at = (name: string) => `'${join(this.#folder, name)}'`;
    const { entrypoint, command, env, workingDirectory } = this.#image.config;
    const variables = Object.entries(env).map(([name, value]) => `'${name}=${value}'`);
    const words = [...entrypoint, ...command].map((word) => `'${word}'`);
    return [
      `mount -t overlay overlay -o lowerdir='${this.#image.root}',upperdir=${at('upper')},workdir=${at('work')} ${at('merged')}`,
      `mkdir -p ${at('merged')}/etc/slipstream`,
      `mount --bind ${at('etc')} ${at('merged')}/etc/slipstream`,
      // A new volume takes over what the image has in its place.
      `chown --reference=${at('merged')}/var/lib/slipstream ${at('state')}`,
      `chmod --reference=${at('merged')}/var/lib/slipstream ${at('state')}`,
      `mount --bind ${at('state')} ${at('merged')}/var/lib/slipstream`,
      `mount -t tmpfs -o mode=1777 tmpfs ${at('merged')}/tmp`,
      `mount --rbind /dev ${at('merged')}/dev`,
      `mount -t proc proc ${at('merged')}/proc`,
      'ip link set lo up',
      `mount -o remount,ro ${at('merged')}`,
      `unshare="$(command -v unshare)"`,
      [
        'exec setpriv --clear-groups --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid',
        `env -i ${variables.join(' ')}`,
        `"$unshare" --root=${at('merged')} --wd=${workingDirectory} --setgid=${gid} --setuid=${uid}`,
        ...words,
      ].join(' '),
    ].join('\n');
  }

  /** Resolves once the condition holds of what it wrote. */
  async said(text: string): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    while (!this.output.includes(text)) {
      if (this.#hasEnded) throw new Error(`it ended without saying "${text}":\n${this.output}`);
      if (performance.now() > until) throw new Error(`it did not say "${text}" in ${PATIENCE_MS} ms:\n${this.output}`);
      await pause(LOOK_EVERY_MS);
    }
  }

  /** Runs a program of the image in it, as its user: what HEALTHCHECK and `kubectl exec` do. */
  exec(words: readonly string[]): Promise<Done> {
    const [uid = '', gid = ''] = this.#image.config.user.split(':');
    const { env, workingDirectory } = this.#image.config;
    const isolated = ['--mount', '--net', '--pid', '--root', `--wdns=${workingDirectory}`, `--setuid=${uid}`, `--setgid=${gid}`];
    return done('nsenter', [...this.#target(isolated), ...words], env);
  }

  /** Runs a program of this machine in its network: what a sender beside it does. */
  beside(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Done> {
    return done('nsenter', [...this.#target(['--net']), ...words], { PATH: process.env.PATH ?? '', ...env });
  }

  /** Sent to PID 1. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Of its PID 1, as this machine numbers it. */
  get pid(): number {
    const children = readFileSync(`/proc/${this.#child.pid}/task/${this.#child.pid}/children`, 'utf8');
    return Number(children.trim().split(' ')[0]);
  }

  /** The volume, as this machine sees it. */
  get state(): string {
    return join(this.#folder, 'state');
  }

  async remove(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #target(namespaces: readonly string[]): string[] {
    return ['--target', String(this.pid), ...namespaces, '--'];
  }
}

function done(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Done> {
  // Found with this machine's PATH; what it runs gets another one.
  const file = ['/usr/bin', '/bin'].map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? program;
  return new Promise((resolve) => {
    execFile(file, args, { env, maxBuffer: 2 ** 22 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}
