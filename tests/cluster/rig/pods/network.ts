/** A network for test pods: a namespace of its own, each pod with an address in it, reached from this machine through sockets in a folder. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readlink } from 'node:fs/promises';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BRIDGE, type NetworkState, POD_NETWORK } from './relay.ts';

const run = promisify(execFile);

export interface PodAddress {
  readonly address: string;
  readonly port: number;
}

/** A port of this machine's loopback that leads to a pod. */
export interface Forward {
  readonly port: number;
  readonly url: string;
  stop(): void;
}

export class PodNetwork {
  readonly #folder: string;
  readonly #relay: ChildProcess;
  /** Of the relay, as this machine counts processes. */
  readonly #relayPid: number;
  readonly #servers = new Set<Server>();
  readonly #sockets = new Set<Socket>();
  #hosts = 0;
  #pods = 1;
  #told = '';

  private constructor(folder: string, relay: ChildProcess, relayPid: number) {
    this.#folder = folder;
    this.#relay = relay;
    this.#relayPid = relayPid;
  }

  /** `folder` must be there and have a short path, as sockets are made in it. */
  static async start(folder: string): Promise<PodNetwork> {
    const args = ['--net', '--pid', '--fork', '--kill-child', process.execPath, join(import.meta.dirname, 'relay.ts'), folder];
    const relay = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    relay.stdin.on('error', () => undefined);
    await Promise.race([
      once(relay.stdout, 'data'),
      once(relay, 'exit').then(([code]) => {
        throw new Error(`the network of pods ended with ${code}`);
      }),
    ]);
    return new PodNetwork(folder, relay, await onlyChild(relay.pid ?? 0));
  }

  /** Ends every process of every pod. */
  async stop(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#relay.exitCode !== null || this.#relay.signalCode !== null) return;
    const gone = once(this.#relay, 'exit');
    this.#relay.stdin?.end();
    await gone;
  }

  /** Name of a socket in the folder behind which `port` of this machine's loopback is: a target of routes. */
  async host(port: number): Promise<string> {
    const name = `host-${++this.#hosts}.sock`;
    const server = createServer({ allowHalfOpen: true }, (socket) =>
      this.#joined(socket, dial({ host: '127.0.0.1', port, allowHalfOpen: true })),
    );
    this.#servers.add(server);
    server.listen(join(this.#folder, name));
    await once(server, 'listening');
    return name;
  }

  tell(state: NetworkState): void {
    const line = JSON.stringify(state);
    if (line === this.#told) return;
    this.#told = line;
    this.#relay.stdin?.write(`${line}\n`);
  }

  /** Begins a network namespace for one pod. It lasts until its `end` is called, over restarts of what runs in it. */
  async sandbox(): Promise<Sandbox> {
    const number = ++this.#pods;
    const address = `${POD_NETWORK}.${number}`;
    const holder = spawn('nsenter', [`--pid=${this.#ns('pid')}`, `--net=${this.#ns('net')}`, 'unshare', '--net', 'sleep', 'infinity'], {
      stdio: 'ignore',
    });
    const pid = await onlyChild(holder.pid ?? 0);
    await untilOwnNetwork(pid, this.#relayPid);
    const veth = `pod${number}`;
    await this.#ip(this.#ns('net'), `link add ${veth} type veth peer name eth0 netns ${pid}`);
    await this.#ip(this.#ns('net'), `link set ${veth} master ${BRIDGE} up`);
    for (const step of ['link set lo up', `addr add ${address}/24 dev eth0`, 'link set eth0 up', `route add default via ${POD_NETWORK}.1`])
      await this.#ip(`/proc/${pid}/ns/net`, step);
    return {
      address,
      enter: ['nsenter', `--pid=${this.#ns('pid')}`, `--net=/proc/${pid}/ns/net`],
      end: () => void process.kill(pid, 'SIGKILL'),
    };
  }

  /** A connection to a port of a pod; it breaks when nobody listens there. */
  dial({ address, port }: PodAddress): Socket {
    const socket = dial({ path: join(this.#folder, 'into.sock'), allowHalfOpen: true });
    socket.write(`${address} ${port}\n`);
    return socket;
  }

  /** Each connection goes where `to` says at that time; null closes it. */
  async forward(to: () => PodAddress | null): Promise<Forward> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const target = to();
      if (target === null) return void socket.destroy();
      this.#joined(socket, this.dial(target));
    });
    this.#servers.add(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('forwarding: no port was given');
    return { port: address.port, url: `http://127.0.0.1:${address.port}`, stop: () => void server.close() };
  }

  #ns(kind: 'pid' | 'net'): string {
    return `/proc/${this.#relayPid}/ns/${kind}`;
  }

  async #ip(namespace: string, step: string): Promise<void> {
    await run('nsenter', [`--net=${namespace}`, 'ip', ...step.split(' ')]);
  }

  #joined(near: Socket, far: Socket): void {
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        this.#sockets.delete(one);
      });
    }
    near.pipe(far).pipe(near);
  }
}

export interface Sandbox {
  readonly address: string;
  /** Command before a command that is to run in this network, and to end with all pods at the latest. */
  readonly enter: readonly string[];
  end(): void;
}

/** The process id of the one process that `pid` forked, as soon as it did. */
export async function onlyChild(pid: number): Promise<number> {
  for (const end = performance.now() + 10_000; performance.now() < end; await new Promise((again) => setTimeout(again, 5))) {
    const child = Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')[0]);
    if (child > 0) return child;
  }
  throw new Error(`process ${pid} never forked`);
}

/** A command that was just started may not have left the namespace of `other` yet. */
async function untilOwnNetwork(pid: number, other: number): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end; await new Promise((again) => setTimeout(again, 5))) {
    const [own, outer, machine] = await Promise.all([pid, other, process.pid].map((each) => readlink(`/proc/${each}/ns/net`)));
    if (own !== outer && own !== machine) return;
  }
  throw new Error(`process ${pid} never had a network of its own`);
}
