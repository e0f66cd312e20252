/** Receives OTLP over HTTP/1.1: `POST /v1/traces`, protobuf and JSON. */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { OtlpHttpConfig, ReceiversConfig, TlsFiles } from '../config/config.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type CertificateTimer, type ServedCertificate, servedCertificate } from '../tls/served-certificate.ts';
import type { Admission } from './admission.ts';
import { httpAnswer } from './http-answer.ts';
import { discardBody, readBody } from './http-body.ts';
import { compressionOf, encodingOf } from './http-content.ts';
import { type Compression, inflate } from './inflate.ts';
import { Intake } from './intake.ts';
import { listen } from './listen.ts';
import { MessageBuffers } from './message-buffer.ts';
import { OUTCOMES, type Refusal, type Refused, refusal, type Taken } from './outcome-table.ts';
import type { Consume, Receiver, SpanEncoding } from './receiver.ts';
import type { SenderTokens } from './sender-tokens.ts';

export const HTTP_PATH = '/v1/traces';
/** Longer than the 5 s at which SDKs export: with Node's own 5 s a sender would often write into a connection just being closed. */
const KEEP_ALIVE_MS = 75_000;
const CHECK_INTERVAL_MS = 1000;
const SWEEP_INTERVAL_MS = 50;
const MAX_HEADERS = 100;
const MAX_HEADER_BYTES = 16 * 1024;

export interface OtlpHttpOptions {
  readonly config: OtlpHttpConfig;
  readonly limits: Pick<ReceiversConfig, 'maxRequestBytes' | 'retryAfterMs'>;
  readonly admission: Admission;
  readonly telemetry: Telemetry;
  /** Null or absent: no TLS. */
  readonly tls?: TlsFiles | null;
  /** When its files are looked at. */
  readonly certificateTimer?: CertificateTimer;
  /** Null or absent: nobody is asked who he is. */
  readonly tokens?: SenderTokens | null;
}

export class OtlpHttpReceiver implements Receiver {
  #address: string | null = null;
  #isStopping = false;
  #server: Server | SecureServer | null = null;
  #served: ServedCertificate | null = null;
  /** Connections whose body is being read, and why Node broke some of them off. */
  readonly #reading = new WeakSet<Duplex>();
  readonly #broken = new WeakMap<Duplex, Refusal>();
  /** Connections that never got as far as HTTP. */
  readonly #unspoken = new WeakSet<Duplex>();
  readonly #buffers = new MessageBuffers();
  readonly #options: OtlpHttpOptions;

  constructor(options: OtlpHttpOptions) {
    this.#options = options;
  }

  get address(): string | null {
    return this.#address;
  }

