/** Up to where each partition was taken, and up to where it is part of the engine's state: the two must never be confused. */
import { type LogGap, type LogPosition, type LogRecord, type PartitionStatus, partitionName } from '../kafka/log.ts';
import type { StoredNote } from '../model/checkpoint.ts';
import { PermanentError } from '../model/errors.ts';
import type { Origin } from '../model/slot-deltas.ts';

const NOTE = 'kafka-positions';
/** Of partitions that come and go; those that moved last are kept. */
const MAX_PARTITIONS = 20_000;

interface SavedPositions {
  /** Nothing but Kafka fed the state, so it goes on exactly where it ended. */
  readonly isOnlySource: boolean;
  /** Name, offset, offset and time of the last record before it, and how often the log was made anew or cut off. */
  readonly partitions: readonly (readonly [string, number, number | null, number | null, number])[];
}

export class SourcePositions {
  readonly #isOnlySource: boolean;
  readonly #taken = new Map<string, LogPosition>();
  readonly #merged = new Map<string, LogPosition>();
  /** Offsets of a log that was made anew or cut off mean other records. */
  readonly #incarnations = new Map<string, number>();
  /** Of these another log than the one at hand may be meant by what was merged: only a record of it says where it is. */
  readonly #renewed = new Set<string>();
  #saved = '';

  constructor(isOnlySource: boolean, notes: readonly StoredNote[]) {
    this.#isOnlySource = isOnlySource;
    for (const [name, offset, anchorOffset, anchorMs, incarnation] of savedPositions(notes)?.partitions ?? []) {
      const anchor = anchorOffset === null || anchorMs === null ? null : { offset: anchorOffset, timestampMs: anchorMs };
      this.#merged.set(name, { offset, anchor });
      this.#incarnations.set(name, incarnation);
    }
  }

  /** What is part of the state. */
  get merged(): ReadonlyMap<string, LogPosition> {
    return this.#merged;
  }

  /** Where to go on in a partition; undefined: nothing of it was ever read. */
  begin(name: string): LogPosition | undefined {
    this.#taken.delete(name);
    return this.#merged.get(name);
  }

  took(name: string, { offset, timestampMs }: LogRecord): void {
    this.#taken.set(name, { offset: offset + 1, anchor: { offset, timestampMs } });
  }

  /** What was taken before it must be merged by now. */
  gap(gap: LogGap): void {
    const name = partitionName(gap);
    if (gap.reason === 'retention') this.#taken.set(name, { offset: gap.to, anchor: null });
    else {
      this.#taken.delete(name);
      this.#renewed.add(name);
      this.#incarnations.set(name, (this.#incarnations.get(name) ?? 0) + 1);
    }
  }

  /** Of a flush of all that was taken of the partition. */
  origin(name: string): Origin {
    return { source: name, epoch: String(this.#incarnations.get(name) ?? 0), sequence: this.#taken.get(name)?.offset ?? 0 };
  }

  /** All that was taken is part of the state now. */
  merge(statuses: readonly PartitionStatus[]): void {
    for (const [name, taken] of this.#taken) this.#settle(name, taken);
    for (const status of statuses) {
      const name = partitionName(status);
      const known = this.#merged.get(name);
      if (status.end === null || this.#renewed.has(name) || status.position <= (known?.offset ?? -1)) continue;
      // Behind the last record there may be what is none: marks of transactions, and records that were aborted. Or nothing was read yet, and it began here.
      this.#settle(name, { offset: status.position, anchor: known?.anchor ?? null });
    }
    for (const name of this.#merged.keys()) {
      if (this.#merged.size <= MAX_PARTITIONS) break;
      this.#merged.delete(name);
      this.#incarnations.delete(name);
    }
  }

  #settle(name: string, position: LogPosition): void {
    const known = this.#merged.get(name);
    if (known !== undefined && position.offset <= known.offset && !this.#renewed.has(name)) return;
    this.#renewed.delete(name);
    // Those that moved last come last.
    this.#merged.delete(name);
    this.#merged.set(name, position);
  }

  /** To be saved together with the state; empty when it is saved already. */
  notes(): readonly StoredNote[] {
    const partitions = [...this.#merged].map(
      ([name, { offset, anchor }]) =>
        [name, offset, anchor?.offset ?? null, anchor?.timestampMs ?? null, this.#incarnations.get(name) ?? 0] as const,
    );
    const json = JSON.stringify({ isOnlySource: this.#isOnlySource, partitions } satisfies SavedPositions);
    if (json === this.#saved) return [];
    this.#saved = json;
    return [{ key: NOTE, json }];
  }
}

/** Whether the input of a state goes on exactly where the state ends. */
export function goesOnExactly(notes: readonly StoredNote[]): boolean {
  return savedPositions(notes)?.isOnlySource === true;
}

function savedPositions(notes: readonly StoredNote[]): SavedPositions | null {
  const note = notes.find(({ key }) => key === NOTE);
  if (note === undefined) return null;
  try {
    return JSON.parse(note.json) as SavedPositions;
  } catch (cause) {
    throw new PermanentError('note_corrupt', `reading note ${NOTE}: ${String(cause)}`, { cause });
  }
}
