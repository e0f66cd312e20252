/** What the other cluster tests rest on: the API server is a real one, and so are the controllers. */
import { readFile } from 'node:fs/promises';
import { request } from 'undici';
import { expect, it } from 'vitest';
import { deploymentYaml } from './rig/deployments.ts';
import { describeCluster } from './rig/describe-cluster.ts';

describeCluster('a cluster without nodes', { controllers: { 'argo-rollouts': [], flagger: [] } }, (cluster) => {
  it('runs the version of Kubernetes that was built', async () => {
    expect((await cluster().must('GET', '/version')).gitVersion).toBe('v1.36.3');
  });

  it('rolls out a Deployment whose pods become ready', async () => {
    const namespace = await cluster().namespace();
    cluster().keepPodsReady(namespace);
    await cluster().apply(deploymentYaml('shop', 'v1'), namespace);
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/shop`;
    await expect.poll(async () => (await cluster().must('GET', path)).status.availableReplicas, { timeout: 20_000 }).toBe(2);
  });

  it.each(['rollouts.argoproj.io', 'canaries.flagger.app'])('serves %s', async (name) => {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;
    expect((await cluster().call('GET', path)).status).toBe(200);
  });

  it('lets a service account do what its role says, and nothing else', async () => {
    const namespace = await cluster().namespace();
    const { token, kubernetes } = await cluster().account(namespace, 'reader', ROLE);
    const ca = await readFile(kubernetes.caFile ?? '', 'utf8');
    const { Agent } = await import('undici');
    const dispatcher = new Agent({ connect: { ca } });
    const asked = async (resource: string) =>
      (
        await request(`${cluster().url}/api/v1/namespaces/${namespace}/${resource}`, {
          dispatcher,
          headers: { authorization: `Bearer ${token}` },
        })
      ).statusCode;
    expect(await asked('pods')).toBe(200);
    expect(await asked('secrets')).toBe(403);
    await dispatcher.destroy();
  });

  it('keeps its objects over a crash of the API server', async () => {
    const namespace = await cluster().namespace();
    await cluster().stopApiServer('crash');
    await cluster().startApiServer();
    expect((await cluster().call('GET', `/api/v1/namespaces/${namespace}`)).status).toBe(200);
  });
});

const ROLE = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader }
rules: [{ apiGroups: [''], resources: [pods], verbs: [list] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }
subjects: [{ kind: ServiceAccount, name: reader }]
`;
