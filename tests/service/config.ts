/** Configurations of the tested service: short times, so that a verdict needs seconds, and everything on free loopback ports. */
import { WEBHOOK_SECRET } from './running.ts';

export const SERVICE = 'shop';
export const BASELINE = '1.0.0';
export const CANARY = '1.1.0';
export const SECRETS = [WEBHOOK_SECRET];

export interface ProcessOptions {
  readonly webhookUrl?: string;
  readonly receivers?: object;
  readonly histogram?: object;
  readonly api?: object;
  readonly state?: object;
  readonly slos?: readonly string[];
}

/** The process document. */
export function processDocument(options: ProcessOptions = {}): object {
  const { webhookUrl } = options;
  return {
    receivers: { otlpGrpc: { port: 0 }, otlpHttp: { port: 0 }, ...options.receivers },
    api: { port: 0, token: { env: 'SLIPSTREAM_API_TOKEN' }, ...options.api },
    state: { directory: './state', checkpointInterval: '1s', ...options.state },
    spans: { releaseBy: ['service.version'] },
    sinks:
      webhookUrl === undefined
        ? [{ type: 'print', name: 'print' }]
        : [{ type: 'webhook', name: 'deployer', url: webhookUrl, secrets: [{ env: 'SLIPSTREAM_WEBHOOK_SECRET' }], timeout: '2s' }],
    telemetry: { logLevel: 'info' },
    ...(options.histogram !== undefined && { histogram: options.histogram }),
    ...(options.slos !== undefined && { slos: options.slos }),
  };
}

/** Objectives of the shop, and how its canaries are judged. */
export function shopDocument(
  objectives: readonly object[] = [{ availability: '99%' }, { latency: 'p95 < 250ms' }],
  canary: object = {},
): object {
  return {
    apiVersion: 'slipstream.dev/v1',
    kind: 'ServiceObjectives',
    metadata: { name: SERVICE },
    spec: {
      service: SERVICE,
      window: '28d',
      objectives,
      canary: {
        mode: 'rollback',
        warmup: '0s',
        minPromote: '1m',
        minRequests: 50,
        incidentWindow: '1s',
        freshness: '30s',
        coolDown: '0s',
        ...canary,
      },
    },
  };
}

/** As POST /v1/rollouts takes it. */
export function rollout(startedAt: number, more: object = {}) {
  return {
    id: 'shop-1',
    service: SERVICE,
    baseline: { 'service.version': BASELINE },
    canary: { 'service.version': CANARY },
    generation: 1,
    startedAt: new Date(startedAt).toISOString(),
    ...more,
  };
}
