/** An installed pod with certificates and tokens: it is probed, tested and sent to by TLS, and takes a renewed certificate up as the Secret changes. */
import { connect } from 'node:tls';
import { Agent, request } from 'undici';
import { expect, it } from 'vitest';
import { BASELINE } from '../service/config.ts';
import { exportRequest, thisSecond } from '../service/traffic.ts';
import { authority } from '../support/self-signed.ts';
import { HELM_TOOLS } from '../tools/helm.ts';
import { describePods } from './rig/pods/describe-pods.ts';
import { HelmRelease } from './rig/pods/release.ts';

const TOKEN = 'a-token-of-those-who-send-spans';

describePods('a pod of the chart with certificates', { tools: [HELM_TOOLS] }, (pods, directory) => {
  it('serves by TLS to those who present the token, and renews its certificate while it runs', async () => {
    const { cluster, kubelet, until } = pods();
    const release = await HelmRelease.prepare(pods(), directory);
    const host = `${release.fullName}.${release.namespace}.svc`;
    const issuer = authority('the authority of the cluster');
    const first = issuer.issue([host]);
    const certificate = ({ cert, key }: typeof first) => ({ 'tls.crt': cert, 'tls.key': key, 'ca.crt': issuer.cert });
    const secrets = `${release.root}/secrets`;
    await cluster.must('POST', secrets, { metadata: { name: 'served' }, type: 'kubernetes.io/tls', stringData: certificate(first) });
    await cluster.must('POST', secrets, { metadata: { name: 'senders' }, stringData: { password: TOKEN } });
    const { stderr } = await release.install({
      tls: { otlp: { secretName: 'served' }, api: { secretName: 'served' } },
      auth: { otlp: { existingSecret: 'senders', key: 'password' } },
    });
    expect(stderr).toBe('');
    expect((await release.helm('test', release.name)).stdout).toMatch(/Phase:\s+Succeeded/);

    const agent = new Agent({ connect: { ca: issuer.cert, servername: host }, pipelining: 0 });
    const now = thisSecond();
    const { body } = exportRequest(now - 2_000, now - 1_000, [{ release: BASELINE, perSecond: 10, failEvery: 0 }]);
    const otlp = (await release.url('otlp-http')).replace('http:', 'https:');
    const send = async (token: string | null): Promise<number> => {
      const headers = { 'content-type': 'application/json', ...(token !== null && { authorization: `Bearer ${token}` }) };
      const answer = await request(`${otlp}/v1/traces`, { method: 'POST', dispatcher: agent, headers, body: JSON.stringify(body) });
      await answer.body.dump();
      return answer.statusCode;
    };
    expect([await send(null), await send('another-token-of-another-one'), await send(TOKEN)]).toEqual([401, 401, 200]);
    await agent.destroy();

    const { uid } = kubelet.pod(release.namespace, `${release.fullName}-0`).pod.metadata;
    const renewed = issuer.issue([host]);
    await cluster.must('PATCH', `${secrets}/served`, { stringData: certificate(renewed) }, 'application/merge-patch+json');
    for (const port of ['otlp-http', 'otlp-grpc', 'http'] as const) {
      const number = Number(new URL(await release.url(port)).port);
      await until(`${port} serves the renewed certificate`, async () => (await servedTo(number, host, issuer.cert)) === renewed.cert);
    }
    expect(kubelet.pod(release.namespace, `${release.fullName}-0`).pod.metadata.uid).toBe(uid);
    expect((await release.helm('test', release.name)).stdout).toMatch(/Phase:\s+Succeeded/);
  });
});

/** The certificate, as PEM, which a client that trusts `ca` is shown. */
function servedTo(port: number, servername: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername, ca, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
      resolve(socket.getPeerX509Certificate()?.toString() ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
