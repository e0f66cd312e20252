/** Where Kafka is and what of it is ours. */
import type { DurationMs } from '../model/time.ts';
import type { Secret } from './secret.ts';

export const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

export interface KafkaConnection {
  /** `host:port`, at least one. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** PEM texts; undefined where not configured. Null: no TLS. */
  readonly tls: {
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: Secret | undefined;
    readonly serverName: string | undefined;
  } | null;
  readonly sasl: { readonly mechanism: (typeof SASL_MECHANISMS)[number]; readonly username: string; readonly password: Secret } | null;
}

export interface KafkaConfig extends KafkaConnection {
  /** A member that is silent for this long is replaced. */
  readonly sessionTimeoutMs: DurationMs;
  /** Topics and groups of several members (roles `ingest` and `evaluate`). */
  readonly topics: { readonly deltas: string; readonly state: string; readonly control: string; readonly quarantine: string };
  readonly groups: { readonly ingest: string; readonly evaluate: string };
  /** Missing topics are created, with so many partitions and replicas (-1: as the broker has it). */
  readonly createTopics: boolean;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** How often members of role `ingest` send what they counted. */
  readonly flushMs: DurationMs;
  /** Judging waits so long for a partition or a member that lags or is not heard, before it goes on without. */
  readonly waitForSourceMs: DurationMs;
}

/** Spans from Kafka. */
export interface KafkaReceiverConfig {
  /** Names, or one pattern that whole names must match. */
  readonly topics: readonly string[] | RegExp;
  /** Of a process of role `all`; members of role `ingest` use that of `KafkaConfig.groups`. */
  readonly group: string;
  readonly encoding: 'otlp_proto' | 'otlp_json';
  /** Where to begin in a partition that was never read. */
  readonly from: 'earliest' | 'latest';
  readonly maxBytesPerPartition: number;
}
