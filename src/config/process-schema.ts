/** The file of one process: where spans come in, where signals go, what is kept, which SLO files are read. */
import { z } from 'zod';
import { SPAN_KINDS } from '../model/span-rules.ts';
import { bytes, count, duration, scalar, secretReference, section } from './fields.ts';
import { kafka, kafkaReceiver } from './kafka-schema.ts';
import { kubernetes, watches } from './kubernetes-schema.ts';
import { Complaint } from './quantity.ts';
import { escalation, sinks } from './sink-schema.ts';
import { apiTls, receiversTls } from './tls-schema.ts';
import { watchdog } from './watchdog-schema.ts';

const KIB = 2 ** 10;
const MIB = 2 ** 20;

const listen = (port: number, protocol: string) => ({
  host: z
    .string()
    .min(1)
    .max(253)
    .prefault('127.0.0.1')
    .describe('Address to listen on. Use `0.0.0.0` or `::` when spans come from other machines; then say so with `insecureNonLoopback`.'),
  port: count(0, 65535).prefault(port).describe(`TCP port for ${protocol}. 0 takes a free one. Use another when it is taken.`),
});

const receivers = section('Where spans come in.', {
  otlpGrpc: section('OTLP over gRPC.', {
    enabled: z.boolean().prefault(true).describe('False switches it off. Use it when every sender speaks HTTP.'),
    ...listen(4317, 'OTLP/gRPC'),
    maxConcurrentStreams: count(1, 100_000)
      .prefault(256)
      .describe('Requests in flight on one connection. Use more only when a single gateway sends everything.'),
    maxConnections: count(1, 100_000)
      .prefault(1024)
      .describe('Connections beyond which new ones are refused. Use more when every pod sends by itself.'),
    maxSessionMemory: bytes(MIB, 4096 * MIB, '1MiB to 4GiB')
      .prefault('128MiB')
      .describe('HTTP/2 memory of one connection, rounded up to MiB. Twice `maxRequest` is plenty; use more together with it.'),
    maxConnectionAge: duration({ max: '7d' })
      .prefault('0s')
      .describe(
        'Connections are asked to reconnect after this; 0s never. Use it (30m) behind a load balancer that spreads connections, not requests.',
      ),
  }),
  otlpHttp: section('OTLP over HTTP, protobuf and JSON.', {
    enabled: z.boolean().prefault(true).describe('False switches it off. Use it when every sender speaks gRPC.'),
    ...listen(4318, 'OTLP/HTTP'),
    maxConnections: count(1, 100_000)
      .prefault(1024)
      .describe('Connections beyond which new ones are refused. Use more when every pod sends by itself.'),
    headersTimeout: duration({ min: '100ms', max: '10m' })
      .prefault('10s')
      .describe('Time for the headers of a request. Use more for very slow links.'),
    requestTimeout: duration({ min: '1s', max: '1h' }).prefault('60s').describe('Time for a whole request. Use more for very slow links.'),
  }),
  kafka: kafkaReceiver,
  maxRequest: bytes(KIB, 1024 * MIB, '1KiB to 1GiB')
    .prefault('64MiB')
    .describe(
      'Size of one request after decompression (64 MiB is what OTLP recommends). Larger ones are refused for good. Use less on small machines.',
    ),
  maxInFlight: bytes(KIB, 16_384 * MIB, '1KiB to 16GiB')
    .prefault('256MiB')
    .describe('Size of all requests in flight; beyond it senders are told to try again. Use about a quarter of the memory.'),
  retryAfter: duration({ min: '100ms', max: '10m' })
    .prefault('1s')
    .describe('What a sender that was refused for lack of room is told to wait.'),
  tls: receiversTls,
  token: secretReference
    .optional()
    .describe(
      'Bearer token that senders of OTLP present, 16 characters or more; several, one a line, are all taken, so that it can be changed without losing a span. Left out: none is asked.',
    ),
  insecureNonLoopback: z
    .boolean()
    .prefault(false)
    .describe(
      'True accepts spans from other machines without asking who they are; not needed with `token` or `tls.clientCaFile`. Use it only where the network keeps strangers out.',
    ),
});

const api = section('HTTP API: status, rollouts, metrics, health.', {
  ...listen(8080, 'the API'),
  publicUrl: scalar({ type: 'string', format: 'uri', pattern: '^https?://' }, readPublicUrl)
    .optional()
    .describe('Address by which people reach this API, for links in signals and notices. Left out: they carry none.'),
  advertisedUrl: scalar({ type: 'string', format: 'uri', pattern: '^https?://' }, readPublicUrl)
    .optional()
    .describe(
      'Address by which other members reach this API, where several members share the work (roles `ingest` and `evaluate`). Use the address of the pod.',
    ),
  token: secretReference
    .optional()
    .describe(
      'Bearer token for requests that change something, 16 characters or more. Left out: none is asked. Use it whenever others can reach the port.',
    ),
  tls: apiTls,
  insecureNonLoopback: z
    .boolean()
    .prefault(false)
    .describe(
      'True lets anybody who reaches the port start and abort runs when there is no `token`. Use it only where the network keeps strangers out.',
    ),
});

const state = section('What survives a restart.', {
  enabled: z.boolean().prefault(true).describe('False keeps everything in memory: a restart forgets budgets and runs. Use it for trials.'),
  directory: z
    .string()
    .min(1)
    .max(4096)
    .prefault('./state')
    .describe('Folder of the state file, relative to the working directory. Use a persistent volume in a cluster.'),
  checkpointInterval: duration({ min: '100ms', max: '10m' })
    .prefault('5s')
    .describe('Time between two savings: what a crash may cost. Signals are always saved before they are sent. Use more on slow disks.'),
});

