/** Sets up one receiver with what it needs, for the tests of this room. */
import { onTestFinished } from 'vitest';
import type { OtlpGrpcConfig, OtlpHttpConfig, TlsFiles } from '../../src/config/config.ts';
import { Secret } from '../../src/config/secret.ts';
import { Admission } from '../../src/receivers/admission.ts';
import { OtlpGrpcReceiver } from '../../src/receivers/otlp-grpc.ts';
import { OtlpHttpReceiver } from '../../src/receivers/otlp-http.ts';
import type { Consume, ConsumeOutcome, Receiver, SpanEncoding, Transport } from '../../src/receivers/receiver.ts';
import { SenderTokens } from '../../src/receivers/sender-tokens.ts';
import type { CertificateTimer } from '../../src/tls/served-certificate.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

export interface StandOptions {
  readonly host?: string;
  readonly port?: number;
  readonly maxRequestBytes?: number;
  readonly maxInFlightBytes?: number;
  readonly retryAfterMs?: number;
  readonly grpc?: Partial<OtlpGrpcConfig>;
  readonly http?: Partial<OtlpHttpConfig>;
  readonly arrivalTimeoutMs?: number;
  readonly tls?: TlsFiles;
  readonly tokens?: readonly string[];
}

export interface Stand {
  readonly receiver: Receiver;
  readonly admission: Admission;
  readonly telemetry: MemoryTelemetry;
  readonly tokens: SenderTokens;
  /** Looks at the files of TLS now. */
  renewCertificate(): void;
}

export const ACCEPTED: ConsumeOutcome = { kind: 'accepted', accepted: 1, rejected: 0, message: '' };

/** A receiver that is not started yet; it is stopped when the test ends. */
export function stand(transport: Transport, options: StandOptions = {}): Stand {
  const telemetry = new MemoryTelemetry();
  const admission = new Admission(options.maxInFlightBytes ?? 256 * 1024 * 1024, telemetry);
  const limits = { maxRequestBytes: options.maxRequestBytes ?? 64 * 1024 * 1024, retryAfterMs: options.retryAfterMs ?? 1000 };
  const tokens = new SenderTokens(options.tokens?.map((token) => new Secret(token)) ?? null, telemetry);
  let look = (): void => {};
  const certificateTimer: CertificateTimer = (act) => {
    look = act;
    return () => {};
  };
  const shared = { limits, admission, telemetry, tls: options.tls ?? null, tokens, certificateTimer };
  const address = { host: options.host ?? '127.0.0.1', port: options.port ?? 0 };
  const receiver =
    transport === 'grpc'
      ? new OtlpGrpcReceiver({
          config: {
            ...address,
            maxConcurrentStreams: 100,
            maxConnections: 100,
            maxSessionMemoryMiB: 64,
            maxConnectionAgeMs: 0,
            ...options.grpc,
          },
          ...shared,
          ...(options.arrivalTimeoutMs !== undefined && { arrivalTimeoutMs: options.arrivalTimeoutMs }),
        })
      : new OtlpHttpReceiver({
          config: { ...address, maxConnections: 100, headersTimeoutMs: 10_000, requestTimeoutMs: 30_000, ...options.http },
          ...shared,
        });
  onTestFinished(() => receiver.stop(0));
  return { receiver, admission, telemetry, tokens, renewCertificate: () => look() };
}

/** Starts it and returns its address. */
export async function started(stood: Stand, consume: Consume = () => ACCEPTED): Promise<string> {
  await stood.receiver.start(consume);
  return stood.receiver.address ?? '';
}

/** A consumer that answers from a script, then accepts, and remembers a copy of what it got. */
export function recorder(script: readonly ConsumeOutcome[] = []) {
  const requests: { readonly encoding: SpanEncoding; readonly bytes: Buffer }[] = [];
  const consume: Consume = (encoding, bytes) => {
    requests.push({ encoding, bytes: Buffer.from(bytes) });
    return script[requests.length - 1] ?? ACCEPTED;
  };
  return { requests, consume };
}

/** Resolves when `isTrue` says so, asking at every turn of the event loop. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
