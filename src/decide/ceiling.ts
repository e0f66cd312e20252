/** What operators allow at most: holds back what a run would say, without making it final. */
import type { PolicyMode } from '../model/policy.ts';
import type { SignalAction } from '../model/rollout.ts';
import type { RunStep } from './run-state.ts';

const ORDER: readonly PolicyMode[] = ['observe', 'hold', 'rollback'];

/** The stricter of both. */
export function lowerMode(a: PolicyMode, b: PolicyMode): PolicyMode {
  return ORDER.indexOf(a) <= ORDER.indexOf(b) ? a : b;
}

/** True when a signal of this action may leave under `ceiling`. What asks for nothing always may. */
export function mayLeave(action: SignalAction, ceiling: PolicyMode): boolean {
  switch (action) {
    case 'rollback':
      return ceiling === 'rollback';
    case 'promote':
    case 'hold':
      return ceiling !== 'observe';
    case 'rolled_back':
      return true;
    default:
      return action satisfies never;
  }
}

/**
 * The step as it is while no more than `ceiling` is allowed. One whose signal must not leave is put off: the run stays open, says `overridden`, and takes
 * the step anew when the ceiling is lifted, if what it rests on still stands. So no proof of harm is lost to an override, and none is acted upon.
 */
export function underCeiling(step: RunStep, ceiling: PolicyMode, isBaking: boolean): RunStep {
  if (step.action === null || mayLeave(step.action, ceiling)) return step;
  return { ...step, state: isBaking ? 'baking' : 'running', decision: 'hold', reason: 'overridden', action: null };
}
