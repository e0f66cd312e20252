/** The cells of this member: one for each partition of the delta topic that the group gave us, and none that it took away. */
import type { LogGap, LogPosition, LogRecord, TopicPartition } from '../../kafka/log.ts';
import { partitionName } from '../../kafka/log.ts';
import type { LogUser } from '../../kafka/log-consumer-parts.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { OwnedCell } from './owned-cell.ts';
import type { TakeOver } from './take-over.ts';

/** Partitions that are taken over at the same time. */
const AT_ONCE = 4;
const RETAKE_MS = 1_000;
/** Looks whether the group answers again. */
const LIVE_MS = 200;

export interface OwnedCellsParts {
  readonly telemetry: Telemetry;
  takeOver(wish: TakeOver): Promise<OwnedCell>;
  /** False: the group may have forgotten us. Whoever takes a partition over then would fence its rightful owner. */
  isLive(): boolean;
  /** The log goes on at this position, of a partition that was taken over once more; null: from its start. */
  goOn(of: TopicPartition, position: LogPosition | null): void;
  /** The cell judges from now on. */
  taken(partition: number, cell: OwnedCell): void;
  dropped(partition: number): void;
}

/** Where one partition stands with us. */
interface Place {
  readonly of: TopicPartition;
  /** Fires when it is ours no more. */
  readonly lost: AbortController;
  cell: OwnedCell | null;
}

export class OwnedCells implements LogUser {
  readonly #parts: OwnedCellsParts;
  readonly #places = new Map<number, Place>();
  readonly #leaving = new Set<Promise<void>>();
  #isStopping = false;

  constructor(parts: OwnedCellsParts) {
    this.#parts = parts;
  }

  /** Those that judge now, by partition. */
  get cells(): ReadonlyMap<number, OwnedCell> {
    return new Map([...this.#places].flatMap(([partition, { cell }]) => (cell === null ? [] : [[partition, cell] as const])));
  }

  /** Partitions that are ours and are not taken over yet. */
  get pending(): number {
    return [...this.#places.values()].filter(({ cell }) => cell === null).length;
  }

  async begin(partitions: readonly TopicPartition[], abort: AbortSignal): Promise<ReadonlyMap<string, LogPosition>> {
    this.end(partitions);
    const places = partitions.map((of): Place => ({ of, lost: new AbortController(), cell: null }));
    for (const place of places) this.#places.set(place.of.partition, place);
    const onAbort = (): void => this.end(partitions);
    abort.addEventListener('abort', onAbort, { once: true });
    const waiting = [...places];
    const take = async (): Promise<void> => {
      for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) await this.#take(place);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, take));
    abort.removeEventListener('abort', onAbort);
    const positions = new Map<string, LogPosition>();
    for (const { of, cell } of places) if (cell?.position != null) positions.set(partitionName(of), cell.position);
    return positions;
  }

  end(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) {
      const place = this.#places.get(partition);
      if (place === undefined) continue;
      this.#places.delete(partition);
      place.lost.abort();
      this.#drop(place);
    }
  }

  take({ partition }: TopicPartition, record: LogRecord): 'taken' | 'full' {
    const cell = this.#places.get(partition)?.cell ?? null;
    // It is being taken over once more, from where it was saved last.
    if (cell === null || this.#isStopping) return 'full';
    cell.take(record);
    return 'taken';
  }

  gap(gap: LogGap): void {
    this.#places.get(gap.partition)?.cell?.gap(gap);
  }

  /** Takes nothing more in and saves what there is; true when all of it is durable. */
  async finish(withinMs: number): Promise<boolean> {
    this.#isStopping = true;
    const saved = await Promise.all([...this.cells.values()].map((cell) => cell.finish(withinMs)));
    return saved.every((isSaved) => isSaved);
  }

  async stop(): Promise<void> {
    this.end([...this.#places.values()].map(({ of }) => of));
    await Promise.all(this.#leaving);
  }

  /** Tries until it is taken over or lost. */
  async #take(place: Place): Promise<void> {
    const { of, lost } = place;
    while (!lost.signal.aborted) {
      if (!this.#parts.isLive()) {
        await waited(LIVE_MS, lost.signal);
        continue;
      }
      try {
        const cell = await this.#parts.takeOver({
          partition: of.partition,
          abort: lost.signal,
          lost: (error) => this.#fenced(place, error),
        });
        place.cell = cell;
        if (lost.signal.aborted) this.#drop(place);
        else this.#parts.taken(of.partition, cell);
        return;
      } catch (error) {
        if (lost.signal.aborted) return;
        this.#drop(place);
        this.#parts.telemetry.add('take_over_failures_total', 1);
        this.#parts.telemetry.log.error({ ...of, error: String(error) }, 'a partition could not be taken over; trying again');
        await waited(RETAKE_MS, lost.signal);
      }
    }
  }

  /** Somebody else had the partition, perhaps without knowing that it is ours again: what is in memory is worth nothing. */
  #fenced(place: Place, error: unknown): void {
    const { of, lost } = place;
    if (this.#places.get(of.partition) !== place || lost.signal.aborted) return;
    this.#parts.telemetry.log.warn({ ...of, error: String(error) }, 'the state of a partition has another owner; its cell is dropped');
    this.#drop(place);
    void this.#take(place).then(() => {
      if (place.cell !== null) this.#parts.goOn(of, place.cell.position);
    });
  }

  #drop(place: Place): void {
    const { cell, of } = place;
    place.cell = null;
    if (cell === null) return;
    this.#parts.dropped(of.partition);
    const leaving = cell
      .drop()
      .catch((error) => this.#parts.telemetry.log.warn({ ...of, error: String(error) }, 'a cell could not be let go in good order'))
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }
}

function waited(ms: number, abort: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      abort.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    abort.addEventListener('abort', done);
  });
}
