/** A record of deltas, read and checked whole before anything of it is taken: see `encode-deltas.ts` for its layout. */
import type { HistogramLayout } from '../model/histogram-layout.ts';
import { NAMED_SEATS, SEATS } from '../model/pod-lanes.ts';
import { cellLanes, LATENESS_BINS, type Origin, TRACE_BYTES } from '../model/slot-deltas.ts';
import { ReadColumns } from './read-columns.ts';
import { readKind } from './record-kind.ts';
import { RecordReader } from './record-reader.ts';
import { FAILED_TRACE, FLAG_VALUES, ODD_DURATIONS, SLOWEST, WEIGHTED } from './row-flags.ts';
import { skipEndpoint, skipRelease } from './series-entry.ts';

const MAX_COUNT = 0xffff_ffff;
const MAX_SLOT = 0x7fff_ffff;

/** Part of the record's bytes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ParsedRelease extends Span {
  /** By seat: the hash of its pod's name; -1 where none is listed. */
  readonly podOf: Float64Array;
}

export interface ParsedSeries extends Span {
  /** Its place among the releases. */
  readonly release: number;
  readonly slowCount: number;
}

export interface ParsedArrivals {
  /** Place of the release; or its key. */
  readonly release: number | string;
  readonly lateness: Uint32Array;
}

/** Keeps its memory between records. Rows have the place of their series in `series` in its stead, and cells are by seat. */
export class ParsedRecord {
  readonly from = new RecordReader();
  readonly rows = new ReadColumns(new Uint32Array(256));
  origin: Origin = { source: '', epoch: '', sequence: 0 };
  service: Span = { start: 0, end: 0 };
  readonly releases: ParsedRelease[] = [];
  readonly series: ParsedSeries[] = [];
  /** Null: none are told. */
  maxEndMs: number | null = null;
  readonly arrivals: ParsedArrivals[] = [];
  readonly #layout: HistogramLayout;
  /** Cells of one seat; Infinity where pods are not told apart. */
  readonly seatCells: number;
  readonly #cells: number;

  constructor(layout: HistogramLayout) {
    this.#layout = layout;
    const hasLanes = cellLanes(layout.size) > 1;
    this.seatCells = hasLanes ? layout.size * 2 : Number.POSITIVE_INFINITY;
    this.#cells = layout.size * 2 * (hasLanes ? SEATS + 1 : 1);
  }

  /** Throws Malformation. */
  parse(bytes: Uint8Array): void {
    const { from } = this;
    this.rows.clear();
    this.releases.length = 0;
    this.series.length = 0;
    this.arrivals.length = 0;
    this.maxEndMs = null;
    from.start(bytes);
    readKind(from, 'deltas');
    this.#readLayout();
    from.field = 'origin';
    this.origin = { source: from.text(), epoch: from.text(), sequence: from.varint() };
    from.field = 'service';
    this.service = this.#spanOf();
    this.#readReleases();
    this.#readSeries();
    this.#readArrivals();
    this.#readSlots();
    from.finish();
  }

