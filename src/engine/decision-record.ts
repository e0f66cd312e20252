/** What decisions changed that a crash must not undo, and nothing else: a signal waits until it is durable. */
import type { Checkpoint } from '../model/checkpoint.ts';
import type { ControlDesk } from './control-desk.ts';
import type { Rollouts } from './rollouts.ts';

/**
 * The runs named, which said something, every other one that ended since it was saved, and what the guard keeps in mind. Nothing counts as saved by it: the next
 * checkpoint has it all again, with the evidence that came since the last one.
 */
export function decisionRecord(
  { rollouts, controls }: { readonly rollouts: Pick<Rollouts, 'all'>; readonly controls: Pick<ControlDesk, 'guardNote'> },
  decided: ReadonlySet<string>,
): Pick<Checkpoint, 'runs' | 'notes'> {
  // A run that is superseded and not known to be would be judged on after a crash, beside the one that took its place.
  const runs = [...rollouts.all()].filter((run) => decided.has(run.rollout.id) || (run.isNews && run.isOver));
  return { runs: runs.map((run) => ({ id: run.rollout.id, json: JSON.stringify(run.save()) })), notes: [controls.guardNote()] };
}
