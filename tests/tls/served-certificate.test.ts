/** Certificates of listeners: what is wrong with them at start, and how they are renewed under way. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectPlain } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TlsFiles } from '../../src/config/config.ts';
import { type ServedCertificate, servedCertificate } from '../../src/tls/served-certificate.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { authority, type SelfSigned, selfSigned } from '../support/self-signed.ts';
import { CertificateFiles } from './certificate-files.ts';

const DAY_MS = 86_400_000;
const OURS = authority('ours');
const SERVER = OURS.issue(['localhost', '127.0.0.1']);

function served(files: TlsFiles, options: { asksClients?: boolean; now?: () => number } = {}) {
  const telemetry = new MemoryTelemetry();
  let isTimed = false;
  const every = () => {
    isTimed = true;
    return () => {
      isTimed = false;
    };
  };
  const certificate = servedCertificate({ files, listener: 'api', asksClients: false, telemetry, every, ...options });
  onTestFinished(() => certificate.stop());
  return { certificate, telemetry, isTimed: () => isTimed };
}

async function listening(certificate: ServedCertificate) {
  const sockets = new Set<TLSSocket>();
  const server = createServer(certificate.options, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write('x');
    socket.on('data', (data) => socket.write(data));
  });
  certificate.serve(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Connects, and waits for the first byte of the server: with TLS 1.3 a client is refused only after its own handshake. */
function spoken(port: number, options: object = {}): Promise<TLSSocket | string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca: OURS.cert, servername: 'localhost', ...options });
    onTestFinished(() => void socket.destroy());
    socket.once('data', () => resolve(socket));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('close', () => resolve('closed'));
  });
}

async function shownTo(port: number): Promise<string> {
  const socket = await spoken(port);
  if (typeof socket === 'string') throw new Error(socket);
  return socket.getPeerX509Certificate()?.fingerprint256 ?? '';
}

describe('a certificate at start', () => {
  const expired = OURS.issue(['a'], { from: Date.now() - 2 * DAY_MS, to: Date.now() - DAY_MS });
  const early = OURS.issue(['a'], { from: Date.now() + DAY_MS, to: Date.now() + 2 * DAY_MS });

  it.each<[string, SelfSigned, RegExp]>([
    ['has expired', expired, /tls\.crt: the certificate expired on \d{4}-\d\d-\d\dT/],
    ['is not valid yet', early, /tls\.crt: the certificate is not valid before \d{4}-/],
    [
      'is of another key',
      { cert: SERVER.cert, key: selfSigned('b').key },
      /tls\.key: this is not the key of the certificate in .*tls\.crt/,
    ],
    ['is no PEM', { cert: 'hello', key: SERVER.key }, /tls\.crt: no certificate \(PEM\) in this file/],
    [
      'is in the place of the key',
      { cert: SERVER.key, key: SERVER.cert },
      /tls\.crt: this is a private key, and no certificate; .*tls\.key: no private key/,
    ],
    [
      'is cut off',
      { cert: SERVER.cert.replace(/.{200}(?=\n-----END)/s, ''), key: SERVER.key },
      /tls\.crt: certificate 1 of it cannot be read/,
    ],
    [
      'has an unreadable key',
      { cert: SERVER.cert, key: SERVER.key.replace(/[A-Za-z0-9]{20}/, '') },
      /tls\.key: the private key cannot be read/,
    ],
  ])('that %s is refused by name of its file', (_what, pair, words) => {
    const files = new CertificateFiles(pair);
    expect(() => served(files)).toThrow(words);
    expect(() => served(files)).toThrow(/^TLS of api: /);
  });

  it('that is missing is refused, together with all else that is wrong', () => {
    const files = { certFile: '/nowhere/tls.crt', keyFile: '/nowhere/tls.key', caFile: '/nowhere/ca.crt' };
    expect(() => served(files)).toThrow(
      'TLS of api: /nowhere/tls.crt: the file does not exist or cannot be read; /nowhere/tls.key: the file does not exist or cannot be read; /nowhere/ca.crt: the file does not exist or cannot be read',
    );
  });

  it('never gets its key into a message or a log line', () => {
    const { certificate, telemetry } = served(new CertificateFiles(SERVER));
    expect(JSON.stringify([certificate.current(), telemetry.lines])).not.toContain(SERVER.key.split('\n')[1]);
  });

  it('says in a metric when it expires', async () => {
    const { certificate, telemetry, isTimed } = served(new CertificateFiles(SERVER));
    await listening(certificate);
    const expiry = telemetry.value('tls_certificate_expiry_timestamp_seconds', { listener: 'api' });
    expect(expiry * 1000 - Date.now()).toBeGreaterThan(DAY_MS - 60_000);
    expect(isTimed()).toBe(true);
    certificate.stop();
    expect(isTimed()).toBe(false);
  });
});

