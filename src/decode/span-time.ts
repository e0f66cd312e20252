/** Is a span's time usable: when did it end, how long did it take, and is that believable. */
import { SPAN_DISPOSITIONS, type SpanDisposition } from '../model/observation-batch.ts';
import type { SpanRules } from '../model/span-rules.ts';
import type { EpochMs } from '../model/time.ts';
import { END_HIGH, END_LOW, START_HIGH, START_LOW } from './span-fields.ts';

/** Position of a disposition in `ObservationBatch.dispositions`. */
export function dispositionIndex(disposition: SpanDisposition): number {
  return SPAN_DISPOSITIONS.indexOf(disposition);
}

const COUNTED = dispositionIndex('counted');
const FUTURE = dispositionIndex('future');
const ANCIENT = dispositionIndex('ancient');
const NO_END_TIME = dispositionIndex('no_end_time');
const NEGATIVE_DURATION = dispositionIndex('negative_duration');
const ABSURD_DURATION = dispositionIndex('absurd_duration');

const TWO_32 = 4_294_967_296;
const NS_PER_MS = 1e6;

/** Nanoseconds of the end as milliseconds: a double holds today's nanoseconds to 256 ns, which is enough for a slot. */
export function endMsOf(times: Float64Array): EpochMs {
  return ((times[END_HIGH] as number) * TWO_32 + (times[END_LOW] as number)) / NS_PER_MS;
}

/** End minus start in ns, exact below 2^53 (104 days) although neither time fits a double: the halves are subtracted first. */
export function durationNsOf(times: Float64Array): number {
  const high = (times[END_HIGH] as number) - (times[START_HIGH] as number);
  return high * TWO_32 + ((times[END_LOW] as number) - (times[START_LOW] as number));
}

/** Judges a span's times against the receiver's clock. */
export class TimeRules {
  readonly #maxSkewMs: number;
  readonly #maxAgeMs: number;
  readonly #maxDurationNs: number;
  /** Ends outside are ancient and future; in an array, as a double that is handed on costs an allocation. */
  readonly #bounds = new Float64Array(2);

  constructor(rules: Pick<SpanRules, 'maxSkewMs' | 'maxAgeMs' | 'maxDurationMs'>) {
    this.#maxSkewMs = rules.maxSkewMs;
    this.#maxAgeMs = rules.maxAgeMs;
    this.#maxDurationNs = rules.maxDurationMs * NS_PER_MS;
  }

  /** The receiver's clock, for the spans that follow. */
  set now(now: EpochMs) {
    this.#bounds[0] = now - this.#maxAgeMs;
    this.#bounds[1] = now + this.#maxSkewMs;
  }

  /**
   * Index of the disposition. No row: `no_end_time` (end is 0), `future`, `ancient`. A row without latency: `negative_duration`, and
   * `absurd_duration` for a duration over the limit or a start of 0. Otherwise `counted`, and a duration of 0 is one.
   */
  dispositionOf(times: Float64Array): number {
    if (times[END_HIGH] === 0 && times[END_LOW] === 0) return NO_END_TIME;
    const endMs = endMsOf(times);
    if (endMs > (this.#bounds[1] as number)) return FUTURE;
    if (endMs < (this.#bounds[0] as number)) return ANCIENT;
    if (times[START_HIGH] === 0 && times[START_LOW] === 0) return ABSURD_DURATION;
    const durationNs = durationNsOf(times);
    if (durationNs < 0) return NEGATIVE_DURATION;
    return durationNs > this.#maxDurationNs ? ABSURD_DURATION : COUNTED;
  }
}
