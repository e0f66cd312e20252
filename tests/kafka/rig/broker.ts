/** One real Kafka broker on loopback: started, killed, started again with its data, stopped. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../support/free-ports.ts';

/** One node that is broker and controller; every number is for tests on a small machine. */
const PROPERTIES = {
  'process.roles': 'broker,controller',
  'node.id': 1,
  'controller.listener.names': 'CONTROLLER',
  // The controller takes any free port; that is allowed to a quorum of one.
  'controller.quorum.bootstrap.servers': '127.0.0.1:0',
  // One node has room for one replica.
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.num.partitions': 4,
  'transaction.state.log.min.isr': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  // A name with a slip of the pen fails.
  'auto.create.topics.enable': false,
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 500,
  // A broker that comes again need not wait long until the one before is forgotten.
  'broker.heartbeat.interval.ms': 500,
  'broker.session.timeout.ms': 2000,
  'num.network.threads': 2,
  'num.io.threads': 2,
  'log.cleaner.dedupe.buffer.size': 4_194_304,
  'log.cleaner.backoff.ms': 200,
  'log.retention.check.interval.ms': 500,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
  'message.max.bytes': 16_777_216,
};
const START_MS = 60_000;

export interface BrokerOptions {
  readonly jars: string;
  /** Empty at first; the same folder again is the same broker. */
  readonly folder: string;
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
}

export class Broker {
  readonly port: number;
  readonly #options: BrokerOptions;
  #child: ChildProcess | null = null;

  private constructor(options: BrokerOptions, port: number) {
    this.#options = options;
    this.port = port;
  }

  static async start(options: BrokerOptions): Promise<Broker> {
    const broker = new Broker(options, await freePort());
    await broker.start();
    return broker;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Formats the folder when it is new; resolves when the broker serves. */
  async start(): Promise<void> {
    if (this.#child !== null) return;
    const { folder, properties } = this.#options;
    const log = join(folder, 'log');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'server.properties');
    const own = { listeners: `PLAINTEXT://127.0.0.1:${this.port},CONTROLLER://127.0.0.1:0`, 'log.dirs': log };
    const all = Object.entries({ ...PROPERTIES, ...own, ...properties });
    writeFileSync(file, all.map(([key, value]) => `${key}=${value}\n`).join(''));
    if (!existsSync(join(log, 'meta.properties'))) {
      const id = randomBytes(16).toString('base64url');
      const formatted = spawnSync(
        'java',
        [...this.#java, 'kafka.tools.StorageTool', 'format', '--standalone', `--cluster-id=${id}`, '-c', file],
        {
          encoding: 'utf8',
        },
      );
      if (formatted.status !== 0) throw new Error(`formatting the broker's folder: ${formatted.stdout}${formatted.stderr}`);
    }
    const child = spawn('java', [...this.#java, '-Xms128m', '-Xmx256m', 'kafka.Kafka', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let tail = '';
    await new Promise<void>((ready, failed) => {
      const timer = setTimeout(() => failed(new Error(`the broker did not start: ${tail}`)), START_MS);
      // Its output is read for as long as it lives: a full pipe would stop it.
      const hear = (chunk: Buffer): void => {
        tail = (tail + chunk).slice(-4000);
        if (!tail.includes('Kafka Server started')) return;
        clearTimeout(timer);
        ready();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', (code) => failed(new Error(`the broker ended with ${code}: ${tail}`)));
    });
  }

  /** As a crash does. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  get #java(): string[] {
    const logger = 'org.slf4j.simpleLogger';
    return [
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-XX:-UsePerfData',
      '-Djava.awt.headless=true',
      `-D${logger}.logFile=System.out`,
      `-D${logger}.defaultLogLevel=warn`,
      `-D${logger}.log.kafka.server.KafkaRaftServer=info`,
      '-cp',
      join(this.#options.jars, '*'),
    ];
  }
}
