/** The columns a request's spans become: what decode writes and aggregate reads, reused between requests. */

/** The span counts as failed. */
export const FLAG_FAILED = 1;
/** The span has no usable duration (stream, negative, absurd): counted, but kept out of latency. */
export const FLAG_NO_LATENCY = 2;

/**
 * What became of each span of a request, a closed set; position = index into `ObservationBatch.dispositions`.
 * `counted` spans are rows. `negative_duration` and `absurd_duration` spans are rows too (without latency) and are counted in both.
 * All others are no rows.
 */
export const SPAN_DISPOSITIONS = [
  'counted',
  'not_entry',
  'excluded',
  'future',
  'ancient',
  'no_end_time',
  'negative_duration',
  'absurd_duration',
  'over_limit',
] as const;
export type SpanDisposition = (typeof SPAN_DISPOSITIONS)[number];

/** Spans that are lost to every count: what a partial success reports as rejected. */
export const REJECTED_DISPOSITIONS: readonly SpanDisposition[] = ['future', 'ancient', 'no_end_time', 'over_limit'];

const NOTHING = new Uint8Array(0);

/** Columns with one row per counted span. Grows by doubling and never shrinks, so a steady stream allocates nothing. */
export class ObservationBatch {
  size = 0;
  /** Series id. */
  series: Int32Array;
  /** End time in epoch milliseconds. */
  endMs: Float64Array;
  /** Duration in nanoseconds, exact up to 104 days; 0 when FLAG_NO_LATENCY. */
  durationNs: Float64Array;
  /** FLAG_FAILED | FLAG_NO_LATENCY. */
  flags: Uint8Array;
  /** Lane of the span's pod, 0 to LANES. */
  lane: Uint8Array;
  /** Bit i: the span is valid for event rule i of its service (`SpanRules.events`); in `badMask`, it is bad for it as well. */
  validMask: Uint8Array;
  badMask: Uint8Array;
  /** Offset in `traceBytes` of the span's 16-byte trace id; -1 when it has none. */
  traceAt: Int32Array;
  /** Where the trace ids are: the decoder's or the caller's memory, good until the next request is decoded. */
  traceBytes: Uint8Array = NOTHING;
  /** How many requests this span stands for under sampling: 1 unless `tracestate` carries `ot=th`; finite and >= 1. */
  weight: Float64Array;
  /** Number of spans by SPAN_DISPOSITIONS. */
  readonly dispositions = new Float64Array(SPAN_DISPOSITIONS.length);

  constructor(capacity = 1024) {
    this.series = new Int32Array(capacity);
    this.endMs = new Float64Array(capacity);
    this.durationNs = new Float64Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.lane = new Uint8Array(capacity);
    this.validMask = new Uint8Array(capacity);
    this.badMask = new Uint8Array(capacity);
    this.traceAt = new Int32Array(capacity);
    this.weight = new Float64Array(capacity);
  }

  /** Forgets all rows and dispositions; keeps the memory. */
  clear(): void {
    this.size = 0;
    this.forgetTraces();
    this.dispositions.fill(0);
  }

  /** Lets go of `traceBytes`, which may be a whole request. */
  forgetTraces(): void {
    this.traceBytes = NOTHING;
  }

  /** Adds one row, whose columns the caller writes, all of them, and returns its number: on the hot path no double is an argument. */
  next(): number {
    const row = this.size;
    if (row === this.series.length) this.#grow();
    this.size = row + 1;
    return row;
  }

  /** Adds one row, that of a span no event rule is about. The caller has refused non-finite numbers already. */
  add(series: number, endMs: number, durationNs: number, flags: number, weight: number, lane = 0, traceAt = -1): void {
    const row = this.next();
    this.series[row] = series;
    this.endMs[row] = endMs;
    this.durationNs[row] = durationNs;
    this.flags[row] = flags;
    this.weight[row] = weight;
    this.lane[row] = lane;
    this.validMask[row] = 0;
    this.badMask[row] = 0;
    this.traceAt[row] = traceAt;
  }

  #grow(): void {
    const capacity = this.series.length * 2;
    this.series = grown(new Int32Array(capacity), this.series);
    this.endMs = grown(new Float64Array(capacity), this.endMs);
    this.durationNs = grown(new Float64Array(capacity), this.durationNs);
    this.flags = grown(new Uint8Array(capacity), this.flags);
    this.lane = grown(new Uint8Array(capacity), this.lane);
    this.validMask = grown(new Uint8Array(capacity), this.validMask);
    this.badMask = grown(new Uint8Array(capacity), this.badMask);
    this.traceAt = grown(new Int32Array(capacity), this.traceAt);
    this.weight = grown(new Float64Array(capacity), this.weight);
  }
}

function grown<A extends Int32Array | Float64Array | Uint8Array>(next: A, previous: A): A {
  next.set(previous);
  return next;
}
