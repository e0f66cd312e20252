/** Who applies an object from Git or a chart, and so would put back what somebody else changes in it. */
import type { KubernetesObject } from './kubernetes-api.ts';

interface OwnerMark {
  readonly owner: string;
  readonly labels?: readonly string[];
  readonly annotations?: readonly string[];
}

/**
 * What the tools write on the objects that they apply. Argo CD: argo-cd.readthedocs.io user-guide/resource_tracking; Flux: fluxcd.io
 * components/kustomize/kustomizations and components/helm/helmreleases; Helm: helm.sh/docs/chart_best_practices/labels.
 */
const MARKS: readonly OwnerMark[] = [
  { owner: 'Argo CD', labels: ['argocd.argoproj.io/instance'], annotations: ['argocd.argoproj.io/tracking-id'] },
  { owner: 'Flux', labels: ['kustomize.toolkit.fluxcd.io/name', 'helm.toolkit.fluxcd.io/name'] },
  { owner: 'Helm', annotations: ['meta.helm.sh/release-name'] },
];

/** A name for people, such as `Argo CD`; null when nobody is seen to own it. */
export function gitOpsOwner({ metadata: { labels = {}, annotations = {} } }: KubernetesObject): string | null {
  const mark = MARKS.find(
    (each) => each.labels?.some((label) => label in labels) || each.annotations?.some((annotation) => annotation in annotations),
  );
  if (mark !== undefined) return mark.owner;
  return labels['app.kubernetes.io/managed-by'] === 'Helm' ? 'Helm' : null;
}
