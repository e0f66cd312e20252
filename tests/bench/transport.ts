/** How many spans per CPU-second of the server process the receivers take, over each transport. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import type { Figure } from './figure.ts';
import { spanRequest } from './otlp-payload.ts';

const EXPORT_PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
/** Requests in flight, as a Collector's sending queue has. */
const CONCURRENCY = 4;
/** The first requests run at half speed, and the optimiser is busy for a second or two. */
const WARM_UP_REQUESTS = 100;
const WARM_UP_MS = 1500;
const MEASURE_MS = 2000;

export interface TransportBenchOptions {
  /** A module that exports `consume`; without one the receivers alone are measured. */
  readonly consumeModule?: string;
  /** What the figures' names begin with. */
  readonly prefix?: string;
}

type Send = () => Promise<void>;

/** Spans per CPU-second of an OpenTelemetry Collector v0.159.0 with span_metrics on spans like these, and how many times as fast we want to be. */
const COLLECTOR = {
  grpc: { 'none/512': 262_000, 'none/8192': 248_000, 'gzip/512': 197_000, 'gzip/8192': 197_000, times: 2.5 },
  http: { 'none/512': 235_000, 'none/8192': 232_000, 'gzip/512': 195_000, 'gzip/8192': 195_000, times: 3.5 },
} as const;

export async function benchTransport({ consumeModule, prefix = 'transport' }: TransportBenchOptions = {}): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const spans of [512, 8192] as const) {
    const body = Buffer.from(spanRequest({ spans, nowMs: Date.now(), seed: 1 }));
    for (const transport of ['grpc', 'http'] as const) {
      for (const compression of ['none', 'gzip'] as const) {
        const value = await spansPerCpuSecond({ transport, body, spans, compression, consumeModule });
        const { [`${compression}/${spans}` as const]: collector, times } = COLLECTOR[transport];
        // The Collector's figures are those of its whole pipeline.
        const goal = consumeModule !== undefined && `>= ${(collector * times).toLocaleString('en-US')}: ${times} x the Collector`;
        const name = `${prefix}/${transport}/${compression}/${spans} spans a request`;
        figures.push({ name, unit: 'spans/CPU-s', value, ...(goal !== false && { goal }) });
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
    const warmUntil = performance.now() + WARM_UP_MS;
    await load(sender.send, (sent) => sent < WARM_UP_REQUESTS || performance.now() < warmUntil);
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

/** Written on `node:http2` itself: grpc-js would compress each request anew and leave the server waiting for its sender. */
function grpcSender(address: string, body: Buffer, compression: 'none' | 'gzip'): { send: Send; close: () => void } {
  const session = connect(`http://${address}`, { maxSessionMemory: 1000 });
  const content = compression === 'gzip' ? gzipSync(body) : body;
  const frame = Buffer.alloc(5 + content.length);
  frame[0] = compression === 'gzip' ? 1 : 0;
  frame.writeUInt32BE(content.length, 1);
  content.copy(frame, 5);
  const headers = {
    ':method': 'POST',
    ':path': EXPORT_PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(compression === 'gzip' && { 'grpc-encoding': 'gzip' }),
  };
  const send = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const stream = session.request(headers);
      let status: unknown;
      stream.on('response', (fields) => {
        status = fields['grpc-status'];
      });
      stream.on('trailers', (fields) => {
        status = fields['grpc-status'];
      });
      stream.on('error', reject);
      stream.on('close', () => (status === '0' ? resolve() : reject(new Error(`the server answered ${String(status)}`))));
      stream.resume();
      stream.end(frame);
    });
  return { send, close: () => session.destroy() };
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
