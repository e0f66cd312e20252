/** The door to Kafka: kafkajs made fit for us. Everything else in this room is built on it. */
import { createRequire } from 'node:module';
import kafkajs, { type Kafka, type KafkaConfig as KafkaJsConfig, type LogEntry, logLevel } from 'kafkajs';
import type { KafkaConnection } from '../config/kafka-config.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { mendAbortedRecords } from './aborted-records.ts';
import { registerCodecs } from './codecs.ts';

/** Back within a second once the broker is, and never given up: with kafkajs' five retries a consumer crashes instead. */
export const PATIENT = { initialRetryTime: 50, maxRetryTime: 1000, retries: 1_000_000, multiplier: 2, factor: 0.2 } as const;
/** For what somebody waits for: about ten seconds in all. */
export const BRIEF = { initialRetryTime: 50, maxRetryTime: 1000, retries: 12, multiplier: 2, factor: 0.2 } as const;

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 20_000;

/** A client of the configured brokers. Reads certificate files at once; throws what reading them throws. */
export function kafkaClient(connection: KafkaConnection, telemetry: Telemetry, retry: KafkaJsConfig['retry'] = PATIENT): Kafka {
  registerCodecs();
  stopIdleTimers();
  mendAbortedRecords();
  const { brokers, clientId, tls, sasl } = connection;
  return new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    ...(tls !== null && { ssl: { ca: tls.ca, cert: tls.cert, key: tls.key?.reveal(), servername: tls.serverName, minVersion: 'TLSv1.2' } }),
    ...(sasl !== null && { sasl: { mechanism: sasl.mechanism, username: sasl.username, password: sasl.password.reveal() } }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    enforceRequestTimeout: true,
    retry,
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => tell(entry, telemetry),
  } as KafkaJsConfig);
}

/** kafkajs calls errors what it mends itself by trying again: they are debugging of ours, and what needs a person is said by whoever uses it. */
function tell({ namespace, log }: LogEntry, telemetry: Telemetry): void {
  const { message, error, broker, groupId } = log as { message: string; error?: unknown; broker?: unknown; groupId?: unknown };
  telemetry.log.debug({ namespace, said: message, error, broker, groupId }, 'kafkajs');
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

let isMended = false;

/** kafkajs 2.2.4 re-arms a timer of 1 ms on every connection for ever (its issue 1604); it is needed only while something waits. */
function stopIdleTimers(): void {
  if (isMended) return;
  isMended = true;
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
  const arm = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) arm.call(this);
  };
}
