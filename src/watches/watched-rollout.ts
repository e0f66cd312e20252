/** What a watch has seen of a rollout, and who is told. */
import type { RolloutEnd, RolloutTarget } from '../model/rollout.ts';
import type { ReleaseMatcher } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';

/** A rollout in flight, as the deploy system shows it. Its id is that of its target. */
export interface WatchedRollout {
  readonly target: RolloutTarget;
  readonly service: string;
  /** What the deploy system counts its rollouts of this object by: a newer one has more. */
  readonly revision: number;
  readonly baseline: ReleaseMatcher;
  readonly canary: ReleaseMatcher;
  /** Null: unknown. */
  readonly startedAt: EpochMs | null;
  /** Share of the requests that the canary is meant to get now, (0, 1]; null when the deploy system does not say. */
  readonly canaryShare: number | null;
}

/** One object as it is now. */
export interface Reading {
  /** With the fence of the newest rollout, in flight or over. */
  readonly target: RolloutTarget;
  /** Null: none is in flight, be it complete, undone, aborted or paused. */
  readonly inFlight: WatchedRollout | null;
  /** Of the newest rollout, when it is not in flight: its release serves all. */
  readonly isThrough: boolean;
}

/** The reading as that of the object with this uid: its name alone does not tell it from one that is made again in its place. */
export function readingOf(reading: Reading, uid: string | undefined): Reading {
  if (uid === undefined) return reading;
  const { target, inFlight } = reading;
  return {
    ...reading,
    target: { ...target, uid },
    inFlight: inFlight === null ? null : { ...inFlight, target: { ...inFlight.target, uid } },
  };
}

/** `later`: it could not be taken now, and is to be told again. */
export type Told = 'done' | 'refused' | 'later';

/**
 * When a rollout in flight is told of. `found`: at first sight, so that it may have begun, and been judged, long before. `begun`: it was seen not to be
 * in flight, so this is a new attempt, be it with the same release. `going_on`: the same attempt, of which only the share has changed.
 */
export type Moment = 'found' | 'begun' | 'going_on';

export interface RolloutHandlers {
  /** Told again, with the same target, whenever the share of the canary changes. */
  begin(rollout: WatchedRollout, moment: Moment): Promise<Told> | Told;
  /** The rollout of this id is over; perhaps nobody knows it. */
  end(rolloutId: string, how: RolloutEnd): Promise<Told> | Told;
}
