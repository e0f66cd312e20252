/** `slipstream health`: one exit code for containers and people, and what is wrong in words. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import type { TlsFiles } from '../../src/config/config.ts';
import { Secret } from '../../src/config/secret.ts';
import { MemoryService } from '../api/memory-service.ts';
import { rememberingTelemetry } from '../api/remembering-telemetry.ts';
import { recorder, stand, started } from '../receivers/stand.ts';
import { authority } from '../support/self-signed.ts';
import { CertificateFiles } from '../tls/certificate-files.ts';
import { ran } from './streams.ts';

const OURS = authority('ours');
const SENDERS_TOKEN = 'senders-token-0815';
let folder: string;
let service: MemoryService;
const running: Api[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipstream-health-'));
  service = new MemoryService();
});

afterEach(async () => {
  for (const api of running.splice(0)) await api.stop();
  rmSync(folder, { recursive: true });
});

async function api(tls: TlsFiles | null = null) {
  const config = { host: '127.0.0.1', port: 0, publicUrl: null, token: new Secret('canary-token-4711'), tls };
  const made = createApi(service, config, rememberingTelemetry().telemetry);
  running.push(made);
  return made.start();
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('health', () => {
  it('is 0 while the process lives, and with --ready only while it is ready', async () => {
    const { address } = await api();
    expect(await ran(['health', '--url', address])).toEqual({ code: 0, stdout: 'healthy\n', stderr: '' });
    expect(await ran(['health', '--url', address, '--ready'])).toEqual({ code: 0, stdout: 'ready\n', stderr: '' });
    service.reasons = ['draining', 'the store refuses to be written'];
    expect(await ran(['health', '--url', address])).toMatchObject({ code: 0 });
    expect(await ran(['health', '--ready'], { SLIPSTREAM_URL: address })).toEqual({
      code: 1,
      stdout: 'not ready: draining\nnot ready: the store refuses to be written\n',
      stderr: '',
    });
  });

  it('is 1 where nobody listens, or somebody else does', async () => {
    const other = createServer((_request, response) => response.writeHead(404).end('nothing here')).listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    expect(await ran(['health', '--url', `http://127.0.0.1:${port}`])).toMatchObject({
      code: 1,
      stdout: `the API at http://127.0.0.1:${port}/healthz: HTTP status 404\n`,
    });
    const { address } = await api();
    await running.pop()?.stop();
    expect(await ran(['health', '--url', address])).toMatchObject({
      code: 1,
      stdout: `the API at ${address}/healthz: connection refused\n`,
    });
  });

  it('is 1 when there is no answer in time', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    onTestFinished(() => {
      silent.close();
      silent.closeAllConnections();
    });
    await new Promise((resolve) => silent.once('listening', resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    expect(await ran(['health', '--url', url, '--timeout', '100ms'])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('no answer within'),
    });
  });

  it('asks the process of a configuration file, whatever has become of the rest of the file', async () => {
    const { port } = await api();
    const config = file('slipstream.yaml', `api: { port: ${port}, host: 0.0.0.0, token: { env: NOT_SET } }\nslos: [nowhere/]\nsinks: 3\n`);
    expect(await ran(['health', '--config', config, '--ready'])).toEqual({ code: 0, stdout: 'ready\n', stderr: '' });
  });

  it.each([
    ['api: { port: many }\n', 'api.port'],
    ['api: [', 'slipstream.yaml:1'],
    ['', 'no process document'],
  ])('says what is wrong with a file that does not say where to ask: %s', async (text, words) => {
    const { code, stdout, stderr } = await ran(['health', '--config', file('slipstream.yaml', text)]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(words);
  });

  it('cannot know a port that is any free one', async () => {
    const config = file('slipstream.yaml', 'api: { port: 0 }\n');
    expect(await ran(['health', '--config', config])).toMatchObject({ code: 1, stdout: expect.stringContaining('name it with --url') });
  });

  it('is asked in one way', async () => {
    expect(await ran(['health', '--config', 'a.yaml', '--url', 'http://127.0.0.1'])).toMatchObject({ code: 2 });
    expect(await ran(['health', '--otlp-grpc', 'no-port'])).toMatchObject({ code: 2, stderr: expect.stringContaining('HOST:PORT') });
    const { address } = await api();
    expect(await ran(['health', '--url', address, '--otlp-http'])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('--otlp-http URL'),
    });
  });
});

describe('health of receivers', () => {
  it('is told of each that does not take a request, and no span is counted', async () => {
    const { requests, consume } = recorder();
    const { address } = await api();
    const [grpc, http] = [stand('grpc'), stand('http')];
    const given = [
      'health',
      '--url',
      address,
      '--otlp-grpc',
      await started(grpc, consume),
      '--otlp-http',
      `http://${await started(http, consume)}`,
    ];
    expect(await ran(given)).toEqual({ code: 0, stdout: 'healthy\n', stderr: '' });
    expect(requests.map(({ bytes }) => bytes.length)).toEqual([0, 0]);
    await http.receiver.stop(0);
    expect(await ran(given)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^OTLP\/HTTP at 127\.0\.0\.1:\d+: connection refused\n/),
    });
    grpc.admission.drain();
    expect((await ran(given)).stdout).toContain('the receiver is shutting down');
  });

  it('names the usual mistakes: the port of the other transport, TLS on one side only, nobody there', async () => {
    const { address } = await api();
    const tls = new CertificateFiles(OURS.issue(['localhost']));
    const [grpc, http, secured] = await Promise.all([started(stand('grpc')), started(stand('http')), started(stand('grpc', { tls }))]);
    const said = async (...options: string[]): Promise<string> => (await ran(['health', '--url', address, ...options])).stdout;
    expect(await said('--otlp-grpc', http)).toContain(`${http}: it does not speak gRPC: is that the port of OTLP/HTTP?`);
    expect(await said('--otlp-http', `http://${grpc}`)).toContain(`${grpc}: it does not speak HTTP/1.1: is that the port of OTLP/gRPC?`);
    expect(await said('--otlp-grpc', `https://${grpc}`)).toContain(`${grpc}: it does not speak TLS: without https://`);
    expect(await said('--otlp-http', `https://${http}`)).toContain(`${http}: it does not speak TLS: without https://`);
    for (const [option, of] of [
      ['--otlp-grpc', secured],
      ['--otlp-http', `http://${secured}`],
    ] as const) {
      expect(await said(option, of)).toContain('it closed the connection: does it speak TLS? Then with https://');
    }
    expect(await said('--otlp-grpc', '127.0.0.1:1')).toContain('OTLP/gRPC at 127.0.0.1:1: connection refused');
  });

  it('follows the configuration file in ports, TLS and token', async () => {
    const tls = new CertificateFiles(OURS.issue(['slipstream.shop.svc']));
    const receivers = ['grpc', 'http'] as const;
    const [grpc = '', http = ''] = await Promise.all(
      receivers.map((transport) => started(stand(transport, { tls, tokens: [SENDERS_TOKEN] }))),
    );
    const { port } = await api(tls);
    const [ofGrpc, ofHttp] = [grpc, http].map((address) => address.split(':')[1]);
    const secured = `tls: { certFile: ${tls.certFile}, keyFile: ${tls.keyFile} }`;
    const config = file(
      'slipstream.yaml',
      `receivers: { otlpGrpc: { port: ${ofGrpc} }, otlpHttp: { port: ${ofHttp} }, ${secured}, token: { file: token } }\napi: { port: ${port}, ${secured} }\n`,
    );
    file('token', `${SENDERS_TOKEN}\nsenders-token-0814\n`);
    expect(await ran(['health', '-c', config, '--ready', '--otlp-grpc', '--otlp-http'])).toEqual({
      code: 0,
      stdout: 'ready\n',
      stderr: '',
    });
    file('token', 'senders-token-0813\n');
    const { code, stdout } = await ran(['health', '-c', config, '--otlp-grpc', '--otlp-http']);
    expect([code, stdout.split('\n').length]).toEqual([1, 3]);
    expect(stdout).not.toContain('senders-token');
  });

  it('sees that a receiver that asks for certificates speaks TLS, and more with one', async () => {
    const clients = authority('clients');
    const tls = new CertificateFiles(OURS.issue(['localhost']), clients.cert);
    const address = await started(stand('grpc', { tls }));
    const { port, address: url } = await api();
    const secured = `tls: { certFile: ${tls.certFile}, keyFile: ${tls.keyFile}, clientCaFile: ${tls.caFile} }`;
    const config = file(
      'slipstream.yaml',
      `receivers: { otlpGrpc: { port: ${address.split(':')[1]} }, ${secured} }\napi: { port: ${port} }\n`,
    );
    expect(await ran(['health', '-c', config, '--otlp-grpc'])).toMatchObject({ code: 0 });
    const { cert, key } = clients.issue(['sender']);
    const own = ['--cert', file('own.crt', cert), '--key', file('own.key', key), '--ca', file('ca.crt', OURS.cert)];
    const secure = `https://${address.replace('127.0.0.1', 'localhost')}`;
    expect(await ran(['health', '--url', url, '--otlp-grpc', secure, ...own])).toMatchObject({ code: 0, stdout: 'healthy\n' });
    expect(await ran(['health', '--url', url, '--otlp-grpc', secure])).toMatchObject({ code: 1 });
  });
});

describe('commands that ask an https server', () => {
  it('trust the authority of --ca or SLIPSTREAM_CA_FILE, and say so when they do not', async () => {
    const unknown = authority('unknown');
    const { address } = await api(new CertificateFiles(unknown.issue(['127.0.0.1'])));
    const asked = await ran(['status', '--url', address]);
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('of no authority that is trusted here (--ca names another)') });
    expect(await ran(['status', '--url', address, '--ca', file('none.crt', 'hello')])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('none.crt, named by --ca: no PEM in this file'),
    });
    expect(await ran(['status', '--url', address], { SLIPSTREAM_CA_FILE: file('ca.crt', unknown.cert) })).toMatchObject({ code: 0 });
    expect(await ran(['health', '--url', address, '--ca', join(folder, 'ca.crt')])).toMatchObject({ code: 0, stdout: 'healthy\n' });
  });
});
