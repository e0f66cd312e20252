/** Cascades final slots: 10 s blocks are kept for a while, 1 min, 10 min and 1 h blocks are built from them and handed out. */
import type { LevelSeconds, StoredSlot } from '../model/checkpoint.ts';
import type { BlockMerge } from './block-merge.ts';
import type { BlockWriter } from './block-writer.ts';
import type { SlotBlock } from './slot-block.ts';

/** Bytes merged per `work`, about 5 ms; more when much is waiting, so that it is done within about so many calls. */
const BUDGET_BYTES = 262_144;
const BACKLOG_CALLS = 20;

/** How far back in seconds `restore` may need slots of each level: a slot of the next level that was being built, and its neighbour. */
export const RESTORE_SEC: Readonly<Record<LevelSeconds, number>> = { 1: 420, 10: 1200, 60: 1800, 600: 9000, 3600: 0 };

/** How far back in seconds completed slots wait to be taken, should nobody take them: about as far as they would be kept in a store. */
const WAIT_SEC: Readonly<Record<LevelSeconds, number>> = { 1: 0, 10: 1200, 60: 6 * 3600, 600: 3 * 86_400, 3600: 30 * 86_400 };

/** A slot of a coarse level while parts of it come in. */
interface Level {
  readonly seconds: LevelSeconds;
  /** More parts than this are merged into one before the slot is complete. */
  readonly maxParts: number;
  /** First slot that was not handed out. */
  openFrom: number;
  startSec: number;
  parts: SlotBlock[];
}

/** A merge under way: of a complete slot, or of the parts so far. */
interface Job {
  readonly level: number;
  readonly startSec: number;
  readonly parts: readonly SlotBlock[];
  readonly isComplete: boolean;
  readonly merge: BlockMerge;
}

/**
 * Merging an hour of many series takes long, so it is done bit by bit by `work`. A half built coarse slot is not saved: `restore` builds it
 * again from the finer slots that were.
 */
export class RollUp {
  /** 10 s blocks by start. */
  readonly tens = new Map<number, SlotBlock>();
  readonly #writer: BlockWriter;
  readonly #levels: readonly Level[] = [level(60, 6), level(600, 5), level(3600, 2)];
  #jobs: Job[] = [];
  #done: StoredSlot[] = [];

  constructor(writer: BlockWriter) {
    this.#writer = writer;
  }

  /** A complete 10 s slot; starts ascend. */
  add(startSec: number, block: SlotBlock): void {
    this.tens.set(startSec, block);
    this.#finish({ level: 10, startSec, bytes: block.bytes });
    this.#feed(0, startSec, block);
  }

