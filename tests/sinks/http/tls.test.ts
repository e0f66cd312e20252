/** A request over TLS goes to whom the certificate names, or nowhere. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpClient } from '../../../src/sinks/http/http-client.ts';
import { type SelfSigned, selfSigned } from '../../support/self-signed.ts';
import { failureOf } from '../sink.contract.ts';

const HOST = 'deploy.example';
const DAY_MS = 86_400_000;
const opened: Server[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function posted(
  certificate: SelfSigned,
  trusted: string | null,
  options = {},
): Promise<{ sent: Promise<unknown>; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer({ ...certificate, ...options }, (request, response) => {
    requests.push(request.url ?? '');
    response.end();
  });
  opened.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
  const client = new HttpClient({ timeoutMs: 10_000, networks: ['127.0.0.0/8'], resolve, ...(trusted === null ? {} : { ca: trusted }) });
  const url = new URL(`https://${HOST}:${(server.address() as AddressInfo).port}/token`);
  const sent = client.post({ url, headers: {}, body: 'x', act: 'telling', abort: new AbortController().signal, mayStillAct: () => true });
  return { sent, requests };
}

describe('a certificate', () => {
  it('that is trusted and names the host is good', async () => {
    const good = selfSigned(HOST);
    const { sent, requests } = await posted(good, good.cert);
    expect(await sent).toMatchObject({ status: 200 });
    expect(requests).toEqual(['/token']);
  });

  const other = selfSigned('other.example');
  const expired = selfSigned(HOST, { from: Date.now() - 9 * DAY_MS, to: Date.now() - DAY_MS });
  const unborn = selfSigned(HOST, { from: Date.now() + DAY_MS, to: Date.now() + 9 * DAY_MS });
  it.each<[string, SelfSigned, string | null, string]>([
    ['names another host', other, other.cert, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['is over', expired, expired.cert, 'CERT_HAS_EXPIRED'],
    ['is not valid yet', unborn, unborn.cert, 'CERT_NOT_YET_VALID'],
    ['is signed by nobody', selfSigned(HOST), null, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['is signed by somebody else', selfSigned(HOST), other.cert, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ])('that %s sends nothing, and a person must look', async (_, certificate, trusted, code) => {
    const { sent, requests } = await posted(certificate, trusted);
    const error = await failureOf(sent);
    expect(error).toMatchObject({ name: 'PermanentError', code: 'misdirected', message: `telling: the certificate is not good (${code})` });
    expect(requests).toEqual([]);
  });

  it('is asked for even where the environment says that any will do', async () => {
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const { sent } = await posted(selfSigned(HOST), null);
      expect(await failureOf(sent)).toMatchObject({ code: 'misdirected' });
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
  });

  it('does not help a server that speaks nothing newer than TLS 1.1', async () => {
    const good = selfSigned(HOST);
    const { sent, requests } = await posted(good, good.cert, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' });
    expect(await failureOf(sent)).toMatchObject({ name: 'RetryableError', code: 'network' });
    expect(requests).toEqual([]);
  });
});
