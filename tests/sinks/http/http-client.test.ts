/** Requests of sinks are bounded in time and size, go to allowed addresses only, and leave only while they may still act. */
import { afterEach, describe, expect, it } from 'vitest';
import { PermanentError } from '../../../src/model/errors.ts';
import { HttpClient, type HttpClientParts, type HttpPost } from '../../../src/sinks/http/http-client.ts';
import { type RawConnection, RawServer } from '../../support/raw-server.ts';
import { failureOf } from '../sink.contract.ts';

const TOKEN = 'token-in-the-path';
/** As many as one client opens. */
const CONNECTIONS = 8;
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

async function serving(answer: string | ((connection: RawConnection, index: number) => void), options = {}): Promise<RawServer> {
  const server = await RawServer.listen(typeof answer === 'string' ? ({ socket }) => void socket.write(answer) : answer, options);
  opened.push(server);
  return server;
}

function client(parts: Partial<HttpClientParts> = {}): HttpClient {
  const made = new HttpClient({ timeoutMs: 10_000, networks: null, ...parts });
  opened.push(made);
  return made;
}

function post(to: RawServer | string, change: Partial<HttpPost> = {}): HttpPost {
  const url = new URL(typeof to === 'string' ? to : `http://127.0.0.1:${to.port}/${TOKEN}?key=${TOKEN}`);
  return {
    url,
    headers: { 'x-test': '1' },
    body: 'Grüße',
    act: 'telling',
    abort: new AbortController().signal,
    mayStillAct: () => true,
    ...change,
  };
}

describe('a request', () => {
  it('is sent whole, once, with its headers and its length in bytes', async () => {
    const server = await serving(OK);
    expect(await client().post(post(server))).toEqual({ status: 200, retryAfter: null, text: '' });
    const [head = '', body] = (server.connections[0]?.text ?? '').split('\r\n\r\n');
    expect(head.split('\r\n')[0]).toBe(`POST /${TOKEN}?key=${TOKEN} HTTP/1.1`);
    expect(head.toLowerCase()).toContain('\r\ncontent-length: 7');
    expect(head).toContain('\r\nx-test: 1');
    expect(Buffer.from(body ?? '', 'latin1').toString('utf8')).toBe('Grüße');
  });

  it('uses a connection again', async () => {
    const server = await serving(OK);
    const one = client();
    for (let count = 0; count < 3; count++) await one.post(post(server));
    expect(server.requests).toBe(3);
    expect(server.connections.length).toBeLessThan(3);
  });

  it('never takes the way of a proxy that the environment names', async () => {
    const proxy = await serving(OK);
    const server = await serving(OK);
    const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = `http://127.0.0.1:${proxy.port}`;
    try {
      await client().post(post(server));
    } finally {
      names.forEach((name, index) => {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      });
    }
    expect([proxy.connections.length, server.requests]).toEqual([0, 1]);
  });

  it.each([301, 302, 303, 307, 308])('is not sent on where an answer of %i points', async (status) => {
    const other = await serving(OK);
    const server = await serving(`HTTP/1.1 ${status} Moved\r\nlocation: http://127.0.0.1:${other.port}/\r\ncontent-length: 0\r\n\r\n`);
    expect(await client().post(post(server))).toMatchObject({ status });
    expect([server.requests, other.connections.length]).toEqual([1, 0]);
  });
});

