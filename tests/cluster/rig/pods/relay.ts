/**
 * The one process inside the network of test pods: answers names, stands for Services as kube-proxy does, and passes connections between this network
 * and the machine through sockets in a folder. It is process 1 of the pods' process namespace, so that all of them end with it.
 *
 * Started with the folder; then reads one `NetworkState` a line from stdin, and ends when that ends.
 */
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { dnsAnswer } from './dns.ts';

/** All there is at a moment; what is not in it is no longer there. */
export interface NetworkState {
  /** Addresses by full name, lower case, without the dot at the end. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  readonly services: readonly ServiceRoute[];
}

export interface ServiceRoute {
  readonly address: string;
  readonly port: number;
  /** Where a connection goes, in turn; with none it is closed. */
  readonly targets: readonly RouteTarget[];
}

/** A pod's port, or a socket in the folder behind which the machine listens. */
export type RouteTarget = { readonly address: string; readonly port: number } | { readonly socket: string };

export const POD_NETWORK = '10.244.0';
export const SERVICE_NETWORK = '10.0.0';
export const DNS_ADDRESS = `${SERVICE_NETWORK}.10`;
export const BRIDGE = 'pods';

if (import.meta.main) run(process.argv[2] ?? '.');

function run(folder: string): void {
  const steps = [
    'link set lo up',
    `link add ${BRIDGE} type bridge`,
    `addr add ${POD_NETWORK}.1/24 dev ${BRIDGE}`,
    `link set ${BRIDGE} up`,
    `route add local ${SERVICE_NETWORK}.0/24 dev lo`,
  ];
  for (const step of steps) execFileSync('ip', step.split(' '));
  let names: NetworkState['names'] = {};
  answerNames((name) => names[name] ?? null);
  const services = new Map<string, { server: Server; targets: readonly RouteTarget[] }>();
  const apply = (state: NetworkState): void => {
    names = state.names;
    for (const { address, port, targets } of state.services) {
      const key = `${address}:${port}`;
      const known = services.get(key);
      if (known !== undefined) known.targets = targets;
      else services.set(key, { targets, server: serveInTurn(address, port, () => services.get(key)?.targets ?? [], folder) });
    }
    for (const [key, { server }] of services) {
      if (state.services.some(({ address, port }) => `${address}:${port}` === key)) continue;
      server.close();
      services.delete(key);
    }
  };
  // From the machine into the network: the first line says where to.
  const into = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) => {
    socket.once('error', () => socket.destroy());
    socket.once('data', (first: Buffer) => {
      socket.pause();
      const end = first.indexOf(10);
      const [address = '', port = ''] = first.toString('latin1', 0, end).split(' ');
      if (first.length > end + 1) socket.unshift(first.subarray(end + 1));
      joinEnds(socket, dial({ host: address, port: Number(port), allowHalfOpen: true }));
    });
  });
  into.listen(join(folder, 'into.sock'), () => process.stdout.write('ready\n'));
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => apply(JSON.parse(line) as NetworkState));
  lines.on('close', () => process.exit(0));
}

function serveInTurn(address: string, port: number, targets: () => readonly RouteTarget[], folder: string): Server {
  let turn = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const all = targets();
    const target = all[turn++ % Math.max(1, all.length)];
    if (target === undefined) return void socket.destroy();
    const far =
      'socket' in target
        ? dial({ path: join(folder, target.socket), allowHalfOpen: true })
        : dial({ host: target.address, port: target.port, allowHalfOpen: true });
    joinEnds(socket, far);
  });
  server.on('error', (error) => process.stderr.write(`${address}:${port}: ${error.message}\n`));
  return server.listen(port, address);
}

/** What one end says the other hears; an end that breaks breaks the other. */
function joinEnds(near: Socket, far: Socket): void {
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
  near.on('close', () => far.destroy());
  far.on('close', () => near.destroy());
  near.pipe(far).pipe(near);
}

function answerNames(addressesOf: (name: string) => readonly string[] | null): void {
  const socket = createSocket('udp4');
  socket.on('message', (message, { address, port }) => {
    const answer = dnsAnswer(message, addressesOf);
    if (answer !== null) socket.send(answer, port, address);
  });
  socket.bind(53, DNS_ADDRESS);
}
