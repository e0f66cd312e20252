/** An OTLP endpoint that takes connections and never answers cannot hold up a stop. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';

it('gives up sending after the time it was given, and says so', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const lines: string[] = [];
  const telemetry = await createTelemetry({
    logLevel: 'warn',
    destination: { write: (line: string) => lines.push(line) },
    env: process.env,
  });
  telemetry.span('checkpoint', {}, () => {});
  await telemetry.shutdown(200);
  const last = JSON.parse(lines.at(-1) ?? '{}');
  expect([last.msg, last.timeoutMs]).toEqual(['own telemetry was not all sent', 200]);
  for (const socket of sockets) socket.destroy();
  silent.close();
});
