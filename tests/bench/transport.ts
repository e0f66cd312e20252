/** How many spans per CPU-second of the server process the receivers take, over each transport. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { Figure } from './figure.ts';
import { transportPayload } from './transport-payload.ts';

const EXPORT_PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
/** Requests in flight, as a Collector's sending queue has. */
const CONCURRENCY = 4;
/** The first requests run at half speed. */
const WARM_UP_REQUESTS = 300;
const MEASURE_MS = 2000;

export interface TransportBenchOptions {
  /** A module that exports `consume`; without one the receivers alone are measured. */
  readonly consumeModule?: string;
  /** What the figures' names begin with. */
  readonly prefix?: string;
}

type Send = () => Promise<void>;

export async function benchTransport({ consumeModule, prefix = 'transport' }: TransportBenchOptions = {}): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const spans of [512, 8192]) {
    const body = transportPayload(spans);
    for (const transport of ['grpc', 'http'] as const) {
      for (const compression of ['none', 'gzip'] as const) {
        const value = await spansPerCpuSecond({ transport, body, spans, compression, consumeModule });
        figures.push({ name: `${prefix}/${transport}/${compression}/${spans} spans a request`, unit: 'spans/CPU-s', value });
      }
    }
  }
  return figures;
}

interface Load {
  readonly transport: 'grpc' | 'http';
  readonly compression: 'none' | 'gzip';
  readonly body: Buffer;
  readonly spans: number;
  readonly consumeModule: string | undefined;
}

/** One fresh server process for each figure, so that none pays for the garbage of another. */
async function spansPerCpuSecond({ transport, compression, body, spans, consumeModule }: Load): Promise<number> {
  const server = fork(new URL('./transport-server.ts', import.meta.url), consumeModule === undefined ? [] : [consumeModule]);
  try {
    const [addresses] = (await once(server, 'message')) as [{ grpc: string; http: string }];
    const sender = transport === 'grpc' ? grpcSender(addresses.grpc, body, compression) : httpSender(addresses.http, body, compression);
    const cpuUs = async (): Promise<number> => {
      const answer = once(server, 'message');
      server.send('cpu');
      const [usage] = (await answer) as [NodeJS.CpuUsage];
      return usage.user + usage.system;
    };
    await load(sender.send, (sent) => sent < WARM_UP_REQUESTS);
    const before = await cpuUs();
    const until = performance.now() + MEASURE_MS;
    const sent = await load(sender.send, () => performance.now() < until);
    const spentUs = (await cpuUs()) - before;
    sender.close();
    return Math.round((sent * spans) / (spentUs / 1e6));
  } finally {
    server.disconnect();
  }
}

/** Sends while `isOn` and returns how many requests were answered. */
async function load(send: Send, isOn: (started: number) => boolean): Promise<number> {
  let started = 0;
  const lane = async (): Promise<void> => {
    while (isOn(started)) {
      started++;
      await send();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return started;
}

function grpcSender(address: string, body: Buffer, compression: 'none' | 'gzip'): { send: Send; close: () => void } {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    'grpc.default_compression_algorithm': compression === 'gzip' ? 2 : 0,
  });
  const same = (bytes: Buffer): Buffer => bytes;
  const send = (): Promise<void> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(EXPORT_PATH, same, same, body, new Metadata(), (error) => (error ? reject(error) : resolve()));
    });
  return { send, close: () => client.close() };
}

function httpSender(address: string, body: Buffer, compression: 'none' | 'gzip'): { send: Send; close: () => void } {
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const content = compression === 'gzip' ? gzipSync(body) : body;
  const headers = {
    'content-type': 'application/x-protobuf',
    'content-length': content.length,
    ...(compression === 'gzip' && { 'content-encoding': 'gzip' }),
  };
  const [host, port] = address.split(':');
  const send = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const sending = httpRequest({ agent, host, port, path: '/v1/traces', method: 'POST', headers }, (response) => {
        response.resume();
        if (response.statusCode === 200) response.once('end', resolve);
        else reject(new Error(`the server answered ${response.statusCode}`));
      });
      sending.on('error', reject);
      sending.end(content);
    });
  return { send, close: () => agent.destroy() };
}
