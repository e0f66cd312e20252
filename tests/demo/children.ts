/** The demo's child processes: started together, heard over IPC, and none left behind. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** Lines of a child's output that are kept to explain a failure. */
const KEPT_LINES = 30;
const PATIENCE_MS = 3000;

export interface Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** The last lines it wrote to stdout or stderr. */
  readonly output: string[];
}

export interface ChildPlan {
  readonly name: string;
  readonly module: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Gets what the child sends over IPC. */
  readonly heard: (message: unknown) => void;
  /** Options for node itself. */
  readonly execArgv?: readonly string[];
}

export class Children {
  readonly #children: Child[] = [];
  #isStopping = false;
  readonly #failed: (message: string) => void;

  /** `failed` is told when a child ends although nobody asked it to. */
  constructor(failed: (message: string) => void) {
    this.#failed = failed;
  }

  start({ name, module, args, env, heard, execArgv = [] }: ChildPlan): Child {
    const forked = fork(module, [...args], { env, execArgv: [...execArgv], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const child: Child = { name, process: forked, output: [] };
    for (const stream of [forked.stdout, forked.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        child.output.push(...text.split('\n').filter((line) => line !== ''));
        child.output.splice(0, Math.max(0, child.output.length - KEPT_LINES));
      });
    }
    forked.on('message', heard);
    forked.on('error', (error) => this.#failed(`${name}: ${error.message}`));
    forked.on('exit', (code, signal) => {
      if (!this.#isStopping) this.#failed([`${name} ended with ${signal ?? `exit code ${code}`}`, ...child.output].join('\n  '));
    });
    this.#children.push(child);
    return child;
  }

  /** Asks one after the other to stop, last started first; who does not within 3 s is killed. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const { process: forked } of this.#children.toReversed()) {
      if (forked.pid === undefined || forked.exitCode !== null || forked.signalCode !== null) continue;
      const gone = once(forked, 'exit');
      forked.kill('SIGTERM');
      const killing = setTimeout(() => forked.kill('SIGKILL'), PATIENCE_MS);
      await gone;
      clearTimeout(killing);
    }
  }
}