  #readLayout(): void {
    const { from } = this;
    from.field = 'layout';
    const digits = from.varint();
    const highestUs = from.varint();
    const { digits: ourDigits, highestUs: ourHighest } = this.#layout;
    if (digits !== ourDigits || highestUs !== ourHighest) {
      from.fail(
        `histograms of ${digits} digits up to ${highestUs} µs, expected ${ourDigits} and ${ourHighest}: every member needs the same histogram settings`,
      );
    }
  }

  #spanOf(): Span {
    const { from } = this;
    const end = from.block();
    const start = from.at;
    from.at = end;
    return { start, end };
  }

  #readReleases(): void {
    const { from } = this;
    from.field = 'releases';
    for (let left = from.howMany(4); left > 0; left--) {
      const end = from.block();
      const start = from.at;
      skipRelease(from);
      if (from.at !== end) from.fail(`a release that ends at byte ${end}`);
      const podOf = new Float64Array(NAMED_SEATS + 1).fill(-1);
      let seat = 0;
      for (let seats = from.varint(NAMED_SEATS); seats > 0; seats--) {
        const step = from.varint(NAMED_SEATS - seat);
        if (step === 0) from.fail('seats are not ascending');
        seat += step;
        podOf[seat] = from.varint();
      }
      this.releases.push({ start, end, podOf });
    }
  }

  #readSeries(): void {
    const { from, releases } = this;
    from.field = 'series';
    for (let left = from.howMany(6); left > 0; left--) {
      const release = from.varint(releases.length - 1);
      const end = from.block();
      const start = from.at;
      const slowCount = skipEndpoint(from);
      if (from.at !== end) from.fail(`a series that ends at byte ${end}`);
      this.series.push({ release, start, end, slowCount });
    }
  }

  #readArrivals(): void {
    const { from } = this;
    from.field = 'arrivals';
    if (from.varint(1) === 0) return;
    this.maxEndMs = from.finite();
    for (let left = from.howMany(2); left > 0; left--) {
      const place = from.varint(this.releases.length);
      const release = place === 0 ? from.text() : place - 1;
      const lateness = new Uint32Array(LATENESS_BINS);
      let bin = 0;
      for (let bins = from.varint(LATENESS_BINS); bins > 0; bins--) {
        bin += from.varint(LATENESS_BINS - 1 - bin);
        lateness[bin] = from.varint(MAX_COUNT);
      }
      this.arrivals.push({ release, lateness });
    }
  }

  #readSlots(): void {
    const { from, series } = this;
    let slot = 0;
    from.field = 'slots';
    for (let slots = from.howMany(2), isFirst = true; slots > 0; slots--, isFirst = false) {
      from.field = 'slots';
      if (isFirst) {
        const zigzag = from.varint(2 * MAX_SLOT);
        slot = zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2;
      } else {
        const step = from.varint(MAX_SLOT - slot);
        if (step === 0) from.fail('slots are not ascending');
        slot += step;
      }
      let place = 0;
      for (let rows = from.howMany(4), isFirstRow = true; rows > 0; rows--, isFirstRow = false) {
        from.field = 'row';
        const step = from.varint(series.length - 1 - place);
        if (step === 0 && !isFirstRow) from.fail('series are not ascending');
        place += step;
        const of = series[place] ?? from.fail('there are no series');
        this.#readRow(place, slot, of);
      }
    }
  }

  #readRow(place: number, slot: number, series: ParsedSeries): void {
    const { from, rows } = this;
    const row = rows.beginRow();
    const head = from.varint();
    const flags = head % FLAG_VALUES;
    const count = (head - flags) / FLAG_VALUES;
    if (count > MAX_COUNT) from.fail(`${count} spans are more than ${MAX_COUNT}`);
    const failed = from.varint(count);
    const timed = count - from.varint(count);
    const isWeighted = (flags & WEIGHTED) !== 0;
    rows.series[row] = place;
    rows.slot[row] = slot;
    rows.count[row] = count;
    rows.failed[row] = failed;
    rows.timed[row] = timed;
    rows.weight[row] = isWeighted ? from.weight() : count;
    rows.failedWeight[row] = isWeighted ? from.weight() : failed;
    rows.timedWeight[row] = isWeighted ? from.weight() : timed;
    for (let left = series.slowCount; left > 0; left--) {
      const spans = from.varint(count);
      rows.addSlow(spans, isWeighted ? from.weight() : spans);
    }
    const isOdd = (flags & ODD_DURATIONS) !== 0;
    const hasSlowest = (flags & SLOWEST) !== 0;
    rows.slowestNs[row] = hasSlowest ? (isOdd ? from.finite() : from.varint()) : 0;
    this.#readTrace(rows.slowestTrace, row, hasSlowest);
    const hasFailed = (flags & FAILED_TRACE) !== 0;
    rows.failedNs[row] = hasFailed ? (isOdd ? from.finite() : from.varint() - 1) : 0;
    this.#readTrace(rows.failedTrace, row, hasFailed);
    this.#readCells(timed, this.releases[series.release] as ParsedRelease);
    rows.endRow();
  }

  #readTrace(into: Uint8Array, row: number, isTold: boolean): void {
    const { from } = this;
    const at = row * TRACE_BYTES;
    if (!isTold) {
      into.fill(0, at, at + TRACE_BYTES);
      return;
    }
    if (from.left < TRACE_BYTES) from.fail('the record ends within a trace');
    for (let i = 0; i < TRACE_BYTES; i++) into[at + i] = from.bytes[from.at + i] as number;
    from.at += TRACE_BYTES;
  }

  #readCells(timed: number, { podOf }: ParsedRelease): void {
    const { from, rows, seatCells } = this;
    let cell = 0;
    let seatEnd = seatCells;
    let isFirst = true;
    for (let left = timed; left > 0; isFirst = false) {
      const step = from.varint();
      const isMany = step % 2 === 1;
      const forward = (step - (isMany ? 1 : 0)) / 2;
      if (forward === 0 && !isFirst) from.fail('cells are not ascending');
      cell += forward;
      if (cell >= this.#cells) from.fail(`cell ${cell} is beyond the layout`);
      if (cell >= seatEnd) {
        const seat = Math.floor(cell / seatCells);
        if (seat <= NAMED_SEATS && (podOf[seat] as number) < 0) from.fail(`seat ${seat} has no pod`);
        seatEnd = (seat + 1) * seatCells;
      }
      const spans = isMany ? from.varint() + 2 : 1;
      if (spans > left) from.fail(`its cells have more spans than the row`);
      left -= spans;
      rows.addCell(cell, spans);
    }
  }
}
