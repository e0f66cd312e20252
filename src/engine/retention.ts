/** How long each kind of saved counts, and each level of histograms, is kept. */
import { type Checkpoint, COUNT_KINDS, type CountKind, LEVEL_SECONDS, type LevelSeconds } from '../model/checkpoint.ts';
import type { Policies } from '../model/policy.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';

const DAY_SEC = 86_400;

/** Seconds of histograms per level; 1 s as far as single slots are read, 1 h as far as the longest objective looks back. */
const HISTOGRAM_SEC: Readonly<Record<Exclude<LevelSeconds, 1 | 3600>, number>> = { 10: 960, 60: 6 * 3600, 600: 3 * DAY_SEC };
/** Seconds of objective counts per kind, a little more than a restart reads back. */
const COUNT_SEC: Readonly<Record<Exclude<CountKind, 'period' | 'spent'>, number>> = {
  10: 1200,
  60: 7 * 3600,
  600: 4 * DAY_SEC,
  3600: 94 * DAY_SEC,
  86400: 95 * DAY_SEC,
  heard: 93 * DAY_SEC,
};
/** Periods kept are one more than a dozen before the one that goes on; a month in a calendar is longer than its usual length, by a thirtieth. */
const PERIODS = 16;

export function retention(window: SlidingWindow, policies: Policies): Pick<Checkpoint, 'retain' | 'retainCounts'> {
  const newest = window.newestSlot;
  if (!Number.isFinite(newest)) return { retain: [], retainCounts: [] };
  const objectives = [...policies.services.values()].flatMap((policy) => policy.objectives);
  const longestSec = Math.max(DAY_SEC, ...objectives.map(({ windowMs }) => windowMs / 1000));
  const countSec = {
    ...COUNT_SEC,
    spent: Math.max(COUNT_SEC[3600], longestSec * 1.1),
    period: Math.max(COUNT_SEC[3600], PERIODS * longestSec),
  };
  return {
    retain: LEVEL_SECONDS.map((level) => ({
      level,
      slotsFromSec: level === 1 ? window.detailFrom : newest - (level === 3600 ? longestSec : HISTOGRAM_SEC[level]),
    })),
    retainCounts: COUNT_KINDS.map((kind) => ({ kind, fromSec: Math.floor(newest - countSec[kind]) })),
  };
}
