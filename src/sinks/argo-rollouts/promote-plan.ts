/** Promotes a canary: the next step, or all of the traffic. */
import { type RolloutObject, rolloutPath, SIGNAL_ANNOTATION, standOf } from '../../kubernetes/rollout-object.ts';
import type { RolloutTarget } from '../../model/rollout.ts';
import type { SinkMessage } from '../sink.ts';
import { annotated, DONE, nudged, type Plan, type PlannedPatch, refuse, unchanged, wait } from './plan.ts';

/** The step that a signal of ours promoted, written down before it is left: whoever comes to the signal again does not promote the next one. */
export const STEP_ANNOTATION = 'slipstream.dev/promoted-step';

/** Never promotes what was aborted, and nothing newer than what was judged. */
export function promotePlan(how: 'step' | 'full', rollout: RolloutObject, target: RolloutTarget, { id }: SinkMessage): Plan {
  const stand = standOf(rollout);
  if (stand.canary !== target.fence) return refuse('superseded', `the newest release is ${stand.canary || 'not known yet'}`);
  switch (stand.phase) {
    case 'promoted':
      return DONE;
    case 'aborted':
      return refuse('superseded', 'it was aborted');
    case 'idle':
      return refuse('declined', 'it has no stable release');
    case 'moving':
      break;
    default:
      stand.phase satisfies never;
  }
  if (rollout.status?.promoteFull === true) return fullPromotionSeen(rollout);
  if (rollout.spec?.paused === true) return refuse('declined', 'somebody has paused it (spec.paused)');
  if (!stand.isObserved) return wait('the controller has not seen the newest spec yet');
  const path = rolloutPath(target.namespace, target.name);
  const guard = unchanged(rollout, stand);
  if (how === 'full') {
    const steps = [...guard, { op: 'add', path: '/status/promoteFull', value: true } as const];
    return { kind: 'patch', patch: { path: `${path}/status`, steps } };
  }
  const index = rollout.status?.currentStepIndex;
  const count = rollout.spec?.strategy?.canary?.steps?.length ?? 0;
  if (index === undefined || count === 0) return refuse('declined', 'it has no steps to go on to');
  const here = [...guard, { op: 'test', path: '/status/currentStepIndex', value: index } as const];
  const marked = markedStep(rollout, id);
  if (marked === null) {
    const mark = annotated(rollout.metadata.annotations, { [SIGNAL_ANNOTATION]: id, [STEP_ANNOTATION]: String(index) });
    return { kind: 'patch', patch: { path, steps: [...here, ...mark] } };
  }
  if (index > marked) return DONE;
  if (index < marked) return refuse('superseded', 'it has begun its steps anew');
  const patch = stepPatch(rollout, `${path}/status`, Math.min(index + 1, count));
  const resumed = 'the controller has not taken up the end of the pause yet';
  return patch === null ? wait(resumed, nudged(rollout)) : { kind: 'patch', patch: { ...patch, steps: [...here, ...patch.steps] } };
}

/** A full promotion that is asked for: the controller has taken it up once it is behind the last step. */
export function fullPromotionSeen(rollout: RolloutObject): Plan {
  const count = rollout.spec?.strategy?.canary?.steps?.length ?? 0;
  const isTakenUp = (rollout.status?.currentStepIndex ?? count) >= count;
  return isTakenUp ? DONE : wait('the controller has not taken up the full promotion yet', nudged(rollout));
}

/** The step from which the signal promoted; null when it has not. */
export function markedStep({ metadata: { annotations = {} } }: RolloutObject, id: string): number | null {
  if (annotations[SIGNAL_ANNOTATION] !== id) return null;
  const step = Number(annotations[STEP_ANNOTATION]);
  return Number.isSafeInteger(step) ? step : null;
}

/** As `kubectl argo rollouts promote` has it (v1.9.0, getPatches); null when it is being resumed already. */
function stepPatch({ status }: RolloutObject, path: string, next: number): PlannedPatch | null {
  const pauses = status?.pauseConditions ?? [];
  const resumed = { op: 'remove', path: '/status/pauseConditions' } as const;
  const stepped = { op: 'add', path: '/status/currentStepIndex', value: next } as const;
  if (pauses.length > 0 && status?.controllerPause === true && status.canary?.currentStepAnalysisRunStatus?.status === 'Inconclusive') {
    return { path, steps: [resumed, { op: 'add', path: '/status/controllerPause', value: false }, stepped] };
  }
  if (pauses.length > 0) return { path, steps: [resumed] };
  return status?.controllerPause === true ? null : { path, steps: [stepped] };
}
