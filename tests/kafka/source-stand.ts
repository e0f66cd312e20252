/** The service as a process of its own that reads a topic of a real broker, and whoever writes there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kafka, Producer } from 'kafkajs';
import { kafkaClient } from '../../src/kafka/kafka-client.ts';
import { processDocument, SERVICE, shopDocument } from '../service/config.ts';
import { Running } from '../service/running.ts';
import { exportRequest, type Sent, type Stream } from '../service/traffic.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

const NO_OTLP = { otlpGrpc: { enabled: false }, otlpHttp: { enabled: false } };

export interface StandOptions {
  readonly address: string;
  readonly topic: string;
  readonly partitions: number;
  /** Of `receivers.kafka`. */
  readonly receiver?: object;
  /** Of `receivers`. */
  readonly receivers?: object;
  readonly kafka?: object;
  readonly spans?: object;
}

export class SourceStand implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'slipstream-source-'));
  readonly client: Kafka;
  readonly #options: StandOptions;
  readonly #producer: Producer;
  spans = 0;
  failed = 0;
  #next = 0;

  private constructor(options: StandOptions) {
    this.#options = options;
    this.client = kafkaClient({ brokers: [options.address], clientId: 'test', tls: null, sasl: null }, new MemoryTelemetry());
    this.#producer = this.client.producer({ idempotent: true, maxInFlightRequests: 1 });
  }

  /** Makes the topic. */
  static async make(options: StandOptions): Promise<SourceStand> {
    const stand = new SourceStand(options);
    await stand.#producer.connect();
    const admin = stand.client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: options.topic, numPartitions: options.partitions, replicationFactor: 1 }] });
    await admin.disconnect();
    return stand;
  }

  get config(): readonly object[] {
    const { address, topic, receiver, receivers, kafka, spans } = this.#options;
    const ours = { enabled: true, topics: [topic], group: topic, encoding: 'otlp_json', from: 'earliest', ...receiver };
    return [
      {
        ...processDocument({ receivers: { ...NO_OTLP, ...receivers, kafka: ours } }),
        spans: { releaseBy: ['service.version'], ...spans },
        kafka: { brokers: [address], sessionTimeout: '6s', ...kafka },
      },
      shopDocument(),
    ];
  }

  start(): Promise<Running> {
    return Running.start({ folder: this.folder, config: this.config });
  }

  /** Writes [fromMs, toMs), one record a second: to one partition after the other, now; or to the one that is named, as if it had been written then. */
  async send(fromMs: number, toMs: number, streams: readonly Stream[], partition: number | null = null): Promise<Sent> {
    let sent: Sent = { spans: 0, failed: 0 };
    for (let at = fromMs; at < toMs; at += 1_000) {
      const end = Math.min(at + 1_000, toMs);
      const { body, spans, failed } = exportRequest(at, end, streams);
      const value = Buffer.from(JSON.stringify(body));
      if (partition === null) await this.write(this.#next++ % this.#options.partitions, value);
      else await this.write(partition, value, end);
      sent = { spans: sent.spans + spans, failed: sent.failed + failed };
    }
    this.spans += sent.spans;
    this.failed += sent.failed;
    return sent;
  }

  /** `timestampMs`: when the record says that it was made. */
  async write(partition: number, value: Buffer | null, timestampMs = Date.now()): Promise<void> {
    await this.#producer.send({ topic: this.#options.topic, messages: [{ partition, value, timestamp: String(timestampMs) }] });
  }

  /** What an exact count of everything that was sent says. */
  get sent() {
    return { valid: this.spans, good: this.spans - this.failed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.disconnect();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Valid and good requests behind the availability of the shop. */
export async function counted(running: Running): Promise<{ valid: number; good: number }> {
  const { services } = await running.state();
  const evidence = services.find(({ service }) => service === SERVICE)?.objectives[0]?.judgement.evidence;
  return evidence?.kind === 'objective' ? { valid: evidence.valid, good: evidence.good } : { valid: 0, good: 0 };
}
