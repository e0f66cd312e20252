/** What is known of one objective besides its counts: its names, and since when it counts. */
import { calendarPeriod } from '../model/calendar.ts';
import type { Exclusion, Objective } from '../model/objective.ts';
import { type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import { countsKey, excludedKey, periodKey } from './objective-key.ts';

export interface Tally {
  readonly key: string;
  readonly excludedKey: string;
  objective: Objective;
  /** Names of the periods of its calendar, counted and taken out; null without a calendar. */
  periodKeys: { readonly counted: string; readonly excluded: string } | null;
  exclusions: readonly Exclusion[];
  /** First slot that is counted in full: what came before was seen in part, or not at all. -Infinity: it was there from the first span on. */
  declaredFrom: SlotIndex;
  /** First slot with a valid event at or after `declaredFrom`; Infinity before any. */
  since: SlotIndex;
}

export function tallyOf(objective: Objective, exclusions: readonly Exclusion[], declaredFrom: SlotIndex): Tally {
  const key = countsKey(objective);
  const tally: Tally = {
    key,
    excludedKey: excludedKey(key),
    objective,
    periodKeys: null,
    exclusions: [],
    declaredFrom,
    since: Number.POSITIVE_INFINITY,
  };
  retell(tally, objective, exclusions);
  return tally;
}

/** The objective as a newer file has it, of the same key. */
export function retell(tally: Tally, objective: Objective, exclusions: readonly Exclusion[]): void {
  const { calendar } = objective;
  tally.objective = objective;
  tally.exclusions = exclusions;
  tally.periodKeys =
    calendar === null ? null : { counted: periodKey(tally.key, calendar), excluded: periodKey(tally.excludedKey, calendar) };
}

/** Where the objective's window begins that ends at `toMs`, exclusive. */
export function windowFrom({ calendar, windowMs }: Objective, toMs: EpochMs): EpochMs {
  return calendar === null ? toMs - windowMs : calendarPeriod(calendar, toMs - 1).fromMs;
}

/** Names of the exclusions that have part of [fromMs, toMs). */
export function excluding(exclusions: readonly Exclusion[], fromMs: EpochMs, toMs: EpochMs): string[] {
  return exclusions.filter(({ intervals }) => hasPart(intervals, fromMs, toMs)).map(({ name }) => name);
}

/** True when requests that end in the slot count for nothing. */
export function isExcluded(exclusions: readonly Exclusion[], slot: SlotIndex): boolean {
  return exclusions.some(({ intervals }) => hasPart(intervals, slot * SLOT_MS, slot * SLOT_MS + 1));
}

/** `intervals` ascend and do not overlap. */
function hasPart(intervals: Exclusion['intervals'], fromMs: EpochMs, toMs: EpochMs): boolean {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((intervals[middle]?.[1] as EpochMs) <= fromMs) low = middle + 1;
    else high = middle;
  }
  const first = intervals[low];
  return first !== undefined && first[0] < toMs;
}
