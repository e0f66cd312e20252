/** Puts the release before the judged one back: the same change as that of `kubectl rollout undo`, but only of exactly what was judged. */
import {
  type Deployment,
  isOwnedBy,
  isSameTemplate,
  REVISION_ANNOTATION,
  type ReplicaSet,
  revisionOf,
  SIGNAL_ANNOTATION,
  UNDONE_ANNOTATION,
  writtenTemplate,
} from '../../kubernetes/deployment-object.ts';
import type { JsonPatchStep } from '../../kubernetes/kubernetes-api.ts';
import type { SinkRefusal } from '../sink.ts';

/** What stays as the Deployment has it; all others come from the ReplicaSet. Source: kubectl, pkg/polymorphichelpers/rollback.go, annotationsToSkip. */
const KEPT_ANNOTATIONS = [
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION_ANNOTATION,
  'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
] as const;

export type UndoPlan =
  /** An earlier attempt got through, although its answer may have been lost. */
  | { readonly kind: 'done' }
  | { readonly kind: 'patch'; readonly steps: readonly JsonPatchStep[]; readonly toRevision: number }
  | { readonly kind: 'refuse'; readonly refusal: SinkRefusal; readonly detail: string };

export interface UndoScene {
  readonly deployment: Deployment;
  /** Of its namespace; those of others are passed over. */
  readonly replicaSets: readonly ReplicaSet[];
  readonly signalId: string;
  /** The judged revision. */
  readonly fence: string;
  /** The revision that served before; absent: not known, then the newest one before the judged, as kubectl takes it. */
  readonly previous?: string | undefined;
}

/** Pure. Who owns the Deployment is not looked at here. */
export function undoPlan({ deployment, replicaSets, signalId, fence, previous: served }: UndoScene): UndoPlan {
  const { annotations = {}, deletionTimestamp } = deployment.metadata;
  if (isDone(deployment, signalId, fence)) return { kind: 'done' };
  if (deletionTimestamp !== undefined) return refuse('superseded', 'the Deployment is being deleted');
  if (annotations[REVISION_ANNOTATION] !== fence) {
    return refuse('superseded', `the Deployment is at revision ${revisionOf(deployment)}, revision ${fence} was judged`);
  }
  const owned = replicaSets
    .filter((set) => isOwnedBy(deployment, set) && revisionOf(set) > 0)
    .sort((a, b) => revisionOf(b) - revisionOf(a));
  const judged = owned.find((set) => String(revisionOf(set)) === fence);
  // The controller counts a new revision only some time after the template has changed.
  if (judged === undefined || !isSameTemplate(judged.spec?.template, deployment.spec?.template)) {
    return refuse('superseded', `the Deployment no longer asks for revision ${fence}: a newer one is on its way`);
  }
  if (deployment.spec?.paused === true) return refuse('declined', 'the Deployment is paused');
  // A release that was replaced before it was through has a revision too, and may be why it was replaced: what served is what to go back to.
  const previous = owned.find((set) => (served === undefined ? revisionOf(set) < Number(fence) : String(revisionOf(set)) === served));
  if (previous === undefined) {
    return refuse('declined', `the Deployment has no revision ${served === undefined ? `before ${fence}` : served} to go back to`);
  }
  if (isSameTemplate(previous.spec?.template, deployment.spec?.template)) {
    return refuse('declined', `revision ${revisionOf(previous)} has the same template as ${fence}: nothing would change`);
  }
  return { kind: 'patch', steps: steps(deployment, previous, signalId, fence), toRevision: revisionOf(previous) };
}

/** Whether the signal was carried out on it, whatever came after. */
export function isDone({ metadata: { annotations = {} } }: Deployment, signalId: string, fence: string): boolean {
  return annotations[SIGNAL_ANNOTATION] === signalId && annotations[UNDONE_ANNOTATION] === fence;
}

/**
 * All or nothing, and nothing unless the object, its revision and its template are those that were seen. The revision alone does not tell: it lags
 * behind the template. No resourceVersion: the controller writes the status so often that it would seldom hold.
 */
function steps({ metadata, spec }: Deployment, previous: ReplicaSet, signalId: string, fence: string): JsonPatchStep[] {
  const { annotations = {} } = metadata;
  const next = new Map(Object.entries(previous.metadata.annotations ?? {}));
  for (const name of KEPT_ANNOTATIONS) {
    const kept = annotations[name];
    if (kept === undefined) next.delete(name);
    else next.set(name, kept);
  }
  next.set(SIGNAL_ANNOTATION, signalId).set(UNDONE_ANNOTATION, fence);
  return [
    { op: 'test', path: `/metadata/annotations/${REVISION_ANNOTATION.replace('/', '~1')}`, value: fence },
    { op: 'test', path: '/metadata/uid', value: metadata.uid },
    { op: 'test', path: '/spec/template', value: spec?.template },
    { op: 'replace', path: '/spec/template', value: writtenTemplate(previous.spec?.template) },
    { op: 'replace', path: '/metadata/annotations', value: Object.fromEntries(next) },
  ];
}

function refuse(refusal: SinkRefusal, detail: string): UndoPlan {
  return { kind: 'refuse', refusal, detail };
}
