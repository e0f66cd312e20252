/** Of each row the traces worth a look: of its slowest span, and of its last failed one. */
import { TRACE_BYTES } from '../model/slot-deltas.ts';

export class RowTraces {
  /** 0 where there is no trace. */
  slowestNs: Float64Array;
  /** TRACE_BYTES per row. */
  slowestTrace: Uint8Array<ArrayBuffer>;
  /** -1 for a span without a latency. */
  failedNs: Float64Array;
  failedTrace: Uint8Array<ArrayBuffer>;
  #slowestView: DataView;
  #failedView: DataView;

  constructor(rows: number) {
    this.slowestNs = new Float64Array(rows);
    this.slowestTrace = new Uint8Array(rows * TRACE_BYTES);
    this.failedNs = new Float64Array(rows);
    this.failedTrace = new Uint8Array(rows * TRACE_BYTES);
    this.#slowestView = new DataView(this.slowestTrace.buffer);
    this.#failedView = new DataView(this.failedTrace.buffer);
  }

  /** The trace at `at` of `bytes` is that of the row's slowest span; the caller writes its duration, as no double should be an argument. */
  setSlowest(row: number, bytes: DataView, at: number): void {
    copyTrace(bytes, at, this.#slowestView, row);
  }

  /** The same for the failed span that came last. */
  setFailed(row: number, bytes: DataView, at: number): void {
    copyTrace(bytes, at, this.#failedView, row);
  }

  /** Takes over what `from` has of its row `row`. */
  copy(from: RowTraces, row: number, to: number): void {
    this.slowestNs[to] = from.slowestNs[row] as number;
    this.failedNs[to] = from.failedNs[row] as number;
    copyTrace(from.#slowestView, row * TRACE_BYTES, this.#slowestView, to);
    copyTrace(from.#failedView, row * TRACE_BYTES, this.#failedView, to);
  }

  /** Has room for so many rows afterwards, and keeps what it has. */
  grow(rows: number): void {
    const { slowestNs, slowestTrace, failedNs, failedTrace } = this;
    this.slowestNs = new Float64Array(rows);
    this.slowestNs.set(slowestNs);
    this.failedNs = new Float64Array(rows);
    this.failedNs.set(failedNs);
    this.slowestTrace = new Uint8Array(rows * TRACE_BYTES);
    this.slowestTrace.set(slowestTrace);
    this.failedTrace = new Uint8Array(rows * TRACE_BYTES);
    this.failedTrace.set(failedTrace);
    this.#slowestView = new DataView(this.slowestTrace.buffer);
    this.#failedView = new DataView(this.failedTrace.buffer);
  }

  /** Forgets the first `rows` rows. */
  clear(rows: number): void {
    this.slowestNs.fill(0, 0, rows);
    this.slowestTrace.fill(0, 0, rows * TRACE_BYTES);
    this.failedNs.fill(0, 0, rows);
    this.failedTrace.fill(0, 0, rows * TRACE_BYTES);
  }
}

/** Four words are copied faster than sixteen bytes. */
function copyTrace(from: DataView, at: number, to: DataView, row: number): void {
  const place = row * TRACE_BYTES;
  to.setInt32(place, from.getInt32(at));
  to.setInt32(place + 4, from.getInt32(at + 4));
  to.setInt32(place + 8, from.getInt32(at + 8));
  to.setInt32(place + 12, from.getInt32(at + 12));
}
