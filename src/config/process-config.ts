/** Turns a valid process document into the parts of `Config`, and checks what its schema cannot. */
import { dirname } from 'node:path';
import type { SpanRules, StatusTreatment } from '../model/span-rules.ts';
import type { Config, ReceiversConfig } from './config.ts';
import type { SecretReference } from './fields.ts';
import { checkKafka, kafkaConfig, kafkaReceiverConfig } from './kafka-documents.ts';
import { nearestName } from './nearest-name.ts';
import type { Problem, YamlPath } from './problem.ts';
import { GRPC_STATUS_NAMES, type ProcessDocument } from './process-schema.ts';
import { Complaint } from './quantity.ts';
import { type Environment, readSecret, tokenComplaint, tokensComplaint, tokensOf } from './read-secret.ts';
import { Secret } from './secret.ts';
import { checkSinks, checkWatches, escalationConfig, kubernetesConfig, sinkConfig, watchConfigs } from './sink-documents.ts';
import { tlsFiles } from './tls-schema.ts';
import { heartbeatUrlComplaint } from './watchdog-schema.ts';
import type { SourceDocument } from './yaml-source.ts';

const MIB = 2 ** 20;

/** All of `Config` that comes from the process file. */
export type ProcessConfig = Omit<Config, 'policies' | 'files' | 'spans'> & { readonly spans: Omit<SpanRules, 'exclude' | 'events'> };

/** `env` null leaves secrets unread and unchecked: for validation on a machine that does not have them. */
export function processConfig(
  source: SourceDocument,
  document: ProcessDocument,
  env: Environment | null,
  problems: Problem[],
): ProcessConfig {
  checkListening(source, document, problems);
  checkSinks(source, document, problems);
  checkWatches(source, document, problems);
  checkKafka(source, document, isLoopback, problems);
  const secret = (reference: SecretReference, path: YamlPath, judge: (secret: Secret) => Complaint | null): Secret => {
    if (env === null) return new Secret('');
    const read = readSecret(reference, dirname(source.file), env);
    const complaint = read instanceof Complaint ? read : judge(read);
    if (complaint !== null) problems.push(source.problem(path, complaint));
    return read instanceof Complaint ? new Secret('') : read;
  };
  const { api, state, series, telemetry, histogram, receivers, watchdog } = document;
  const base = dirname(source.file);
  return {
    receivers: {
      ...receiversConfig(document),
      tls: tlsFiles(receivers.tls, base),
      tokens: receivers.token === undefined ? null : tokensOf(secret(receivers.token, ['receivers', 'token'], tokensComplaint)),
    },
    kafka: kafkaConfig(source, document, env === null ? null : dirname(source.file), secret, problems),
    api: {
      host: api.host,
      port: api.port,
      publicUrl: api.publicUrl ?? null,
      token: api.token === undefined ? null : secret(api.token, ['api', 'token'], tokenComplaint),
      advertisedUrl: api.advertisedUrl ?? null,
      tls: tlsFiles(api.tls, base),
    } satisfies Config['api'],
    state: { directory: state.enabled ? state.directory : null, checkpointIntervalMs: state.checkpointInterval },
    histogram: { digits: histogram.digits, highestUs: Math.floor(histogram.highest * 1000) },
    series,
    spans: spanRules(source, document, problems),
    sinks: document.sinks.map((sink, index) => sinkConfig(sink, ['sinks', index], secret)),
    killSwitchFile: document.killSwitchFile ?? null,
    escalation: escalationConfig(document),
    kubernetes: kubernetesConfig(document),
    watches: watchConfigs(document),
    watchdog: !watchdog.enabled
      ? null
      : {
          intervalMs: watchdog.interval,
          heartbeatUrl:
            watchdog.heartbeatUrl === undefined ? null : secret(watchdog.heartbeatUrl, ['watchdog', 'heartbeatUrl'], heartbeatUrlComplaint),
        },
    telemetry,
  };
}