  async start(consume: Consume): Promise<void> {
    if (this.#server !== null) return;
    const { config, telemetry, tls = null, certificateTimer } = this.#options;
    this.#isStopping = false;
    const intake = new Intake('http', consume, telemetry);
    const asksClients = tls?.caFile != null;
    const served =
      tls === null ? null : servedCertificate({ files: tls, listener: 'otlp_http', asksClients, telemetry, every: certificateTimer });
    const options = {
      headersTimeout: config.headersTimeoutMs,
      requestTimeout: config.requestTimeoutMs,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      noDelay: true,
    };
    const server = served === null ? createServer(options) : createSecureServer({ ...options, ...served.options });
    server.maxHeadersCount = MAX_HEADERS;
    server.maxConnections = config.maxConnections;
    server.on('request', (request, response) => void this.#exchange(intake, request, response));
    // A sender that asks first is refused before it has sent its body.
    server.on('checkContinue', (request, response) => void this.#exchange(intake, request, response));
    server.on('drop', () => intake.refused('too_many_connections'));
    server.on('clientError', (error, socket) => this.#breakOff(intake, error, socket));
    server.prependListener('tlsClientError', (_error: Error, socket: Duplex) => this.#unspoken.add(socket));
    this.#server = server;
    try {
      this.#address = await listen(server, config, 'OTLP/HTTP');
      if (server instanceof SecureServer) served?.serve(server);
      this.#served = served;
    } catch (error) {
      this.#server = null;
      throw error;
    }
  }

  async stop(graceMs: number): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    this.#address = null;
    this.#isStopping = true;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.#served?.stop();
    // Connections become idle one by one as their requests are answered.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_INTERVAL_MS);
    const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(cutOff);
  }

  /** Answers one request. Never rejects. */
  async #exchange(intake: Intake<Consume>, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const encoding = encodingOf(request.headers['content-type']);
    const { admission, limits } = this.#options;
    const lease = admission.lease();
    // Whatever becomes of the exchange, the response closes.
    response.once('close', () => lease.close());
    response.on('error', () => lease.close());
    const refuse = (refused: Refused): void => {
      intake.refused(refused.outcome);
      this.#respond(request, response, encoding, refused);
    };

    const compression = compressionOf(request.headers['content-encoding']);
    const length = Number(request.headers['content-length'] ?? Number.NaN);
    const early = this.#earlyRefusal(request, encoding, compression, length);
    if (early !== null || encoding === null || compression === null) return refuse(refusal(early ?? 'internal'));

    if (request.headers.expect !== undefined) response.writeContinue();
    const { socket } = request;
    this.#reading.add(socket);
    const body = await readBody(request, limits.maxRequestBytes, lease, this.#buffers);
    this.#reading.delete(socket);
    if ('refused' in body) {
      if (body.refused.outcome === 'aborted') intake.refused(this.#broken.get(socket) ?? 'aborted');
      else refuse(body.refused);
      return;
    }
    const inflated = inflate(compression, body.bytes, limits.maxRequestBytes, lease);
    const whole = inflated instanceof Promise ? await inflated : inflated;
    if ('refused' in whole) return refuse(whole.refused);
    const answer = intake.take(encoding, whole.bytes);
    this.#buffers.giveBack(body.bytes);
    this.#respond(request, response, encoding, answer instanceof Promise ? await answer : answer);
  }

  /** Something that is no request, or no longer: no HTTP, headers too long, too slow. */
  #breakOff(intake: Intake<Consume>, error: NodeJS.ErrnoException, socket: Duplex): void {
    // A sender that closes in the middle of a request is no longer there to be told anything.
    if (this.#unspoken.has(socket) || error.code === 'ECONNRESET' || error.code === 'HPE_INVALID_EOF_STATE' || !socket.writable) {
      socket.destroy();
      return;
    }
    const outcome = outcomeOf(error.code);
    // A request that is being read is counted once, where its reading ends.
    if (this.#reading.has(socket)) this.#broken.set(socket, outcome);
    else intake.refused(outcome);
    const { http } = OUTCOMES[outcome];
    socket.end(`HTTP/1.1 ${http} ${STATUS_CODES[http] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
  }

  /** What the request line and headers alone give reason to refuse. */
  #earlyRefusal(request: IncomingMessage, encoding: SpanEncoding | null, compression: Compression | null, length: number): Refusal | null {
    const { admission, limits, tokens = null } = this.#options;
    const path = request.url?.split('?', 1)[0];
    if (path !== HTTP_PATH) return 'not_found';
    if (request.method !== 'POST') return 'method';
    const { authorization } = request.headers;
    if (tokens !== null && !tokens.admits(authorization, 'http', request.socket.remoteAddress)) return 'unauthenticated';
    if (admission.isDraining || this.#isStopping) return 'draining';
    if (encoding === null) return 'unsupported_type';
    if (compression === null) return 'unsupported_encoding';
    if (length > limits.maxRequestBytes) return 'too_large';
    return admission.hasRoom(Number.isNaN(length) ? 1 : length) ? null : 'overloaded';
  }

  #respond(request: IncomingMessage, response: ServerResponse, encoding: SpanEncoding | null, answer: Taken | Refused): void {
    const { status, headers, body } = httpAnswer(answer, encoding, this.#options.limits.retryAfterMs);
    // Node closes a connection marked so at once, even in the middle of a body, and the answer would be lost to a reset.
    const isLast = this.#isStopping || this.#served?.isOutdated(request.socket) === true;
    if (isLast && request.complete) headers.connection = 'close';
    response.writeHead(status, headers);
    response.end(body);
    if (!request.complete) discardBody(request);
  }
}

function outcomeOf(code: string | undefined): Refusal {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'timeout';
    case 'HPE_HEADER_OVERFLOW':
      return 'headers_too_large';
    default:
      return 'malformed';
  }
}
