/** Sends an empty export request to a receiver of OTLP, as a sender would: no span is counted, and the answer shows that it works. */
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, getCACertificates } from 'node:tls';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Secret } from '../config/secret.ts';
import type { DurationMs } from '../model/time.ts';
import { type ClientTls, connectOptions } from '../tls/client-tls.ts';
import { reasonText } from '../tls/handshakes.ts';
import { lookFrom } from '../tls/own-looks.ts';
import { CONTENT_TYPES } from './http-answer.ts';
import { EXPORT_PATH } from './otlp-grpc.ts';
import { HTTP_PATH } from './otlp-http.ts';

export interface ProbeParts {
  /** `host:port`, as a receiver says it. Where it listens on all addresses, loopback is meant. */
  readonly address: string;
  /** Null: no TLS. */
  readonly tls: ClientTls | null;
  /** Null: none is sent. */
  readonly token: Secret | null;
  /** For all of it. */
  readonly timeoutMs: DurationMs;
  /** Over HTTP, another path than /v1/traces: where a proxy stands before the receiver. */
  readonly path?: string;
}

/** Null when the request was taken, else what was wrong, in words without secrets. Never rejects. */
export type Probe = (parts: ProbeParts) => Promise<string | null>;

export const probeGrpc: Probe = ({ address, tls, token, timeoutMs }) => {
  const at = reachable(address);
  const host = new URL(`http://${at}`).hostname.replace(/^\[|\]$/g, '');
  const client = new Client(at, tls === null ? credentials.createInsecure() : channelCredentials(tls, host), {
    // grpc-js names the server it means, which for an address Node.js refuses.
    ...(isIP(host) !== 0 && { 'grpc.ssl_target_name_override': 'localhost' }),
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
  });
  const metadata = new Metadata();
  if (token !== null) metadata.set('authorization', `Bearer ${token.reveal()}`);
  return new Promise((resolve) => {
    const answered = (error: ServiceError | null): void => {
      client.close();
      resolve(error === null ? null : error.details === '' ? `gRPC status ${error.code}` : grpcText(error.details, tls !== null));
    };
    client.makeUnaryRequest(EXPORT_PATH, same, same, EMPTY, metadata, { deadline: Date.now() + timeoutMs }, answered);
  });
};

export const probeHttp: Probe = ({ address, tls, token, timeoutMs, path = HTTP_PATH }) =>
  new Promise((resolve) => {
    const headers = {
      'content-type': CONTENT_TYPES.protobuf,
      'content-length': 0,
      ...(token !== null && { authorization: `Bearer ${token.reveal()}` }),
    };
    const { hostname, port } = new URL(`http://${reachable(address)}`);
    const host = hostname.replace(/^\[|\]$/g, '');
    const options = {
      method: 'POST',
      host,
      port: port || 80,
      path,
      headers,
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    } as const;
    const asked = tls === null ? requestPlain(options) : requestSecure({ ...options, port: port || 443, ...connectOptions(tls) });
    asked.once('response', (answer) => {
      answer.resume();
      answer.on('error', () => {});
      resolve(answer.statusCode === 200 ? null : `HTTP status ${answer.statusCode}`);
      asked.destroy();
    });
    asked.on('error', (error: NodeJS.ErrnoException) =>
      resolve(tls === null && error.code === 'ECONNRESET' ? CLOSED : failureText(error, timeoutMs)),
    );
    asked.end();
  });

const LOOK_LINGERS_MS = 5_000;

/** Of a receiver that asks for a certificate of senders, which we are none of: that it speaks TLS is all that can be seen. */
export const probeHandshake: Probe = ({ address, timeoutMs }) =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(`http://${reachable(address)}`);
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port),
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    let looked = (): void => {};
    socket.once('connect', () => {
      if (socket.localPort !== undefined) looked = lookFrom(socket.localPort);
    });
    const late = setTimeout(() => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    socket.once('secureConnect', () => {
      resolve(null);
      // To be refused in order: of a connection that is reset the listener could not tell whose it was.
      socket.end();
    });
    socket.on('error', (error) => resolve(failureText(error, timeoutMs)));
    socket.once('close', () => {
      clearTimeout(late);
      // The listener may hear of the end a moment later than we do.
      setTimeout(looked, LOOK_LINGERS_MS).unref();
      resolve('the connection was closed before TLS was spoken');
    });
  });

const EMPTY = Buffer.alloc(0);
const NOT_TLS = 'it does not speak TLS: without https://';
const CLOSED = 'it closed the connection: does it speak TLS? Then with https://';

function same(bytes: Buffer): Buffer {
  return bytes;
}

function channelCredentials({ ca, cert, key, isChecked }: ClientTls, host: string) {
  const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));
  // grpc-js does not see authorities that were added to those that Node.js trusts.
  const trusted = ca ?? (isChecked ? getCACertificates('default').join('\n') : undefined);
  return credentials.createSsl(pem(trusted), pem(key?.reveal()), pem(cert), {
    rejectUnauthorized: isChecked,
    checkServerIdentity: (_named, shown) => (isChecked ? checkServerIdentity(host, shown) : undefined),
  });
}

/** What one connects to where something listens on all addresses: `127.0.0.1:4317` for `0.0.0.0:4317`. */
export function reachable(address: string): string {
  return address.replace(/^0\.0\.0\.0(?=:)/, '127.0.0.1').replace(/^\[::\](?=:)/, '[::1]');
}

function failureText(error: NodeJS.ErrnoException, timeoutMs: DurationMs): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return `no answer within ${timeoutMs} ms`;
  if (isNotTls(error.message)) return NOT_TLS;
  if (error.code === 'ECONNREFUSED') return 'connection refused';
  if (error.code?.startsWith('HPE_') === true) return 'it does not speak HTTP/1.1: is that the port of OTLP/gRPC?';
  return brief(error.message || error.code || error.name);
}

/** What grpc-js says of the usual mistakes, in words that name them. */
function grpcText(details: string, isTls: boolean): string {
  if (isNotTls(details)) return NOT_TLS;
  if (/ECONNREFUSED/.test(details)) return 'connection refused';
  if (/Protocol error/.test(details)) return 'it does not speak gRPC: is that the port of OTLP/HTTP?';
  if (!isTls && /Last error: Failed to connect|ECONNRESET|Connection dropped/i.test(details)) return CLOSED;
  return brief(details);
}

function isNotTls(text: string): boolean {
  return /wrong version number|packet length too long/i.test(text);
}

function brief(text: string): string {
  return reasonText(text).replace(/\. Resolution note: *$/, '');
}
