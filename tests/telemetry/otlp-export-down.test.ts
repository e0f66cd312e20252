/** An OTLP endpoint that is down costs neither start nor stop. */
import { expect, it } from 'vitest';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';

it('starts, counts and stops in bounded time while nobody listens at the endpoint', async () => {
  // Port 1 on loopback: refused at once, and the exporter keeps retrying.
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:1';
  const lines: string[] = [];
  const telemetry = await createTelemetry({
    logLevel: 'warn',
    destination: { write: (line: string) => lines.push(line) },
    env: process.env,
  });
  telemetry.set('series', 42);
  telemetry.span('checkpoint', {}, () => {});
  expect(await telemetry.metricsText()).toContain('slipstream_series 42');
  await telemetry.shutdown(300);
  await telemetry.shutdown(300);
  expect(lines.map((line) => JSON.parse(line).msg)).toContain('own telemetry was not all sent');
});
