/** A stretch of the baseline's own past, kept with a run: what the canary is compared with when the baseline serves nothing at the same time. */
import type { ArmSlot } from '../evaluate/canary/arm-slot.ts';
import { LANES, type LaneColumns } from '../model/lane.ts';
import { type DurationMs, type EpochMs, SLOT_MS } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { SlotReading } from '../window/slot-reading.ts';

/** As far back as slots are in memory. */
const STRETCH_MS: DurationMs = 15 * 60_000;
/** The stretch is cut into pieces of this length, whole in event time; twice and again twice as long where they would not fit otherwise. */
const PIECE_SEC = 10;
const LONGEST_PIECE_SEC = 80;
/** Of the pieces, the oldest ones prime the reference and are compared with nothing: edges must be set before the requests they judge are seen. */
const PRIMING_SHARE = 1 / 3;
/** Buckets of one run's pieces in all, four bytes each when saved: so many, or as many as its endpoints' own evidence weighs. */
const MIN_ROOM = 150_000;
const ROOM_PER_ENDPOINT = 1_500;

/** One piece of one endpoint. */
interface Piece extends ArmSlot {
  readonly buckets: readonly number[];
  readonly counts: readonly number[];
  /** All in lane 0: a canary is judged by pods only where it is known what of its baseline has a latency. */
  readonly lanes: LaneColumns;
}

type Counted = Pick<Piece, 'requests' | 'failed' | 'buckets' | 'counts'>;

function pieceOf({ requests, failed, buckets, counts }: Counted, timedFailed: number): Piece {
  const size = buckets.length;
  const none = new Array<number>(LANES).fill(0);
  const timed = counts.reduce((sum, count) => sum + count, timedFailed);
  const start = [0, ...new Array<number>(LANES + 1).fill(size)];
  return {
    requests,
    failed,
    size,
    buckets,
    counts,
    lanes: { start, buckets, counts, requests: [timed, ...none], failed: [timedFailed, ...none] },
  };
}

/** Buckets as the distance of each from the one before: they are many, and close together. */
type SavedPiece = readonly [
  start: number,
  requests: number,
  failed: number,
  timedFailed: number,
  gaps: readonly number[],
  counts: readonly number[],
];

interface SavedStretch {
  readonly pieceSec: number;
  readonly starts: readonly number[];
  readonly endpoints: readonly (readonly [name: string, pieces: readonly SavedPiece[]])[];
}

/** An endpoint with its baseline's series. */
export type KeptSeries = Iterable<readonly [name: string, endpoint: { readonly baseline: readonly number[] }]>;

export class KeptBaseline {
  /** Begins of the pieces with requests, in epoch seconds, ascending. */
  readonly #starts: readonly number[];
  readonly #pieceSec: number;
  readonly #endpoints: ReadonlyMap<string, ReadonlyMap<number, Piece>>;
  #saved: string | null = null;

  private constructor(starts: readonly number[], pieceSec: number, endpoints: ReadonlyMap<string, ReadonlyMap<number, Piece>>) {
    this.#starts = starts;
    this.#pieceSec = pieceSec;
    this.#endpoints = endpoints;
  }

  /**
   * What is in memory of the time before `beforeMs`; a piece that reaches beyond it is cut. Of a service with very many endpoints the busiest are kept;
   * the others are not judged.
   */
  static capture(series: KeptSeries, window: SlidingWindow, beforeMs: EpochMs): KeptBaseline {
    let seen: Seen[] = [];
    for (const [name, { baseline }] of series) {
      const pieces = new Map<number, Gathering>();
      if (baseline.length > 0) {
        for (const { endMs, reading } of window.baseline(baseline, beforeMs, STRETCH_MS)) {
          pieceAt(pieces, Math.floor((endMs / SLOT_MS - 1) / PIECE_SEC) * PIECE_SEC).add(reading);
        }
      }
      if (pieces.size > 0) seen.push(weighed(name, pieces));
    }
    let room = Math.max(MIN_ROOM, ROOM_PER_ENDPOINT * seen.length);
    let pieceSec = PIECE_SEC;
    for (; pieceSec < LONGEST_PIECE_SEC && bucketsOf(seen) > room; pieceSec *= 2) {
      const longer = pieceSec * 2;
      seen = seen.map(({ name, pieces }) => {
        const merged = new Map<number, Gathering>();
        for (const [start, piece] of pieces) pieceAt(merged, Math.floor(start / longer) * longer).merge(piece);
        return weighed(name, merged);
      });
    }
    const fitting = seen
      .sort((a, b) => b.requests - a.requests || (a.name < b.name ? -1 : 1))
      .filter(({ buckets }) => {
        if (buckets > room) return false;
        room -= buckets;
        return true;
      });
    const starts = [...new Set(fitting.flatMap(({ pieces }) => [...pieces.keys()]))].sort((a, b) => a - b);
    const endpoints = fitting.map(({ name, pieces }): [string, Map<number, Piece>] => [
      name,
      new Map([...pieces].map(([start, piece]) => [start, piece.done()])),
    ]);
    return new KeptBaseline(starts, pieceSec, new Map(endpoints));
  }

