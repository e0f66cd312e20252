/** What a reader remembers of one partition. */
import type { EpochMs } from '../model/time.ts';
import { type LogGap, type LogPosition, type PartitionStatus, partitionName, type TopicPartition } from './log.ts';
import type { Bounds, GoingOn } from './positions.ts';

/** Looks at the end of the log after which no record is waited for any longer that would prove it the same, or end a gap: there may be none. */
const PATIENT_LOOKS = 5;

export class Reading {
  readonly of: TopicPartition;
  readonly name: string;
  /** `beginning`: its user was asked for the position; `checking`: the log is compared with it; only while `reading` is anything taken. */
  phase: 'beginning' | 'checking' | 'reading' = 'beginning';
  /** Its user cannot take any more for now. */
  isFull = false;
  /** Counts checks, so that only the newest one has an effect. */
  checks = 0;
  /** Found out about while it waits for the record that tells when it ends. */
  gaps: LogGap[] = [];
  /** The record by which the log is to be proven the same. */
  unproven: LogPosition['anchor'] = null;
  deafSinceMs: number | null = null;
  /** Where it began, when nobody had read it: there it begins again as long as its user knows no better. Null: its user told where. */
  start: LogPosition | null;
  /** The largest end seen of this log; null: none. */
  highestEnd: number | null = null;
  /** Null: nobody has read it. */
  #offset: number | null = null;
  #anchorOffset = -1;
  #anchorMs: EpochMs = -1;
  #completeMs: EpochMs = -Infinity;
  /** As it was asked for last, since the log was last compared with the position. */
  #end: number | null = null;
  #askedAt: EpochMs = -Infinity;
  #looks = 0;

  constructor(of: TopicPartition, start: LogPosition | null = null) {
    this.of = of;
    this.start = start;
    this.name = partitionName(of);
  }

  get isTaking(): boolean {
    return this.phase === 'reading' && !this.isFull;
  }

  /** The offset of the next record to be taken. */
  get offset(): number {
    return this.#offset ?? 0;
  }

  /** Where to read from: the record that is to be proven, or the next one. */
  get readFrom(): number {
    return this.unproven?.offset ?? this.offset;
  }

  get position(): LogPosition | null {
    if (this.#offset === null) return null;
    const anchor = this.#anchorOffset < 0 ? null : { offset: this.#anchorOffset, timestampMs: this.#anchorMs };
    return { offset: this.#offset, anchor };
  }

  /** From another position on: what was complete is not known any more. */
  restart(position: LogPosition | null): void {
    this.#moveTo(position);
    this.#completeMs = -Infinity;
    this.#end = null;
    this.highestEnd = null;
    this.isFull = false;
    this.gaps = [];
  }

  goOn({ position, readFrom, gaps }: GoingOn): void {
    if (this.#offset === null) this.start = position;
    this.#moveTo(position);
    this.unproven = readFrom < position.offset ? position.anchor : null;
    this.gaps.push(...gaps);
    this.#looks = 0;
    this.#end = null;
    if (gaps.some(({ reason }) => reason !== 'retention')) this.highestEnd = null;
    this.phase = 'reading';
  }

  took(offset: number, timestampMs: EpochMs, now: EpochMs): void {
    this.#offset = offset + 1;
    this.#anchorOffset = offset;
    this.#anchorMs = timestampMs;
    this.unproven = null;
    if (timestampMs >= 0) this.#complete(Math.min(timestampMs, now));
  }

  /** Records before `offset` are none of ours, or were never written. */
  passedTo(offset: number): void {
    if (offset > this.offset) this.#offset = offset;
  }

  /** It may be the log that we read, when we were at `offset` before somebody asked for its bounds. */
  isWithin({ start, end }: Bounds, offset: number): boolean {
    return this.offset >= start && offset <= end && end >= (this.#end ?? 0);
  }

  /** Nothing came for a while by which it could be told when its gaps end. */
  get isDueToTell(): boolean {
    return this.gaps.length > 0 && this.#looks >= PATIENT_LOOKS;
  }

  /** Where the log ended, as it was asked for at `askedAt`. */
  saw(end: number, askedAt: EpochMs): void {
    if (++this.#looks >= PATIENT_LOOKS) this.unproven = null;
    this.highestEnd = Math.max(end, this.highestEnd ?? 0);
    if (this.#isAt(this.#end)) this.#complete(this.#askedAt);
    this.#end = end;
    this.#askedAt = askedAt;
  }

  status(): PartitionStatus {
    // An end that is reached later on says when everything was taken that had come by the time it was asked for.
    if (this.#isAt(this.#end)) this.#complete(this.#askedAt);
    const lag = this.#end === null ? null : Math.max(0, this.#end - this.offset);
    const { of, deafSinceMs } = this;
    return { ...of, position: this.#toldOffset, end: this.#end, lag, completeUntilMs: this.#completeMs, deafSinceMs };
  }

  /** What was lost is behind us once its user knows of it: a position beyond it that is saved before would be a silent jump. */
  get #toldOffset(): number {
    return this.gaps.reduce((least, { from }) => Math.min(least, from), this.offset);
  }

  #isAt(end: number | null): boolean {
    return end !== null && this.phase === 'reading' && this.unproven === null && this.gaps.length === 0 && this.offset >= end;
  }

  #moveTo(position: LogPosition | null): void {
    this.#offset = position?.offset ?? null;
    this.#anchorOffset = position?.anchor?.offset ?? -1;
    this.#anchorMs = position?.anchor?.timestampMs ?? -1;
    this.unproven = null;
  }

  #complete(at: EpochMs): void {
    if (at > this.#completeMs) this.#completeMs = at;
  }
}