  /** Every 10 s slot that starts before `sec` has been added: goes on with the coarser slots that end there. */
  work(sec: number): void {
    let budget = Math.max(BUDGET_BYTES, this.#backlogBytes() / BACKLOG_CALLS);
    for (;;) {
      this.#closeBefore(sec);
      const job = this.#jobs[0];
      if (job === undefined || budget <= 0) return;
      budget -= this.#advance(job, budget);
    }
  }

  dropTensBefore(sec: number): void {
    for (const start of this.tens.keys()) if (start < sec) this.tens.delete(start);
  }

  /** Blocks that were completed since the last call, as far as they were held: see `WAIT_SEC`. */
  takeDone(): StoredSlot[] {
    const done = this.#done;
    this.#done = [];
    return done;
  }

  /** First slot of each coarse level that was not handed out, for `restore`. */
  saved(): number[] {
    return this.#levels.map((at) => at.openFrom);
  }

  restore(openFrom: readonly (number | null)[], blocks: readonly { level: LevelSeconds; startSec: number; block: SlotBlock }[]): void {
    for (const [i, at] of this.#levels.entries()) at.openFrom = openFrom[i] ?? at.openFrom;
    for (const { level, startSec, block } of blocks.toSorted((a, b) => a.startSec - b.startSec)) {
      if (level === 10) this.tens.set(startSec, block);
      // Coarser slots than the finer one's `openFrom` hold it already.
      const fed = [10, 60, 600].indexOf(level);
      if (fed >= 0 && startSec >= (this.#levels[fed] as Level).openFrom) this.#feed(fed, startSec, block);
    }
  }

  /** Memory held by blocks. */
  get byteLength(): number {
    const held = new Set<SlotBlock>(this.tens.values());
    for (const at of this.#levels) for (const part of at.parts) held.add(part);
    for (const job of this.#jobs) for (const part of job.parts) held.add(part);
    let bytes = 0;
    for (const block of held) bytes += block.byteLength;
    return bytes;
  }

  /** A store that refuses for days, or a replay that has none, takes nothing. */
  #finish(slot: StoredSlot): void {
    this.#done.push(slot);
    const from = slot.startSec - WAIT_SEC[slot.level];
    const oldest = this.#done.find(({ level }) => level === slot.level);
    if (oldest === undefined || oldest.startSec >= from) return;
    this.#done = this.#done.filter(({ level, startSec }) => level !== slot.level || startSec >= from);
  }

  /** Takes `block` as a part of a slot of level `i`. */
  #feed(i: number, startSec: number, block: SlotBlock): void {
    const at = this.#levels[i];
    if (at === undefined) return;
    if (at.parts.length > 0 && startSec >= at.startSec + at.seconds) this.#close(i);
    if (at.parts.length === 0) at.startSec = Math.floor(startSec / at.seconds) * at.seconds;
    at.parts.push(block);
    const isCompacting = this.#jobs.some((job) => job.level === i && !job.isComplete);
    if (at.parts.length > at.maxParts && !isCompacting) this.#start(i, at, false);
  }

  /** Closes slots that end before all that is still to come: `sec`, or what finer levels have not handed out yet. */
  #closeBefore(sec: number): void {
    let complete = sec;
    for (const [i, at] of this.#levels.entries()) {
      if (at.parts.length > 0 && at.startSec + at.seconds <= complete) this.#close(i);
      const waiting = this.#jobs.find((job) => job.level === i && job.isComplete)?.startSec;
      const building = at.parts.length > 0 ? at.startSec : Math.floor(complete / at.seconds) * at.seconds;
      at.openFrom = Math.max(at.openFrom, waiting ?? building);
      complete = at.openFrom;
    }
  }

  #close(i: number): void {
    const at = this.#levels[i] as Level;
    this.#jobs = this.#jobs.filter((job) => job.level !== i || job.isComplete);
    this.#start(i, at, true);
    at.parts = [];
  }

  #start(level: number, at: Level, isComplete: boolean): void {
    const parts = [...at.parts];
    this.#jobs.push({ level, startSec: at.startSec, parts, isComplete, merge: this.#writer.startMerge(parts) });
  }

  /** Steps the first job; returns what it may have spent. */
  #advance(job: Job, budget: number): number {
    const only = job.parts.length === 1 ? (job.parts[0] as SlotBlock) : null;
    const block = only ?? job.merge.step(budget);
    if (block === null) return budget;
    this.#jobs.shift();
    const at = this.#levels[job.level] as Level;
    if (job.isComplete) {
      this.#finish({ level: at.seconds, startSec: job.startSec, bytes: block.bytes });
      this.#feed(job.level + 1, job.startSec, block);
    } else {
      at.parts.splice(0, job.parts.length, block);
    }
    return Math.min(budget, sumOfBytes(job.parts));
  }

  #backlogBytes(): number {
    return this.#jobs.reduce((bytes, job) => bytes + sumOfBytes(job.parts), 0);
  }
}

function level(seconds: LevelSeconds, maxParts: number): Level {
  return { seconds, maxParts, openFrom: Number.NEGATIVE_INFINITY, startSec: 0, parts: [] };
}

function sumOfBytes(blocks: readonly SlotBlock[]): number {
  return blocks.reduce((bytes, block) => bytes + block.bytes.length, 0);
}
