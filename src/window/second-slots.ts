/** The 1 s slots: fragments as flushes bring them, few per slot, until they are rolled up. */
import type { BlockWriter } from './block-writer.ts';
import type { SlotBlock } from './slot-block.ts';

/** More fragments than this are merged. */
const MAX_FRAGMENTS = 6;

export class SecondSlots {
  readonly #writer: BlockWriter;
  readonly #slots = new Map<number, SlotBlock[]>();
  /** Slots touched since the last checkpoint. */
  readonly #dirty = new Set<number>();

  constructor(writer: BlockWriter) {
    this.#writer = writer;
  }

  add(slot: number, fragment: SlotBlock): void {
    const fragments = this.#slots.get(slot);
    this.#dirty.add(slot);
    if (fragments === undefined) {
      this.#slots.set(slot, [fragment]);
      return;
    }
    fragments.push(fragment);
    if (fragments.length > MAX_FRAGMENTS) this.#slots.set(slot, this.#compact(fragments));
  }

  fragments(slot: number): readonly SlotBlock[] {
    return this.#slots.get(slot) ?? NONE;
  }

  /** All of the slot as one block. */
  whole(slot: number): SlotBlock | undefined {
    const fragments = this.#slots.get(slot);
    if (fragments === undefined) return undefined;
    if (fragments.length > 1) this.#slots.set(slot, [this.#writer.merge(fragments)]);
    return this.#slots.get(slot)?.[0];
  }

  slots(): IterableIterator<number> {
    return this.#slots.keys();
  }

  /** Brings each slot in [from, to) into one block. */
  consolidate(from: number, to: number): void {
    for (const slot of this.#slots.keys()) if (slot >= from && slot < to) this.whole(slot);
  }

  dropBefore(slot: number): void {
    for (const held of this.#slots.keys()) {
      if (held >= slot) continue;
      this.#slots.delete(held);
      this.#dirty.delete(held);
    }
  }

  takeDirty(): number[] {
    const dirty = [...this.#dirty].sort((a, b) => a - b);
    this.#dirty.clear();
    return dirty;
  }

  restore(slot: number, block: SlotBlock): void {
    this.#slots.set(slot, [block]);
  }

  get byteLength(): number {
    let bytes = 0;
    for (const fragments of this.#slots.values()) for (const fragment of fragments) bytes += fragment.byteLength;
    return bytes;
  }

  /** Stragglers come in small pieces: those are merged among themselves until they weigh as much as the largest. */
  #compact(fragments: readonly SlotBlock[]): SlotBlock[] {
    const bySize = fragments.toSorted((a, b) => b.bytes.length - a.bytes.length);
    const [largest, ...rest] = bySize as [SlotBlock, ...SlotBlock[]];
    const restBytes = rest.reduce((sum, fragment) => sum + fragment.bytes.length, 0);
    return restBytes * 2 < largest.bytes.length ? [largest, this.#writer.merge(rest)] : [this.#writer.merge(fragments)];
  }
}

const NONE: readonly SlotBlock[] = [];
