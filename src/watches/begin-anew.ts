/** Whether a rollout that a watch tells of leads to a run, or has had its own. */
import type { RolloutTarget } from '../model/rollout.ts';
import type { Moment, WatchedRollout } from './watched-rollout.ts';

/** The run of the rollout's id, as it is known. */
export interface KnownRun {
  readonly generation: number;
  readonly isOver: boolean;
  /** It was rolled back, and the object was seen not to be in flight after that. */
  readonly isUndone?: boolean;
  /** Of its object; undefined: unknown. */
  readonly uid?: string | undefined;
}

/**
 * A run that reached its verdict stays over while the same attempt goes on: a new one would call off a signal that is still on its way. Found at first
 * sight, a run that is over counts as that of this attempt unless its generation is below the revision, which no run of it can have, or its rollback was
 * confirmed, so that somebody retried it while we were away. An unconfirmed one is not judged again, rather than a rollback lost.
 */
export function leadsToRun(
  { revision, target }: Pick<WatchedRollout, 'revision'> & { readonly target?: Pick<RolloutTarget, 'uid'> },
  moment: Moment,
  known: KnownRun | null,
): boolean {
  switch (moment) {
    case 'begun':
      return true;
    case 'going_on':
      return known !== null && !known.isOver;
    case 'found':
      return (
        known === null || !known.isOver || known.isUndone === true || known.generation < revision || isMadeAgain(target?.uid, known.uid)
      );
    default:
      return moment satisfies never;
  }
}

/** What an object of the same name counted before says nothing about this one. */
function isMadeAgain(uid: string | undefined, knownUid: string | undefined): boolean {
  return uid !== undefined && knownUid !== undefined && uid !== knownUid;
}
