/** The chart gives the rights that features need, which are those of `config/kubernetes`, and no other; nothing that needs none gets a token. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { renderChart } from './helm.ts';
import { type Manifest, manifestsOf, ofKind, titleOf, workloadsOf } from './manifests.ts';

const KUBERNETES = join(import.meta.dirname, '../../config/kubernetes');

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** `verb group/resource`, with a name where the right is for one object only; ascending. */
function rightsOf(roles: readonly Manifest[]): readonly string[] {
  const rights = (roles.flatMap((role) => role.rules) as readonly Rule[]).flatMap(({ apiGroups, resources, resourceNames = [''], verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        resourceNames.flatMap((name) => verbs.map((verb) => `${verb} ${group}/${resource}${name === '' ? '' : ` ${name}`}`)),
      ),
    ),
  );
  return [...new Set(rights)].sort();
}

function documented(...files: readonly string[]): readonly string[] {
  const roles = files.flatMap((file) => manifestsOf(readFileSync(join(KUBERNETES, `${file}.yaml`), 'utf8')));
  return rightsOf(roles.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role'));
}

const ARGO_WATCH = { type: 'argo-rollouts', namespaces: ['shop'] };
const DEPLOYMENT_WATCH = { type: 'deployments', namespaces: ['shop'] };
const ARGO_SINK = { type: 'argo-rollouts', name: 'argo', onPromote: 'step' };
const DEPLOYMENT_SINK = { type: 'kubernetes', name: 'deployments' };
const LEASE = { lease: { name: 'slipstream' } };

describeWithTools('the rights that the chart gives', [HELM_TOOLS], (directory) => {
  const rendered = (values: object) => renderChart(helmIn(directory(HELM_TOOLS)), { values });
  const roles = (manifests: readonly Manifest[]) => [...ofKind(manifests, 'ClusterRole'), ...ofKind(manifests, 'Role')];

  it.each([
    ['Argo Rollouts', { watches: [ARGO_WATCH], sinks: [ARGO_SINK] }, ['argo-rollouts']],
    ['acting on Deployments', { sinks: [DEPLOYMENT_SINK] }, ['act-on-deployments']],
    ['watching Deployments', { watches: [DEPLOYMENT_WATCH] }, ['watch-deployments']],
    ['the Lease', { kubernetes: LEASE }, ['lease']],
    [
      'all of them',
      { watches: [ARGO_WATCH, DEPLOYMENT_WATCH], sinks: [ARGO_SINK, DEPLOYMENT_SINK], kubernetes: LEASE },
      ['argo-rollouts', 'act-on-deployments', 'watch-deployments', 'lease'],
    ],
  ])('for %s are those of config/kubernetes', async (_, config, files) => {
    expect(rightsOf(roles(await rendered({ config })))).toEqual(documented(...files));
  });

  it.each([
    ['watching Argo Rollouts', { watches: [ARGO_WATCH] }, ['list argoproj.io/rollouts', 'watch argoproj.io/rollouts']],
    [
      'aborting them alone',
      { sinks: [{ ...ARGO_SINK, onPromote: 'full', onBadAfterPromotion: 'nothing' }] },
      ['create events.k8s.io/events', 'get argoproj.io/rollouts', 'list apps/replicasets', 'patch argoproj.io/rollouts/status'],
    ],
    ['a webhook', { sinks: [{ type: 'webhook', name: 'hook', url: 'https://example.com' }] }, []],
    ['nothing', {}, []],
  ])('for %s are no more than that', async (_, config, rights) => {
    expect(rightsOf(roles(await rendered({ config })))).toEqual(rights);
  });

  it.each([
    [
      'the namespaces that watches name',
      { config: { watches: [ARGO_WATCH, { ...DEPLOYMENT_WATCH, namespaces: ['shop', 'bank'] }] } },
      ['bank', 'shop'],
    ],
    ['those that are named', { config: { sinks: [DEPLOYMENT_SINK] }, rbac: { namespaces: ['bank', 'shop'] } }, ['bank', 'shop']],
    ['the whole cluster where nothing names any', { config: { sinks: [DEPLOYMENT_SINK] } }, [undefined]],
    ['the whole cluster where a watch looks everywhere', { config: { watches: [ARGO_WATCH, { type: 'deployments' }] } }, [undefined]],
  ])('hold in %s', async (_, values, namespaces) => {
    const manifests = await rendered(values);
    expect(
      roles(manifests)
        .map(({ metadata }) => metadata.namespace)
        .sort(),
    ).toEqual(namespaces);
    expect(
      [...ofKind(manifests, 'ClusterRoleBinding'), ...ofKind(manifests, 'RoleBinding')].map(({ metadata }) => metadata.namespace).sort(),
    ).toEqual(namespaces);
  });

  it('are bound to the account of the pods, by the name of a role that is there', async () => {
    const manifests = await rendered({ config: { watches: [ARGO_WATCH], sinks: [ARGO_SINK], kubernetes: LEASE } });
    const [account] = ofKind(manifests, 'ServiceAccount');
    const bindings = [...ofKind(manifests, 'ClusterRoleBinding'), ...ofKind(manifests, 'RoleBinding')];
    expect(bindings.length).toBeGreaterThan(1);
    for (const { roleRef, subjects, metadata } of bindings) {
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: account?.metadata.name, namespace: account?.metadata.namespace }]);
      const named = roles(manifests).filter((role) => role.kind === roleRef.kind && role.metadata.name === roleRef.name);
      expect(named.map((role) => role.metadata.namespace)).toContain(metadata.namespace);
    }
  });

  it('are none where others give them', async () => {
    const manifests = await rendered({ config: { sinks: [DEPLOYMENT_SINK], kubernetes: LEASE }, rbac: { create: false } });
    expect(manifests.filter(({ apiVersion }) => apiVersion.startsWith('rbac.')).map(titleOf)).toEqual([]);
  });

  it.each([
    ['has the token of its account where a sink acts in the cluster', { config: { sinks: [DEPLOYMENT_SINK] } }, { all: true }],
    ['has it for a watch', { config: { watches: [ARGO_WATCH] } }, { all: true }],
    ['has it for a Lease', { config: { kubernetes: LEASE } }, { all: true }],
    ['has none where nothing is asked of the cluster', { config: { sinks: [{ type: 'print', name: 'print' }] } }, { all: false }],
    [
      'has none where another token is named',
      { config: { sinks: [DEPLOYMENT_SINK], kubernetes: { tokenFile: '/etc/other/token' } } },
      { all: false },
    ],
    [
      'has it only where signals are sent',
      { mode: 'distributed', config: { kafka: { brokers: ['kafka:9092'], insecureNonLoopback: true }, sinks: [DEPLOYMENT_SINK] } },
      { ingest: false, evaluate: true },
    ],
  ])('a pod %s', async (_, values, expected) => {
    const manifests = await rendered(values);
    const mounts = workloadsOf(manifests).map(({ spec }) => {
      const { metadata, spec: pod } = spec.template;
      return [metadata.labels['app.kubernetes.io/component'], pod.automountServiceAccountToken];
    });
    expect(Object.fromEntries(mounts)).toEqual(expected);
    expect(ofKind(manifests, 'ServiceAccount').map((account) => account.automountServiceAccountToken)).toEqual([false]);
  });
});