describe('an answer', () => {
  it.each<[string, string, number]>([
    ['after one that only announces it', `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`, 200],
    ['after one that says it is being worked on', `HTTP/1.1 102 Processing\r\n\r\n${OK}`, 200],
    ['of HTTP/1.0, ended by the connection', 'HTTP/1.0 202 Accepted\r\n\r\nthanks', 202],
    ['with a length that never comes', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort', 200],
    ['in pieces', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 200],
    ['with a broken rest', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz', 200],
    ['of a status nobody knows', 'HTTP/1.1 799 What\r\ncontent-length: 0\r\n\r\n', 799],
  ])('%s counts by its status', async (_, text, status) => {
    const server = await serving(({ socket }) => void socket.end(text));
    expect(await client().post(post(server))).toMatchObject({ status });
    expect(server.requests).toBe(1);
  });

  it.each<[string, string]>([
    ['that switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
    ['with headers that are too big', `HTTP/1.1 200 OK\r\nx-big: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['that is no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['that is nothing', ''],
    ['that ends in its head', 'HTTP/1.1 200 OK\r\nx-a: 1\r\n'],
  ])('%s is none: trying again may help', async (_, text) => {
    const server = await serving(({ socket }) => void socket.end(text));
    const error = await failureOf(client().post(post(server)));
    expect(error).toMatchObject({ name: 'RetryableError', code: 'network', message: expect.stringMatching(/^telling: \w+$/) });
  });

  it('without end is given up, and its connection with it', async () => {
    const server = await serving(({ socket }) => {
      const more = () => {
        if (!socket.destroyed) while (socket.write('x'.repeat(65_536)));
      };
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.on('drain', more);
      more();
    });
    expect(await client({ timeoutMs: 60_000 }).post(post(server))).toMatchObject({ status: 200 });
    await server.until(() => server.connections[0]?.socket.destroyed === true);
    // What was read, and what fits into the buffers of sockets.
    expect(server.connections[0]?.socket.bytesWritten).toBeLessThan(50_000_000);
  });

  it('says when to come back, the first time that it says so', async () => {
    const server = await serving('HTTP/1.1 503 Busy\r\nretry-after: 7\r\nretry-after: 9\r\ncontent-length: 0\r\n\r\n');
    const { status, retryAfter } = await client().post(post(server));
    expect(status).toBe(503);
    expect(retryAfter).toMatch(/^7/);
  });
});

describe('the text of an answer', () => {
  async function textOf(body: string, secrets: readonly string[] = []): Promise<string> {
    const server = await serving(`HTTP/1.1 400 Bad\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return (await client().post(post(server, { keepText: { secrets } }))).text;
  }

  it('is kept for who asks', async () => {
    expect(await textOf('labels are missing')).toBe('labels are missing');
  });

  it('shows neither the secrets of who asks nor those in the URL', async () => {
    const text = await textOf(`no: sesame-1234 at /${TOKEN}?key=${TOKEN}, ${TOKEN}`, ['sesame-1234']);
    expect(text).toContain('no: [redacted] at');
    expect(text).not.toMatch(/sesame|token-in-the-path/);
  });

  it('shows no part of a secret that the limit of what is read goes through', async () => {
    const secret = 's3cret-'.repeat(1_000);
    // Redacted, what comes before the end is short enough for the end to be in what is kept.
    expect(await textOf(`${secret.repeat(2)}${secret}`, [secret])).not.toContain('s3cret');
  });

  it('is short and moves no cursor', async () => {
    expect(await textOf('\u001b[2Jred\u202e\n')).toBe('\\u{1b}[2Jred\\u{202e}\\u{a}');
    expect(await textOf('x'.repeat(10_000))).toHaveLength(1_024);
  });
});

describe('a request that gets no answer', () => {
  it.each<[string, (connection: RawConnection) => void]>([
    ['there is none at all', () => {}],
    ['its head stops in the middle', ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nx-a: ')],
    [
      'its head comes byte by byte',
      ({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
        const drip = setInterval(() => socket.write('x'), 20);
        socket.on('close', () => clearInterval(drip));
      },
    ],
    ['only announcements come', ({ socket }) => void socket.write('HTTP/1.1 103 Early Hints\r\n\r\n')],
  ])('ends in time when %s, and its connection with it', async (_, answer) => {
    const server = await serving(answer);
    const error = await failureOf(client({ timeoutMs: 150 }).post(post(server)));
    expect(error).toMatchObject({ name: 'RetryableError', code: 'timeout', message: 'telling: no answer within 150 ms' });
    await server.until(() => server.connections[0]?.socket.destroyed === true);
  });

  it('ends in time when the name is never resolved', async () => {
    const error = await failureOf(client({ timeoutMs: 50, resolve: () => new Promise(() => {}) }).post(post('http://deploy.example/')));
    expect(error).toMatchObject({ code: 'timeout' });
  });

  it('ends in time when TLS never begins', async () => {
    const server = await serving(OK);
    const error = await failureOf(client({ timeoutMs: 100 }).post(post(`https://127.0.0.1:${server.port}/`)));
    expect(error).toMatchObject({ code: 'timeout' });
    expect(server.requests).toBe(0);
  });

  it('may be repeated when the connection is reset', async () => {
    const server = await serving(({ socket }) => void socket.resetAndDestroy());
    const error = await failureOf(client().post(post(server)));
    expect(error).toMatchObject({ name: 'RetryableError', code: 'network', message: 'telling: ECONNRESET' });
  });

  it('may be repeated when the name is not known, which is all that is said', async () => {
    const resolve = () => Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND deploy.example'), { code: 'ENOTFOUND' }));
    const error = await failureOf(client({ resolve }).post(post('http://deploy.example/')));
    expect(error).toMatchObject({ name: 'RetryableError', code: 'network', message: 'telling: ENOTFOUND' });
  });
});

describe('a request that is stopped', () => {
  it('ends at once while it waits for a connection, and is never sent', async () => {
    const server = await serving(({ socket, text }) => {
      if (text.endsWith('next')) socket.write(OK);
    });
    const one = client();
    const hanging = Array.from({ length: CONNECTIONS }, () => one.post(post(server)));
    await server.until(() => server.requests === CONNECTIONS);
    const abort = new AbortController();
    const waiting = failureOf(one.post(post(server, { abort: abort.signal, body: 'late' })));
    abort.abort();
    expect(await waiting).toMatchObject({ name: 'RetryableError', code: 'aborted' });
    for (const { socket } of server.connections) socket.write(OK);
    await Promise.all(hanging);
    await one.post(post(server, { body: 'next' }));
    expect(server.connections.map(({ text }) => text).join('')).toContain('next');
    expect(server.connections.map(({ text }) => text).join('')).not.toContain('late');
  });

  it('ends while the name is looked up', async () => {
    const abort = new AbortController();
    const resolve = () => {
      abort.abort();
      return new Promise<never>(() => {});
    };
    const error = await failureOf(client({ resolve }).post(post('http://deploy.example/', { abort: abort.signal })));
    expect(error).toMatchObject({ name: 'RetryableError', code: 'aborted' });
  });
});

describe('a request that may no longer act', () => {
  it('sends not one byte, though it could when connecting began', async () => {
    const server = await serving(OK);
    let isCurrent = true;
    const resolve = async () => {
      isCurrent = false;
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const request = post(`http://localhost:${server.port}/`, { mayStillAct: () => isCurrent });
    expect(await failureOf(client({ resolve }).post(request))).toMatchObject({ name: 'RetryableError', code: 'stale' });
    await server.until(() => server.connections[0]?.socket.destroyed === true);
    expect(server.connections.map(({ text }) => text)).toEqual(['']);
  });

  it('sends not one byte over a connection that was there, and the next request is not harmed', async () => {
    const server = await serving(OK);
    const one = client();
    await one.post(post(server));
    expect(await failureOf(one.post(post(server, { mayStillAct: () => false })))).toMatchObject({ code: 'stale' });
    expect(await one.post(post(server))).toMatchObject({ status: 200 });
    expect(server.requests).toBe(2);
  });

  it('sends nothing when its turn comes after a wait for a connection', async () => {
    const server = await serving(() => {});
    const one = client();
    const hanging = Array.from({ length: CONNECTIONS }, () => one.post(post(server)));
    await server.until(() => server.requests === CONNECTIONS);
    let isCurrent = true;
    const waiting = failureOf(one.post(post(server, { mayStillAct: () => isCurrent })));
    isCurrent = false;
    for (const { socket } of server.connections) socket.write(OK);
    await Promise.all(hanging);
    expect(await waiting).toMatchObject({ code: 'stale' });
    expect(server.requests).toBe(CONNECTIONS);
  });
});

describe('the address of a request', () => {
  const NETWORKS = ['127.0.0.1/32'];

  it('is judged anew for each connection: a name that was good may turn bad', async () => {
    const good = await serving('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    const bad = await serving(OK, { host: '127.0.0.2', port: good.port });
    const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.1'];
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return [{ address: answers[asked.length - 1] ?? '', family: 4 }];
    };
    const one = client({ networks: NETWORKS, resolve });
    const request = post(`http://deploy.example:${good.port}/${TOKEN}`);
    expect(await one.post(request)).toMatchObject({ status: 200 });
    const error = await failureOf(one.post(request));
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({
      code: 'misdirected',
      message: 'telling: no address of the host may be connected to (outside the allowed networks)',
    });
    expect(await one.post(request)).toMatchObject({ status: 200 });
    expect([good.requests, bad.connections.length]).toEqual([2, 0]);
    expect(asked).toEqual(['deploy.example', 'deploy.example', 'deploy.example']);
  });

  it('may be one of several, of which the forbidden are passed over', async () => {
    const server = await serving(OK);
    const resolve = async () =>
      ['169.254.169.254', '127.0.0.1', '::1'].map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    expect(await client({ networks: NETWORKS, resolve }).post(post(`http://deploy.example:${server.port}/`))).toMatchObject({
      status: 200,
    });
    expect(server.requests).toBe(1);
  });

  it.each<[string, string, readonly string[] | null]>([
    ['http://169.254.169.254/latest/meta-data', 'cloud metadata', null],
    ['http://2852039166/', 'cloud metadata', null],
    ['http://0251.0376.0251.0376/', 'cloud metadata', null],
    ['http://[::ffff:169.254.169.254]/', 'cloud metadata', null],
    ['https://[fe80::1]/', 'link-local', null],
    ['http://[64:ff9b::169.254.10.1]/', 'link-local', null],
    ['http://0.0.0.0/', 'unspecified', null],
    ['http://127.0.0.2/', 'outside the allowed networks', NETWORKS],
  ])('%s needs no name to be refused as %s', async (url, rule, networks) => {
    const resolve = () => Promise.reject(new Error('never asked'));
    const error = await failureOf(client({ networks, resolve }).post(post(url)));
    expect(error).toMatchObject({ name: 'PermanentError', code: 'misdirected' });
    expect(String(error)).toContain(`(${rule})`);
  });

  it.each(['169.254.169.254', '127.0.0.1', '::1', '::ffff:127.0.0.1', '0.0.0.0'])('is refused when a name leads to %s', async (address) => {
    const server = await serving(OK);
    const resolve = async () => [{ address, family: address.includes(':') ? 6 : 4 }];
    const error = await failureOf(client({ resolve }).post(post(`http://deploy.example:${server.port}/`)));
    expect(error).toMatchObject({ name: 'PermanentError', code: 'misdirected' });
    expect(server.connections).toEqual([]);
  });

  it('is refused when there is none', async () => {
    const error = await failureOf(client({ resolve: async () => [] }).post(post('http://deploy.example/')));
    expect(error).toMatchObject({ code: 'misdirected', message: expect.stringContaining('(no address)') });
  });
});
