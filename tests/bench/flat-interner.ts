/** The cheapest honest SeriesInterner: one open-addressed table, verified by bytes, no quotas. Allocates only for a new name. */
import type { EndpointKindIndex, ResourceIdentity, SeriesInterner } from '../../src/model/series.ts';

const CAPACITY = 65_536;
const MASK = CAPACITY - 1;

export class FlatInterner implements SeriesInterner {
  readonly #names: Uint8Array[] = [];
  readonly #resources: number[] = [];
  readonly #table = new Int32Array(CAPACITY).fill(-1);
  readonly #resourceIds = new Map<string, number>();

  /** Pods of a release have one number. */
  resource({ service, releaseAttributes }: ResourceIdentity): number {
    const key = JSON.stringify([service, ...releaseAttributes]);
    const known = this.#resourceIds.get(key);
    if (known !== undefined) return known;
    this.#resourceIds.set(key, this.#resourceIds.size);
    return this.#resourceIds.size - 1;
  }

  lane(_resource: number, _instance: string): number {
    return 0;
  }

  series(
    resource: number,
    kind: EndpointKindIndex,
    a: Uint8Array,
    aStart: number,
    aEnd: number,
    separator: number,
    b: Uint8Array,
    bStart: number,
    bEnd: number,
  ): number {
    let hash = Math.imul(resource * 8 + kind + 1, 0x9e3779b1);
    for (let i = aStart; i < aEnd; i++) hash = Math.imul(hash ^ (a[i] as number), 0x01000193);
    for (let i = bStart; i < bEnd; i++) hash = Math.imul(hash ^ (b[i] as number), 0x01000193);
    for (let place = (hash ^ (hash >>> 15)) & MASK; ; place = (place + 1) & MASK) {
      const id = this.#table[place] as number;
      if (id < 0) return this.#add(place, resource, a.subarray(aStart, aEnd), separator, b.subarray(bStart, bEnd));
      if (this.#resources[id] === resource && sameName(this.#names[id] as Uint8Array, a, aStart, aEnd, b, bStart, bEnd)) return id;
    }
  }

  #add(place: number, resource: number, a: Uint8Array, separator: number, b: Uint8Array): number {
    if (this.#names.length > CAPACITY / 2) throw new RangeError('the benchmark makes more series than it says');
    this.#table[place] = this.#names.push(Uint8Array.from(b.length > 0 ? [...a, separator, ...b] : a)) - 1;
    this.#resources.push(resource);
    return this.#table[place] as number;
  }
}

function sameName(name: Uint8Array, a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): boolean {
  const aLength = aEnd - aStart;
  const bLength = bEnd - bStart;
  if (name.length !== aLength + (bLength > 0 ? bLength + 1 : 0)) return false;
  for (let i = 0; i < aLength; i++) if (name[i] !== a[aStart + i]) return false;
  for (let i = 0; i < bLength; i++) if (name[aLength + 1 + i] !== b[bStart + i]) return false;
  return true;
}