describe('a renewed certificate', () => {
  it('is shown to new connections once its Secret is swapped, and open ones go on', async () => {
    const files = new CertificateFiles(SERVER);
    const { certificate, telemetry } = served(files);
    const port = await listening(certificate);
    const before = (await spoken(port)) as TLSSocket;
    const first = await shownTo(port);
    files.swap(OURS.issue(['localhost', '127.0.0.1']));
    certificate.look();
    expect(await shownTo(port)).not.toBe(first);
    const echoed = new Promise((resolve) => before.once('data', resolve));
    before.write('still here');
    expect(String(await echoed)).toBe('still here');
    expect(telemetry.value('tls_certificate_renewals_total', { listener: 'api', result: 'taken' })).toBe(1);
    expect(telemetry.lines.map(({ message }) => message)).toContain('a renewed certificate is in use');
  });

  it.each<[string, () => SelfSigned]>([
    ['that has expired', () => OURS.issue(['localhost'], { from: 0, to: Date.now() - 1000 })],
    ['of another key', () => ({ cert: OURS.issue(['localhost']).cert, key: SERVER.key })],
    ['that is empty', () => ({ cert: '', key: '' })],
  ])('%s is refused once, and the old one stays', async (_what, bad) => {
    const files = new CertificateFiles(SERVER);
    const { certificate, telemetry } = served(files);
    const port = await listening(certificate);
    const first = await shownTo(port);
    files.swap(bad());
    certificate.look();
    certificate.look();
    expect(await shownTo(port)).toBe(first);
    expect(telemetry.value('tls_certificate_renewals_total', { result: 'refused' })).toBe(1);
    expect(telemetry.lines).toMatchObject([{ level: 'error', message: 'a renewed certificate is refused; the old one stays in use' }]);
    files.swap(OURS.issue(['localhost']));
    certificate.look();
    expect(await shownTo(port)).not.toBe(first);
  });

  it('of which only one file is written yet is refused until the other is', async () => {
    const files = new CertificateFiles(SERVER);
    const { certificate } = served(files);
    const port = await listening(certificate);
    const first = await shownTo(port);
    const next = OURS.issue(['localhost']);
    writeFileSync(files.certFile, next.cert);
    certificate.look();
    expect(await shownTo(port)).toBe(first);
    writeFileSync(files.keyFile, next.key);
    certificate.look();
    expect(await shownTo(port)).not.toBe(first);
  });

  it('that was not valid yet is taken when it is, without a further change', () => {
    let now = Date.now();
    const files = new CertificateFiles(SERVER);
    const { certificate } = served(files, { now: () => now });
    files.swap(OURS.issue(['localhost'], { from: now + 600_000, to: now + DAY_MS }));
    certificate.look();
    const before = certificate.current().cert;
    now += 601_000;
    certificate.look();
    expect(certificate.current().cert).not.toBe(before);
  });

  it('that nobody brings is asked for once a week before, and once at the end', async () => {
    let now = Date.now();
    const pair = OURS.issue(['localhost'], { to: now + 30 * DAY_MS });
    const { certificate, telemetry } = served(new CertificateFiles(pair), { now: () => now });
    await listening(certificate);
    for (const days of [22, 24, 25, 31, 32]) {
      now = Date.now() + days * DAY_MS;
      certificate.look();
    }
    expect(telemetry.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'the certificate in use expires soon'],
      ['error', 'the certificate in use has expired'],
    ]);
  });

  it('that is refused again and again is told of once, and so is the end of the old one meanwhile', async () => {
    let now = Date.now();
    const files = new CertificateFiles(OURS.issue(['localhost'], { to: now + DAY_MS }));
    const { certificate, telemetry } = served(files, { now: () => now });
    await listening(certificate);
    files.swap({ cert: OURS.issue(['localhost'], { to: now + 30 * DAY_MS }).cert, key: selfSigned('other').key });
    for (const days of [0, 0.1, 2, 3]) {
      now = Date.now() + days * DAY_MS;
      certificate.look();
    }
    expect(telemetry.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'a renewed certificate is refused; the old one stays in use',
      'the certificate in use has expired',
    ]);
  });
});

