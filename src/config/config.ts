/** The configuration of one process, as the rooms see it after parsing. */
import type { Policies } from '../model/policy.ts';
import type { SpanRules } from '../model/span-rules.ts';
import type { DurationMs } from '../model/time.ts';
import type { KafkaConfig, KafkaReceiverConfig } from './kafka-config.ts';
import type { Secret } from './secret.ts';
import type { EscalationConfig, KubernetesConfig, SinkConfig, WatchConfig } from './sink-config.ts';
import type { WatchdogConfig } from './watchdog-schema.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/** Absolute paths of what a listener speaks TLS with. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Of receivers: who signed the certificates that senders must show, null asks for none. Of the API: whom members trust, null as Node.js does. */
  readonly caFile: string | null;
}

export interface OtlpGrpcConfig extends ListenAddress {
  readonly maxConcurrentStreams: number;
  /** Connections of one receiver beyond which new ones are refused. */
  readonly maxConnections: number;
  /** HTTP/2 session memory in MiB. */
  readonly maxSessionMemoryMiB: number;
  /** Long-lived connections are asked to reconnect after this; 0 never. */
  readonly maxConnectionAgeMs: DurationMs;
}

export interface OtlpHttpConfig extends ListenAddress {
  readonly maxConnections: number;
  readonly headersTimeoutMs: DurationMs;
  readonly requestTimeoutMs: DurationMs;
}

export interface ReceiversConfig {
  readonly otlpGrpc: OtlpGrpcConfig | null;
  readonly otlpHttp: OtlpHttpConfig | null;
  readonly kafka: KafkaReceiverConfig | null;
  /** Size of one request after decompression. */
  readonly maxRequestBytes: number;
  /** Bytes of all requests in flight; beyond it the answer is "unavailable, try again". */
  readonly maxInFlightBytes: number;
  /** What a refused sender is told to wait. */
  readonly retryAfterMs: DurationMs;
  /** Of both receivers of OTLP; null: no TLS. */
  readonly tls: TlsFiles | null;
  /** Senders of OTLP present one of them; null: none is asked. */
  readonly tokens: readonly Secret[] | null;
}

export interface ApiConfig extends ListenAddress {
  /** By which people reach the API, without a slash at its end; null: not known. */
  readonly publicUrl: string | null;
  /** Bearer token for requests that change something; null: none is asked (loopback only). */
  readonly token: Secret | null;
  /** Null or absent: no TLS. */
  readonly tls?: TlsFiles | null;
}

export interface StateConfig {
  /** Folder of the state file; null keeps everything in memory. */
  readonly directory: string | null;
  readonly checkpointIntervalMs: DurationMs;
}

export interface Config {
  readonly receivers: ReceiversConfig;
  /** Null: no Kafka. */
  readonly kafka: KafkaConfig | null;
  /** `advertisedUrl`: by which other members reach the API; null: not known. */
  readonly api: ApiConfig & { readonly advertisedUrl: string | null };
  readonly state: StateConfig;
  readonly histogram: { readonly digits: number; readonly highestUs: number };
  readonly series: {
    readonly maxTotal: number;
    readonly maxReleasesPerService: number;
  };
  readonly spans: SpanRules;
  readonly sinks: readonly SinkConfig[];
  /** While it exists no rollback leaves; null: there is no such file to look for. */
  readonly killSwitchFile: string | null;
  readonly escalation: EscalationConfig;
  readonly kubernetes: KubernetesConfig;
  readonly watches: readonly WatchConfig[];
  /** Null: it is switched off. */
  readonly watchdog: WatchdogConfig | null;
  readonly telemetry: { readonly logLevel: 'debug' | 'info' | 'warn' | 'error' };
  readonly policies: Policies;
  /** Every file read, so that a reload can watch them. */
  readonly files: readonly string[];
}
