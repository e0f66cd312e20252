/** More than the service can hold: it refuses for now, loses nothing it took, and stays small. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { grpcClient } from '../receivers/grpc-client.ts';
import { decodedStatus } from '../receivers/rpc-proto.ts';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { processDocument, shopDocument } from './config.ts';
import { eventually, killAll, Running } from './running.ts';
import { exportRequest, HEALTHY, post, send, thisSecond } from './traffic.ts';

const MIB = 2 ** 20;
const UNAVAILABLE = 14;
const RESOURCE_EXHAUSTED = 8;

const folders = new TemporaryFolders();
afterEach(async () => {
  await killAll();
  folders.clean();
});

/** Holds 1 MiB of requests at once. */
function start(receivers: object): Promise<Running> {
  return Running.start({
    folder: folders.make(),
    config: [processDocument({ receivers: { retryAfter: '100ms', ...receivers } }), shopDocument()],
  });
}

/** A request of spaces, then nothing to count, that ends when told. Resolves when the service holds it. */
async function slowRequest(running: Running): Promise<{ end(): Promise<number> }> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const answer = fetch(running.http, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: readable,
    duplex: 'half',
  } as RequestInit);
  await writer.write(Buffer.alloc(1_040_000, ' '));
  await eventually(
    () => running.metric('receiver_in_flight_bytes'),
    // Shown in steps of 64 KiB.
    (bytes) => bytes >= 960_000,
  );
  return {
    async end() {
      await writer.write(Buffer.from('{}'));
      await writer.close();
      const response = await answer;
      await response.text();
      return response.status;
    },
  };
}

it('senders beyond the limit are told to try again, and what was accepted is counted, no more and no less', async () => {
  const running = await start({ maxRequest: '1MiB', maxInFlight: '1MiB' });
  const now = thisSecond();
  let accepted = 0;
  let refused = 0;
  // One slow sender holds nearly all there is, so that the others are refused for certain and not only when they happen to meet.
  const slow = await slowRequest(running);
  const early = exportRequest(now - 63_000, now - 60_000, HEALTHY);
  await eventually(
    async () => {
      const response = await post(running, early.body);
      await response.text();
      if (response.status === 200) accepted += early.spans;
      return response.status;
    },
    (status) => status === 503,
  );
  refused++;
  const senders = Array.from({ length: 24 }, async (_, sender) => {
    for (let n = 0; n < 3; n++) {
      const from = now - 60_000 + ((sender * 3 + n) % 20) * 3_000;
      const request = exportRequest(from, from + 3_000, HEALTHY);
      for (;;) {
        const response = await post(running, request.body);
        await response.text();
        if (response.status === 200) break;
        expect(response.status).toBe(503);
        expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
        refused++;
        await pause(20 + 180 * Math.random());
      }
      accepted += request.spans;
    }
  });
  expect(await slow.end()).toBe(200);
  await Promise.all(senders);
  expect(await running.metric('spans_total{disposition="counted"}')).toBe(accepted);
  expect(await running.metric('receiver_refused_requests_total{transport="http",outcome="overloaded"}')).toBe(refused);
  expect(await running.status('/readyz')).toBe(200);
  await running.stop();
});

it('64 zip bombs at once, over both transports, cost neither the process nor much memory', async () => {
  const running = await start({ maxRequest: '16MiB', maxInFlight: '32MiB' });
  const before = peakBytes(running.pid);
  // 1 GiB in 1 MB: gzip members follow each other.
  const member = gzipSync(Buffer.alloc(8 * MIB));
  const bomb = Buffer.concat(Array.from({ length: 128 }, () => member));
  const overHttp = Array.from({ length: 32 }, async () => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' };
    const response = await fetch(running.http, { method: 'POST', headers, body: bomb });
    await response.arrayBuffer();
    return response.status;
  });
  const call = grpcClient(new URL(running.grpc).host, { 'grpc.default_compression_algorithm': 2 });
  const zeros = Buffer.alloc(32 * MIB);
  const overGrpc = Array.from({ length: 32 }, () => call(zeros));
  const statuses = await Promise.all(overHttp);
  const replies = await Promise.all(overGrpc);
  expect(statuses.filter((status) => status !== 413 && status !== 503)).toEqual([]);
  expect(replies.filter(({ code }) => code !== RESOURCE_EXHAUSTED && code !== UNAVAILABLE)).toEqual([]);
  for (const { code, statusDetails } of replies) {
    if (code === UNAVAILABLE) expect(decodedStatus(statusDetails ?? Buffer.alloc(0)).details.RetryInfo).toBeDefined();
  }
  // 64 requests inflated to their limit at once would be 1 GiB; buffers that were let go of stay resident until they are collected.
  expect(peakBytes(running.pid) - before).toBeLessThan(256 * MIB);
  const now = thisSecond();
  await send(running, now - 3_000, now, HEALTHY);
  expect(await running.metric('receiver_in_flight_bytes')).toBe(0);
  expect(await running.status('/readyz')).toBe(200);
  expect(await running.stop()).toEqual({ code: 0, signal: null });
});

/** The most memory that was ever resident. */
function peakBytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}
