/** TLS and tokens of the receivers, as senders of the OpenTelemetry SDK meet them. */
import { once } from 'node:events';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { probeGrpc, probeHandshake, probeHttp } from '../../src/receivers/otlp-probe.ts';
import { authority, type SelfSigned, selfSigned } from '../support/self-signed.ts';
import { CertificateFiles } from '../tls/certificate-files.ts';
import { grpcClient } from './grpc-client.ts';
import { spanNames } from './rpc-proto.ts';
import { exported, KINDS, secureExporter, spanNamed, TRANSPORT } from './secure-sdk.ts';
import { recorder, stand, started } from './stand.ts';

/** Connected, as a client that says nothing. */
async function silentTo(address: string): Promise<Socket> {
  const { hostname, port } = new URL(`http://${address}`);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const TOKEN = 'senders-token-0815';
const OURS = authority('ours');
const CLIENTS = authority('clients');
const SERVER = OURS.issue(['localhost', '127.0.0.1']);
/** For senders that are not let in. */
const BRIEFLY = { timeoutMillis: 1000 };
const refusedBy = { outcome: 'unauthenticated' } as const;

describe.each(KINDS)('a receiver that speaks TLS, and the SDK over %s', (kind) => {
  const transport = TRANSPORT[kind];
  const listener = transport === 'grpc' ? 'otlp_grpc' : 'otlp_http';

  it('takes spans of senders that trust its authority', async () => {
    const { requests, consume } = recorder();
    const address = await started(stand(transport, { tls: new CertificateFiles(SERVER) }), consume);
    expect(await exported(secureExporter(kind, address, { ca: OURS.cert }), spanNamed('GET /'))).toBe(true);
    expect(requests.flatMap(({ encoding, bytes }) => spanNames(encoding, bytes))).toEqual(['GET /']);
  });

  it.each<[string, SelfSigned, string | undefined]>([
    ['that trust another authority', SERVER, authority('ours').cert],
    ['that know it by another name', OURS.issue(['otel.example.com']), OURS.cert],
    ['that speak no TLS', SERVER, undefined],
  ])('takes nothing of senders %s', async (_who, server, ca) => {
    const { requests, consume } = recorder();
    const address = await started(stand(transport, { tls: new CertificateFiles(server) }), consume);
    expect(
      await exported(secureExporter(kind, address, { ...(ca !== undefined && { ca }), ...BRIEFLY }), spanNamed('GET /')),
    ).toBeInstanceOf(Error);
    expect(requests).toEqual([]);
  });

  it.each<[string, boolean, SelfSigned | undefined]>([
    ['a certificate of the authority', true, CLIENTS.issue(['sender'])],
    ['no certificate', false, undefined],
    ['a certificate of another authority', false, authority('clients').issue(['sender'])],
    ['an expired certificate', false, CLIENTS.issue(['sender'], { from: 0, to: Date.now() - 1000 })],
  ])('asks for certificates, and with %s a sender is let in: %s', async (_what, isLetIn, own) => {
    const { requests, consume } = recorder();
    const stood = stand(transport, { tls: new CertificateFiles(SERVER, CLIENTS.cert) });
    const address = await started(stood, consume);
    const sender = secureExporter(kind, address, { ca: OURS.cert, ...(own !== undefined && { own }), ...(!isLetIn && BRIEFLY) });
    expect((await exported(sender, spanNamed('GET /'))) === true).toBe(isLetIn);
    expect(requests.length).toBe(isLetIn ? 1 : 0);
    const failures = stood.telemetry.value('tls_handshake_failures_total', { listener, reason: 'client_certificate' });
    expect(failures > 0).toBe(!isLetIn);
  });

  it.each<[string, boolean, string | undefined]>([
    ['the token', true, TOKEN],
    ['the token before it', true, 'senders-token-0814'],
    ['another token', false, 'senders-token-0816'],
    ['no token', false, undefined],
  ])('asks for a token, and with %s a sender is let in: %s', async (_what, isLetIn, token) => {
    const { requests, consume } = recorder();
    const stood = stand(transport, { tls: new CertificateFiles(SERVER), tokens: [TOKEN, 'senders-token-0814'] });
    const address = await started(stood, consume);
    const sender = secureExporter(kind, address, { ca: OURS.cert, ...(token !== undefined && { token }) });
    expect((await exported(sender, spanNamed('GET /'))) === true).toBe(isLetIn);
    expect(requests.length).toBe(isLetIn ? 1 : 0);
    // Asked once: a refusal is final, so no sender tries again.
    expect(stood.telemetry.value('receiver_refused_requests_total', { transport, ...refusedBy })).toBe(isLetIn ? 0 : 1);
    expect(stood.telemetry.lines.filter(({ message }) => message === 'a sender presents no valid token').length).toBe(isLetIn ? 0 : 1);
    expect(JSON.stringify(stood.telemetry.lines)).not.toMatch(/senders-token/);
  });

  it('loses no span while its certificate is renewed again and again under traffic', async () => {
    const { requests, consume } = recorder();
    const files = new CertificateFiles(SERVER);
    const stood = stand(transport, { tls: files });
    const address = await started(stood, consume);
    const lasting = secureExporter(kind, address, { ca: OURS.cert });
    const names: string[] = [];
    for (let round = 0; round < 5; round++) {
      const fresh = secureExporter(kind, address, { ca: OURS.cert, keepAlive: false });
      const sent = Array.from({ length: 10 }, (_, i) => `GET /${round}/${i}`);
      names.push(...sent);
      const answers = sent.map((name, i) => {
        if (i === 5) {
          files.swap(OURS.issue(['localhost', '127.0.0.1']));
          stood.renewCertificate();
        }
        return exported(i % 2 === 0 ? lasting : fresh, spanNamed(name));
      });
      expect(await Promise.all(answers)).toEqual(sent.map(() => true));
    }
    expect(requests.flatMap(({ encoding, bytes }) => spanNames(encoding, bytes)).sort()).toEqual(names.sort());
    expect(stood.telemetry.value('tls_certificate_renewals_total', { listener, result: 'taken' })).toBe(5);
  });

  it('has done with an open connection soon after the authority of its sender is trusted no more', async () => {
    const { requests, consume } = recorder();
    const files = new CertificateFiles(SERVER, CLIENTS.cert);
    const stood = stand(transport, { tls: files });
    const sender = secureExporter(kind, await started(stood, consume), { ca: OURS.cert, own: CLIENTS.issue(['sender']), ...BRIEFLY });
    expect(await exported(sender, spanNamed('a'))).toBe(true);
    files.swap(SERVER, authority('others').cert);
    stood.renewCertificate();
    await exported(sender, spanNamed('b'));
    const taken = requests.length;
    expect(await exported(sender, spanNamed('c'))).toBeInstanceOf(Error);
    expect(requests.length).toBe(taken);
  });

  it('loses no span of senders whose authority stays while another one goes', async () => {
    const { requests, consume } = recorder();
    const files = new CertificateFiles(SERVER, CLIENTS.cert + authority('gone').cert);
    const stood = stand(transport, { tls: files });
    const sender = secureExporter(kind, await started(stood, consume), { ca: OURS.cert, own: CLIENTS.issue(['sender']) });
    const names: string[] = [];
    for (let round = 0; round < 3; round++) {
      const sent = Array.from({ length: 20 }, (_, i) => `GET /${round}/${i}`);
      names.push(...sent);
      const answers = sent.map((name, i) => {
        if (i === 10) {
          files.swap(SERVER, round % 2 === 0 ? CLIENTS.cert : CLIENTS.cert + authority(`next ${round}`).cert);
          stood.renewCertificate();
        }
        return exported(sender, spanNamed(name));
      });
      expect(await Promise.all(answers)).toEqual(sent.map(() => true));
    }
    expect(requests.flatMap(({ encoding, bytes }) => spanNames(encoding, bytes)).sort()).toEqual(names.sort());
  });

  it('goes on without TLS being asked for where only a token is', async () => {
    const { requests, consume } = recorder();
    const address = await started(stand(transport, { tokens: [TOKEN] }), consume);
    expect(await exported(secureExporter(kind, address, { token: TOKEN }), spanNamed('GET /'))).toBe(true);
    expect(requests.length).toBe(1);
  });
});

describe('tokens of senders', () => {
  it('are changed under way: the new one is taken from then on, the old one no longer', async () => {
    const stood = stand('http', { tokens: [TOKEN] });
    const address = await started(stood);
    const old = secureExporter('HTTP/protobuf', address, { token: TOKEN });
    const next = secureExporter('HTTP/protobuf', address, { token: 'senders-token-0816' });
    expect(await exported(old, spanNamed('a'))).toBe(true);
    expect(await exported(next, spanNamed('a'))).toBeInstanceOf(Error);
    stood.tokens.replace([new Secret('senders-token-0816'), new Secret(TOKEN)]);
    expect(await exported(old, spanNamed('a'))).toBe(true);
    expect(await exported(next, spanNamed('a'))).toBe(true);
    stood.tokens.replace([new Secret('senders-token-0816')]);
    expect(await exported(old, spanNamed('a'))).toBeInstanceOf(Error);
    expect(await exported(next, spanNamed('a'))).toBe(true);
  });

  it.each([
    ['Basic', `Basic ${TOKEN}`],
    ['no scheme', TOKEN],
    ['an empty token', 'Bearer '],
    ['a token and more', `Bearer ${TOKEN} x`],
    ['a part of it', `Bearer ${TOKEN.slice(0, -1)}`],
    ['two of them', `Bearer ${TOKEN}, Bearer ${TOKEN}`],
  ])('are not taken as %s', async (_as, authorization) => {
    const address = await started(stand('http', { tokens: [TOKEN] }));
    const answer = await fetch(`http://${address}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: '{}',
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="slipstream"');
    expect(answer.headers.has('retry-after')).toBe(false);
    expect(await answer.json()).toEqual({ code: 16, message: 'authorization: a valid bearer token of senders is needed' });
  });

  it('are asked for before a byte of the request is read, over gRPC too', async () => {
    const { requests, consume } = recorder();
    const stood = stand('grpc', { tokens: [TOKEN] });
    const send = grpcClient(await started(stood, consume));
    const answer = await send(Buffer.alloc(1_000_000));
    expect(answer).toMatchObject({ code: 16, details: 'authorization: a valid bearer token of senders is needed', statusDetails: null });
    expect(requests).toEqual([]);
    expect(stood.telemetry.value('receiver_bytes_total')).toBe(0);
    expect(stood.admission.heldBytes).toBe(0);
  });

  it('are compared by their words, whatever case the scheme is in', async () => {
    const address = await started(stand('http', { tokens: [TOKEN] }));
    const headers = { 'content-type': 'application/json', authorization: `bearer  ${TOKEN}` };
    expect((await fetch(`http://${address}/v1/traces`, { method: 'POST', headers, body: '{}' })).status).toBe(200);
  });
});

describe('an empty request', () => {
  it.each(['grpc', 'http'] as const)('shows that a receiver over %s works, and counts no span', async (transport) => {
    const probe = transport === 'grpc' ? probeGrpc : probeHttp;
    const { requests, consume } = recorder();
    const stood = stand(transport, { tls: new CertificateFiles(SERVER), tokens: [TOKEN] });
    const address = await started(stood, consume);
    const parts = { address, tls: { ca: OURS.cert, isChecked: true }, token: new Secret(TOKEN), timeoutMs: 5000 };
    expect(await probe(parts)).toBeNull();
    expect(requests.map(({ bytes }) => bytes.length)).toEqual([0]);
    expect(await probe({ ...parts, token: null })).toMatch(/authorization: a valid bearer token|HTTP status 401/);
    expect(await probe({ ...parts, tls: { isChecked: true } })).toMatch(/verify|certificate/);
    expect(await probe({ ...parts, tls: { isChecked: false } })).toBeNull();
    expect(await probe({ ...parts, tls: null })).not.toBeNull();
    await stood.receiver.stop(0);
    expect(await probe(parts)).toBe('connection refused');
  });

  it.each(['grpc', 'http'] as const)('is not needed to see that a receiver over %s asks for certificates', async (transport) => {
    const stood = stand(transport, { tls: new CertificateFiles(SERVER, CLIENTS.cert) });
    const address = await started(stood);
    const parts = { address, tls: { isChecked: false }, token: null, timeoutMs: 5000 };
    expect(await (transport === 'grpc' ? probeGrpc : probeHttp)(parts)).not.toBeNull();
    const failed = () => stood.telemetry.value('tls_handshake_failures_total');
    const before = failed();
    expect(await probeHandshake(parts)).toBeNull();
    // A client of another kind is counted after it, so that of the probe would have been.
    await probeHttp({ ...parts, tls: null });
    expect(failed()).toBe(before + 1);
    await stood.receiver.stop(0);
    expect(await probeHandshake(parts)).toBe('connection refused');
  });
});

describe('a receiver that speaks TLS', () => {
  it.each(['grpc', 'http'] as const)('over %s names the file when it cannot start', async (transport) => {
    const files = new CertificateFiles({ cert: SERVER.cert, key: selfSigned('other').key });
    const title = transport === 'grpc' ? 'receivers.otlpGrpc' : 'receivers.otlpHttp';
    await expect(started(stand(transport, { tls: files }))).rejects.toThrow(`TLS of ${title}: ${files.keyFile}: this is not the key`);
  });

  it.each(['grpc', 'http'] as const)('over %s stops while senders are connected, and holds nothing then', async (transport) => {
    const stood = stand(transport, { tls: new CertificateFiles(SERVER) });
    const address = await started(stood);
    const kind = transport === 'grpc' ? 'gRPC' : 'HTTP/protobuf';
    expect(await exported(secureExporter(kind, address, { ca: OURS.cert }), spanNamed('a'))).toBe(true);
    await stood.receiver.stop(200);
    expect(stood.receiver.address).toBeNull();
    expect(stood.admission.heldBytes).toBe(0);
  });

  it.each(['grpc', 'http'] as const)('over %s stops at once while somebody is silent before TLS', async (transport) => {
    const stood = stand(transport, { tls: new CertificateFiles(SERVER) });
    const silent = await silentTo(await started(stood));
    const ended = once(silent, 'close');
    await stood.receiver.stop(60_000);
    await ended;
  });

  it('answers over HTTP with the same words as without TLS', async () => {
    const address = await started(stand('http', { tls: new CertificateFiles(SERVER) }));
    const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const outgoing = request(`https://${address}/v1/metrics`, { method: 'POST', ca: OURS.cert }, (incoming) => {
        text(incoming).then((body) => resolve({ status: incoming.statusCode ?? 0, body }), reject);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
    expect(answer).toEqual({ status: 404, body: 'spans are received at /v1/traces' });
  });
});
