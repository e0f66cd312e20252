/** Which member has which partition, as the control topic tells. */
import type { ControlRecord } from './control-record.ts';

export interface Owner {
  /** Where its API is reached by other members. */
  readonly url: string;
  /** Its name among members. */
  readonly member: string;
  /** Offset of its claim in the control topic: a later claim of the same partition has a higher one. */
  readonly epoch: number;
}

export interface DirectoryParts {
  readonly partitions: number;
  /** The delta partition of a service, as those who write deltas have it. */
  partitionOf(service: string): number;
}

export class Directory {
  readonly partitions: number;
  readonly #parts: DirectoryParts;
  readonly #owners = new Map<number, Owner>();

  constructor(parts: DirectoryParts) {
    this.partitions = parts.partitions;
    this.#parts = parts;
  }

  partitionOf(service: string): number {
    return this.#parts.partitionOf(service);
  }

  /** Null: nobody has claimed it yet. */
  ownerOf(partition: number): Owner | null {
    return this.#owners.get(partition) ?? null;
  }

  /** Addresses of all who own something, but `own`. */
  peers(own: string): readonly string[] {
    return [...new Set([...this.#owners.values()].map(({ url }) => url))].filter((url) => url !== own);
  }

  /** To be given every record of the control topic, in its order. */
  take(record: ControlRecord): void {
    if (record.kind === 'cleared') this.#owners.clear();
    if (record.kind !== 'owner' || record.partition < 0 || record.partition >= this.partitions) return;
    const { partition, url, member, offset } = record;
    this.#owners.set(partition, { url, member, epoch: offset });
  }
}
