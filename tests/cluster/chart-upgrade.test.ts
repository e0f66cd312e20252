/** What the chart sees in a real cluster before it changes anything there: volumes and modes that an upgrade would break, other releases, rules for pods. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { describeCluster } from './rig/describe-cluster.ts';

const CHART = join(import.meta.dirname, '../../charts/slipstream');
const KAFKA = { mode: 'distributed', config: { kafka: { brokers: ['kafka:9092'], insecureNonLoopback: true } } };

interface Said {
  readonly isDone: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

describeCluster('the chart in a cluster', { hasControllers: false, tools: [HELM_TOOLS] }, (cluster, directory) => {
  /** Without waiting for pods: there is no kubelet. */
  async function helm(
    command: 'install' | 'upgrade',
    namespace: string,
    values: object | string,
    ...more: readonly string[]
  ): Promise<Said> {
    const { kubeconfig, folder } = cluster();
    const home = join(folder, 'helm');
    const file = typeof values === 'string' ? values : join(folder, `${namespace}.json`);
    if (typeof values !== 'string') await writeFile(file, JSON.stringify(values));
    const env = {
      PATH: process.env.PATH,
      KUBECONFIG: kubeconfig,
      HELM_CACHE_HOME: home,
      HELM_CONFIG_HOME: home,
      HELM_DATA_HOME: home,
      KUBECACHEDIR: home,
    };
    const args = [command, 'judge', CHART, '--namespace', namespace, '--values', file, ...more];
    return new Promise((resolve) => {
      execFile(helmIn(directory(HELM_TOOLS)), args, { env, timeout: 40_000, maxBuffer: 2 ** 24 }, (error, stdout, stderr) =>
        resolve({ isDone: error === null, stdout, stderr }),
      );
    });
  }

  // In which the sets of values let it act.
  beforeAll(async () => {
    for (const name of ['shop', 'slipstream']) await cluster().must('POST', '/api/v1/namespaces', { metadata: { name } });
  });

  it('refuses to change the mode until what was counted in the other one is given up', async () => {
    const namespace = await cluster().namespace();
    const sets = `/apis/apps/v1/namespaces/${namespace}/statefulsets`;
    expect(await helm('install', namespace, { persistence: { whenDeleted: 'Delete' } })).toMatchObject({ isDone: true, stderr: '' });

    const away = await helm('upgrade', namespace, KAFKA);
    expect(away).toMatchObject({ isDone: false });
    expect(away.stderr).toContain('mode: distributed begins with empty error budgets');
    expect(away.stderr).toContain(`kubectl -n ${namespace} delete statefulset judge-slipstream\`, which deletes its volume as well`);
    expect((await cluster().must('GET', sets)).items).toHaveLength(1);

    await cluster().must('DELETE', `${sets}/judge-slipstream`);
    expect(await helm('upgrade', namespace, KAFKA)).toMatchObject({ isDone: true, stderr: '' });
    const back = await helm('upgrade', namespace, { mode: 'single' });
    expect(back).toMatchObject({ isDone: false });
    expect(back.stderr).toContain('mode: single begins with empty error budgets');
    expect(back.stderr).toContain('delete statefulset judge-slipstream-evaluate`;');
  });

  it('says what to do where an upgrade would change the volume, which Kubernetes refuses', async () => {
    const namespace = await cluster().namespace();
    const persistence = { storageClassName: 'fast', annotations: { 'example.com/backup': 'daily' }, accessModes: ['ReadWriteOncePod'] };
    expect(await helm('install', namespace, { persistence })).toMatchObject({ isDone: true, stderr: '' });
    const changes = [
      [{ size: '5Gi' }, 'persistence.size: 5Gi'],
      [{ enabled: false }, 'persistence.enabled: false'],
      [{ storageClassName: '' }, 'persistence.storageClassName: ""'],
      [{ accessModes: ['ReadWriteOnce'] }, 'persistence.accessModes: ["ReadWriteOnce"]'],
      [{ annotations: { 'example.com/backup': 'weekly' } }, 'persistence.annotations'],
    ] as const;
    for (const [change, words] of changes) {
      const { isDone, stderr } = await helm('upgrade', namespace, { persistence: { ...persistence, ...change } });
      expect([words, isDone]).toEqual([words, false]);
      expect(stderr).toContain(`${words} changes the volume of a StatefulSet that is there`);
    }
    const unchanged = { persistence: { ...persistence, whenDeleted: 'Delete' }, commonAnnotations: { a: 'b' } };
    expect(await helm('upgrade', namespace, unchanged)).toMatchObject({ isDone: true, stderr: '' });
  });

  it('keeps the token that it made, and two releases with rights in the whole cluster apart', async () => {
    const values = { config: { sinks: [{ type: 'kubernetes', name: 'deployments' }] } };
    const namespaces = [await cluster().namespace(), await cluster().namespace()] as const;
    for (const namespace of namespaces) expect(await helm('install', namespace, values)).toMatchObject({ isDone: true, stderr: '' });
    const tokens = () =>
      Promise.all(
        namespaces.map(
          async (each) => (await cluster().must('GET', `/api/v1/namespaces/${each}/secrets/judge-slipstream-api-token`)).data.token,
        ),
      );
    const made = await tokens();
    expect(made[0]).not.toBe(made[1]);
    for (const namespace of namespaces) expect(await helm('upgrade', namespace, values, '--reuse-values')).toMatchObject({ isDone: true });
    expect(await tokens()).toEqual(made);
    const { items } = await cluster().must('GET', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings');
    for (const namespace of namespaces) {
      const bound = items.filter(({ subjects = [] }: { subjects?: readonly { namespace?: string }[] }) =>
        subjects.some((subject) => subject.namespace === namespace),
      );
      expect(bound.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual([`${namespace}-judge-slipstream`]);
    }
  });

  it.each(['single', 'ephemeral', 'deployments', 'own-account', 'distributed', 'distributed-otlp'])(
    'makes pods that a namespace for restricted ones takes, with the values of %s',
    async (set) => {
      const namespace = await cluster().namespace();
      const labels = Object.fromEntries(['enforce', 'warn'].map((how) => [`pod-security.kubernetes.io/${how}`, 'restricted']));
      await cluster().must('PATCH', `/api/v1/namespaces/${namespace}`, { metadata: { labels } }, 'application/merge-patch+json');
      // Definitions of the Prometheus operator are not there.
      const values = JSON.stringify({ serviceMonitor: { enabled: false }, prometheusRule: { enabled: false } });
      await writeFile(join(cluster().folder, 'without.json'), values);
      const said = await helm(
        'install',
        namespace,
        join(CHART, `ci/${set}-values.yaml`),
        '--values',
        join(cluster().folder, 'without.json'),
      );
      expect(said).toMatchObject({ isDone: true, stderr: '' });
    },
  );

  it('takes the users that a cluster gives, and says so where a pod asks for more than it may', async () => {
    const namespace = await cluster().namespace();
    const labels = { 'pod-security.kubernetes.io/warn': 'restricted' };
    await cluster().must('PATCH', `/api/v1/namespaces/${namespace}`, { metadata: { labels } }, 'application/merge-patch+json');
    const given = { podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null } };
    expect(await helm('install', namespace, given)).toMatchObject({ isDone: true, stderr: '' });
    const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/judge-slipstream`;
    expect((await cluster().must('GET', path)).spec.template.spec.securityContext).toEqual({
      runAsNonRoot: true,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    });
    // The check of the tests above bites.
    const { stderr } = await helm('upgrade', namespace, { podSecurityContext: { runAsNonRoot: null } });
    expect(stderr).toContain('would violate PodSecurity');
  });
});
