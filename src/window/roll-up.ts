/** Cascades final slots: 10 s blocks are kept for a while, 1 min, 10 min and 1 h blocks are built from them and handed out. */
import type { LevelSeconds, StoredSlot } from '../model/checkpoint.ts';
import type { BlockWriter } from './block-writer.ts';
import type { SlotBlock } from './slot-block.ts';

/** A slot of a coarse level while it is being built. */
interface Level {
  readonly seconds: LevelSeconds;
  /** Blocks that wait before they are merged into one; what it is built from is in memory anyway for the first level. */
  readonly maxParts: number;
  /** First slot that is not complete. */
  openFrom: number;
  startSec: number;
  parts: SlotBlock[];
  /** Parts have come since the last checkpoint. */
  isDirty: boolean;
}

export class RollUp {
  /** 10 s blocks by start. */
  readonly tens = new Map<number, SlotBlock>();
  readonly #writer: BlockWriter;
  readonly #levels: readonly Level[];
  #done: StoredSlot[] = [];

  constructor(writer: BlockWriter) {
    this.#writer = writer;
    this.#levels = [level(60, 6), level(600, 1), level(3600, 1)];
  }

  /** A complete 10 s slot; starts ascend. */
  add(startSec: number, block: SlotBlock): void {
    this.tens.set(startSec, block);
    this.#done.push({ level: 10, startSec, bytes: block.bytes });
    this.#feed(0, startSec, block);
  }

  /** Every 10 s slot that starts before `sec` has been added: completes the coarser slots that end there. */
  completeBefore(sec: number): void {
    for (const [i, at] of this.#levels.entries()) {
      if (at.parts.length > 0 && at.startSec + at.seconds <= sec) this.#complete(i);
      at.openFrom = Math.max(at.openFrom, Math.floor(sec / at.seconds) * at.seconds);
    }
  }

  dropTensBefore(sec: number): void {
    for (const start of this.tens.keys()) if (start < sec) this.tens.delete(start);
  }

  /** Blocks that are new or changed since the last call, with coarse slots as far as they are built. */
  takeChanged(): StoredSlot[] {
    const changed = this.#done;
    this.#done = [];
    for (const at of this.#levels) {
      // The one-minute slot is built from 10 s blocks that are stored themselves.
      if (at.isDirty && at.seconds > 60) {
        changed.push({ level: at.seconds, startSec: at.startSec, bytes: this.#writer.merge(at.parts).bytes });
      }
      at.isDirty = false;
    }
    return changed;
  }

  /** First slot of each coarse level that is not complete, for `restore`. */
  saved(): number[] {
    return this.#levels.map((at) => at.openFrom);
  }

  restore(openFrom: readonly (number | null)[], blocks: readonly { level: LevelSeconds; startSec: number; block: SlotBlock }[]): void {
    for (const [i, at] of this.#levels.entries()) at.openFrom = openFrom[i] ?? at.openFrom;
    for (const { level, startSec, block } of blocks.toSorted((a, b) => a.startSec - b.startSec)) {
      if (level === 10) {
        this.tens.set(startSec, block);
        const minute = this.#levels[0] as Level;
        if (startSec >= minute.openFrom) hold(minute, startSec, block);
      }
      const at = this.#levels.find((candidate) => candidate.seconds === level && level > 60);
      if (at !== undefined && startSec >= at.openFrom) hold(at, startSec, block);
    }
  }

  /** Memory held by blocks. */
  get byteLength(): number {
    let bytes = 0;
    for (const block of this.tens.values()) bytes += block.byteLength;
    for (const at of this.#levels) if (at.seconds > 60) for (const part of at.parts) bytes += part.byteLength;
    return bytes;
  }

  #feed(i: number, startSec: number, block: SlotBlock): void {
    const at = this.#levels[i];
    if (at === undefined) return;
    if (at.parts.length > 0 && startSec >= at.startSec + at.seconds) this.#complete(i);
    hold(at, startSec, block);
    at.isDirty = true;
    if (at.parts.length > at.maxParts) at.parts = [this.#writer.merge(at.parts)];
  }

  #complete(i: number): void {
    const at = this.#levels[i] as Level;
    const block = this.#writer.merge(at.parts);
    this.#done.push({ level: at.seconds, startSec: at.startSec, bytes: block.bytes });
    at.parts = [];
    at.isDirty = false;
    at.openFrom = at.startSec + at.seconds;
    this.#feed(i + 1, at.startSec, block);
  }
}

function level(seconds: LevelSeconds, maxParts: number): Level {
  return { seconds, maxParts, openFrom: Number.NEGATIVE_INFINITY, startSec: 0, parts: [], isDirty: false };
}

function hold(at: Level, startSec: number, block: SlotBlock): void {
  if (at.parts.length === 0) at.startSec = Math.floor(startSec / at.seconds) * at.seconds;
  at.parts.push(block);
}
