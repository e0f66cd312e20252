/** A stretch of the baseline's own past, kept with a run: what the canary is compared with when the baseline serves nothing at the same time. */
import type { ArmSlot } from '../evaluate/canary/arm-slot.ts';
import { type DurationMs, type EpochMs, SLOT_MS } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';

/** As far back as slots are in memory. */
const STRETCH_MS: DurationMs = 15 * 60_000;
/** The stretch is cut into pieces of this length, whole in event time. */
const PIECE_SEC = 10;
/** Of the pieces, the oldest ones prime the reference and are compared with nothing: edges must be set before the requests they judge are seen. */
const PRIMING_SHARE = 1 / 3;
/** Buckets of one run's pieces in all, about 600 kB when saved. The busiest endpoints come first; what does not fit is not judged. */
const MAX_BUCKETS = 100_000;

/** One piece of one endpoint. */
interface Piece extends ArmSlot {
  readonly buckets: readonly number[];
  readonly counts: readonly number[];
}

type SavedPiece = readonly [piece: number, requests: number, failed: number, buckets: readonly number[], counts: readonly number[]];

interface SavedStretch {
  readonly starts: readonly number[];
  readonly endpoints: readonly (readonly [name: string, pieces: readonly SavedPiece[]])[];
}

/** An endpoint with its baseline's series. */
export type KeptSeries = Iterable<readonly [name: string, endpoint: { readonly baseline: readonly number[] }]>;

export class KeptBaseline {
  /** Begins of the pieces with requests, in epoch seconds, ascending. */
  readonly #starts: readonly number[];
  readonly #endpoints: ReadonlyMap<string, ReadonlyMap<number, Piece>>;
  #saved: string | null = null;

  private constructor(starts: readonly number[], endpoints: ReadonlyMap<string, ReadonlyMap<number, Piece>>) {
    this.#starts = starts;
    this.#endpoints = endpoints;
  }

  /** What is in memory of the time before `beforeMs`; a piece that reaches beyond it is cut. */
  static capture(series: KeptSeries, window: SlidingWindow, beforeMs: EpochMs): KeptBaseline {
    const seen: { name: string; pieces: Map<number, Piece>; requests: number; buckets: number }[] = [];
    for (const [name, { baseline }] of series) {
      const gathering = new Map<number, Gathering>();
      if (baseline.length > 0) {
        for (const { endMs, reading } of window.baseline(baseline, beforeMs, STRETCH_MS)) {
          const start = Math.floor((endMs / SLOT_MS - 1) / PIECE_SEC) * PIECE_SEC;
          const piece = gathering.get(start) ?? new Gathering();
          gathering.set(start, piece);
          piece.add(reading);
        }
      }
      if (gathering.size === 0) continue;
      const pieces = new Map([...gathering].map(([start, piece]) => [start, piece.done()]));
      let requests = 0;
      let buckets = 0;
      for (const piece of pieces.values()) {
        requests += piece.requests;
        buckets += piece.size;
      }
      seen.push({ name, pieces, requests, buckets });
    }
    let room = MAX_BUCKETS;
    const fitting = seen
      .sort((a, b) => b.requests - a.requests || (a.name < b.name ? -1 : 1))
      .filter(({ buckets }) => {
        if (buckets > room) return false;
        room -= buckets;
        return true;
      });
    const starts = [...new Set(fitting.flatMap(({ pieces }) => [...pieces.keys()]))].sort((a, b) => a - b);
    return new KeptBaseline(starts, new Map(fitting.map(({ name, pieces }) => [name, pieces])));
  }

  /** Pieces that may be compared, each of them once. */
  get size(): number {
    return this.#starts.length - this.#priming;
  }

  endpoints(): Iterable<string> {
    return this.#endpoints.keys();
  }

  /** What an endpoint was before the first piece that is compared, oldest first. */
  *past(endpoint: string): Generator<{ readonly endMs: EpochMs; readonly slot: ArmSlot }> {
    const pieces = this.#endpoints.get(endpoint);
    for (const start of this.#starts.slice(0, this.#priming)) {
      const slot = pieces?.get(start);
      if (slot !== undefined) yield { endMs: (start + PIECE_SEC) * SLOT_MS, slot };
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
      starts: this.#starts,
      endpoints: [...this.#endpoints].map(([name, pieces]) => [
        name,
        [...pieces].map(([start, { requests, failed, buckets, counts }]) => [start, requests, failed, buckets, counts]),
      ]),
    } satisfies SavedStretch);
    return this.#saved;
  }

  static restore(text: string): KeptBaseline {
    const saved = JSON.parse(text) as SavedStretch;
    const endpoints = saved.endpoints.map(([name, pieces]): [string, Map<number, Piece>] => [
      name,
      new Map(
        pieces.map(([start, requests, failed, buckets, counts]) => [start, { requests, failed, size: buckets.length, buckets, counts }]),
      ),
    ]);
    return new KeptBaseline(saved.starts, new Map(endpoints));
  }

  get #priming(): number {
    return Math.floor(this.#starts.length * PRIMING_SHARE);
  }
}

/** A piece in the making. */
class Gathering {
  #requests = 0;
  #failed = 0;
  readonly #counts = new Map<number, number>();

  add({ requests, failed, size, buckets, counts }: ArmSlot): void {
    this.#requests += requests;
    this.#failed += failed;
    for (let i = 0; i < size; i++) {
      const bucket = buckets[i] as number;
      this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + (counts[i] as number));
    }
  }

  done(): Piece {
    const sorted = [...this.#counts].sort(([a], [b]) => a - b);
    return {
      requests: this.#requests,
      failed: this.#failed,
      size: sorted.length,
      buckets: sorted.map(([bucket]) => bucket),
      counts: sorted.map(([, count]) => count),
    };
  }
}
