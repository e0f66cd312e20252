/** What is waited for before anything is judged, for people: which sources of spans are behind, since when, and what was set aside. */
import type { InputDoubt } from './judgement.ts';
import type { DurationMs, EpochMs } from './time.ts';

/** A source of spans whose counts are not complete up to now. */
export interface LaggingSource {
  readonly source: string;
  /** Everything that arrived there by then is counted; null: it was never heard of. */
  readonly completeUntil: EpochMs | null;
  /** Wall clock since which that did not change; null: not known, since a restart for instance. */
  readonly stillSince: EpochMs | null;
  /** False: it was given up, and judging goes on without it. */
  readonly isWaitedFor: boolean;
}

/** A record without spans that can be read: it was set aside and counts for nothing. */
export interface QuarantinedRecord {
  readonly source: string;
  readonly offset: number;
  readonly at: EpochMs;
  readonly reason: string;
}

export interface InputsView {
  /** Judging has come to this time: up to it all sources that are waited for are complete; null: nothing is judged before all were heard of. */
  readonly streamTime: EpochMs | null;
  /** How far that is behind the wall clock. */
  readonly lagMs: DurationMs | null;
  /** Why nothing final is said now; null: nothing is in the way. */
  readonly doubt: InputDoubt | null;
  /** How many sources there are, how many of them are behind and waited for, and how many were given up. */
  readonly sources: number;
  readonly waitedFor: number;
  readonly givenUp: number;
  /** The first of those: never heard of, then given up, then the furthest behind. */
  readonly lagging: readonly LaggingSource[];
  /** Newest first, a few of them. */
  readonly quarantined: readonly QuarantinedRecord[];
}

export const MAX_LAGGING = 20;
export const MAX_QUARANTINED = 5;
