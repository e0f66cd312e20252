/** Accounts with exactly what the manifests of `config/kubernetes` allow. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubernetesConfig } from '../../../src/config/sink-config.ts';
import { HttpsKubernetesApi } from '../../../src/kubernetes/https-kubernetes-api.ts';
import type { Cluster } from './cluster.ts';

const MANIFESTS = join(import.meta.dirname, '../../../config/kubernetes');

/** With the manifests that are named (`act-on-deployments`), the ServiceAccount of which they speak; bound in the whole cluster, as they are. */
export async function accountWith(cluster: Cluster, manifests: readonly string[]): Promise<KubernetesConfig> {
  const name = 'slipstream';
  await cluster.apply(await readFile(join(MANIFESTS, 'base.yaml'), 'utf8'));
  const texts = await Promise.all(manifests.map((manifest) => readFile(join(MANIFESTS, `${manifest}.yaml`), 'utf8')));
  return (await cluster.account(name, name, texts.join('\n---\n'))).kubernetes;
}

export function apiFor(config: KubernetesConfig): HttpsKubernetesApi {
  return new HttpsKubernetesApi(config, { env: {} });
}
