/** Receives OTLP over gRPC: `TraceService/Export`, the message handed on as raw bytes. */
import { createServer, type Socket, type Server as SocketServer } from 'node:net';
import { createServer as createSecureServer, Server as SecureServer, type TLSSocket } from 'node:tls';
import { Server, ServerCredentials, type ServiceDefinition, type sendUnaryData } from '@grpc/grpc-js';
import type { OtlpGrpcConfig, ReceiversConfig, TlsFiles } from '../config/config.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type CertificateTimer, type ServedCertificate, servedCertificate } from '../tls/served-certificate.ts';
import type { Admission } from './admission.ts';
import { grpcCallGuard } from './grpc-call-guard.ts';
import { grpcStatus } from './grpc-status.ts';
import { Intake } from './intake.ts';
import { listen } from './listen.ts';
import { MessageBuffers } from './message-buffer.ts';
import { exportResponse } from './otlp-response.ts';
import type { Refused, Taken } from './outcome-table.ts';
import type { Consume, Receiver } from './receiver.ts';
import type { SenderTokens } from './sender-tokens.ts';

export const EXPORT_PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const TRACE_SERVICE: ServiceDefinition = {
  export: {
    path: EXPORT_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
};

/** A connection past its age may finish its calls for this long. */
const AGE_GRACE_MS = 30_000;
/**
 * Connections whose peer is gone, or never spoke HTTP/2, are found out by pinging them. Pings of clients are never counted against them:
 * grpc-js has no such limit, and Collectors ping every 10 s.
 */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
const ARRIVAL_TIMEOUT_MS = 30_000;

export interface OtlpGrpcOptions {
  readonly config: OtlpGrpcConfig;
  readonly limits: Pick<ReceiversConfig, 'maxRequestBytes' | 'retryAfterMs'>;
  readonly admission: Admission;
  readonly telemetry: Telemetry;
  /** Null or absent: no TLS. */
  readonly tls?: TlsFiles | null;
  /** When its files are looked at. */
  readonly certificateTimer?: CertificateTimer;
  /** Null or absent: nobody is asked who he is. */
  readonly tokens?: SenderTokens | null;
  /** How long one message may take to arrive; 30 s unless told. */
  readonly arrivalTimeoutMs?: number;
}

interface Running {
  readonly door: SocketServer;
  readonly open: Set<Socket>;
  readonly calls: Server;
  readonly served: ServedCertificate | null;
}

export class OtlpGrpcReceiver implements Receiver {
  #address: string | null = null;
  #isStopping = false;
  #running: Running | null = null;
  readonly #options: OtlpGrpcOptions;

  constructor(options: OtlpGrpcOptions) {
    this.#options = options;
  }

  get address(): string | null {
    return this.#address;
  }

  async start(consume: Consume): Promise<void> {
    if (this.#running !== null) return;
    const {
      config,
      limits,
      admission,
      telemetry,
      arrivalTimeoutMs = ARRIVAL_TIMEOUT_MS,
      tls = null,
      tokens = null,
      certificateTimer,
    } = this.#options;
    this.#isStopping = false;
    const asksClients = tls?.caFile != null;
    const served =
      tls === null ? null : servedCertificate({ files: tls, listener: 'otlp_grpc', asksClients, telemetry, every: certificateTimer });
    const intake = new Intake('grpc', consume, telemetry);
    const buffers = new MessageBuffers();
    const calls = new Server({
      'grpc.max_receive_message_length': limits.maxRequestBytes,
      'grpc.max_concurrent_streams': config.maxConcurrentStreams,
      'grpc-node.max_session_memory': config.maxSessionMemoryMiB,
      ...(config.maxConnectionAgeMs > 0 && {
        'grpc.max_connection_age_ms': config.maxConnectionAgeMs,
        'grpc.max_connection_age_grace_ms': AGE_GRACE_MS,
      }),
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.enable_channelz': 0,
      interceptors: [
        grpcCallGuard({
          ...{ ...limits, admission, intake, buffers, tokens, arrivalTimeoutMs },
          isStopping: () => this.#isStopping,
          isOutdated: (connection) => served?.isOutdated(connection) === true,
        }),
      ],
    });
    calls.addService(TRACE_SERVICE, {
      export: (call: { request: Buffer }, callback: sendUnaryData<Buffer>) => {
        const say = (answer: Taken | Refused): void => {
          if (answer.kind === 'taken') callback(null, exportResponse('protobuf', answer.rejected, answer.message));
          else callback(grpcStatus(answer, limits.retryAfterMs));
        };
        const answer = intake.take('protobuf', call.request);
        buffers.giveBack(call.request);
        if (answer instanceof Promise) void answer.then(say);
        else say(answer);
      },
    });
    // grpc-js limits no connections when it listens itself, so the sockets are accepted here and handed to it.
    const injector = calls.createConnectionInjector(ServerCredentials.createInsecure());
    const open = new Set<Socket>();
    const enter = (socket: Socket): void => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      socket.on('error', () => socket.destroy());
    };
    const inject = (socket: Socket): void => {
      enter(socket);
      injector.injectConnection(socket);
    };
    const injectSecure = (socket: TLSSocket): void => {
      if (socket.alpnProtocol === 'h2') {
        inject(socket);
        return;
      }
      telemetry.add('tls_handshake_failures_total', 1, { listener: 'otlp_grpc', reason: 'protocol' });
      socket.destroy();
    };
    // grpc-js is handed what TLS carries, so it need not know how certificates are renewed.
    const door =
      served === null
        ? createServer({ noDelay: true }, inject)
        : createSecureServer({ ...served.options, ALPNProtocols: ['h2'], noDelay: true }, injectSecure).on('connection', enter);
    door.maxConnections = config.maxConnections;
    door.on('drop', () => intake.refused('too_many_connections'));
    this.#running = { door, open, calls, served };
    try {
      this.#address = await listen(door, config, 'OTLP/gRPC');
      if (door instanceof SecureServer) served?.serve(door);
    } catch (error) {
      this.#running = null;
      calls.forceShutdown();
      throw error;
    }
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#running === null) return;
    const { door, open, calls, served } = this.#running;
    this.#running = null;
    this.#isStopping = true;
    this.#address = null;
    const closed = new Promise<void>((resolve) => door.close(() => resolve()));
    served?.stop();
    calls.tryShutdown(() => {});
    // Forcing grpc-js to shut down would still wait for the peer to close its end.
    const cutOff = setTimeout(() => {
      for (const socket of open) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(cutOff);
    calls.forceShutdown();
  }
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}
