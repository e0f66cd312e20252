/** What every receiver must do, whatever its transport. */
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Consume, ConsumeOutcome, Transport } from '../../src/receivers/receiver.ts';
import { recorder, stand, started, until } from './stand.ts';

/** What a sender makes of an answer. */
export type Reception = 'done' | 'partial' | 'drop' | 'retry';
export type Send = (bytes: Buffer, options?: { readonly gzip?: boolean }) => Promise<Reception>;

export function receiverContract(transport: Transport, sender: (address: string) => Send): void {
  describe(`a receiver of OTLP over ${transport}`, () => {
    it('hands over exactly the bytes that were sent', async () => {
      const { requests, consume } = recorder();
      const send = sender(await started(stand(transport), consume));
      for (const size of [0, 1, 1000, 70_000, 5_000_000]) {
        const bytes = Buffer.alloc(size, size % 251);
        expect(await send(bytes)).toBe('done');
        expect(requests.at(-1)?.bytes.equals(bytes)).toBe(true);
        expect(await send(bytes, { gzip: true })).toBe('done');
        expect(requests.at(-1)?.bytes.equals(bytes)).toBe(true);
        expect(requests.at(-1)?.encoding).toBe('protobuf');
      }
      expect(requests.length).toBe(10);
    });

    it.each<[string, ConsumeOutcome, Reception]>([
      ['all spans counted', { kind: 'accepted', accepted: 5, rejected: 0, message: '' }, 'done'],
      ['some spans rejected', { kind: 'accepted', accepted: 5, rejected: 2, message: '2 spans are too old' }, 'partial'],
      ['a warning only', { kind: 'accepted', accepted: 5, rejected: 0, message: 'service.name is missing' }, 'partial'],
      ['a malformed request', { kind: 'malformed', message: 'field 1 ends early' }, 'drop'],
      ['no room in stage A', { kind: 'unavailable', message: 'busy' }, 'retry'],
    ])('answers %s so that the sender does the right thing', async (_name, outcome, reception) => {
      const stood = stand(transport);
      const send = sender(await started(stood, () => outcome));
      expect(await send(Buffer.from('abc'))).toBe(reception);
      const isTaken = outcome.kind === 'accepted';
      expect(stood.telemetry.value('receiver_requests_total', { transport })).toBe(isTaken ? 1 : 0);
      expect(stood.telemetry.value('receiver_refused_requests_total', { transport })).toBe(isTaken ? 0 : 1);
      expect(stood.telemetry.value('receiver_accepted_spans_total', { transport })).toBe(isTaken ? 5 : 0);
      expect(stood.telemetry.value('receiver_bytes_total', { transport })).toBe(3);
      await until(() => stood.admission.heldBytes === 0);
    });

    it.each<[ConsumeOutcome, Reception]>([
      [{ kind: 'accepted', accepted: 5, rejected: 2, message: '2 spans are too old' }, 'partial'],
      [{ kind: 'unavailable', message: 'busy' }, 'retry'],
    ])('waits for what is said of a request later: %o', async (outcome, reception) => {
      const stood = stand(transport);
      const asked = Promise.withResolvers<void>();
      const later = Promise.withResolvers<ConsumeOutcome>();
      const send = sender(
        await started(stood, () => {
          asked.resolve();
          return later.promise;
        }),
      );
      const answered = send(Buffer.from('abc'));
      await asked.promise;
      expect(stood.admission.heldBytes).toBeGreaterThan(0);
      later.resolve(outcome);
      expect(await answered).toBe(reception);
      expect(stood.telemetry.value('receiver_requests_total', { transport })).toBe(outcome.kind === 'accepted' ? 1 : 0);
      await until(() => stood.admission.heldBytes === 0);
    });

    it('survives a consumer that throws', async () => {
      const stood = stand(transport);
      const { consume } = recorder();
      let isFirst = true;
      const send = sender(
        await started(stood, (encoding, bytes) => {
          if (!isFirst) return consume(encoding, bytes);
          isFirst = false;
          throw new Error('broken promise');
        }),
      );
      expect(await send(Buffer.from('abc'))).toBe('drop');
      expect(await send(Buffer.from('abc'))).toBe('done');
      expect(stood.telemetry.value('receiver_refused_requests_total', { transport, outcome: 'internal' })).toBe(1);
    });

    it.each([
      ['as sent', 1001, false],
      ['after decompression', 1001, true],
      ['far beyond, after decompression', 3_000_000, true],
    ])('refuses a request that is too large %s, for good', async (_name, size, gzip) => {
      const { requests, consume } = recorder();
      const stood = stand(transport, { maxRequestBytes: 1000 });
      const send = sender(await started(stood, consume));
      expect(await send(Buffer.alloc(1000), { gzip })).toBe('done');
      expect(await send(Buffer.alloc(size), { gzip })).toBe('drop');
      expect(requests.length).toBe(1);
      await until(() => stood.admission.heldBytes === 0);
      expect(stood.telemetry.value('receiver_refused_requests_total', { transport, outcome: 'too_large' })).toBe(1);
    });

    it('drops many bombs at once and holds little for them', async () => {
      const limit = 4 * 1024 * 1024;
      const stood = stand(transport, { maxRequestBytes: limit, maxInFlightBytes: 2 * limit });
      const { requests, consume } = recorder();
      const send = sender(await started(stood, consume));
      const bomb = Buffer.alloc(64 * 1024 * 1024);
      let peakBytes = 0;
      const watch = setInterval(() => {
        peakBytes = Math.max(peakBytes, stood.admission.heldBytes);
      }, 1);
      const receptions = await Promise.all(Array.from({ length: 16 }, () => send(bomb, { gzip: true })));
      clearInterval(watch);
      expect(new Set(receptions)).toEqual(new Set(['drop']));
      expect(requests.length).toBe(0);
      expect(peakBytes).toBeLessThanOrEqual(2 * limit);
      expect(stood.telemetry.value('receiver_refused_requests_total', { transport })).toBe(16);
      await until(() => stood.admission.heldBytes === 0);
    });

    it('asks senders to come back when too many bytes are in flight, and takes them again afterwards', async () => {
      const stood = stand(transport, { maxInFlightBytes: 10_000 });
      const { requests, consume } = recorder();
      const send = sender(await started(stood, consume));
      const other = stood.admission.lease();
      other.grow(9_000);
      expect(await send(Buffer.alloc(2_000))).toBe('retry');
      expect(await send(Buffer.alloc(500_000), { gzip: true })).toBe('retry');
      expect(await send(Buffer.alloc(500))).toBe('done');
      other.close();
      expect(await send(Buffer.alloc(2_000))).toBe('done');
      expect(requests.length).toBe(2);
      expect(stood.telemetry.value('receiver_refused_requests_total', { transport, outcome: 'overloaded' })).toBe(2);
      await until(() => stood.admission.heldBytes === 0);
    });

    it('sends everyone away while the process drains', async () => {
      const stood = stand(transport);
      const send = sender(await started(stood));
      expect(await send(Buffer.from('abc'))).toBe('done');
      stood.admission.drain();
      expect(await send(Buffer.from('abc'))).toBe('retry');
      expect(stood.telemetry.value('receiver_refused_requests_total', { transport, outcome: 'draining' })).toBe(1);
    });

    it('has an address only while it listens, and can start again', async () => {
      const { receiver } = stand(transport);
      expect(receiver.address).toBeNull();
      await receiver.stop(0);
      await receiver.start(recorder().consume);
      const { address } = receiver;
      expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
      await receiver.start(recorder().consume);
      expect(receiver.address).toBe(address);
      await Promise.all([receiver.stop(0), receiver.stop(0)]);
      expect(receiver.address).toBeNull();
      const { requests, consume } = recorder();
      await receiver.start(consume);
      expect(await sender(receiver.address ?? '')(Buffer.from('abc'))).toBe('done');
      expect(requests.length).toBe(1);
    });

    it('names the address when it is taken, and can be started once it is free', async () => {
      const squatter = createServer();
      await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
      const bound = squatter.address();
      const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
      const { receiver } = stand(transport, { port });
      const consume: Consume = recorder().consume;
      await expect(receiver.start(consume)).rejects.toMatchObject({
        name: 'PermanentError',
        code: 'EADDRINUSE',
        message: expect.stringMatching(new RegExp(`^listening for OTLP/.* on 127\\.0\\.0\\.1:${port}: the address is in use`)) as string,
      });
      expect(receiver.address).toBeNull();
      await new Promise((resolve) => squatter.close(resolve));
      await receiver.start(consume);
      expect(receiver.address).toBe(`127.0.0.1:${port}`);
    });

    it('stops with idle connections open', async () => {
      const { receiver } = stand(transport);
      await receiver.start(recorder().consume);
      const send = sender(receiver.address ?? '');
      await send(Buffer.from('abc'));
      await receiver.stop(60_000);
      expect(receiver.address).toBeNull();
    });

    it('closes connections beyond its limit and counts them', async () => {
      const stood = stand(transport, { grpc: { maxConnections: 1 }, http: { maxConnections: 1 } });
      const address = await started(stood);
      const first = sender(address);
      expect(await first(Buffer.from('abc'))).toBe('done');
      await refusedConnection(address);
      expect(await first(Buffer.from('abc'))).toBe('done');
      expect(stood.telemetry.value('receiver_refused_requests_total', { transport, outcome: 'too_many_connections' })).toBe(1);
    });
  });
}

/** Resolves when the other side has closed a fresh connection. */
async function refusedConnection(address: string): Promise<void> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => socket.destroy());
  await new Promise((resolve) => socket.once('close', resolve));
}
