/** Remembers which flushes were merged, so that merging one twice changes nothing. */
import type { Origin } from '../model/slot-deltas.ts';

/** Sources remembered; beyond it the one heard longest ago is forgotten. */
const MAX_SOURCES = 4096;

export interface SeenOrigin {
  readonly source: string;
  readonly epoch: string;
  readonly sequence: number;
}

/** Within one source and epoch sequences only grow; another epoch of a source starts anew and the previous one is forgotten. */
export class Origins {
  readonly #seen = new Map<string, SeenOrigin>();

  /** True, and remembered, when `origin` has not been seen. */
  admit(origin: Origin): boolean {
    const seen = this.#seen.get(origin.source);
    if (seen !== undefined && seen.epoch === origin.epoch && origin.sequence <= seen.sequence) return false;
    this.#seen.delete(origin.source);
    this.#seen.set(origin.source, { source: origin.source, epoch: origin.epoch, sequence: origin.sequence });
    if (this.#seen.size > MAX_SOURCES) this.#seen.delete(this.#seen.keys().next().value as string);
    return true;
  }

  /** Oldest heard first, for `restore`. */
  saved(): SeenOrigin[] {
    return [...this.#seen.values()];
  }

  restore(saved: readonly SeenOrigin[]): void {
    for (const seen of saved) this.#seen.set(seen.source, seen);
  }
}
