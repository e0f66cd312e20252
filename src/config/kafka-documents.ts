/** Turns what a process document says of Kafka into what the rooms see, and checks what its schema cannot. */
import { resolve } from 'node:path';
import type { KafkaConfig, KafkaReceiverConfig } from './kafka-config.ts';
import type { Finding, Problem, YamlPath } from './problem.ts';
import type { ProcessDocument } from './process-schema.ts';
import { Secret } from './secret.ts';
import type { ReadSecret } from './sink-documents.ts';
import { readText } from './source-files.ts';
import type { SourceDocument } from './yaml-source.ts';

/** Where relative files start; null leaves files unread. */
type Base = string | null;

/** Null where no broker is named. */
export function kafkaConfig(
  source: SourceDocument,
  { kafka }: ProcessDocument,
  base: Base,
  secret: ReadSecret,
  problems: Problem[],
): KafkaConfig | null {
  if (kafka.brokers.length === 0) return null;
  const pem = (name: 'caFile' | 'certFile' | 'keyFile'): string | undefined => {
    const named = kafka.tls?.[name];
    if (named === undefined || base === null) return undefined;
    const { text, finding } = readText(resolve(base, named));
    const wrong = finding ?? (/-----BEGIN [A-Z0-9 ]+-----/.test(text ?? '') ? null : { message: 'no PEM in this file' });
    if (wrong !== null) problems.push(source.problem(['kafka', 'tls', name], { ...wrong, message: `the file: ${wrong.message}` }));
    return text ?? undefined;
  };
  const { tls, sasl } = kafka;
  const key = pem('keyFile');
  return {
    brokers: kafka.brokers,
    clientId: kafka.clientId,
    tls:
      tls === undefined
        ? null
        : { ca: pem('caFile'), cert: pem('certFile'), key: key === undefined ? undefined : new Secret(key), serverName: tls.serverName },
    sasl:
      sasl === undefined
        ? null
        : {
            mechanism: sasl.mechanism,
            username: sasl.username,
            password: secret(sasl.password, ['kafka', 'sasl', 'password'], () => null),
          },
    sessionTimeoutMs: kafka.sessionTimeout,
    topics: kafka.topics,
    groups: kafka.groups,
    createTopics: kafka.createTopics,
    partitions: kafka.partitions,
    replicationFactor: kafka.replicationFactor,
    flushMs: kafka.flush,
    waitForSourceMs: kafka.waitForSource,
  };
}

/** Null where it is switched off. */
export function kafkaReceiverConfig({ receivers }: ProcessDocument): KafkaReceiverConfig | null {
  const { enabled, topics, group, encoding, from, maxPartitionFetch } = receivers.kafka;
  if (!enabled) return null;
  const pattern = topics.find((topic) => topic instanceof RegExp);
  const names = [...new Set(topics.filter((topic) => typeof topic === 'string'))];
  return { topics: pattern ?? names, group, encoding, from, maxBytesPerPartition: maxPartitionFetch };
}

const PLAIN_EXPECTED = '`tls: {}`, brokers on this machine, or `insecureNonLoopback: true` where the network keeps strangers out';

export function checkKafka(
  source: SourceDocument,
  { kafka, receivers }: ProcessDocument,
  isLoopback: (host: string) => boolean,
  problems: Problem[],
): void {
  const say = (path: YamlPath, finding: Finding): void => void problems.push(source.problem(path, finding));
  if (receivers.kafka.enabled && kafka.brokers.length === 0) {
    say(['receivers', 'kafka', 'enabled'], { message: 'no broker to read from is named', expected: '`kafka: { brokers: [host:port] }`' });
  }
  for (const [index, topic] of receivers.kafka.topics.entries()) {
    if (topic instanceof RegExp && receivers.kafka.topics.length > 1)
      say(['receivers', 'kafka', 'topics', index], {
        message: 'a pattern stands alone',
        expected: 'names, or one pattern such as ^(a|b)$',
      });
  }
  const own = Object.entries(kafka.topics);
  for (const [index, [role, name]] of own.entries()) {
    const other = own.slice(0, index).find(([, named]) => named === name)?.[0];
    if (other !== undefined) say(['kafka', 'topics', role], { message: `\`${other}\` has this topic already` });
    const isRead = receivers.kafka.topics.some((topic) => (typeof topic === 'string' ? topic === name : topic.test(name)));
    if (receivers.kafka.enabled && isRead) say(['kafka', 'topics', role], { message: `spans are read from \`${name}\`, too` });
  }
  if (kafka.groups.ingest === kafka.groups.evaluate)
    say(['kafka', 'groups', 'evaluate'], { message: 'both roles cannot be one group', expected: 'a group for each' });
  const { tls, sasl } = kafka;
  if ((tls?.certFile === undefined) !== (tls?.keyFile === undefined))
    say(['kafka', 'tls'], { message: '`certFile` and `keyFile` go together' });
  if (tls !== undefined || kafka.insecureNonLoopback) return;
  for (const [index, broker] of kafka.brokers.entries()) {
    if (isLoopback(broker.replace(/:\d+$/, ''))) continue;
    const message = sasl === undefined ? 'nothing protects what goes to this broker' : 'the password would go to this broker without TLS';
    say(['kafka', 'brokers', index], { message, expected: PLAIN_EXPECTED });
  }
}
