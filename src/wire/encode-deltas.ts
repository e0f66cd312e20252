/**
 * A flush as records of the delta topic, one for each service. A record stands for itself: no other is needed to read it.
 *
 *     kind 0xd1, version 1
 *     layout    digits, highest µs
 *     origin    source: text, epoch: text, sequence
 *     service   text
 *     releases  n, then n × (entry: block, n seats, n × (seat − seat before, hash of the pod's name))
 *     series    n, then n × (release: its place above, entry: block); entries are laid out in `series-entry.ts`
 *     arrivals  0; or 1, latest end ms: double, n × (1 + the release's place above; or 0, key: text; n × (bin − bin before, spans))
 *     slots     n, then n × (slot − slot before (the first zigzag), n rows, the rows)
 *     row       series − series before, count · 16 + flags, failed, count − timed,
 *               flag 1: weight, failed weight, timed weight: doubles
 *               for each slow counter of the series: spans, with flag 1 their weight: double
 *               flag 2: ns of the slowest span, its trace: 16 bytes
 *               flag 4: 1 + ns of the failed span that came last, its trace; flag 8: all ns are doubles, without that 1
 *               cells until their spans are `timed`: (cell − cell before) · 2 + 1 when more than one span, then spans − 2
 *
 * Numbers but doubles are varints; a double is 8 bytes, little-endian; text and blocks have their length in bytes before them. A cell is
 * `cellOf` with the pod's seat in the place of a lane; seats above NAMED_SEATS are lanes by name and are not listed. Steps between ascending numbers
 * count from 0 at the begin of each list.
 */
import type { HistogramLayout } from '../model/histogram-layout.ts';
import { NAMED_SEATS, SEATS } from '../model/pod-lanes.ts';
import type { SeriesInfo } from '../model/series.ts';
import { cellLanes, type ServiceArrivals, type SlotDeltas, TRACE_BYTES } from '../model/slot-deltas.ts';
import { type SeriesBytes, seriesBytes } from './entry-memo.ts';
import { writeKind } from './record-kind.ts';
import { RecordWriter } from './record-writer.ts';
import { FAILED_TRACE, FLAG_VALUES, ODD_DURATIONS, SLOWEST, WEIGHTED } from './row-flags.ts';

/** What the numbers of a flush stand for. */
export interface SeriesNames {
  readonly layout: HistogramLayout;
  /** Throws RangeError for an id never given. */
  info(id: number): SeriesInfo;
  /** Hashes of the names of the pods of the series' release, by seat, from seat 1 on; null: pods are numbered by lanes, and cannot be told apart. */
  podsOf(id: number): readonly number[] | null;
}

export interface ServiceRecord {
  /** The record's key. */
  readonly service: string;
  readonly bytes: Uint8Array;
}

interface ServiceRows {
  readonly service: string;
  /** Rows of the flush, in their order. */
  readonly rows: number[];
  readonly ids: Set<number>;
  arrivals: ServiceArrivals | null;
}

/** Services without rows or arrivals have no record; an empty flush has none at all. Pods must be numbered by seats. */
export function encodeDeltas(deltas: SlotDeltas, names: SeriesNames): readonly ServiceRecord[] {
  const out = new RecordWriter(4096);
  return [...rowsByService(deltas, names).values()].map((part) => {
    writeRecord(out, deltas, names, part);
    return { service: part.service, bytes: out.take() };
  });
}

function rowsByService(deltas: SlotDeltas, names: SeriesNames): Map<string, ServiceRows> {
  const parts = new Map<string, ServiceRows>();
  const partOf = (service: string): ServiceRows => {
    const known = parts.get(service);
    if (known !== undefined) return known;
    const part: ServiceRows = { service, rows: [], ids: new Set(), arrivals: null };
    parts.set(service, part);
    return part;
  };
  for (let row = 0; row < deltas.size; row++) {
    const id = deltas.series[row] as number;
    const part = partOf(names.info(id).service);
    part.rows.push(row);
    part.ids.add(id);
  }
  for (const arrivals of deltas.arrivals) partOf(arrivals.service).arrivals = arrivals;
  return parts;
}

