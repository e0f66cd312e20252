import { connect, type Socket } from 'node:net';
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConsumeOutcome } from '../../src/receivers/receiver.ts';
import { decoded, decodedStatus } from './rpc-proto.ts';
import { recorder, type StandOptions, stand, started, until } from './stand.ts';

const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const JSON_TYPE = { 'content-type': 'application/json' };

/** The same incompressible bytes each time. */
function noise(length: number): Buffer {
  let state = 7;
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    }),
  );
}

async function http(options: StandOptions = {}, script: readonly ConsumeOutcome[] = []) {
  const stood = stand('http', options);
  const { requests, consume } = recorder(script);
  const address = await started(stood, consume);
  const post = (headers: Record<string, string>, body: Buffer = Buffer.alloc(0), path = '/v1/traces', method = 'POST') =>
    fetch(`http://${address}${path}`, { method, headers, ...(method !== 'GET' && { body }) });
  const refused = (outcome: string) => stood.telemetry.value('receiver_refused_requests_total', { transport: 'http', outcome });
  return { ...stood, address, requests, post, refused };
}

describe('OTLP/HTTP', () => {
  it.each([
    ['application/x-protobuf', 'protobuf'],
    ['Application/X-Protobuf', 'protobuf'],
    ['application/x-protobuf; charset=binary', 'protobuf'],
    ['application/json', 'json'],
    ['application/json; charset=utf-8', 'json'],
    ['APPLICATION/JSON ;charset=utf-8', 'json'],
  ] as const)('takes %s as %s and answers in the same type', async (type, encoding) => {
    const { post, requests } = await http();
    const response = await post({ 'content-type': type }, Buffer.from('{}'));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(encoding === 'json' ? 'application/json' : 'application/x-protobuf');
    expect(await response.text()).toBe(encoding === 'json' ? '{}' : '');
    expect(requests).toEqual([{ encoding, bytes: Buffer.from('{}') }]);
  });

  it.each([
    ['identity', (body: Buffer) => body],
    ['', (body: Buffer) => body],
    ['gzip', gzipSync],
    ['GZIP', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['zstd', zstdCompressSync],
  ])('understands content encoding "%s", small and large', async (encoding, compress) => {
    const { post, requests } = await http();
    const small = Buffer.from('some spans');
    const large = Buffer.from(Array.from({ length: 1_500_000 }, (_, i) => (i * i * 7919) >>> 11));
    for (const body of [small, large]) {
      const response = await post({ ...PROTOBUF, 'content-encoding': encoding }, compress(body));
      expect(response.status).toBe(200);
      expect(requests.at(-1)?.bytes.equals(body)).toBe(true);
    }
  });

  it('an empty body is an empty request and a success', async () => {
    const { post, requests } = await http();
    expect((await post(PROTOBUF)).status).toBe(200);
    expect((await post({ ...PROTOBUF, 'content-encoding': 'gzip' })).status).toBe(200);
    expect(requests.map(({ bytes }) => bytes.length)).toEqual([0, 0]);
  });

  it.each([
    ['GET', '/v1/traces', PROTOBUF, 405, 'method'],
    ['PUT', '/v1/traces', PROTOBUF, 405, 'method'],
    ['OPTIONS', '/v1/traces', PROTOBUF, 405, 'method'],
    ['POST', '/v1/metrics', PROTOBUF, 404, 'not_found'],
    ['POST', '/v1/traces/', PROTOBUF, 404, 'not_found'],
    ['GET', '/', PROTOBUF, 404, 'not_found'],
    ['POST', '/v1/traces', { 'content-type': 'text/plain' }, 415, 'unsupported_type'],
    ['POST', '/v1/traces', { 'content-type': 'application/grpc' }, 415, 'unsupported_type'],
    ['POST', '/v1/traces', { ...PROTOBUF, 'content-encoding': 'br' }, 415, 'unsupported_encoding'],
    ['POST', '/v1/traces', { ...PROTOBUF, 'content-encoding': 'gzip, gzip' }, 415, 'unsupported_encoding'],
  ] as const)('%s %s with %o is %i', async (method, path, headers, status, outcome) => {
    const { post, requests, refused } = await http();
    const response = await post(headers, Buffer.from('x'), path, method);
    expect(response.status).toBe(status);
    expect(refused(outcome)).toBe(1);
    expect(requests).toEqual([]);
    expect(response.headers.get('allow')).toBe(status === 405 ? 'POST' : null);
    expect(response.headers.get('retry-after')).toBeNull();
    expect((await response.bytes()).length).toBeGreaterThan(0);
  });

  it('takes a query on the path', async () => {
    const { post } = await http();
    expect((await post(PROTOBUF, Buffer.alloc(0), '/v1/traces?token=1')).status).toBe(200);
  });

  it.each([
    ['gzip', Buffer.from('this is not gzip')],
    ['gzip', gzipSync(Buffer.alloc(1000, 'abcdefg')).subarray(0, 30)],
    ['gzip', gzipSync(noise(300_000)).subarray(0, -100)],
    ['gzip', Buffer.concat([gzipSync(noise(300_000)).subarray(0, 200_000), Buffer.alloc(100_000)])],
    ['deflate', deflateRawSync(Buffer.from('raw'))],
    ['zstd', Buffer.from('nor is this zstd')],
    ['zstd', zstdCompressSync(noise(1000)).subarray(0, -10)],
    ['zstd', zstdCompressSync(noise(300_000)).subarray(0, -10)],
  ])('answers broken %s with 400', async (encoding, body) => {
    const { post, requests, refused, admission } = await http();
    const response = await post({ ...PROTOBUF, 'content-encoding': encoding }, body);
    expect(response.status).toBe(400);
    expect(decodedStatus(await response.bytes()).details).toHaveProperty('BadRequest');
    expect(refused('bad_compression')).toBe(1);
    expect(requests).toEqual([]);
    await until(() => admission.heldBytes === 0);
  });

  describe('says why in a google.rpc.Status', () => {
    const busy: ConsumeOutcome = { kind: 'unavailable', message: 'busy' };
    const bad: ConsumeOutcome = { kind: 'malformed', message: 'field 1 ends early' };

    it.each([
      [bad, 400, 3, { BadRequest: { fieldViolations: [{ description: 'field 1 ends early' }] } }],
      [busy, 503, 14, { RetryInfo: { retryDelay: { seconds: 1, nanos: 500_000_000 } } }],
    ] as const)('as protobuf: %o', async (outcome, status, code, details) => {
      const { post } = await http({ retryAfterMs: 1500 }, [outcome]);
      const response = await post(PROTOBUF, Buffer.from('x'));
      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toBe('application/x-protobuf');
      expect(decodedStatus(await response.bytes())).toEqual({ code, message: outcome.message, details });
    });

    it.each([
      [bad, 400, 3],
      [busy, 503, 14],
    ] as const)('as JSON: %o', async (outcome, status, code) => {
      const { post } = await http({}, [outcome]);
      const response = await post(JSON_TYPE, Buffer.from('x'));
      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toBe('application/json');
      expect(await response.json()).toMatchObject({ code, message: outcome.message });
    });

    it.each([
      [1, '1'],
      [1000, '1'],
      [1500, '2'],
      [30_000, '30'],
    ])('with %i ms to wait as Retry-After: %s', async (retryAfterMs, seconds) => {
      const { post } = await http({ retryAfterMs }, [busy]);
      expect((await post(PROTOBUF, Buffer.from('x'))).headers.get('retry-after')).toBe(seconds);
    });
  });

  it('reports partial success in the type of the request', async () => {
    const partial: ConsumeOutcome = { kind: 'accepted', accepted: 3, rejected: 2, message: '2 spans are too old' };
    const { post } = await http({}, [partial, partial]);
    const protobuf = await post(PROTOBUF, Buffer.from('x'));
    expect(decoded('ExportResponse', await protobuf.bytes())).toEqual({
      partialSuccess: { rejectedSpans: 2, errorMessage: '2 spans are too old' },
    });
    const json = await post(JSON_TYPE, Buffer.from('x'));
    expect(await json.json()).toEqual({ partialSuccess: { rejectedSpans: '2', errorMessage: '2 spans are too old' } });
  });
});

/** A connection that is written to by hand. */
async function dialled(address: string): Promise<{ socket: Socket; text: () => string; closed: Promise<void> }> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect(Number(port), host);
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, text: () => text, closed };
}

