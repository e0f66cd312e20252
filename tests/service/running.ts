/** The service as a process of its own: started from a folder, asked over its ports, stopped or killed by its pid. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExplainedRunWire, StatusWire } from '../../src/api/schemas.ts';

export const MAIN = join(import.meta.dirname, '../../src/main.ts');
export const WEBHOOK_SECRET = `whsec_${Buffer.from('a-webhook-secret-nobody-may-see!').toString('base64')}`;
export const API_TOKEN = 'an-api-token-nobody-may-see';

/** Generous: the machine that runs the tests may be busy. */
const PATIENCE_MS = 20_000;
const LOOK_EVERY_MS = 20;

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  /** Holds configuration and state. */
  readonly folder: string;
  /** YAML documents; see `config.ts`. */
  readonly config: readonly object[];
  readonly args?: readonly string[];
}

const started = new Set<Running>();

/** Kills what a test left running. For `afterEach`. */
export async function killAll(): Promise<void> {
  await Promise.all([...started].map((running) => running.kill()));
}

export class Running {
  readonly lines: LogLine[] = [];
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #hasEnded = false;

  /** Starts without waiting. */
  constructor({ folder, config, args = [] }: StartOptions) {
    const file = configFile(folder, config);
    const env = { PATH: process.env.PATH, SLIPSTREAM_WEBHOOK_SECRET: WEBHOOK_SECRET, SLIPSTREAM_API_TOKEN: API_TOKEN };
    const child = spawn(process.execPath, [MAIN, 'serve', '--config', file, ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let open = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      const parts = (open + text).split('\n');
      open = parts.pop() ?? '';
      for (const line of parts) if (line !== '') this.lines.push(JSON.parse(line));
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    started.add(this);
    // `close` comes after the last output was read.
    this.ended = once(child, 'close').then(([code, signal]) => {
      this.#hasEnded = true;
      started.delete(this);
      return { code, signal };
    });
  }

  /** Resolves once it says that it runs and is ready. */
  static async start(options: StartOptions): Promise<Running> {
    const running = new Running(options);
    await running.log('slipstream is running');
    await eventually(
      () => running.status('/readyz'),
      (status) => status === 200,
    );
    return running;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get http(): string {
    return `http://${this.#address('http')}/v1/traces`;
  }

  get grpc(): string {
    return `http://${this.#address('grpc')}`;
  }

  get api(): string {
    return this.#address('api');
  }

  /** Closes our end of its standard output. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks it to stop and tells how it ended. */
  async stop(): Promise<Ended> {
    this.#child.kill('SIGTERM');
    return this.ended;
  }

  /** The first log line with this message that also has `fields`. */
  log(message: string, fields: Readonly<Record<string, unknown>> = {}): Promise<LogLine> {
    return eventually(
      async () => {
        const found = this.lines.find(
          (line) => line.msg === message && Object.entries(fields).every(([key, value]) => line[key] === value),
        );
        if (found === undefined && this.#hasEnded) throw new Error(`it ended without saying "${message}":\n${this.stdout}${this.stderr}`);
        return found;
      },
      (line): line is LogLine => line !== undefined,
      () => `waiting for "${message}":\n${this.stdout}${this.stderr}`,
    );
  }

  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.api}${path}`, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
  }

  async status(path: string): Promise<number> {
    const response = await this.ask(path);
    await response.text();
    return response.status;
  }

  async json(path: string): Promise<unknown> {
    return (await this.ask(path)).json();
  }

  async state(window = '60s'): Promise<StatusWire> {
    return (await this.json(`/v1/status?window=${window}`)) as StatusWire;
  }

  async run(id: string): Promise<ExplainedRunWire> {
    return (await this.json(`/v1/rollouts/${id}`)) as ExplainedRunWire;
  }

  /** The run once it is in that state. */
  runIn(state: ExplainedRunWire['state'], id = 'shop-1'): Promise<ExplainedRunWire> {
    return eventually(
      () => this.run(id),
      (run) => run.state === state,
      (run) => `waiting for ${state}: ${JSON.stringify({ ...run, judgements: [], history: [], explanation: run?.explanation?.verdict })}`,
    );
  }

  startRollout(rollout: object): Promise<Response> {
    return this.ask('/v1/rollouts', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${API_TOKEN}` },
      body: JSON.stringify(rollout),
    });
  }

  /** Value of one series of `/metrics`, such as `spans_total{disposition="counted"}`; 0 when it is not there. */
  async metric(series: string): Promise<number> {
    const text = await (await this.ask('/metrics')).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`slipstream_${series} `));
    return line === undefined ? 0 : Number(line.split(' ')[1]);
  }

  #address(name: 'grpc' | 'http' | 'api'): string {
    const line = this.lines.find(({ msg }) => msg === 'slipstream is running');
    if (line === undefined) throw new Error('it does not run yet');
    return String(line[name]);
  }
}

/** Writes the documents as the process file of a folder and returns its path. */
export function configFile(folder: string, config: readonly object[]): string {
  const file = join(folder, 'slipstream.yaml');
  writeFileSync(file, config.map((document) => `${JSON.stringify(document, null, 2)}\n`).join('---\n'));
  return file;
}

/** Asks again and again until the answer is as wanted. */
export async function eventually<T, Wanted extends T>(
  ask: () => Promise<T>,
  isWanted: ((answer: T) => answer is Wanted) | ((answer: T) => boolean),
  described: (answer: T | undefined) => string = (answer) => `still ${JSON.stringify(answer)}`,
): Promise<Wanted> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer as Wanted;
    if (performance.now() > deadline) throw new Error(described(answer));
    await pause(LOOK_EVERY_MS);
  }
}

/** The kernel refuses to let any file of the process grow beyond this. */
export function limitFiles(pid: number, bytes: string): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`prlimit failed: ${stderr}`);
}