function writeRecord(out: RecordWriter, deltas: SlotDeltas, names: SeriesNames, { service, rows, ids, arrivals }: ServiceRows): void {
  const { layout } = names;
  const { origin } = deltas;
  writeKind(out, 'deltas');
  out.varint(layout.digits);
  out.varint(layout.highestUs);
  out.text(origin.source);
  out.text(origin.epoch);
  out.varint(origin.sequence);
  out.text(service);
  const series = [...ids].sort((x, y) => x - y);
  const parts = seriesPartsOf(names, series);
  const releases = new Map([...parts.values()].map(({ release }) => [release.key, release]));
  writeReleases(out, deltas, names, rows, parts, releases);
  out.varint(parts.size);
  for (const { release, bytes } of parts.values()) {
    out.varint(release.place);
    out.block(bytes.entry);
  }
  writeArrivals(out, arrivals, releases);
  writeSlots(out, deltas, rows, parts);
}

interface ReleasePart {
  readonly place: number;
  readonly key: string;
  readonly entry: Uint8Array;
  readonly pods: readonly number[];
  readonly isSeated: Uint8Array;
}

interface SeriesPart {
  readonly place: number;
  readonly release: ReleasePart;
  readonly bytes: SeriesBytes;
}

/** By id, in the order of ids. */
function seriesPartsOf(names: SeriesNames, ids: readonly number[]): Map<number, SeriesPart> {
  const releases = new Map<string, ReleasePart>();
  const parts = new Map<number, SeriesPart>();
  let before: SeriesBytes | undefined;
  for (const id of ids) {
    const bytes = seriesBytes(names.info(id), before);
    let release = releases.get(bytes.key);
    if (release === undefined) {
      const pods = names.podsOf(id);
      if (pods === null) throw new RangeError('pods of a flush that is encoded are to be numbered by seats, not by lanes');
      release = { place: releases.size, key: bytes.key, entry: bytes.release, pods, isSeated: new Uint8Array(SEATS + 1) };
      releases.set(bytes.key, release);
    }
    parts.set(id, { place: parts.size, release, bytes });
    before = bytes;
  }
  return parts;
}

/** Of the seats only those that a cell of the record is in. */
function writeReleases(
  out: RecordWriter,
  deltas: SlotDeltas,
  names: SeriesNames,
  rows: readonly number[],
  parts: ReadonlyMap<number, SeriesPart>,
  releases: ReadonlyMap<string, ReleasePart>,
): void {
  const { size } = names.layout;
  const seatCells = cellLanes(size) === 1 ? Number.POSITIVE_INFINITY : size * 2;
  for (const row of rows) {
    const isSeated = parts.get(deltas.series[row] as number)?.release.isSeated as Uint8Array;
    const end = deltas.cellStart[row + 1] as number;
    let seatEnd = 0;
    for (let i = deltas.cellStart[row] as number; i < end; i++) {
      const cell = deltas.cells[i] as number;
      if (cell < seatEnd) continue;
      const seat = Math.floor(cell / seatCells);
      isSeated[seat] = 1;
      seatEnd = (seat + 1) * seatCells;
    }
  }
  out.varint(releases.size);
  for (const { entry, pods, isSeated } of releases.values()) {
    out.block(entry);
    const seats: number[] = [];
    for (let seat = 1; seat <= NAMED_SEATS; seat++) if (isSeated[seat] === 1) seats.push(seat);
    out.varint(seats.length);
    let before = 0;
    for (const seat of seats) {
      out.varint(seat - before);
      out.varint(pods[seat - 1] ?? 0);
      before = seat;
    }
  }
}

function writeArrivals(out: RecordWriter, arrivals: ServiceArrivals | null, releases: ReadonlyMap<string, ReleasePart>): void {
  out.varint(arrivals === null ? 0 : 1);
  if (arrivals === null) return;
  out.double(arrivals.maxEndMs);
  out.varint(arrivals.releases.length);
  for (const { release, lateness } of arrivals.releases) {
    const place = releases.get(release)?.place ?? -1;
    out.varint(place + 1);
    if (place < 0) out.text(release);
    let bins = 0;
    for (const spans of lateness) if (spans > 0) bins++;
    out.varint(bins);
    let before = 0;
    for (let bin = 0; bin < lateness.length; bin++) {
      if (lateness[bin] === 0) continue;
      out.varint(bin - before);
      out.varint(lateness[bin] as number);
      before = bin;
    }
  }
}

