/** Tokens of senders in a running service: changed in their file, they are asked for without a restart. */
import { expect, it, onTestFinished } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { Secret } from '../../src/config/secret.ts';
import { Admission } from '../../src/receivers/admission.ts';
import { otlpReceivers } from '../../src/service/otlp-receivers.ts';
import { ACCEPTED } from '../receivers/stand.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

function config(tokens: readonly string[] | null): Pick<Config, 'receivers'> {
  return {
    receivers: {
      otlpGrpc: null,
      otlpHttp: { host: '127.0.0.1', port: 0, maxConnections: 10, headersTimeoutMs: 1000, requestTimeoutMs: 1000 },
      kafka: null,
      maxRequestBytes: 1000,
      maxInFlightBytes: 1000,
      retryAfterMs: 1000,
      tls: null,
      tokens: tokens?.map((token) => new Secret(token)) ?? null,
    },
  };
}

async function running(tokens: readonly string[] | null) {
  const telemetry = new MemoryTelemetry();
  const receivers = otlpReceivers(config(tokens), new Admission(1000, telemetry), telemetry);
  await receivers.http?.start(() => ACCEPTED);
  onTestFinished(() => receivers.http?.stop(0));
  const answerTo = async (token: string) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    return (await fetch(`http://${receivers.http?.address}/v1/traces`, { method: 'POST', headers, body: '{}' })).status;
  };
  return { receivers, answerTo };
}

it('the tokens of a new configuration are asked for from then on', async () => {
  const { receivers, answerTo } = await running(['first-of-senders']);
  expect([await answerTo('first-of-senders'), await answerTo('second-of-senders')]).toEqual([200, 401]);
  receivers.reconfigure(config(['second-of-senders']));
  expect([await answerTo('first-of-senders'), await answerTo('second-of-senders')]).toEqual([401, 200]);
});

it('a configuration that names no token any more opens no receiver before a restart', async () => {
  const { receivers, answerTo } = await running(['first-of-senders']);
  receivers.reconfigure(config(null));
  expect(await answerTo('anybody-at-all-here')).toBe(401);
});

it('a configuration that begins to name one locks out no sender before a restart', async () => {
  const { receivers, answerTo } = await running(null);
  receivers.reconfigure(config(['first-of-senders']));
  expect(await answerTo('anybody-at-all-here')).toBe(200);
});
