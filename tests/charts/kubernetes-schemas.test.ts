/** Every object that the chart makes, with every set of values, is one that the versions of Kubernetes it promises to work with take. */
import { beforeAll, describe, expect, it } from 'vitest';
import { CUSTOM_RESOURCES } from '../tools/custom-resources.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { HELM_TOOLS, helmIn } from '../tools/helm.ts';
import { KUBERNETES_SCHEMAS, KUBERNETES_VERSIONS } from '../tools/kubernetes-schemas.ts';
import { chartFile, renderChart, valueSets } from './helm.ts';
import { builtInChecker, type Check, customChecker } from './manifest-checker.ts';
import { type Manifest, manifestsOf, titleOf, withoutChance } from './manifests.ts';

const SETS = await valueSets();
const ENDS = [KUBERNETES_VERSIONS[0], KUBERNETES_VERSIONS.at(-1) ?? ''] as const;

/** Of the default values and all sets; the same object once. */
async function renderedObjects(helm: string, kubernetes: string): Promise<readonly Manifest[]> {
  const objects = new Map<string, Manifest>();
  for (const set of [undefined, ...SETS]) {
    const manifests = await renderChart(helm, { ...(set === undefined ? {} : { set }), kubernetes });
    for (const manifest of manifests) objects.set(JSON.stringify(withoutChance(manifest)), withoutChance(manifest));
  }
  return [...objects.values()];
}

describe('the versions of Kubernetes that the chart names', () => {
  it('begin with the oldest that is checked here', async () => {
    expect(await chartFile('Chart.yaml')).toContain(`kubeVersion: ">=${KUBERNETES_VERSIONS[0]}.0-0"`);
  });
});

describeWithTools('the schemas of Kubernetes', [HELM_TOOLS, KUBERNETES_SCHEMAS, CUSTOM_RESOURCES], (directory) => {
  let custom: Check;
  let objects: readonly Manifest[];
  beforeAll(async () => {
    objects = await renderedObjects(helmIn(directory(HELM_TOOLS)), ENDS[0]);
    custom = await customChecker(directory(CUSTOM_RESOURCES));
  });
  const problemsOf = async (manifests: readonly Manifest[], minor: string): Promise<readonly string[]> => {
    const builtIn = await builtInChecker(directory(KUBERNETES_SCHEMAS), minor);
    return manifests.flatMap(
      (manifest) => builtIn(manifest) ?? custom(manifest) ?? [`${titleOf(manifest)}: unknown kind ${manifest.apiVersion}`],
    );
  };

  it('are of versions for all of which the chart makes the same', async () => {
    const [first, ...others] = await Promise.all(ENDS.map((kubernetes) => renderedObjects(helmIn(directory(HELM_TOOLS)), kubernetes)));
    for (const other of others) expect(other).toEqual(first);
  });

  it.each(KUBERNETES_VERSIONS)('of %s take every object of every set of values', async (kubernetes) => {
    expect(objects.length).toBeGreaterThan(SETS.length);
    expect(await problemsOf(objects, kubernetes)).toEqual([]);
  });

  it.each([
    [
      'an unknown field',
      'apiVersion: v1\nkind: Service\nmetadata: { name: a }\nspec: { port: [] }',
      'Service/a /spec must NOT have additional properties port',
    ],
    [
      'a number for text',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { a: 0777 }',
      'ConfigMap/a /data/a must be string,null',
    ],
    [
      'what YAML takes for a truth value',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { a: on }',
      'ConfigMap/a /data/a must be string,null',
    ],
    [
      'an API version that is gone',
      'apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: { name: a }',
      'HorizontalPodAutoscaler/a: unknown kind autoscaling/v2beta2',
    ],
    [
      'an unknown field of a custom resource',
      'apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: { name: a }\nspec: { groups: [{ name: b, rule: [] }] }',
      'PrometheusRule/a /spec/groups/0 must NOT have additional properties rule',
    ],
  ])('would find %s', async (_, text, problem) => {
    expect(await problemsOf(manifestsOf(text), '1.37')).toEqual([problem]);
  });
});