function writeSlots(out: RecordWriter, deltas: SlotDeltas, rows: readonly number[], parts: ReadonlyMap<number, SeriesPart>): void {
  const starts: number[] = [];
  for (let i = 0; i < rows.length; i++) {
    if (i === 0 || deltas.slot[rows[i] as number] !== deltas.slot[rows[i - 1] as number]) starts.push(i);
  }
  out.varint(starts.length);
  let slotBefore: number | null = null;
  for (const [at, start] of starts.entries()) {
    const end = starts[at + 1] ?? rows.length;
    const slot = deltas.slot[rows[start] as number] as number;
    out.varint(slotBefore === null ? (slot < 0 ? -2 * slot - 1 : 2 * slot) : slot - slotBefore);
    slotBefore = slot;
    out.varint(end - start);
    let placeBefore = 0;
    for (let i = start; i < end; i++) {
      const row = rows[i] as number;
      const place = parts.get(deltas.series[row] as number)?.place ?? 0;
      out.varint(place - placeBefore);
      placeBefore = place;
      writeRow(out, deltas, row);
    }
  }
}

function writeRow(out: RecordWriter, deltas: SlotDeltas, row: number): void {
  const count = deltas.count[row] as number;
  const failed = deltas.failed[row] as number;
  const timed = deltas.timed[row] as number;
  const slowFrom = deltas.slowStart[row] as number;
  const slowTo = deltas.slowStart[row + 1] as number;
  const flags = flagsOf(deltas, row);
  out.varint(count * FLAG_VALUES + flags);
  out.varint(failed);
  out.varint(count - timed);
  const isWeighted = (flags & WEIGHTED) !== 0;
  if (isWeighted) {
    out.double(deltas.weight[row] as number);
    out.double(deltas.failedWeight[row] as number);
    out.double(deltas.timedWeight[row] as number);
  }
  for (let i = slowFrom; i < slowTo; i++) {
    out.varint(deltas.slow[i] as number);
    if (isWeighted) out.double(deltas.slowWeight[i] as number);
  }
  const trace = row * TRACE_BYTES;
  const isOdd = (flags & ODD_DURATIONS) !== 0;
  if ((flags & SLOWEST) !== 0) {
    const ns = deltas.slowestNs[row] as number;
    if (isOdd) out.double(ns);
    else out.varint(ns);
    out.copy(deltas.slowestTrace, trace, trace + TRACE_BYTES);
  }
  if ((flags & FAILED_TRACE) !== 0) {
    const ns = deltas.failedNs[row] as number;
    if (isOdd) out.double(ns);
    else out.varint(ns + 1);
    out.copy(deltas.failedTrace, trace, trace + TRACE_BYTES);
  }
  let before = 0;
  for (let i = deltas.cellStart[row] as number; i < (deltas.cellStart[row + 1] as number); i++) {
    const cell = deltas.cells[i] as number;
    const spans = deltas.cellCounts[i] as number;
    out.varint((cell - before) * 2 + (spans > 1 ? 1 : 0));
    if (spans > 1) out.varint(spans - 2);
    before = cell;
  }
}

function flagsOf(deltas: SlotDeltas, row: number): number {
  let isWeighted =
    deltas.weight[row] !== deltas.count[row] ||
    deltas.failedWeight[row] !== deltas.failed[row] ||
    deltas.timedWeight[row] !== deltas.timed[row];
  const slowTo = deltas.slowStart[row + 1] as number;
  for (let i = deltas.slowStart[row] as number; i < slowTo && !isWeighted; i++) isWeighted = deltas.slowWeight[i] !== deltas.slow[i];
  const slowestNs = deltas.slowestNs[row] as number;
  const failedNs = deltas.failedNs[row] as number;
  const isPlain = Number.isSafeInteger(slowestNs) && slowestNs >= 0 && Number.isSafeInteger(failedNs + 1) && failedNs >= -1;
  return (
    (isWeighted ? WEIGHTED : 0) |
    (slowestNs !== 0 || hasTrace(deltas.slowestTrace, row) ? SLOWEST : 0) |
    (failedNs !== 0 || hasTrace(deltas.failedTrace, row) ? FAILED_TRACE : 0) |
    (isPlain ? 0 : ODD_DURATIONS)
  );
}

function hasTrace(traces: Uint8Array, row: number): boolean {
  for (let at = row * TRACE_BYTES; at < (row + 1) * TRACE_BYTES; at++) if (traces[at] !== 0) return true;
  return false;
}
