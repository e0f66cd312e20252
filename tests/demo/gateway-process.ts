/** Stands where a Collector with the Kafka exporter stands: takes OTLP/gRPC and writes each request, as it came, into the topic of spans. */
import kafkajs from 'kafkajs';
import { kafkaClient } from '../../src/kafka/kafka-client.ts';
import { Admission } from '../../src/receivers/admission.ts';
import { OtlpGrpcReceiver } from '../../src/receivers/otlp-grpc.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

export type GatewayReport = { readonly kind: 'listening'; readonly url: string };

const SPAN_PARTITIONS = 6;
const LINGER_MS = 50;

const [address = '', topic = ''] = process.argv.slice(2);
const telemetry = new MemoryTelemetry();
const client = kafkaClient({ brokers: [address], clientId: 'gateway', tls: null, sasl: null }, telemetry);
const admin = client.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic, numPartitions: SPAN_PARTITIONS, replicationFactor: 1 }] });
await admin.disconnect();
const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
await producer.connect();

let waiting: { readonly value: Buffer }[] = [];
setInterval(() => {
  if (waiting.length === 0) return;
  const messages = waiting;
  waiting = [];
  void producer.send({ topic, messages });
}, LINGER_MS);

const limits = { maxRequestBytes: 16 * 2 ** 20, retryAfterMs: 1000 };
const listen = {
  host: '127.0.0.1',
  port: 0,
  maxConcurrentStreams: 256,
  maxConnections: 64,
  maxSessionMemoryMiB: 64,
  maxConnectionAgeMs: 0,
};
const receiver = new OtlpGrpcReceiver({ config: listen, limits, admission: new Admission(64 * 2 ** 20, telemetry), telemetry });
await receiver.start((_encoding, bytes) => {
  waiting.push({ value: Buffer.from(bytes) });
  return { kind: 'accepted', accepted: 0, rejected: 0, message: '' };
});
const end = (): void => process.exit(0);
process.on('SIGTERM', end);
process.on('disconnect', end);
process.send?.({ kind: 'listening', url: `http://${receiver.address}` } satisfies GatewayReport);
