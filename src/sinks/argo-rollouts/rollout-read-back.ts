/** Looks at a Rollout after a signal: has what was asked for happened, may it still happen, or has somebody moved on? */
import { type RolloutObject, standOf } from '../../kubernetes/rollout-object.ts';
import type { RolloutTarget } from '../../model/rollout.ts';
import type { ReadBack, SinkMessage } from '../sink.ts';
import { markedStep } from './promote-plan.ts';
import { undoMark } from './undo-plan.ts';

/**
 * A rollback is confirmed when the stable release alone serves. A Rollout that was told to go on with the judged release after we aborted it is
 * superseded: somebody decided that, and the watch has the new attempt judged anew.
 */
export function rollbackSeen(rollout: RolloutObject, target: RolloutTarget, message: SinkMessage): ReadBack {
  const stand = standOf(rollout);
  const mark = undoMark(rollout, message.id);
  if (mark?.undone === target.fence) {
    if (stand.canary === mark.undone) return notYet('the controller has not taken up the restored template yet');
    if (stand.canary !== mark.restored) return superseded(`${stand.canary} is being rolled out now`);
    if (stand.phase === 'aborted') return superseded('the way back was aborted');
    const isBack = stand.phase === 'promoted' && rollout.status?.phase === 'Healthy';
    return isBack
      ? confirmed(stand.stable, 'the restored release is healthy and serves all')
      : notYet(`the restored release is ${phaseText(rollout)}`);
  }
  if (stand.canary !== target.fence) return superseded(`${stand.canary} is being rolled out now`);
  switch (stand.phase) {
    case 'promoted':
      return notYet('the judged release is promoted in full: somebody, or the controller, has called the abort off');
    case 'moving':
    case 'idle':
      return superseded('somebody has told it to go on with the judged release');
    case 'aborted':
      break;
    default:
      stand.phase satisfies never;
  }
  if (rollout.status?.promoteFull === true) return notYet('somebody promotes the judged release in full, which calls the abort off');
  const still = servedByCanary(rollout, stand.stable);
  return still === null ? confirmed(stand.stable, 'aborted, and the stable release serves all') : notYet(still);
}

export function promotionSeen(rollout: RolloutObject, target: RolloutTarget, message: SinkMessage): ReadBack {
  const stand = standOf(rollout);
  if (stand.canary !== target.fence) return superseded(`${stand.canary} is being rolled out now`);
  if (stand.phase === 'aborted') return superseded('it was aborted');
  if (stand.phase === 'promoted') return { state: 'confirmed', detail: 'promoted in full' };
  const step = markedStep(rollout, message.id);
  const index = rollout.status?.currentStepIndex ?? 0;
  if (step !== null && index > step) return { state: 'confirmed', detail: `it has gone on from step ${step} to step ${index}` };
  if (step !== null && index < step) return superseded('it has begun its steps anew');
  return notYet(`it is ${phaseText(rollout)}`);
}

/** What keeps the canary serving, in words; null when the stable release serves alone. */
function servedByCanary({ spec, status }: RolloutObject, stable: string): string | null {
  if (status?.phase !== 'Degraded') return `the controller has not taken the abort up yet: it is ${status?.phase ?? 'in no phase'}`;
  if (spec?.strategy?.blueGreen !== undefined) {
    return status.blueGreen?.activeSelector === stable ? null : 'the active service still selects another release';
  }
  const held = spec?.paused === true ? '; somebody has paused it (spec.paused), so that the controller scales nothing' : '';
  const weights = status.canary?.weights;
  if (weights !== undefined) {
    const canaryWeight = weights.canary?.weight ?? 0;
    return canaryWeight === 0 ? null : `the canary still has weight ${canaryWeight}${held}`;
  }
  const canaryPods = status.updatedReplicas ?? 0;
  const available = status.availableReplicas ?? 0;
  const wanted = spec?.replicas ?? 1;
  if (canaryPods > 0) return `${canaryPods} pods of the canary are still there${held}`;
  return available >= wanted ? null : `${available} of ${wanted} pods of the stable release are available`;
}

function phaseText({ status }: RolloutObject): string {
  return [status?.phase, status?.message].filter((part) => part !== undefined && part !== '').join(': ') || 'in no phase yet';
}

function confirmed(rolledBackTo: string, detail: string): ReadBack {
  return { state: 'confirmed', rolledBackTo, detail };
}

function notYet(detail: string): ReadBack {
  return { state: 'not_yet', detail };
}

function superseded(detail: string): ReadBack {
  return { state: 'superseded', detail };
}
