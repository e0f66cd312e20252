/** Turns records of the delta topic, of whichever members, into slot deltas with numbers of our own. Pure. */
import type { StoredNote } from '../model/checkpoint.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import { NAMED_SEATS, SEATS } from '../model/pod-lanes.ts';
import type { SeriesInfo } from '../model/series.ts';
import type { Origin, ReleaseArrivals, ServiceArrivals, SlotDeltas } from '../model/slot-deltas.ts';
import type { SlotIndex } from '../model/time.ts';
import { GatheredRows } from './gathered-rows.ts';
import { type KnownRelease, KnownSeries, type KnownService } from './known-series.ts';
import { ParsedRecord } from './parsed-record.ts';
import { PodNotes } from './pod-notes.ts';
import { orWireError } from './record-reader.ts';
import type { WireError } from './wire-error.ts';

export interface DeltaReaderOptions {
  readonly layout: HistogramLayout;
  /** Series of an earlier life, so that ids go on where they were. */
  readonly known?: readonly SeriesInfo[];
  /** Notes of an earlier life. */
  readonly notes?: readonly StoredNote[];
  /** Services, releases, and series with names of their own, at most: members have limits too, this is for many of them. */
  readonly maxTotal?: number;
  /** Series of one service, at most. */
  maxSeriesOf?(service: string): number;
  /** Any number that senders cannot know. */
  readonly hashSeed?: number;
}

/** About 40 MB of names. */
const MAX_TOTAL = 200_000;
/** Series without spans in so many looks give their places up; a look is taken when the newest slot has moved on by so many: 6 hours. */
const IDLE_LOOKS = 36;
const LOOK_SLOTS = 600;

/** Memory grows with the names in use and with the largest record, not with the number of records. */
export class DeltaReader {
  readonly #known: KnownSeries;
  readonly #record: ParsedRecord;
  readonly #rows: GatheredRows;
  readonly #notes: PodNotes;
  /** By series: the look before which its last spans came. */
  readonly #seenAt: number[] = [];
  #look = 0;
  #lookSlot: SlotIndex = Number.NEGATIVE_INFINITY;

  constructor({ layout, known = [], notes = [], maxTotal = MAX_TOTAL, maxSeriesOf = () => maxTotal, hashSeed = 0 }: DeltaReaderOptions) {
    this.#known = new KnownSeries({ maxTotal, maxSeriesOf }, hashSeed);
    this.#known.restore(known);
    this.#notes = new PodNotes(this.#known, notes);
    this.#record = new ParsedRecord(layout);
    this.#rows = new GatheredRows(this.#record.seatCells);
  }

  /**
   * What one record adds, or why it is none: then nothing of it was taken. Never throws because of `bytes`. The arrays are reused by the next record.
   *
   * `origin` is that of the result; it should be the record's own place in the log. Without it, it is that of the flush with the service's name in
   * its source, as the services of one flush come in records of their own.
   */
  read(bytes: Uint8Array, origin?: Origin): SlotDeltas | WireError {
    return orWireError(() => {
      this.#record.parse(bytes);
      return this.#take(origin);
    });
  }

  /** Lanes of pods that changed since the last call, to be saved with the state that what was read became part of. */
  notes(): readonly StoredNote[] {
    return this.#notes.changed();
  }

  #take(origin: Origin | undefined): SlotDeltas {
    const record = this.#record;
    const known = this.#known;
    const { bytes } = record.from;
    const service = known.service(bytes, record.service);
    const releases = record.releases.map((release) => known.release(service, bytes, release));
    const lanes = releases.map((release, place) => lanesOf(release, (record.releases[place] as (typeof record.releases)[number]).podOf));
    const ids = record.series.map((series) => {
      const id = known.series(releases[series.release] as KnownRelease, bytes, series);
      this.#seenAt[id] = this.#look;
      return id;
    });
    const rows = this.#rows.gather(
      record.rows,
      ids,
      record.series.map(({ release }) => lanes[release] as Uint8Array),
    );
    const deltas = rows.deltas({
      origin: origin ?? { ...record.origin, source: `${record.origin.source} ${service.name}` },
      announced: known.takeAnnounced(),
      arrivals: this.#arrivals(service, releases),
    });
    if (deltas.size > 0) this.#lookForIdle(deltas.slot[deltas.size - 1] as SlotIndex);
    return deltas;
  }

  #arrivals(service: KnownService, releases: readonly KnownRelease[]): readonly ServiceArrivals[] {
    const { maxEndMs, arrivals } = this.#record;
    if (maxEndMs === null) return [];
    const heard = new Map<string, ReleaseArrivals>();
    for (const { release, lateness } of arrivals) {
      const key = typeof release === 'string' ? release : (releases[release] as KnownRelease).key;
      const already = heard.get(key);
      if (already === undefined) heard.set(key, { release: key, lateness });
      else for (const [bin, spans] of lateness.entries()) already.lateness[bin] = (already.lateness[bin] as number) + spans;
    }
    return [{ service: service.name, maxEndMs, releases: [...heard.values()] }];
  }

  /** Counts looks, not time: members that are hours apart, or a silence, make no series idle. */
  #lookForIdle(newest: SlotIndex): void {
    if (newest < this.#lookSlot + LOOK_SLOTS) return;
    this.#lookSlot = newest;
    this.#look++;
    const oldest = this.#look - IDLE_LOOKS;
    if (oldest > 0) this.#known.retireIdle((id) => (this.#seenAt[id] ?? 0) < oldest);
  }
}

/** By seat: the lane of its pod among those of all members. */
function lanesOf({ pods }: KnownRelease, podOf: Float64Array): Uint8Array {
  const lanes = new Uint8Array(SEATS + 1);
  for (let seat = 1; seat <= NAMED_SEATS; seat++) if ((podOf[seat] as number) >= 0) lanes[seat] = pods.laneOfHash(podOf[seat] as number);
  for (let seat = NAMED_SEATS + 1; seat <= SEATS; seat++) lanes[seat] = seat - NAMED_SEATS;
  return lanes;
}
