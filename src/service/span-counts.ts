/** Brings the metrics of spans up to what stage A has counted. */
import { SPAN_DISPOSITIONS } from '../model/observation-batch.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** What both forms of stage A say of themselves. */
export interface CountedSpans {
  /** Spans so far by SPAN_DISPOSITIONS. */
  readonly dispositions: Float64Array;
  readonly overflowSpans: number;
  readonly table: { readonly size: number };
}

export class SpanCounts {
  readonly #shown = new Float64Array(SPAN_DISPOSITIONS.length);
  #shownOverflow = 0;

  show(counted: CountedSpans, telemetry: Telemetry): void {
    for (let i = 0; i < this.#shown.length; i++) {
      const spans = counted.dispositions[i] as number;
      const more = spans - (this.#shown[i] as number);
      if (more > 0) telemetry.add('spans_total', more, { disposition: SPAN_DISPOSITIONS[i] as string });
      this.#shown[i] = spans;
    }
    const overflow = counted.overflowSpans - this.#shownOverflow;
    if (overflow > 0) telemetry.add('overflow_spans_total', overflow);
    this.#shownOverflow = counted.overflowSpans;
    telemetry.set('series', counted.table.size);
  }
}
