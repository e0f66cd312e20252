import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConsumeOutcome } from '../../src/receivers/receiver.ts';
import { EXPORT_PATH, grpcClient } from './grpc-client.ts';
import { decoded, decodedStatus } from './rpc-proto.ts';
import { recorder, type StandOptions, stand, started, until } from './stand.ts';

async function grpc(options: StandOptions = {}, script: readonly ConsumeOutcome[] = []) {
  const stood = stand('grpc', options);
  const { requests, consume } = recorder(script);
  const address = await started(stood, consume);
  const refused = (outcome: string) => stood.telemetry.value('receiver_refused_requests_total', { transport: 'grpc', outcome });
  return { ...stood, address, requests, refused };
}

async function session(address: string): Promise<ClientHttp2Session> {
  const opened = connect(`http://${address}`);
  opened.on('error', () => {});
  onTestFinished(() => opened.destroy());
  await new Promise((resolve) => opened.once('connect', resolve));
  return opened;
}

interface RawCall {
  readonly stream: ClientHttp2Stream;
  /** `:status`, `grpc-status` and the like, from headers and trailers together. */
  readonly reply: Promise<Record<string, unknown>>;
}

function rawCall(http2: ClientHttp2Session, headers: Record<string, string> = {}): RawCall {
  const stream = http2.request({
    ':method': 'POST',
    ':path': EXPORT_PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const reply: Record<string, unknown> = {};
  stream.on('response', (fields) => Object.assign(reply, fields));
  stream.on('trailers', (fields) => Object.assign(reply, fields));
  stream.on('error', () => {});
  stream.resume();
  return { stream, reply: new Promise((resolve) => stream.once('close', () => resolve(reply))) };
}

function framed(message: Buffer, isCompressed: boolean, length: number = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = isCompressed ? 1 : 0;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

describe('OTLP/gRPC', () => {
  it.each([
    ['identity', false, (body: Buffer) => body],
    ['gzip', true, gzipSync],
    ['gzip', false, (body: Buffer) => body],
    ['deflate', true, deflateSync],
    ['zstd', true, zstdCompressSync],
  ])('understands grpc-encoding %s (compressed flag %s), small and large', async (encoding, isCompressed, compress) => {
    const { address, requests } = await grpc();
    const http2 = await session(address);
    const large = Buffer.from(Array.from({ length: 1_500_000 }, (_, i) => (i * i * 7919) >>> 11));
    for (const body of [Buffer.from('some spans'), large]) {
      const { stream, reply } = rawCall(http2, { 'grpc-encoding': encoding });
      stream.end(framed(compress(body), isCompressed));
      expect(await reply).toMatchObject({ ':status': 200, 'grpc-status': '0' });
      expect(requests.at(-1)?.bytes.equals(body)).toBe(true);
    }
  });

  it.each([
    ['an unknown encoding', { 'grpc-encoding': 'br' }, framed(Buffer.from('abc'), true), '12', 'unsupported_encoding'],
    ['broken gzip', { 'grpc-encoding': 'gzip' }, framed(Buffer.from('abc'), true), '3', 'bad_compression'],
    ['a message that is announced too large', {}, framed(Buffer.from('abc'), false, 2001), '8', 'too_large'],
  ])('refuses %s for good', async (_name, headers, bytes, status, outcome) => {
    const { address, refused, requests } = await grpc({ maxRequestBytes: 2000 });
    const { stream, reply } = rawCall(await session(address), headers);
    stream.end(bytes);
    const said = await reply;
    expect(said).toMatchObject({ 'grpc-status': status });
    const details = said['grpc-status-details-bin'];
    const hasRetryInfo = typeof details === 'string' && 'RetryInfo' in decodedStatus(Buffer.from(details, 'base64')).details;
    expect(hasRetryInfo).toBe(false);
    expect(refused(outcome)).toBe(1);
    expect(requests).toEqual([]);
  });

  it('knows no other service', async () => {
    const { address } = await grpc();
    const send = grpcClient(address);
    expect((await send(Buffer.alloc(0), '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export')).code).toBe(12);
  });

  it('answers what is no gRPC with 415', async () => {
    const { address } = await grpc();
    const { stream, reply } = rawCall(await session(address), { 'content-type': 'application/x-protobuf' });
    stream.end();
    expect(await reply).toMatchObject({ ':status': 415 });
  });

  it('an empty message is an empty request and a success', async () => {
    const { address, requests } = await grpc();
    const { code, response } = await grpcClient(address)(Buffer.alloc(0));
    expect([code, response?.length, requests.length]).toEqual([0, 0, 1]);
  });

  it('reports partial success in the response', async () => {
    const { address } = await grpc({}, [{ kind: 'accepted', accepted: 3, rejected: 2, message: '2 spans are too old' }]);
    const { response } = await grpcClient(address)(Buffer.from('x'));
    expect(decoded('ExportResponse', response ?? Buffer.alloc(0))).toEqual({
      partialSuccess: { rejectedSpans: 2, errorMessage: '2 spans are too old' },
    });
  });

  it.each<[ConsumeOutcome, number, object]>([
    [{ kind: 'malformed', message: 'bad – tag' }, 3, { BadRequest: { fieldViolations: [{ description: 'bad – tag' }] } }],
    [{ kind: 'unavailable', message: 'busy' }, 14, { RetryInfo: { retryDelay: { seconds: 1, nanos: 500_000_000 } } }],
  ])('says why in grpc-status-details-bin: %o', async (outcome, code, details) => {
    const { address } = await grpc({ retryAfterMs: 1500 }, [outcome]);
    const reply = await grpcClient(address)(Buffer.from('x'));
    const message = outcome.kind === 'accepted' ? '' : outcome.message;
    expect([reply.code, reply.details]).toEqual([code, message]);
    expect(decodedStatus(reply.statusDetails ?? Buffer.alloc(0))).toEqual({ code, message, details });
  });

  it('says even the longest and most broken message in a status', async () => {
    const { address } = await grpc({}, [{ kind: 'malformed', message: `\ud800${'界'.repeat(1_000_000)}` }]);
    const { code, details } = await grpcClient(address)(Buffer.from('x'));
    expect([code, details.length, details.slice(0, 2)]).toEqual([3, 1024, '\ufffd界']);
  });

  it('counts the bytes of messages while they arrive, and gives them back when the sender goes away', async () => {
    const { address, admission, refused, requests } = await grpc();
    const http2 = await session(address);
    const { stream } = rawCall(http2);
    stream.write(framed(Buffer.alloc(40_000), false, 1_000_000));
    await until(() => admission.heldBytes === 40_005);
    stream.destroy(new Error('gone'));
    await until(() => refused('aborted') === 1);
    expect(admission.heldBytes).toBe(0);
    const { stream: second } = rawCall(http2);
    second.write(framed(Buffer.alloc(40_000), false, 1_000_000));
    await until(() => admission.heldBytes === 40_005);
    http2.destroy();
    await until(() => admission.heldBytes === 0);
    await until(() => refused('aborted') === 2);
    expect(requests).toEqual([]);
  });

  it('refuses a message that ends early', async () => {
    const { address, refused, requests } = await grpc();
    const { stream, reply } = rawCall(await session(address));
    stream.end(framed(Buffer.alloc(100), false, 101));
    expect(await reply).toMatchObject({ 'grpc-status': '12' });
    expect([refused('malformed'), requests.length]).toEqual([1, 0]);
  });

  it('refuses a message in the middle when it finds no more room, with RetryInfo', async () => {
    const { address, admission, refused } = await grpc({ maxInFlightBytes: 50_000 });
    const other = admission.lease();
    other.grow(30_000);
    const { stream, reply } = rawCall(await session(address));
    stream.write(framed(Buffer.alloc(40_000), false, 1_000_000));
    const said = await reply;
    expect(said).toMatchObject({ 'grpc-status': '14' });
    expect(decodedStatus(Buffer.from(String(said['grpc-status-details-bin']), 'base64')).details).toHaveProperty('RetryInfo');
    expect(refused('overloaded')).toBe(1);
    await until(() => admission.heldBytes === 30_000);
  });

  it('gives up a message that does not arrive in time', async () => {
    const { address, admission, refused } = await grpc({ arrivalTimeoutMs: 50 });
    const { stream, reply } = rawCall(await session(address));
    stream.write(framed(Buffer.alloc(10), false, 1_000_000));
    expect(await reply).toMatchObject({ 'grpc-status': '4' });
    expect(refused('timeout')).toBe(1);
    await until(() => admission.heldBytes === 0);
  });

  it('counts a deadline of the sender that passes while its message arrives', async () => {
    const { address, refused } = await grpc();
    const { stream, reply } = rawCall(await session(address), { 'grpc-timeout': '20m' });
    stream.write(framed(Buffer.alloc(10), false, 1_000_000));
    await until(() => refused('timeout') === 1);
    stream.end();
    expect(await reply).toMatchObject({ 'grpc-status': '4' });
    expect(refused('aborted')).toBe(0);
  });
});

describe('an OTLP/gRPC connection', () => {
  it('may ping as often as it likes', async () => {
    const { address, requests } = await grpc();
    const http2 = await session(address);
    let goaways = 0;
    http2.on('goaway', () => goaways++);
    for (let i = 0; i < 500; i++) {
      await new Promise<void>((resolve, reject) => http2.ping((error) => (error ? reject(error) : resolve())));
    }
    const { stream, reply } = rawCall(http2);
    stream.end(framed(Buffer.from('abc'), false));
    expect(await reply).toMatchObject({ 'grpc-status': '0' });
    expect([goaways, requests.length]).toEqual([0, 1]);
  });

  it('is told how many calls it may have open at once', async () => {
    const { address } = await grpc({ grpc: { maxConcurrentStreams: 7 } });
    const http2 = await session(address);
    await new Promise<void>((resolve) => http2.ping(() => resolve()));
    expect(http2.remoteSettings.maxConcurrentStreams).toBe(7);
  });

  it('is asked to reconnect when it has grown old, and loses no call', async () => {
    const { address, requests } = await grpc({ grpc: { maxConnectionAgeMs: 100 } });
    const http2 = await session(address);
    const { stream, reply } = rawCall(http2);
    stream.write(framed(Buffer.from('abc'), false, 6));
    await new Promise((resolve) => http2.once('goaway', resolve));
    stream.end('def');
    expect(await reply).toMatchObject({ 'grpc-status': '0' });
    expect(requests.map(({ bytes }) => bytes.toString())).toEqual(['abcdef']);
  });

  it('survives a thousand calls that are reset at once', async () => {
    const { address, admission } = await grpc();
    const flood = await session(address);
    for (let i = 0; i < 1000; i++) {
      const { stream } = rawCall(flood);
      stream.write(framed(Buffer.alloc(100), false, 1000));
      stream.close(8);
    }
    const send = grpcClient(address);
    expect((await send(Buffer.from('abc'))).code).toBe(0);
    await until(() => admission.heldBytes === 0);
  });

  it('with a call in flight is answered before the receiver stops', async () => {
    const { address, receiver, requests, refused } = await grpc();
    const http2 = await session(address);
    const { stream, reply } = rawCall(http2);
    stream.write(framed(Buffer.from('abc'), false, 6));
    await new Promise<void>((resolve) => http2.ping(() => resolve()));
    const stopped = receiver.stop(20_000);
    stream.end('def');
    expect(await reply).toMatchObject({ 'grpc-status': '0' });
    await stopped;
    expect(requests.map(({ bytes }) => bytes.toString())).toEqual(['abcdef']);
    expect(refused('draining')).toBe(0);
  });

  it('with a call that never ends is cut off when grace is over', async () => {
    const { address, receiver, admission } = await grpc();
    const { stream, reply } = rawCall(await session(address));
    stream.write(framed(Buffer.from('abc'), false, 6));
    await until(() => admission.heldBytes === 8);
    await receiver.stop(20);
    await reply;
    await until(() => admission.heldBytes === 0);
  });
});
