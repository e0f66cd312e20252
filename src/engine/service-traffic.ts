/** Traffic of each service since the process started, in few buckets: for metrics that only ever grow. Costs nothing per span, a step per histogram cell. */
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { SeriesInfo } from '../model/series.ts';
import type { SlotDeltas } from '../model/slot-deltas.ts';

/**
 * Upper bounds of the buckets in seconds: those that the OpenTelemetry semantic conventions advise for http.server.request.duration ("HTTP metrics"). A latency
 * is in the bucket that holds the middle of its HDR bucket: next to a bound it may be one off, by at most 10^-digits of its value.
 */
export const TRAFFIC_BOUNDS_SEC = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/** Services that are told apart; those beyond are one. */
const MAX_SERVICES = 500;
/** What those beyond are called; no service can be. */
export const OTHER_SERVICES = '(other)';

/** Requests by their sampling weight. */
export interface TrafficOf {
  readonly service: string;
  readonly requests: number;
  readonly failures: number;
  /** Requests with a latency in each bucket of TRAFFIC_BOUNDS_SEC, and beyond; not cumulative. */
  readonly buckets: Readonly<Float64Array>;
  /** Of the latencies, in seconds, by the middles of HDR buckets. */
  readonly sumSec: number;
}

class Tally implements TrafficOf {
  readonly service: string;
  requests = 0;
  failures = 0;
  readonly buckets = new Float64Array(TRAFFIC_BOUNDS_SEC.length + 1);
  sumSec = 0;

  constructor(service: string) {
    this.service = service;
  }
}

export class ServiceTraffic {
  readonly #size: number;
  /** Of each HDR bucket: which of ours it is in, and its middle. */
  readonly #place: Uint8Array;
  readonly #middleSec: Float64Array;
  readonly #tallies = new Map<string, Tally>();
  readonly #ofSeries: (Tally | undefined)[] = [];

  constructor(layout: HistogramLayout) {
    this.#size = layout.size;
    this.#middleSec = Float64Array.from({ length: layout.size }, (_, i) => (layout.lowestUs(i) + layout.lowestUs(i + 1)) / 2e6);
    this.#place = Uint8Array.from(this.#middleSec, (middle) => TRAFFIC_BOUNDS_SEC.filter((bound) => bound < middle).length);
  }

  /** Tells whose a series is. */
  bind({ id, service }: Pick<SeriesInfo, 'id' | 'service'>): void {
    const name = this.#tallies.has(service) || this.#tallies.size < MAX_SERVICES ? service : OTHER_SERVICES;
    let tally = this.#tallies.get(name);
    if (tally === undefined) {
      tally = new Tally(name);
      this.#tallies.set(name, tally);
    }
    this.#ofSeries[id] = tally;
  }

  /** Adds rows of a flush that windows took: those from `firstRow` on. */
  add(deltas: SlotDeltas, firstRow: number): void {
    const { cells, cellCounts, cellStart } = deltas;
    for (let row = firstRow; row < deltas.size; row++) {
      const tally = this.#ofSeries[deltas.series[row] as number];
      if (tally === undefined) continue;
      tally.requests += deltas.weight[row] as number;
      tally.failures += deltas.failedWeight[row] as number;
      const timed = deltas.timed[row] as number;
      if (timed === 0) continue;
      // Cells count spans: what each stands for is known for all of a row together.
      const weight = (deltas.timedWeight[row] as number) / timed;
      const end = cellStart[row + 1] as number;
      for (let i = cellStart[row] as number; i < end; i++) {
        const bucket = ((cells[i] as number) >>> 1) % this.#size;
        const requests = (cellCounts[i] as number) * weight;
        const place = this.#place[bucket] as number;
        tally.buckets[place] = (tally.buckets[place] as number) + requests;
        tally.sumSec += (this.#middleSec[bucket] as number) * requests;
      }
    }
  }

  all(): Iterable<TrafficOf> {
    return this.#tallies.values();
  }
}
