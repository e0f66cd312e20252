/** Rolls back a release that was promoted in full: puts back the template of the release before it, and leads all of the traffic there. */
import type { KubernetesObject } from '../../kubernetes/kubernetes-api.ts';
import {
  POD_HASH_LABEL,
  RESTORED_ANNOTATION,
  REVISION_ANNOTATION,
  type RolloutObject,
  rolloutPath,
  SIGNAL_ANNOTATION,
  standOf,
  UNDONE_ANNOTATION,
} from '../../kubernetes/rollout-object.ts';
import type { RolloutTarget } from '../../model/rollout.ts';
import type { SinkMessage } from '../sink.ts';
import { annotated, DONE, nudged, type Plan, refuse, unchanged, wait } from './plan.ts';
import { fullPromotionSeen } from './promote-plan.ts';

export interface TemplateHolder extends KubernetesObject {
  readonly spec?: { readonly template?: PodTemplate };
}

export interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly containers?: readonly { readonly name?: string; readonly image?: string }[] };
}

/** What was seen besides the Rollout. */
export interface UndoScene {
  readonly rollout: RolloutObject;
  /** The ReplicaSets that the Rollout owns, in any order. */
  readonly replicaSets: readonly TemplateHolder[];
  /** The Deployment whose template the Rollout runs (`workloadRef`); null where it has its own, undefined when it is gone. */
  readonly workload: TemplateHolder | null | undefined;
  /** Who would put the release back, such as `Argo CD`; null: nobody. */
  readonly owner: string | null;
}

export interface UndoMark {
  readonly undone: string;
  readonly restored: string;
}

/** What an undo for the signal wrote down; null when there was none. */
export function undoMark({ metadata: { annotations = {} } }: RolloutObject, id: string): UndoMark | null {
  const undone = annotations[UNDONE_ANNOTATION];
  const restored = annotations[RESTORED_ANNOTATION];
  return annotations[SIGNAL_ANNOTATION] !== id || undone === undefined || restored === undefined ? null : { undone, restored };
}

/** The judged release is promoted and nothing was done yet. */
export function undoPlan(scene: UndoScene, target: RolloutTarget, message: SinkMessage): Plan {
  const { rollout, workload, owner } = scene;
  const stand = standOf(rollout);
  if (!stand.isObserved || !isWorkloadObserved(scene)) return wait('the controller has not seen the newest spec yet');
  if (owner !== null) return refuse('declined', `${owner} owns it and would put the release back`);
  if (rollout.spec?.paused === true) return refuse('declined', 'somebody has paused it (spec.paused)');
  if (workload === undefined) return refuse('declined', 'its workloadRef names no Deployment that is there');
  const before = releaseBefore(scene, target);
  if (typeof before === 'string') return refuse('declined', before);
  const marks = { [SIGNAL_ANNOTATION]: message.id, [UNDONE_ANNOTATION]: target.fence, [RESTORED_ANNOTATION]: before.hash };
  // Of a Deployment's template and the Rollout's mark only one can be written at a time: the mark first, so that the other is never written twice.
  const template = workload === null ? [{ op: 'replace', path: '/spec/template', value: before.template } as const] : [];
  const steps = [...unchanged(rollout, stand), ...annotated(rollout.metadata.annotations, marks), ...template];
  return { kind: 'patch', patch: { path: rolloutPath(target.namespace, target.name), steps } };
}

/**
 * Goes on with an undo that is marked: the template of a `workloadRef` is put back, and then the restored release gets all of the traffic without the
 * steps and pauses of a canary (argo-rollouts#2168), since it has served before.
 */
export function undoneFurther(scene: UndoScene, mark: UndoMark, target: RolloutTarget): Plan {
  const { rollout, workload } = scene;
  const stand = standOf(rollout);
  if (stand.canary === mark.undone) {
    if (workload === null) return wait('the controller has not taken up the restored template yet', nudged(rollout));
    return workloadPlan(scene, mark, target);
  }
  if (stand.canary !== mark.restored) return refuse('superseded', `the newest release is ${stand.canary}`);
  if (stand.phase === 'aborted') return refuse('superseded', 'the way back was aborted');
  if (stand.phase === 'promoted') return DONE;
  if (rollout.status?.promoteFull === true) return fullPromotionSeen(rollout);
  if (!stand.isObserved) return wait('the controller has not seen the newest spec yet');
  return {
    kind: 'patch',

    patch: {
      path: `${rolloutPath(target.namespace, target.name)}/status`,
      steps: [...unchanged(rollout, stand), { op: 'add', path: '/status/promoteFull', value: true }],
    },
  };
}

function workloadPlan(scene: UndoScene, mark: UndoMark, target: RolloutTarget): Plan {
  const { workload } = scene;
  if (workload === undefined || workload === null) return refuse('declined', 'its workloadRef names no Deployment that is there');
  const restored = scene.replicaSets.find((set) => hashOf(set) === mark.restored)?.spec?.template;
  if (restored === undefined) return refuse('declined', `the ReplicaSet of ${mark.restored} is gone`);
  // Either what was put back, or something newer that the controller is about to see.
  if (!isWorkloadObserved(scene)) return wait('the controller has not taken up the template of the Deployment yet', nudged(scene.rollout));
  return {
    kind: 'patch',

    patch: {
      path: workloadPath(target.namespace, workload.metadata.name),
      steps: [
        { op: 'test', path: '/metadata/uid', value: workload.metadata.uid },
        { op: 'test', path: '/metadata/generation', value: workload.metadata.generation },
        { op: 'replace', path: '/spec/template', value: withoutHash(restored) },
      ],
    },
  };
}

export function workloadPath(namespace: string, name: string): string {
  return `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments/${encodeURIComponent(name)}`;
}

/** Pod-template-hash of a ReplicaSet of the Rollout; empty when it has none. */
export function hashOf({ metadata }: KubernetesObject): string {
  return metadata.labels?.[POD_HASH_LABEL] ?? '';
}

/** The template of the Deployment is the one that the newest release is made of. */
function isWorkloadObserved({ rollout, workload }: UndoScene): boolean {
  return workload === null || workload === undefined || rollout.status?.workloadObservedGeneration === String(workload.metadata.generation);
}

/** What served before the judged release, or in words why that is not known: as the target names it, else the revision before as `kubectl argo rollouts undo` takes it. */
function releaseBefore({ replicaSets }: UndoScene, { fence, previous }: RolloutTarget): { hash: string; template: PodTemplate } | string {
  const others = replicaSets.filter((set) => hashOf(set) !== '' && hashOf(set) !== fence && set.spec?.template !== undefined);
  const before = previous === undefined ? newest(others) : others.find((set) => hashOf(set) === previous);
  if (before?.spec?.template === undefined)
    return previous === undefined ? 'there is no revision before it' : `the ReplicaSet of ${previous}, which served before, is gone`;
  return { hash: hashOf(before), template: withoutHash(before.spec.template) };
}

function newest(sets: readonly TemplateHolder[]): TemplateHolder | undefined {
  const revision = (set: TemplateHolder): number => Number(set.metadata.annotations?.[REVISION_ANNOTATION] ?? 0) || 0;
  return sets.toSorted((a, b) => revision(b) - revision(a))[0];
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [POD_HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}
