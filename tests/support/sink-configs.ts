/** Configurations of sinks for tests, of which each test says only what it is about. */
import { Secret } from '../../src/config/secret.ts';
import type { PrintSinkConfig, WebhookSinkConfig } from '../../src/config/sink-config.ts';

export const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

export function webhookConfig(given: Partial<WebhookSinkConfig> & { readonly url: string }): WebhookSinkConfig {
  return {
    type: 'webhook',
    name: 'deploy',
    isDryRun: false,
    secrets: [new Secret(WEBHOOK_SECRET)],
    signingKeys: [],
    format: 'standard',
    eventSource: '/slipstream',
    environment: 'production',
    awaitsOutcome: false,
    networks: null,
    timeoutMs: 10_000,
    ...given,
  };
}

export function printConfig(name = 'terminal'): PrintSinkConfig {
  return { type: 'print', name, isDryRun: false };
}