function receiversConfig(document: ProcessDocument): Omit<ReceiversConfig, 'tls' | 'tokens'> {
  const { receivers } = document;
  const { otlpGrpc, otlpHttp } = receivers;
  return {
    otlpGrpc: otlpGrpc.enabled
      ? {
          host: otlpGrpc.host,
          port: otlpGrpc.port,
          maxConcurrentStreams: otlpGrpc.maxConcurrentStreams,
          maxConnections: otlpGrpc.maxConnections,
          maxSessionMemoryMiB: Math.ceil(otlpGrpc.maxSessionMemory / MIB),
          maxConnectionAgeMs: otlpGrpc.maxConnectionAge,
        }
      : null,
    otlpHttp: otlpHttp.enabled
      ? {
          host: otlpHttp.host,
          port: otlpHttp.port,
          maxConnections: otlpHttp.maxConnections,
          headersTimeoutMs: otlpHttp.headersTimeout,
          requestTimeoutMs: otlpHttp.requestTimeout,
        }
      : null,
    kafka: kafkaReceiverConfig(document),
    maxRequestBytes: receivers.maxRequest,
    maxInFlightBytes: receivers.maxInFlight,
    retryAfterMs: receivers.retryAfter,
  };
}

/** Source: semantic conventions, resource: a pod keeps its name when its process is started again, which makes a new instance id. */
const INSTANCE_BY = ['k8s.pod.name', 'service.instance.id'];

function spanRules(source: SourceDocument, { spans }: ProcessDocument, problems: Problem[]): Omit<SpanRules, 'exclude' | 'events'> {
  const statusTreatment = new Map<string, StatusTreatment>(Object.entries(spans.statusTreatment));
  for (const status of statusTreatment.keys()) {
    if (/^[1-5]\d\d$/.test(status) || GRPC_STATUS_NAMES.includes(status)) continue;
    const suggestion = nearestName(status, GRPC_STATUS_NAMES);
    const finding = {
      message: 'this is no status',
      expected: 'an HTTP status code (429) or the name of a gRPC status (CANCELLED)',
      suggestion,
    };
    problems.push(source.problem(['spans', 'statusTreatment', status], finding, 'key'));
  }
  return {
    kinds: spans.kinds,
    entryOnly: spans.entryOnly,
    releaseBy: spans.releaseBy,
    instanceBy: INSTANCE_BY,
    statusTreatment,
    maxSkewMs: spans.maxSkew,
    maxAgeMs: spans.maxAge,
    maxDurationMs: spans.maxDuration,
    limits: spans.limits,
  };
}

function checkListening(source: SourceDocument, { receivers, api }: ProcessDocument, problems: Problem[]): void {
  const flag = 'a loopback address such as 127.0.0.1, or `insecureNonLoopback: true` where the network keeps strangers out';
  const areSendersKnown = receivers.insecureNonLoopback || receivers.token !== undefined || receivers.tls?.clientCaFile !== undefined;
  const listeners = [
    {
      path: ['receivers', 'otlpGrpc'],
      listen: receivers.otlpGrpc,
      isOpen: receivers.otlpGrpc.enabled,
      allowed: areSendersKnown,
    },
    {
      path: ['receivers', 'otlpHttp'],
      listen: receivers.otlpHttp,
      isOpen: receivers.otlpHttp.enabled,
      allowed: areSendersKnown,
    },
    { path: ['api'], listen: api, isOpen: true, allowed: api.insecureNonLoopback || api.token !== undefined },
  ];
  const taken = new Set<number>();
  for (const { path, listen, isOpen, allowed } of listeners) {
    if (!isOpen) continue;
    if (!allowed && !isLoopback(listen.host)) {
      const message =
        path[0] === 'api'
          ? 'others can reach this address, and no token is asked of them'
          : 'others can reach this address, and nothing is asked of them';
      problems.push(
        source.problem([...path, 'host'], {
          message,
          expected: `${path[0] === 'api' ? 'a `token`' : '`receivers.token`, `receivers.tls.clientCaFile`'}, ${flag}`,
        }),
      );
    }
    if (listen.port !== 0 && taken.has(listen.port))
      problems.push(source.problem([...path, 'port'], { message: `port ${listen.port} is taken by another listener here` }));
    taken.add(listen.port);
  }
  if (receivers.maxInFlight < receivers.maxRequest) {
    const finding = { message: 'less than one request of the largest size', expected: 'at least `maxRequest`' };
    problems.push(source.problem(['receivers', 'maxInFlight'], finding));
  }
}

/** Only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?)$/i.test(host);
}
