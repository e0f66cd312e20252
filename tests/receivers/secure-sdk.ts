/** Exporters of the OpenTelemetry SDK that speak TLS and say who they are. */
import { credentials, Metadata } from '@grpc/grpc-js';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { onTestFinished } from 'vitest';
import type { Transport } from '../../src/receivers/receiver.ts';
import type { SelfSigned } from '../support/self-signed.ts';

export type Kind = 'gRPC' | 'HTTP/protobuf' | 'HTTP/JSON';
export const KINDS: readonly Kind[] = ['gRPC', 'HTTP/protobuf', 'HTTP/JSON'];
export const TRANSPORT: Readonly<Record<Kind, Transport>> = { gRPC: 'grpc', 'HTTP/protobuf': 'http', 'HTTP/JSON': 'http' };

export interface Sender {
  /** PEM of whom it trusts; absent: it speaks no TLS. */
  readonly ca?: string;
  readonly own?: SelfSigned;
  readonly token?: string;
  /** Exporters over HTTP try again for so long when they cannot connect. */
  readonly timeoutMillis?: number;
  /** False opens a connection for each request. */
  readonly keepAlive?: boolean;
}

/** Shut down when the test ends. */
export function secureExporter(kind: Kind, address: string, { ca, own, token, keepAlive = true, timeoutMillis = 5000 }: Sender) {
  const scheme = ca === undefined ? 'http' : 'https';
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const http = { url: `${scheme}://${address}/v1/traces`, headers, timeoutMillis, httpAgentOptions: { ca, ...own, keepAlive } };
  const made = {
    gRPC: () => {
      const metadata = new Metadata();
      if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
      const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
      const secured =
        ca === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(ca), pem(own?.key), pem(own?.cert));
      // Node.js lets no address be the name of a server, which grpc-js would ask for.
      const at = address.replace('127.0.0.1', 'localhost');
      return new GrpcExporter({ url: `${scheme}://${at}`, credentials: secured, metadata, timeoutMillis });
    },
    'HTTP/protobuf': () => new ProtoExporter(http),
    'HTTP/JSON': () => new JsonExporter(http),
  }[kind]();
  onTestFinished(() => made.shutdown());
  return made;
}

/** One span by this name. */
export function spanNamed(name: string): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: memory })] });
  provider.getTracer('conformance').startSpan(name).end();
  return memory.getFinishedSpans();
}

/** True when the receiver took it; an error of the exporter otherwise. */
export function exported(exporter: ReturnType<typeof secureExporter>, spans: ReadableSpan[]): Promise<true | Error> {
  return new Promise((resolve) =>
    exporter.export(spans, ({ code, error }) => resolve(code === 0 ? true : (error ?? new Error('refused')))),
  );
}
