/** Programs that a test cluster runs: each with a log of its own, bounded memory, and ended by its process id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

const all = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of all) child.kill('SIGKILL');
});

export class Program {
  readonly name: string;
  readonly #log: string;
  readonly #child: ChildProcess;

  private constructor(name: string, log: string, child: ChildProcess) {
    this.name = name;
    this.#log = log;
    this.#child = child;
  }

  /** `memoryMiB` is what its garbage collector strives for. Its output is added to `<name>.log` in the folder. */
  static async start(
    binary: string,
    args: readonly string[],
    parts: { folder: string; name?: string; memoryMiB: number },
  ): Promise<Program> {
    const name = parts.name ?? basename(binary);
    const log = join(parts.folder, `${name}.log`);
    const file = await open(log, 'a');
    const env = { ...process.env, GOMEMLIMIT: `${parts.memoryMiB}MiB`, GOMAXPROCS: '2' };
    const child = spawn(binary, args, { cwd: parts.folder, env, stdio: ['ignore', file.fd, file.fd] });
    all.add(child);
    child.once('exit', () => all.delete(child));
    await once(child, 'spawn').finally(() => file.close());
    return new Program(name, log, child);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(hard);
  }

  /** Asks until it is so, the program ends, or 60 s are over; the last two throw with the end of its log. */
  async until(what: string, claim: () => Promise<boolean>): Promise<void> {
    for (const end = performance.now() + 60_000; performance.now() < end; await new Promise((again) => setTimeout(again, 50))) {
      if (!this.isRunning) throw new Error(`${this.name} ended before ${what}:\n${await this.logTail()}`);
      if (await claim().catch(() => false)) return;
    }
    throw new Error(`${this.name}: not ${what} after 60 s:\n${await this.logTail()}`);
  }

  /** The last lines that it wrote. */
  async logTail(lines = 15): Promise<string> {
    const text = await readFile(this.#log, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-lines).join('\n');
  }
}
