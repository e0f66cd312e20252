/** Where reading goes on in a log that may have been cut off at either end, or made again, since. */
import type { EpochMs } from '../model/time.ts';
import type { LogGap, LogPosition, TopicPartition } from './log.ts';

/** Offsets that a log has: [start, end). */
export interface Bounds {
  readonly start: number;
  readonly end: number;
}

/** What is known of a partition when reading is to go on in it. */
export interface Stand {
  readonly of: TopicPartition;
  /** Null: nobody has read it. */
  readonly position: LogPosition | null;
  /** Where one begins that nobody has read. */
  readonly from: 'earliest' | 'latest';
  /** The record at the anchor was found to be another one. */
  readonly isMadeAgain: boolean;
  /** The largest end that the log was seen to have while it was surely the same; null: never seen. */
  readonly highestEnd: number | null;
}

export interface GoingOn {
  readonly position: LogPosition;
  /** Read from here: the anchor's record, by which it is proven that the log is the same; or the position itself when there is nothing to prove. */
  readonly readFrom: number;
  /** In order of their offsets; `toMs` is yet unknown. */
  readonly gaps: readonly LogGap[];
}

/**
 * Where to go on, and what was lost before. `firstAfter(time)` asks the log for the first of its records that is younger than `time` (its end when there
 * is none); it is asked only when the log ends before the position. A log that was made again holds only younger records than the anchor; one that lost
 * its end holds older ones.
 */
export async function goingOn(stand: Stand, bounds: Bounds, firstAfter: (time: EpochMs) => Promise<number>): Promise<GoingOn> {
  const { position, from } = stand;
  if (position === null) return readingFrom(from === 'earliest' ? bounds.start : bounds.end);
  if (stand.isMadeAgain) return madeAgain(stand, position, bounds);
  if (position.offset < bounds.start) return readingFrom(bounds.start, [gap(stand, 'retention', position.offset, bounds.start)]);
  if (position.offset > bounds.end) {
    if (await isOther(position, bounds, firstAfter)) return madeAgain(stand, position, bounds);
    return readingFrom(bounds.end, [gap(stand, 'truncated', bounds.end, position.offset)]);
  }
  const { anchor } = position;
  const isProvable = anchor !== null && anchor.timestampMs >= 0 && anchor.offset >= bounds.start && anchor.offset < position.offset;
  return { position, readFrom: isProvable ? anchor.offset : position.offset, gaps: [] };
}

function readingFrom(offset: number, gaps: readonly LogGap[] = []): GoingOn {
  return { position: { offset, anchor: null }, readFrom: offset, gaps };
}

function madeAgain(stand: Stand, position: LogPosition, { start }: Bounds): GoingOn {
  const gaps = [gap(stand, 'recreated', position.offset, Math.max(position.offset, stand.highestEnd ?? 0))];
  if (start > 0) gaps.push(gap(stand, 'retention', 0, start));
  return readingFrom(start, gaps);
}

async function isOther({ anchor }: LogPosition, { start, end }: Bounds, firstAfter: (time: EpochMs) => Promise<number>): Promise<boolean> {
  if (anchor === null || anchor.timestampMs < 0 || start === end) return start === 0;
  return (await firstAfter(anchor.timestampMs)) === start;
}

function gap({ of, position }: Stand, reason: LogGap['reason'], from: number, to: number): LogGap {
  const fromMs = position?.anchor?.timestampMs ?? -1;
  return { ...of, reason, from, to, fromMs: fromMs >= 0 ? fromMs : null, toMs: null };
}