describe('a client', () => {
  it.each([
    ['TLSv1.3', true],
    ['TLSv1.2', true],
    ['TLSv1.1', false],
    ['TLSv1', false],
  ] as const)('that speaks %s is let in: %s', async (version, isLetIn) => {
    const { certificate, telemetry } = served(new CertificateFiles(SERVER));
    const port = await listening(certificate);
    const old = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    expect(typeof (await spoken(port, old)) === 'object').toBe(isLetIn);
    expect(telemetry.value('tls_handshake_failures_total', { reason: 'protocol' })).toBe(isLetIn ? 0 : 1);
  });

  it('of another name than ours refuses us', async () => {
    const { certificate } = served(new CertificateFiles(OURS.issue(['elsewhere.example.com'])));
    const port = await listening(certificate);
    expect(await spoken(port)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  const clients = authority('clients');

  it.each<[string, boolean, SelfSigned | null]>([
    ['with a certificate of the authority', true, clients.issue(['sender'])],
    ['without a certificate', false, null],
    ['with a certificate of another authority', false, authority('clients').issue(['sender'])],
    ['with an expired certificate', false, clients.issue(['sender'], { from: 0, to: Date.now() - 1000 })],
    ['with a certificate that it signed itself', false, selfSigned('sender')],
  ])('%s is let in where certificates are asked for: %s', async (_what, isLetIn, pair) => {
    const { certificate, telemetry } = served(new CertificateFiles(SERVER, clients.cert), { asksClients: true });
    const port = await listening(certificate);
    expect(typeof (await spoken(port, pair ?? {})) === 'object').toBe(isLetIn);
    expect(telemetry.value('tls_handshake_failures_total', { reason: 'client_certificate' })).toBe(isLetIn ? 0 : 1);
  });

  it('whose authority is no longer trusted cannot come back with an old session', async () => {
    const files = new CertificateFiles(SERVER, clients.cert);
    const { certificate } = served(files, { asksClients: true });
    const port = await listening(certificate);
    const sender = clients.issue(['sender']);
    const first = (await spoken(port, { ...sender, maxVersion: 'TLSv1.2' })) as TLSSocket;
    const session = first.getSession();
    const resumed = (await spoken(port, { ...sender, maxVersion: 'TLSv1.2', session })) as TLSSocket;
    expect(resumed.isSessionReused()).toBe(true);
    files.swap(SERVER, authority('others').cert);
    certificate.look();
    expect(typeof (await spoken(port, { ...sender, maxVersion: 'TLSv1.2', session }))).toBe('string');
  });

  it('that speaks no TLS is counted as such, and told of once a minute', async () => {
    const { certificate, telemetry } = served(new CertificateFiles(SERVER));
    const port = await listening(certificate);
    for (let i = 0; i < 3; i++) await fetch(`http://127.0.0.1:${port}/`).catch(() => {});
    expect(telemetry.value('tls_handshake_failures_total', { listener: 'api', reason: 'not_tls' })).toBe(3);
    expect(telemetry.lines).toMatchObject([{ level: 'warn', message: 'a client could not be spoken to by TLS' }]);
  });
});

describe('a connection that comes to no TLS', () => {
  /** With a handshake that may take so long only. */
  async function quick(handshakeTimeout: number) {
    const { certificate, telemetry } = served(new CertificateFiles(SERVER));
    const server = createServer({ ...certificate.options, handshakeTimeout });
    certificate.serve(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const socket = connectPlain((server.address() as AddressInfo).port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    return { certificate, telemetry, socket };
  }

  it('is ended when its time is over, and counted', async () => {
    const { telemetry, socket } = await quick(20);
    await once(socket, 'close');
    expect(telemetry.value('tls_handshake_failures_total', { listener: 'api', reason: 'timeout' })).toBe(1);
    expect(telemetry.lines.map(({ message }) => message)).toContain('a client could not be spoken to by TLS');
  });

  it('is no line of the log when its client closes: probes of load balancers do', async () => {
    const { telemetry, socket } = await quick(60_000);
    await once(socket, 'connect');
    socket.end();
    await vi.waitFor(() => expect(telemetry.value('tls_handshake_failures_total', { listener: 'api', reason: 'closed' })).toBe(1));
    expect(telemetry.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });
});
