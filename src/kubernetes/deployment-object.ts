/** As much of a Deployment and its ReplicaSets as tells which revision is rolled out, and how far. */
import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from './kubernetes-api.ts';

export const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision';
export const HASH_LABEL = 'pod-template-hash';
/** Which signal was carried out on the object, and which revision that took back: what a later attempt, and the watch, recognise it by. */
export const SIGNAL_ANNOTATION = 'slipstream.dev/signal';
export const UNDONE_ANNOTATION = 'slipstream.dev/rolled-back-from';

export interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly containers?: readonly { readonly name?: string; readonly image?: string }[] };
}

export interface Deployment extends KubernetesObject {
  readonly spec?: { readonly replicas?: number; readonly paused?: boolean; readonly template?: PodTemplate };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly { readonly type?: string; readonly status?: string; readonly reason?: string }[];
  };
}

export interface ReplicaSet extends KubernetesObject {
  readonly spec?: { readonly replicas?: number; readonly template?: PodTemplate };
  readonly status?: { readonly replicas?: number };
}

export const APPS_API = '/apis/apps/v1';

export function deploymentPath(namespace: string, name: string): string {
  return `${APPS_API}/namespaces/${encodeURIComponent(namespace)}/deployments/${encodeURIComponent(name)}`;
}

/** 0 when it has none yet. */
export function revisionOf({ metadata }: KubernetesObject): number {
  const revision = Number(metadata.annotations?.[REVISION_ANNOTATION] ?? 0);
  return Number.isSafeInteger(revision) && revision > 0 ? revision : 0;
}

export function isOwnedBy(owner: KubernetesObject, { metadata }: KubernetesObject): boolean {
  return metadata.ownerReferences?.some(({ uid, controller }) => controller === true && uid === owner.metadata.uid) ?? false;
}

/** As people wrote it: the Deployment controller adds a label to that of each ReplicaSet. */
export function writtenTemplate(template: PodTemplate = {}): PodTemplate {
  const { [HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

export function isSameTemplate(one: PodTemplate | undefined, other: PodTemplate | undefined): boolean {
  return isDeepStrictEqual(writtenTemplate(one), writtenTemplate(other));
}

/** The revision that a rollback of ours took back; null when what runs now is no rollback of ours. Its own revision is the next one. */
export function undoneRevision(deployment: Deployment): number | null {
  const undone = Number(deployment.metadata.annotations?.[UNDONE_ANNOTATION] ?? 0);
  const revision = revisionOf(deployment);
  return undone > 0 && (revision === undone || revision === undone + 1) ? undone : null;
}

export type RolloutStatus = { readonly isDone: boolean; readonly detail: string };

/** Whether a rollout is through, by the rules of `kubectl rollout status` (kubectl, pkg/polymorphichelpers/rollout_status.go). */
export function rolloutStatus({ metadata, spec, status }: Deployment): RolloutStatus {
  const not = (detail: string): RolloutStatus => ({ isDone: false, detail });
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return not('the controller has not seen the newest spec yet');
  const [wanted, all] = [spec?.replicas ?? 1, status?.replicas ?? 0];
  const [updated, available] = [status?.updatedReplicas ?? 0, status?.availableReplicas ?? 0];
  const isStuck = status?.conditions?.some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded') ?? false;
  const stuck = isStuck ? '; it makes no progress' : '';
  if (updated < wanted) return not(`${updated} of ${wanted} pods are replaced${stuck}`);
  if (all > updated) return not(`${all - updated} old pods are left${stuck}`);
  if (available < updated) return not(`${available} of ${updated} new pods are available${stuck}`);
  return { isDone: true, detail: `all ${wanted} pods are replaced and available` };
}
