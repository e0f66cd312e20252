/** Keeps partitions together in time: what is read far ahead of the others would only wait in memory to be judged. */
import { type LogRecord, type PartitionStatus, partitionName, type TopicPartition } from '../kafka/log.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

/** A record may be so much newer than what the slowest partition has come to. */
const AHEAD_MS: DurationMs = 30_000;

interface Held {
  readonly of: TopicPartition;
  readonly timestampMs: EpochMs;
}

const NEVER: EpochMs = Number.POSITIVE_INFINITY;

export class Pace {
  readonly #doneUntil = new Map<string, EpochMs>();
  /** The one that is farthest back of those that have more to read and are waited for, and how far the next one is. */
  #slowest = '';
  #slowestMs: EpochMs = NEVER;
  #nextMs: EpochMs = NEVER;
  #unwaited: ReadonlySet<string> = new Set();
  readonly #held = new Map<string, Held>();

  /** How far all are, and for which of them nobody waits. Returns the partitions that may go on. */
  look(statuses: readonly PartitionStatus[], unwaited: ReadonlySet<string>): readonly TopicPartition[] {
    this.#unwaited = unwaited;
    this.#see(statuses);
    const free: TopicPartition[] = [];
    for (const [name, { of, timestampMs }] of this.#held) {
      if (this.#isAhead(name, timestampMs)) continue;
      this.#held.delete(name);
      free.push(of);
    }
    return free;
  }

  /** True when the record is to wait: until `look` says that its partition may go on. `fresh` is asked before anything has to wait. */
  holds(of: TopicPartition, { timestampMs }: LogRecord, fresh: () => readonly PartitionStatus[]): boolean {
    const name = partitionName(of);
    if (this.#isAhead(name, timestampMs)) {
      this.#see(fresh());
      if (this.#isAhead(name, timestampMs)) {
        this.#held.set(name, { of, timestampMs });
        return true;
      }
    }
    this.#doneUntil.set(name, Math.max(timestampMs, this.#doneUntil.get(name) ?? timestampMs));
    return false;
  }

  /** The partition is ours no more. */
  forget(of: TopicPartition): void {
    this.#held.delete(partitionName(of));
  }

  #see(statuses: readonly PartitionStatus[]): void {
    this.#doneUntil.clear();
    this.#slowest = '';
    this.#slowestMs = NEVER;
    this.#nextMs = NEVER;
    for (const status of statuses) {
      const name = partitionName(status);
      const { completeUntilMs: doneUntil } = status;
      this.#doneUntil.set(name, doneUntil);
      if (status.lag === 0 || this.#unwaited.has(name)) continue;
      if (this.#slowest === '' || doneUntil < this.#slowestMs) {
        this.#nextMs = this.#slowestMs;
        this.#slowest = name;
        this.#slowestMs = doneUntil;
      } else this.#nextMs = Math.min(this.#nextMs, doneUntil);
    }
  }

  /** The slowest one itself never waits, however far apart its records are: else nobody would go on. */
  #isAhead(name: string, timestampMs: EpochMs): boolean {
    const other = name === this.#slowest ? this.#nextMs : this.#slowestMs;
    return timestampMs > other + AHEAD_MS && (this.#doneUntil.get(name) ?? Number.NEGATIVE_INFINITY) > other;
  }
}
