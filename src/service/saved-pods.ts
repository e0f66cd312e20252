/** What of stage A is saved with the state: the lanes of pods that are part of a run. */
import type { Engine } from '../engine.ts';
import type { Ingest } from '../ingest.ts';
import type { StoredNote } from '../model/checkpoint.ts';

/** Empty when nothing of it changed since the last call. */
export function savedPods({
  engine,
  ingest,
}: {
  readonly engine: Pick<Engine, 'rollouts'>;
  readonly ingest: Pick<Ingest, 'unsavedPods'>;
}): readonly StoredNote[] {
  const judged = new Set([...engine.rollouts.active()].map(({ rollout }) => rollout.service));
  const pods = ingest.unsavedPods(judged);
  return pods === null ? [] : [pods];
}
