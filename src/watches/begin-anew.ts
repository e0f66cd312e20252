/** Whether a rollout that a watch tells of leads to a run, or has had its own. */
import type { Moment, WatchedRollout } from './watched-rollout.ts';

/** The run of the rollout's id, as it is known. */
export interface KnownRun {
  readonly generation: number;
  readonly isOver: boolean;
}

/**
 * A run that reached its verdict stays over while the same attempt goes on: a new one would call off a signal that is still on its way. Found at first
 * sight, a run that is over counts as that of this attempt unless its generation is below the revision, which no run of it can have; so what somebody
 * retried while we were away is not judged, rather than a rollback lost.
 */
export function leadsToRun({ revision }: Pick<WatchedRollout, 'revision'>, moment: Moment, known: KnownRun | null): boolean {
  switch (moment) {
    case 'begun':
      return true;
    case 'going_on':
      return known !== null && !known.isOver;
    case 'found':
      return known === null || !known.isOver || known.generation < revision;
    default:
      return moment satisfies never;
  }
}
