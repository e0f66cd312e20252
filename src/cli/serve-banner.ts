/** What `serve` says once it runs: where spans come in, who is asked what, where the state is. */
import type { Config } from '../config/config.ts';
import type { RunningService } from '../service.ts';
import { DEFAULT_API_URL } from './api-client.ts';
import type { CliContext } from './context.ts';

/** What a process does of the work. */
export const ROLES = ['all', 'ingest', 'evaluate'] as const;
export type Role = (typeof ROLES)[number];

interface Shown {
  readonly role: Role;
  readonly addresses: RunningService['addresses'];
  readonly config: Config;
  readonly env: CliContext['env'];
}

/** One line for each address, with a line's end after the last. */
export function serveBanner(shown: Shown): string {
  return `${lines(shown).join('\n')}\n`;
}

function lines({ role, addresses, config, env }: Shown): readonly string[] {
  const { grpc, http, api } = addresses;
  const scheme = config.receivers.tls === null ? 'http' : 'https';
  const receivers = [
    ...(grpc === null ? [] : [`  send spans by OTLP/gRPC to  ${grpc}`]),
    ...(http === null ? [] : [`  send spans by OTLP/HTTP to  ${scheme}://${http}/v1/traces`]),
  ];
  if (role === 'ingest') {
    return [
      'Slipstream is running: it counts spans, for others that judge.',
      ...receivers,
      ...kafkaLine(config, config.kafka?.groups.ingest),
      `  counts go to                ${config.kafka?.topics.deltas}`,
      `  readiness, metrics          ${api}/readyz  ${api}/metrics`,
    ];
  }
  // Whoever started it by npm has no `slipstream` on the path.
  const slipstream = env.npm_lifecycle_event === undefined ? 'slipstream' : 'npm run slipstream --';
  const at = api === DEFAULT_API_URL ? '' : ` --url ${api}`;
  const { services } = config.policies;
  const questions = [
    `  see endpoints and runs      ${slipstream} status${at}`,
    `  why a verdict is as it is   ${slipstream} explain${at}`,
    `  status, metrics, OpenAPI    ${api}/v1/status  ${api}/metrics  ${api}/openapi.json`,
  ];
  const objectives = `  objectives                  ${[...services.values()].reduce((sum, policy) => sum + policy.objectives.length, 0)} for ${services.size} services`;
  if (role === 'evaluate') {
    const { topics, groups } = config.kafka ?? {};
    return [
      'Slipstream is running: it judges what others counted.',
      `  counts come from            ${topics?.deltas}, group ${groups?.evaluate}`,
      ...questions,
      `  state                       ${topics?.state}`,
      objectives,
    ];
  }
  return [
    'Slipstream is running.',
    ...receivers,
    ...kafkaLine(config, config.receivers.kafka?.group),
    ...questions,
    `  state                       ${config.state.directory ?? 'in memory: gone with this process'}`,
    objectives,
  ];
}

function kafkaLine({ kafka, receivers }: Config, group: string | undefined): readonly string[] {
  if (kafka === null || receivers.kafka === null) return [];
  const { topics } = receivers.kafka;
  const names = topics instanceof RegExp ? topics.source : topics.join(', ');
  return [`  reads spans from Kafka      ${names} at ${kafka.brokers[0]}, group ${group}`];
}
