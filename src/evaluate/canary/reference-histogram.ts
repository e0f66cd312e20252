/** The baseline's latencies of the last minutes, from which "slow" is defined: old requests fade with a half-life of ten minutes. */
import type { DurationMs } from '../../model/time.ts';
import type { ArmSlot } from './arm-slot.ts';

const HALF_LIFE_MS = 600_000;
/** Buckets are kept in chunks that come into being when touched: an endpoint's latencies span few of them. */
const CHUNK_BITS = 7;
const CHUNK = 1 << CHUNK_BITS;
/**
 * Newer requests weigh more instead of older ones less. A request at the origin weighs this much, and all weights are whole numbers: sums are exact, and
 * their digits few when they are saved. Beyond so many half-lives all masses are divided by the same power of two.
 */
const UNIT = 1024;
const MAX_HALF_LIVES = 8;

export interface ReferenceState {
  readonly halfLives: number;
  /** Chunk index, then bucket offset and mass of each bucket that holds something. */
  readonly chunks: readonly (readonly number[])[];
}

export class ReferenceHistogram {
  readonly #chunks: (Float64Array | undefined)[];
  readonly #chunkMass: Float64Array;
  #mass = 0;
  /** Half-lives taken out of all weights. */
  #halfLives = 0;

  /** `size` is the layout's number of buckets. */
  constructor(size: number) {
    const chunks = Math.ceil(size / CHUNK);
    this.#chunks = new Array(chunks).fill(undefined);
    this.#chunkMass = new Float64Array(chunks);
  }

  /** Adds a slot of the baseline that ended at `atMs`, relative to any fixed origin and negative before it. */
  add(atMs: DurationMs, slot: ArmSlot): void {
    const weight = this.#weight(atMs);
    for (let i = 0; i < slot.size; i++) {
      const bucket = slot.buckets[i] as number;
      const mass = (slot.counts[i] as number) * weight;
      const index = bucket >> CHUNK_BITS;
      let chunk = this.#chunks[index];
      if (chunk === undefined) {
        chunk = new Float64Array(CHUNK);
        this.#chunks[index] = chunk;
      }
      const offset = bucket & (CHUNK - 1);
      chunk[offset] = (chunk[offset] as number) + mass;
      this.#chunkMass[index] = (this.#chunkMass[index] as number) + mass;
      this.#mass += mass;
    }
  }

  /** Requests it stands for at `atMs`, faded. */
  requests(atMs: DurationMs): number {
    return this.#mass / this.#weight(atMs);
  }

  /** The lowest bucket such that at most `1 - q` of all requests lie in it and above; the number of buckets is the answer for `q` = 1. */
  edge(q: number): number {
    const limit = (1 - q) * this.#mass;
    let above = 0;
    for (let index = this.#chunks.length - 1; index >= 0; index--) {
      const mass = this.#chunkMass[index] as number;
      if (above + mass <= limit) {
        above += mass;
        continue;
      }
      const chunk = this.#chunks[index] as Float64Array;
      for (let offset = CHUNK - 1; offset >= 0; offset--) {
        above += chunk[offset] as number;
        if (above > limit) return (index << CHUNK_BITS) + offset + 1;
      }
      return index << CHUNK_BITS;
    }
    return 0;
  }

  /** Share of its requests in bucket `from` and above, [0, 1]; 0 when it is empty. */
  shareFrom(from: number): number {
    if (this.#mass === 0) return 0;
    let above = 0;
    for (let index = this.#chunks.length - 1; index > from >> CHUNK_BITS; index--) above += this.#chunkMass[index] as number;
    const chunk = this.#chunks[from >> CHUNK_BITS];
    for (let offset = from & (CHUNK - 1); chunk !== undefined && offset < CHUNK; offset++) above += chunk[offset] as number;
    return above / this.#mass;
  }

  snapshot(): ReferenceState {
    const chunks = this.#chunks.flatMap((chunk, index) => {
      if (chunk === undefined) return [];
      const flat = [index];
      for (let offset = 0; offset < CHUNK; offset++) if (chunk[offset] !== 0) flat.push(offset, chunk[offset] as number);
      return [flat];
    });
    return { halfLives: this.#halfLives, chunks };
  }

  static restore(size: number, state: ReferenceState): ReferenceHistogram {
    const restored = new ReferenceHistogram(size);
    restored.#halfLives = state.halfLives;
    for (const flat of state.chunks) {
      const chunk = new Float64Array(CHUNK);
      for (let i = 1; i < flat.length; i += 2) chunk[flat[i] as number] = flat[i + 1] as number;
      restored.#chunks[flat[0] as number] = chunk;
    }
    restored.#sum();
    return restored;
  }

  #weight(atMs: DurationMs): number {
    const halfLives = atMs / HALF_LIFE_MS - this.#halfLives;
    if (halfLives > MAX_HALF_LIVES) {
      this.#fade(Math.floor(halfLives));
      return this.#weight(atMs);
    }
    return Math.round(UNIT * 2 ** halfLives);
  }

  #fade(halfLives: number): void {
    const factor = 2 ** -halfLives;
    for (const chunk of this.#chunks) {
      for (let offset = 0; chunk !== undefined && offset < CHUNK; offset++) chunk[offset] = Math.round((chunk[offset] as number) * factor);
    }
    this.#halfLives += halfLives;
    this.#sum();
  }

  #sum(): void {
    this.#mass = 0;
    this.#chunks.forEach((chunk, index) => {
      const mass = chunk?.reduce((sum, each) => sum + each, 0) ?? 0;
      this.#chunkMass[index] = mass;
      this.#mass += mass;
    });
  }
}