  /** Pieces that may be compared, each of them once. */
  get size(): number {
    return this.#starts.length - this.#priming;
  }

  /** End of the last piece that primes, in epoch milliseconds; 0 when none does. */
  get primedToMs(): EpochMs {
    const last = this.#starts[this.#priming - 1];
    return last === undefined ? 0 : (last + this.#pieceSec) * SLOT_MS;
  }

  endpoints(): Iterable<string> {
    return this.#endpoints.keys();
  }

  /** What an endpoint was before the first piece that is compared, oldest first. */
  *past(endpoint: string): Generator<{ readonly endMs: EpochMs; readonly slot: ArmSlot }> {
    const pieces = this.#endpoints.get(endpoint);
    for (const start of this.#starts.slice(0, this.#priming)) {
      const slot = pieces?.get(start);
      if (slot !== undefined) yield { endMs: (start + this.#pieceSec) * SLOT_MS, slot };
    }
  }

  /** An endpoint in the piece of this number, from 0; null when it had no request in it. */
  piece(endpoint: string, number: number): ArmSlot | null {
    const start = this.#starts[this.#priming + number];
    return start === undefined ? null : (this.#endpoints.get(endpoint)?.get(start) ?? null);
  }

  /** The same text at each call: it never changes, and is written with every checkpoint of its run. */
  save(): string {
    this.#saved ??= JSON.stringify({
      pieceSec: this.#pieceSec,
      starts: this.#starts,
      endpoints: [...this.#endpoints].map(([name, pieces]) => [
        name,
        [...pieces].map(([start, { requests, failed, buckets, counts, lanes }]) => [
          start,
          requests,
          failed,
          lanes.failed[0] ?? 0,
          buckets.map((bucket, i) => bucket - (buckets[i - 1] ?? 0)),
          counts,
        ]),
      ]),
    } satisfies SavedStretch);
    return this.#saved;
  }

  static restore(text: string): KeptBaseline {
    const saved = JSON.parse(text) as SavedStretch;
    const endpoints = saved.endpoints.map(([name, pieces]): [string, Map<number, Piece>] => [
      name,
      new Map(
        pieces.map(([start, requests, failed, timedFailed, gaps, counts]) => {
          let bucket = 0;
          const buckets = gaps.map((gap) => {
            bucket += gap;
            return bucket;
          });
          return [start, pieceOf({ requests, failed, buckets, counts }, timedFailed)];
        }),
      ),
    ]);
    return new KeptBaseline(saved.starts, saved.pieceSec, new Map(endpoints));
  }

  get #priming(): number {
    return Math.floor(this.#starts.length * PRIMING_SHARE);
  }
}

/** An endpoint's pieces in the making. */
interface Seen {
  readonly name: string;
  readonly pieces: ReadonlyMap<number, Gathering>;
  readonly requests: number;
  readonly buckets: number;
}

function weighed(name: string, pieces: ReadonlyMap<number, Gathering>): Seen {
  let requests = 0;
  let buckets = 0;
  for (const piece of pieces.values()) {
    requests += piece.requests;
    buckets += piece.counts.size;
  }
  return { name, pieces, requests, buckets };
}

function bucketsOf(seen: readonly Seen[]): number {
  return seen.reduce((sum, { buckets }) => sum + buckets, 0);
}

function pieceAt(pieces: Map<number, Gathering>, start: number): Gathering {
  let piece = pieces.get(start);
  if (piece === undefined) {
    piece = new Gathering();
    pieces.set(start, piece);
  }
  return piece;
}

class Gathering {
  requests = 0;
  failed = 0;
  timedFailed = 0;
  readonly counts = new Map<number, number>();

  add({ requests, failed, timedFailed, size, buckets, counts }: SlotReading): void {
    this.requests += requests;
    this.failed += failed;
    this.timedFailed += timedFailed;
    for (let i = 0; i < size; i++) this.#count(buckets[i] as number, counts[i] as number);
  }

  merge(other: Gathering): void {
    this.requests += other.requests;
    this.failed += other.failed;
    this.timedFailed += other.timedFailed;
    for (const [bucket, count] of other.counts) this.#count(bucket, count);
  }

  done(): Piece {
    const sorted = [...this.counts].sort(([a], [b]) => a - b);
    const { requests, failed } = this;
    return pieceOf(
      { requests, failed, buckets: sorted.map(([bucket]) => bucket), counts: sorted.map(([, count]) => count) },
      this.timedFailed,
    );
  }

  #count(bucket: number, count: number): void {
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + count);
  }
}
