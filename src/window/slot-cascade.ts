/** All slots that are in memory: 1 s ones, then 10 s ones, then what coarser ones are being built from. */
import type { StoredSlot } from '../model/checkpoint.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import { type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import type { BlockWriter } from './block-writer.ts';
import { RollUp } from './roll-up.ts';
import { SecondSlots } from './second-slots.ts';
import type { SlotBlock } from './slot-block.ts';
import { restoredBlocks, type SavedCascade } from './window-note.ts';

/** 1 s slots stay readable this far behind the newest one, 10 s slots this far. */
const DETAIL_SEC = 90;
const TENS_SEC = 900;
/** And no further back than this, whoever needs them. */
export const MAX_DETAIL_SEC = 300;
const TEN = 10;

export class SlotCascade {
  /** Newest slot with a span; -Infinity before the first. */
  newestSlot: SlotIndex = Number.NEGATIVE_INFINITY;
  /** The newest one that time has come to: what is kept how fine is counted back from here. -Infinity before any. */
  reachedSlot: SlotIndex = Number.NEGATIVE_INFINITY;
  /** 1 s slots from this one on are still to be read, however far back, within `MAX_DETAIL_SEC`. */
  neededFrom: SlotIndex = Number.POSITIVE_INFINITY;
  readonly #writer: BlockWriter;
  readonly #seconds: SecondSlots;
  readonly #rollUp: RollUp;
  #frozenBefore: SlotIndex = Number.NEGATIVE_INFINITY;
  /** Slots before this are in 10 s slots too; a multiple of 10. */
  #rolledBefore: SlotIndex = Number.NEGATIVE_INFINITY;
  /** 1 s slots before this are gone, whoever comes to need them. */
  #droppedBefore: SlotIndex = Number.NEGATIVE_INFINITY;

  constructor(writer: BlockWriter) {
    this.#writer = writer;
    this.#seconds = new SecondSlots(writer);
    this.#rollUp = new RollUp(writer);
  }

  /** Slots before this take nothing any more. */
  get frozenBefore(): SlotIndex {
    return this.#frozenBefore;
  }

  /** 1 s slots from this one on are kept; a multiple of 10. */
  get detailFrom(): SlotIndex {
    const needed = Math.max(this.neededFrom, this.reachedSlot - MAX_DETAIL_SEC);
    const kept = Math.min(this.#rolledBefore, Math.floor(Math.min(this.reachedSlot - DETAIL_SEC, needed) / TEN) * TEN);
    return Math.max(kept, this.#droppedBefore);
  }

  /** Memory held by slots. */
  get byteLength(): number {
    return this.#seconds.byteLength + this.#rollUp.byteLength;
  }

  /** Adds to a slot that is not frozen. */
  add(slot: SlotIndex, fragment: SlotBlock): void {
    this.#seconds.add(slot, fragment);
  }

  fragments(slot: SlotIndex): readonly SlotBlock[] {
    return this.#seconds.fragments(slot);
  }

  /** Freezes slots before `horizon`, which never goes back, and goes on with the roll-up. */
  advance(horizon: SlotIndex): void {
    if (horizon > this.#frozenBefore) {
      // As slots freeze, so that ten of them are not left for one moment.
      this.#seconds.consolidate(this.#frozenBefore, horizon);
      this.#frozenBefore = horizon;
      this.#rollTens();
    }
    this.#rollUp.work(this.#rolledBefore);
  }

  /** The slots that [fromMs, toMs) touches, oldest first: 10 s ones before `detailFrom`, then 1 s ones. */
  *touched(fromMs: EpochMs, toMs: EpochMs): Generator<{ readonly endSec: number; readonly blocks: readonly SlotBlock[] }> {
    const detailFrom = this.detailFrom;
    const from = Math.max(Math.floor(fromMs / SLOT_MS), this.reachedSlot - TENS_SEC - TEN);
    const to = Math.min(Math.ceil(toMs / SLOT_MS), this.newestSlot + 1);
    for (let start = Math.floor(from / TEN) * TEN; start < Math.min(to, detailFrom); start += TEN) {
      const block = this.#rollUp.tens.get(start);
      if (block !== undefined) yield { endSec: start + TEN, blocks: [block] };
    }
    for (let slot = Math.max(from, detailFrom); slot < to; slot++) {
      const blocks = this.#seconds.fragments(slot);
      if (blocks.length > 0) yield { endSec: slot + 1, blocks };
    }
  }

  /** Slots that were touched or completed since the last call. */
  takeChanged(): StoredSlot[] {
    const changed = this.#rollUp.takeDone();
    for (const slot of this.#seconds.takeDirty()) {
      const block = this.#seconds.whole(slot);
      if (block !== undefined) changed.push({ level: 1, startSec: slot, bytes: block.bytes });
    }
    return changed;
  }

  saved(): SavedCascade {
    const [frozenBefore, rolledBefore, droppedBefore] = [this.#frozenBefore, this.#rolledBefore, this.#droppedBefore];
    return { frozenBefore, rolledBefore, droppedBefore, openFrom: this.#rollUp.saved() };
  }

  /** Set `newestSlot`, `reachedSlot` and `neededFrom` first. */
  restore(saved: SavedCascade, slots: readonly StoredSlot[], layout: HistogramLayout): void {
    this.#frozenBefore = saved.frozenBefore ?? Number.NEGATIVE_INFINITY;
    this.#rolledBefore = saved.rolledBefore ?? Number.NEGATIVE_INFINITY;
    this.#droppedBefore = saved.droppedBefore ?? Number.NEGATIVE_INFINITY;
    const [, from60, from600] = saved.openFrom;
    const blocks = restoredBlocks(slots, layout, {
      1: this.detailFrom,
      10: this.reachedSlot - TENS_SEC - TEN,
      60: from60 ?? Number.NEGATIVE_INFINITY,
      600: from600 ?? Number.NEGATIVE_INFINITY,
      3600: Number.POSITIVE_INFINITY,
    });
    for (const { level, startSec, block } of blocks) if (level === 1) this.#seconds.restore(startSec, block);
    this.#rollUp.restore(saved.openFrom, blocks);
  }

  #rollTens(): void {
    const rollTo = Math.floor(this.#frozenBefore / TEN) * TEN;
    const starts = new Set<number>();
    for (const slot of this.#seconds.slots()) {
      if (slot >= this.#rolledBefore && slot < rollTo) starts.add(Math.floor(slot / TEN) * TEN);
    }
    for (const start of [...starts].sort((a, b) => a - b)) {
      const parts: SlotBlock[] = [];
      for (let slot = start; slot < start + TEN; slot++) parts.push(...this.#seconds.fragments(slot));
      this.#rollUp.add(start, this.#writer.mergeLanes(parts));
    }
    this.#rolledBefore = Math.max(this.#rolledBefore, rollTo);
    this.#rollUp.dropTensBefore(this.reachedSlot - TENS_SEC - TEN);
    this.#droppedBefore = this.detailFrom;
    this.#seconds.dropBefore(this.#droppedBefore);
  }
}