const HEAD = 'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n';

describe('an OTLP/HTTP connection', () => {
  it('is answered 413 before the body when the announced length is too large, and is not read on for ever', async () => {
    const { address, refused } = await http({ maxRequestBytes: 1000 });
    const { socket, text, closed } = await dialled(address);
    socket.write(`${HEAD}content-length: 100000000\r\n\r\n`);
    await until(() => text().includes('413'));
    expect(refused('too_large')).toBe(1);
    let isClosed = false;
    void closed.then(() => {
      isClosed = true;
    });
    const block = Buffer.alloc(64 * 1024);
    let written = 0;
    while (!isClosed && written < 100_000_000) {
      written += block.length;
      if (!socket.write(block)) await Promise.race([closed, new Promise((resolve) => socket.once('drain', resolve))]);
    }
    await closed;
    expect(written).toBeLessThan(20_000_000);
  });

  it('is used again after a small refused body', async () => {
    const { address, requests } = await http({ maxRequestBytes: 1000 });
    const { socket, text } = await dialled(address);
    socket.write(`${HEAD}content-length: 5000\r\n\r\n${'x'.repeat(5000)}`);
    await until(() => text().includes('413'));
    socket.write(`${HEAD}content-length: 3\r\n\r\nabc`);
    await until(() => text().includes('200 OK'));
    expect(requests.length).toBe(1);
  });

  it('that sends a chunked body is stopped at the limit', async () => {
    const { address, refused, requests } = await http({ maxRequestBytes: 1000 });
    const { socket, text } = await dialled(address);
    socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n3e8\r\n${'x'.repeat(1000)}\r\n`);
    socket.write(`1\r\nx\r\n`);
    await until(() => text().includes('413'));
    expect(refused('too_large')).toBe(1);
    expect(requests).toEqual([]);
  });

  it('is refused before its body when that would not fit beside what is in flight', async () => {
    const { address, admission, requests } = await http({ maxInFlightBytes: 10_000 });
    const other = admission.lease();
    other.grow(6_000);
    const { socket, text } = await dialled(address);
    socket.write(`${HEAD}content-length: 5000\r\n\r\n`);
    await until(() => text().includes('503'));
    expect(text().toLowerCase()).toContain('retry-after: 1');
    expect(requests).toEqual([]);
  });

  it('that asks first (Expect: 100-continue) is told to go on, or refused at once', async () => {
    const { address, requests } = await http({ maxRequestBytes: 1000 });
    const { socket, text } = await dialled(address);
    socket.write(`${HEAD}expect: 100-continue\r\ncontent-length: 3\r\n\r\n`);
    await until(() => text().includes('100 Continue'));
    socket.write('abc');
    await until(() => text().includes('200 OK'));
    expect(requests.length).toBe(1);
    const second = await dialled(address);
    second.socket.write(`${HEAD}expect: 100-continue\r\ncontent-length: 3000\r\n\r\n`);
    await until(() => second.text().includes('413'));
    expect(second.text()).not.toContain('100 Continue');
  });

  it('that is cut off in the middle of a body gives its bytes back', async () => {
    const { address, admission, requests, refused } = await http();
    const { socket } = await dialled(address);
    socket.write(`${HEAD}content-length: 500000\r\n\r\n${'x'.repeat(100_000)}`);
    await until(() => admission.heldBytes === 100_000);
    socket.destroy();
    await until(() => refused('aborted') === 1);
    expect(admission.heldBytes).toBe(0);
    expect(requests).toEqual([]);
  });

  it('that dribbles its headers is closed with 408', async () => {
    const { address, refused } = await http({ http: { headersTimeoutMs: 300, requestTimeoutMs: 600 } });
    const { socket, text, closed } = await dialled(address);
    socket.write('POST /v1/traces HTTP/1.1\r\nhost:');
    await closed;
    expect(text()).toContain('408');
    expect(refused('timeout')).toBe(1);
  });

  it('that dribbles its body is closed and gives its bytes back', async () => {
    const { address, admission, refused } = await http({ http: { headersTimeoutMs: 300, requestTimeoutMs: 600 } });
    const { socket, closed } = await dialled(address);
    socket.write(`${HEAD}content-length: 100\r\n\r\nabc`);
    await closed;
    await until(() => refused('timeout') === 1);
    expect(admission.heldBytes).toBe(0);
    expect(refused('aborted')).toBe(0);
  });

  it('that breaks its chunked body is closed as malformed', async () => {
    const { address, admission, refused, requests } = await http();
    const { socket, text, closed } = await dialled(address);
    socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\nno length\r\n`);
    await closed;
    await until(() => refused('malformed') === 1);
    expect(admission.heldBytes).toBe(0);
    expect(text()).toContain('400');
    expect(refused('aborted')).toBe(0);
    expect(requests).toEqual([]);
  });

  it.each([
    ['not HTTP at all', '\x16\x03\x01\x02\x00\x01', '400', 'malformed'],
    ['headers beyond 16 KiB', `${HEAD}x: ${'y'.repeat(20_000)}\r\n\r\n`, '431', 'headers_too_large'],
  ])('with %s is answered and closed', async (_name, text, status, outcome) => {
    const { address, refused } = await http();
    const dialling = await dialled(address);
    dialling.socket.write(text);
    await dialling.closed;
    expect(dialling.text()).toContain(status);
    expect(refused(outcome)).toBe(1);
  });

  it('with a request in flight is answered before the receiver stops, and closed', async () => {
    const { address, receiver, requests } = await http();
    const { socket, text, closed } = await dialled(address);
    socket.write(`${HEAD}content-length: 6\r\n\r\nabc`);
    const second = await dialled(address);
    second.socket.write(`${HEAD}content-length: 3\r\n\r\nabc`);
    await until(() => second.text().includes('200 OK'));
    const stopped = receiver.stop(20_000);
    socket.write('def');
    await stopped;
    await closed;
    expect(text()).toContain('200 OK');
    expect(text().toLowerCase()).toContain('connection: close');
    expect(requests.map(({ bytes }) => bytes.toString()).sort()).toEqual(['abc', 'abcdef']);
  });

  it('that begins another request behind the last one does not hold up the stop', async () => {
    const { address, receiver, admission, requests } = await http();
    const { socket, text, closed } = await dialled(address);
    socket.write(`${HEAD}content-length: 3\r\n\r\nab`);
    await until(() => admission.heldBytes === 2);
    const stopped = receiver.stop(600_000);
    socket.write(`c${HEAD}content-length: 5\r\n\r\nab`);
    await stopped;
    await closed;
    expect(text()).toContain('200 OK');
    expect(requests.map(({ bytes }) => bytes.toString())).toEqual(['abc']);
  });

  it('with a request that never ends is cut off when grace is over', async () => {
    const { address, receiver, admission } = await http();
    const { socket, closed } = await dialled(address);
    socket.write(`${HEAD}content-length: 6\r\n\r\nabc`);
    await until(() => admission.heldBytes === 3);
    await receiver.stop(20);
    await closed;
    await until(() => admission.heldBytes === 0);
  });
});
