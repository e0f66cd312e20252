/** Makes spans, flushes and naive counts for the tests of `window`: the real stage A in front of the window under test. */
import { Aggregator } from '../../src/aggregate/aggregator.ts';
import { SeriesTable } from '../../src/aggregate/series-table.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { FLAG_FAILED, FLAG_NO_LATENCY, ObservationBatch } from '../../src/model/observation-batch.ts';
import { type SlotDeltas, TRACE_BYTES } from '../../src/model/slot-deltas.ts';

export interface Span {
  readonly series: number;
  readonly endMs: number;
  readonly durationUs: number;
  readonly failed?: boolean;
  readonly timed?: boolean;
  readonly weight?: number;
  readonly lane?: number;
  /** Number that is its trace id; none for 0. */
  readonly trace?: number;
  /** Bits of event rules; a span that failed is bad for all of them. */
  readonly valid?: number;
}

const ENCODER = new TextEncoder();
const NOTHING = new Uint8Array(0);

/** A stage A whose series 1, 2, … are endpoints of service `shop` (0 is its overflow); other services on request. */
export class Stream {
  readonly layout: HistogramLayout;
  readonly table: SeriesTable;
  readonly aggregator: Aggregator;
  readonly #batch = new ObservationBatch();

  constructor(
    options: { layout?: HistogramLayout; source?: string; epoch?: string; thresholdsNs?: readonly number[]; rules?: number } = {},
  ) {
    this.layout = options.layout ?? new HistogramLayout();
    this.table = new SeriesTable({
      maxTotal: 20_000,
      maxReleasesPerService: 10,
      maxSeriesOf: () => 20_000,
      thresholdsOf: () => options.thresholdsNs ?? [],
      rulesOf: () => Array.from({ length: options.rules ?? 0 }, (_, bit) => ({ key: `${bit}`, bit })),
      isReserved: () => false,
    });
    const { source = 'test', epoch = '1' } = options;
    this.aggregator = new Aggregator(this.table, this.layout, { source, epoch, capacity: 1 << 16 });
  }

  /** Series ids of `count` endpoints. */
  endpoints(count: number, service = 'shop', version = '1'): number[] {
    const resource = this.table.resource({ service, releaseAttributes: new Map([['service.version', version]]) });
    return Array.from({ length: count }, (_, i) => {
      const name = ENCODER.encode(`/endpoint/${i}`);
      return this.table.series(resource, 0, name, 0, name.length, 0, NOTHING, 0, 0);
    });
  }

  add(spans: readonly Span[]): void {
    this.#batch.clear();
    const traces = new DataView(new ArrayBuffer(spans.length * TRACE_BYTES));
    this.#batch.traceBytes = new Uint8Array(traces.buffer);
    for (const [
      i,
      { series, endMs, durationUs, failed = false, timed = true, weight = 1, lane = 0, trace = 0, valid = 0 },
    ] of spans.entries()) {
      const flags = (failed ? FLAG_FAILED : 0) | (timed ? 0 : FLAG_NO_LATENCY);
      traces.setUint32((i + 1) * TRACE_BYTES - 4, trace);
      this.#batch.add(series, endMs, timed ? durationUs * 1000 : 0, flags, weight, lane, trace === 0 ? -1 : i * TRACE_BYTES);
      this.#batch.validMask[i] = valid;
      this.#batch.badMask[i] = failed ? valid : 0;
    }
    this.aggregator.append(this.#batch);
  }

  flush(spans: readonly Span[] = []): SlotDeltas {
    this.add(spans);
    return this.aggregator.flush();
  }
}

/** A flush that stays as it is when its maker flushes again. */
export function kept(deltas: SlotDeltas): SlotDeltas {
  return structuredClone(deltas);
}
