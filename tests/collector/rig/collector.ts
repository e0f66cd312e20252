/** A real Collector with one of the configurations in `config/collector`, as it stands, on free ports of loopback: started, stopped, killed, started again. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../../cluster/rig/processes.ts';
import { freePort } from '../../support/free-ports.ts';

export const CONFIGURATIONS = join(import.meta.dirname, '../../../config/collector');

export interface CollectorOptions {
  /** The program. */
  readonly otelcol: string;
  /** Name of the file in `config/collector`, without its ending. */
  readonly configuration: string;
  /** What the file takes from the environment, besides the ports and the queue's folder. */
  readonly env: Readonly<Record<string, string>>;
  /** Settings in the place of those in the file, as `exporters::kafka::timeout: 1s`. */
  readonly changes?: readonly string[];
  /** Command that starts the program in other surroundings. */
  readonly within?: readonly string[];
}

export class Collector implements AsyncDisposable {
  readonly grpc: string;
  readonly http: string;
  /** Its log, and its queue, which outlives it. */
  readonly folder = mkdtempSync(join(tmpdir(), 'slipstream-collector-'));
  readonly #options: CollectorOptions;
  #program: Program | null = null;

  private constructor(options: CollectorOptions, grpcPort: number, httpPort: number) {
    this.#options = options;
    this.grpc = `127.0.0.1:${grpcPort}`;
    this.http = `127.0.0.1:${httpPort}`;
  }

  static async start(options: CollectorOptions): Promise<Collector> {
    const collector = await Collector.launch(options);
    await collector.#ready();
    return collector;
  }

  /** Does not wait until it takes spans. */
  static async launch(options: CollectorOptions): Promise<Collector> {
    const collector = new Collector(options, await freePort(), await freePort());
    await collector.#launch();
    return collector;
  }

  /** With the ports and the queue of before. Resolves once it takes spans. */
  async start(): Promise<void> {
    await this.#launch();
    await this.#ready();
  }

  async takesSpans(): Promise<boolean> {
    return (await isOpen(this.grpc)) && (await isOpen(this.http));
  }

  async #ready(): Promise<void> {
    await this.#program?.until('taking spans', () => this.takesSpans());
  }

  async #launch(): Promise<void> {
    const { otelcol, configuration, env, within = [], changes = [] } = this.#options;
    const variables = {
      OTLP_GRPC_ENDPOINT: this.grpc,
      OTLP_HTTP_ENDPOINT: this.http,
      QUEUE_DIRECTORY: join(this.folder, 'queue'),
      // Port 8888 is the machine's, not the test's.
      COLLECTOR_METRICS: 'none',
      ...env,
    };
    const assigned = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    const command = [
      ...within,
      otelcol,
      '--config',
      join(CONFIGURATIONS, `${configuration}.yaml`),
      ...changes.flatMap((change) => ['--config', `yaml:${change}`]),
    ];
    this.#program = await Program.start('env', [...assigned, ...command], { folder: this.folder, name: 'otelcol', memoryMiB: 256 });
  }

  /** As an upgrade does it. */
  async stop(): Promise<void> {
    await this.#program?.stop('SIGTERM');
  }

  /** As a crash does it. */
  async kill(): Promise<void> {
    await this.#program?.stop('SIGKILL');
  }

  /** The end of its log, over all its starts. */
  async log(lines = 2_000): Promise<string> {
    return (await this.#program?.logTail(lines)) ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function isOpen(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect(Number(port), host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
