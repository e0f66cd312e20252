/** Where Kafka is and what of it is read and written, as the process file has it. */
import { z } from 'zod';
import { bytes, count, duration, scalar, secretReference, section } from './fields.ts';
import { SASL_MECHANISMS } from './kafka-config.ts';
import { Complaint } from './quantity.ts';
import { readTopicPattern, TOPIC_EXPECTED, TOPIC_NAME } from './topic-pattern.ts';

const MIB = 2 ** 20;

const file = z.string().min(1).max(4096).optional();
const topic = (name: string) => z.string().regex(TOPIC_NAME, TOPIC_EXPECTED).prefault(name);
/** kafkajs and Kafka's own tools break on control characters; longer ones say nothing more. */
const group = (name: string) =>
  z
    .string()
    .regex(/^[\x21-\x7e]{1,249}$/, 'visible characters, at most 249')
    .prefault(name);

export const kafkaReceiver = section('OTLP in Kafka, as the `kafka` exporter of an OpenTelemetry Collector writes it. Needs `kafka`.', {
  enabled: z
    .boolean()
    .prefault(false)
    .describe('True reads spans from Kafka. Use it where Collectors write there anyway, or to scale out.'),
  topics: z
    .array(scalar({ type: 'string', pattern: '^\\^.*$|^[A-Za-z0-9._-]+$' }, readTopic))
    .min(1)
    .max(1000)
    .prefault(['otlp_spans'])
    .describe(
      'Names of topics; or one pattern, which begins with `^` and whole names must match, for topics that come and go. A process of role `all` must get all partitions.',
    ),
  group: group('slipstream').describe(
    'Consumer group of a process of role `all`. Use another for each process that is to read everything; of two that share one, each gets a part and neither decides.',
  ),
  encoding: z
    .enum(['otlp_proto', 'otlp_json'])
    .prefault('otlp_proto')
    .describe('How requests are written in records. Use what the exporter has.'),
  from: z
    .enum(['earliest', 'latest'])
    .prefault('latest')
    .describe('Where to begin in a partition that was never read. Use `earliest` to take what is there already.'),
  maxPartitionFetch: bytes(MIB / 1024, 128 * MIB, '1KiB to 128MiB')
    .prefault('1MiB')
    .describe('Bytes fetched of one partition at once; a larger record still comes. Use more on links with long delays.'),
});

export const kafka = section('Kafka, where a receiver or several members need it.', {
  brokers: z
    .array(scalar({ type: 'string', pattern: '^[A-Za-z0-9._-]+:[0-9]+$' }, readBroker))
    .max(100)
    .prefault([])
    .describe('Brokers to ask first, as `host:port`; the others are learnt from them. Empty: no Kafka.'),
  clientId: group('slipstream').describe('How brokers name us in logs and quotas.'),
  tls: z
    .strictObject({
      caFile: file.describe(
        'Certificates (PEM) that brokers are checked with, relative to this file. Left out: those that Node.js trusts. Read at start.',
      ),
      certFile: file.describe('Our own certificate (PEM), where brokers ask for one. Together with `keyFile`.'),
      keyFile: file.describe('Its private key (PEM).'),
      serverName: z
        .string()
        .min(1)
        .max(253)
        .optional()
        .describe(
          'Name that certificates of brokers must have. Left out: the host of the broker. Use it when brokers are reached by address.',
        ),
    })
    .optional()
    .describe(
      'Speaks TLS to the brokers; `tls: {}` is enough where their certificates are of a known authority. Left out: no TLS. Use it wherever they are not on this machine.',
    ),
  sasl: z
    .strictObject({
      mechanism: z.enum(SASL_MECHANISMS).describe('How the password is shown to be known.'),
      username: z.string().min(1).max(256).describe('Who we are.'),
      password: secretReference.describe('Its password.'),
    })
    .optional()
    .describe('User and password, where brokers ask for them. Left out: none.'),
  insecureNonLoopback: z
    .boolean()
    .prefault(false)
    .describe(
      'True speaks without TLS to brokers on other machines: spans and passwords can be read, and both can be forged. Use it only where the network keeps strangers out.',
    ),
  sessionTimeout: duration({ min: '6s', max: '5m' })
    .prefault('10s')
    .describe('A member that is silent for so long is replaced. Use more where machines are overloaded; brokers set limits of their own.'),
  waitForSource: duration({ min: '1s', max: '1d' })
    .prefault('2m')
    .describe(
      'Nothing is decided beyond what a partition or member that lags has told, for so long; then judging goes on without it and says so.',
    ),
  flush: duration({ min: '50ms', max: '1m' })
    .prefault('1s')
    .describe('How often members of role `ingest` send what they counted. Use more for fewer records, at the price of later verdicts.'),
  createTopics: z
    .boolean()
    .prefault(true)
    .describe('True creates missing topics of `topics`. Use false where others do; then they must be as the README says.'),
  partitions: count(1, 10_000)
    .prefault(32)
    .describe('Partitions of topics that are created: so many members of role `evaluate` have work. It cannot be changed later.'),
  replicationFactor: z
    .int()
    .min(-1)
    .max(32_767)
    .refine((factor) => factor !== 0, { error: 'nothing would be kept', abort: true })
    .prefault(-1)
    .describe('Copies of topics that are created. -1: as the brokers have it.'),
  topics: section('Topics that members of roles `ingest` and `evaluate` share.', {
    deltas: topic('slipstream.deltas').describe('What was counted, by service.'),
    state: topic('slipstream.state').describe('State of judging; compacted.'),
    control: topic('slipstream.control').describe('Who judges what, and rollbacks of all members; compacted.'),
    quarantine: topic('slipstream.quarantine').describe('Records that could not be read.'),
  }),
  groups: section('Consumer groups of the roles.', {
    ingest: group('slipstream-ingest').describe('Of members of role `ingest`.'),
    evaluate: group('slipstream-evaluate').describe('Of members of role `evaluate`.'),
  }),
});

function readTopic(value: unknown): string | RegExp | Complaint {
  if (typeof value !== 'string') return new Complaint('not the name of a topic', TOPIC_EXPECTED);
  if (value.startsWith('^')) return readTopicPattern(value);
  return TOPIC_NAME.test(value) ? value : new Complaint('not the name of a topic', `${TOPIC_EXPECTED}; a pattern begins with \`^\``);
}

function readBroker(value: unknown): string | Complaint {
  const expected = '`host:port`, such as kafka-0.example.com:9092';
  if (typeof value !== 'string' || value.length > 260) return new Complaint('not a broker', expected);
  const [, host = '', port] = /^([A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(value) ?? [];
  if (host === '') return new Complaint(value.includes('//') ? 'a broker is no URL' : 'not a broker', expected);
  if (port === undefined) return new Complaint('the port is missing', expected, `${host}:9092`);
  return Number(port) >= 1 && Number(port) <= 65_535 ? value : new Complaint('there is no such port', expected);
}
