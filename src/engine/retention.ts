/** How long each level of saved counts and histograms is kept. */
import { type Checkpoint, LEVEL_SECONDS, type LevelSeconds } from '../model/checkpoint.ts';
import type { Policies } from '../model/policy.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';

const DAY_SEC = 86_400;

/** Seconds of histograms per level; 1 s as far as single slots are read, 1 h as far as the longest objective looks back. */
const HISTOGRAM_SEC: Readonly<Record<Exclude<LevelSeconds, 1 | 3600>, number>> = { 10: 960, 60: 6 * 3600, 600: 3 * DAY_SEC };
/** Seconds of objective counts per level, a little more than a restart reads back. */
const COUNT_SEC: Readonly<Record<LevelSeconds, number>> = { 1: 0, 10: 1200, 60: 7 * 3600, 600: 4 * DAY_SEC, 3600: 91 * DAY_SEC };

export function retention(window: SlidingWindow, policies: Policies): Checkpoint['retain'] {
  const newest = window.newestSlot;
  if (!Number.isFinite(newest)) return [];
  const longestSec = Math.max(
    DAY_SEC,
    ...[...policies.services.values()].flatMap((policy) => policy.objectives.map((objective) => objective.windowMs / 1000)),
  );
  return LEVEL_SECONDS.map((level) => ({
    level,
    slotsFromSec: level === 1 ? window.detailFrom : newest - (level === 3600 ? longestSec : HISTOGRAM_SEC[level]),
    countsFromSec: newest - COUNT_SEC[level],
  }));
}