const histogram = section('How exactly latencies are kept. Objectives do not depend on it: their limits are counted exactly.', {
  digits: count(1, 3)
    .prefault(2)
    .describe('Significant digits of a latency: 2 is within 1 %. Use 1 to save memory, 3 for fine comparisons.'),
  highest: duration({ min: '1ms', max: '35m' })
    .prefault('60s')
    .describe('Latency above which all count as the same. Whole microseconds. Use more for services that take minutes.'),
});

const series = section('How many series (service × release × endpoint) are kept.', {
  maxTotal: count(1, 1_000_000)
    .prefault(20_000)
    .describe('Series of all services; more fall into `(other)`. Use less where memory is short, more for large fleets.'),
  maxReleasesPerService: count(2, 1000)
    .prefault(20)
    .describe('Releases of a service kept apart at a time. Use more where many versions live side by side.'),
});

const GRPC_STATUSES =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED';
export const GRPC_STATUS_NAMES: readonly string[] = GRPC_STATUSES.split(' ');

const spans = section('Which spans are requests, and how much a request may ask of the decoder.', {
  kinds: z
    .array(z.enum(SPAN_KINDS))
    .min(1)
    .prefault(['server', 'consumer'])
    .describe('Span kinds that are requests. Use `client` too only when you want to judge dependencies.'),
  entryOnly: z
    .boolean()
    .prefault(true)
    .describe('True counts a span only when its parent is in another process (where the span tells), so nested server spans count once.'),
  releaseBy: z
    .array(z.string().min(1).max(256))
    .min(1)
    .max(16)
    .prefault(['service.version', 'k8s.pod.label.rollouts-pod-template-hash', 'k8s.replicaset.name', 'k8s.deployment.name'])
    .describe('Resource attributes that make a release, most telling first: two spans are of one release when all are equal.'),
  statusTreatment: z
    .record(z.string(), z.enum(['bad', 'good', 'ignored']))
    .prefault({})
    .describe(
      'By HTTP status code or gRPC status name: counts as bad, as good, or not at all. Use it for 429, 499 or CANCELLED, which teams see differently.',
    ),
  maxSkew: duration({ max: '10m' })
    .prefault('5s')
    .describe('How far the end of a span may lie in the future. Use more where clocks are not synchronised.'),
  maxAge: duration({ min: '1m', max: '7d' })
    .prefault('1h')
    .describe('Spans that ended longer ago are not counted. Use more where senders buffer long.'),
  maxDuration: duration({ min: '1s', max: '30d' })
    .prefault('24h')
    .describe('Longer spans are counted without latency: their times are taken for errors.'),
  limits: section('Protection against hostile requests.', {
    spansPerRequest: count(1, 10_000_000).prefault(200_000).describe('Spans of one request; more are rejected and counted.'),
    attributesPerSpan: count(1, 100_000).prefault(1024).describe('Attributes of a span that are looked at.'),
    depth: count(1, 1000).prefault(32).describe('Nesting of attribute values.'),
    nameBytes: scalar({ type: 'string', pattern: '^[0-9]+(B|KiB)$' }, readNameBytes)
      .prefault('256B')
      .describe('Longer endpoint names are cut here.'),
  }),
});

function readPublicUrl(value: unknown): string | Complaint {
  const expected = 'an http or https address without a query, such as https://slipstream.example.com';
  if (typeof value !== 'string' || value.length > 1024 || !URL.canParse(value)) return new Complaint('not a URL', expected);
  const { protocol, username, password, search, hash } = new URL(value);
  const isPlain = /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '';
  return isPlain ? value.replace(/\/+$/, '') : new Complaint('not an address to put links under', expected);
}

function readNameBytes(value: unknown): number | Complaint {
  const expected = '16B to 4KiB';
  const match = /^(\d{1,4})(B|KiB)$/.exec(String(value));
  if (match === null) return new Complaint('not a size with its unit', expected, /^\d{1,4}$/.test(String(value)) ? `${value}B` : undefined);
  const size = Number(match[1]) * (match[2] === 'KiB' ? KIB : 1);
  return size < 16 || size > 4 * KIB ? new Complaint('out of range', expected) : size;
}

export const processSchema = z
  .strictObject({
    receivers,
    kafka,
    api,
    state,
    histogram,
    series,
    spans,
    sinks,
    killSwitchFile: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe(
        'File that holds all rollbacks while it exists, relative to the working directory. Use it to stop everything by `touch` when the API is out of reach.',
      ),
    escalation,
    kubernetes,
    watches,
    watchdog,
    telemetry: section('What Slipstream says about itself. Traces and metrics follow the `OTEL_*` variables.', {
      logLevel: z
        .enum(['debug', 'info', 'warn', 'error'])
        .prefault('info')
        .describe('Least important log lines to write. Use `debug` to follow single requests.'),
    }),
    slos: z
      .array(z.string().min(1).max(4096))
      .max(1000)
      .prefault([])
      .describe(
        'SLO files: paths, folders (with their subfolders) or globs, relative to this file. Empty: no objectives, releases are compared all the same.',
      ),
  })
  .describe('The configuration of one Slipstream process.');

export type ProcessDocument = z.output<typeof processSchema>;
