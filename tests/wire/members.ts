/** Members that count spans for one judge, spans for them, and sums of slot deltas by name, whoever gave the numbers. */
import { PartitionedIngest, type PartitionedIngestOptions } from '../../src/ingest/partitioned-ingest.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import type { SeriesInfo } from '../../src/model/series.ts';
import { type SlotDeltas, TRACE_BYTES } from '../../src/model/slot-deltas.ts';
import { encodeRequest } from '../support/otlp-proto.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';

export const T0 = 1_800_000_000_000;
export const LAYOUT = new HistogramLayout();
/** Cells of one lane. */
export const LANE_CELLS = LAYOUT.size * 2;

export interface TestSpan {
  readonly service: string;
  readonly version: string;
  readonly pod: string;
  readonly endpoint: string;
  readonly endMs: number;
  readonly durationMs: number;
  readonly hasFailed: boolean;
  /** As many requests as this it stands for: 1, 2, 4 or 8. */
  readonly weight: 1 | 2 | 4 | 8;
  /** Last byte of its trace's id; 0 for none. */
  readonly trace: number;
}

const BAD_WHEN_SHED = { key: 'shed', where: null, bad: [{ shed: ['yes'] }] };

export function countingMember(more: Partial<PartitionedIngestOptions> = {}): PartitionedIngest {
  return new PartitionedIngest({
    rules: { ...TEST_SPAN_RULES, releaseBy: ['service.version'], events: new Map([['shop', [BAD_WHEN_SHED]]]) },
    layout: LAYOUT,
    pods: 'seats',
    series: {
      maxTotal: 1000,
      maxReleasesPerService: 20,
      maxSeriesOf: () => 1000,
      thresholdsOf: (_, endpoint) => (endpoint.startsWith('GET') ? [20_000_000, 300_000_000.5] : []),
      rulesOf: (service) => (service === 'shop' ? [{ key: 'shed', bit: 0 }] : []),
      isReserved: () => false,
    },
    ...more,
  });
}

/** One request with one span of the service `shop`, `cart` …, ended so many ms after T0. */
export function requestOf(span: TestSpan): Uint8Array {
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const endTimeUnixNano = BigInt(T0 + span.endMs) * 1_000_000n;
  const thresholds = { 1: '', 2: 'ot=th:8', 4: 'ot=th:c', 8: 'ot=th:e' } as const;
  const pods = span.pod === '' ? [] : [attribute('k8s.pod.name', span.pod)];
  const versions = span.version === '' ? [] : [attribute('service.version', span.version)];
  return encodeRequest({
    resourceSpans: [
      {
        resource: { attributes: [attribute('service.name', span.service), ...versions, ...pods] },
        scopeSpans: [
          {
            spans: [
              {
                name: span.endpoint,
                kind: 2,
                traceState: thresholds[span.weight],
                startTimeUnixNano: endTimeUnixNano - BigInt(span.durationMs * 1_000_000),
                endTimeUnixNano,
                status: { code: span.hasFailed ? 2 : 0 },
                attributes: span.trace % 3 === 0 ? [attribute('shed', 'yes')] : [],
                ...(span.trace === 0 ? {} : { traceId: new Uint8Array(TRACE_BYTES).fill(1).with(TRACE_BYTES - 1, span.trace) }),
              },
            ],
          },
        ],
      },
    ],
  });
}

/** What the series is, without its number. */
export function nameOf({ service, release, endpoint, kind, thresholdsNs, rules }: SeriesInfo): string {
  return JSON.stringify([service, release.name, [...release.attributes], endpoint, kind, thresholdsNs, rules]);
}

export interface RowTotals {
  counts: number[];
  weights: number[];
  /** Spans by bucket and failure, all pods together. */
  cells: Map<number, number>;
}

/** Sums over many flushes, by slot and by name of the series. */
export class Totals {
  readonly rows = new Map<string, RowTotals>();
  /** Lanes in which each cell was seen. */
  readonly lanes = new Map<number, Set<number>>();
  readonly #names: string[] = [];

  announce(series: readonly SeriesInfo[]): void {
    for (const info of series) this.#names[info.id] = nameOf(info);
  }

  add(deltas: SlotDeltas): void {
    this.announce(deltas.announced);
    for (let r = 0; r < deltas.size; r++) {
      const key = `${deltas.slot[r]} ${this.#names[deltas.series[r] as number] ?? 'never announced'}`;
      const from = deltas.slowStart[r] as number;
      const to = deltas.slowStart[r + 1];
      const counts = [deltas.count[r] ?? 0, deltas.failed[r] ?? 0, deltas.timed[r] ?? 0, ...deltas.slow.subarray(from, to)];
      const weights = [
        deltas.weight[r] ?? 0,
        deltas.failedWeight[r] ?? 0,
        deltas.timedWeight[r] ?? 0,
        ...deltas.slowWeight.subarray(from, to),
      ];
      const row = this.rows.get(key);
      const cells = row?.cells ?? new Map<number, number>();
      for (let i = deltas.cellStart[r] as number; i < (deltas.cellStart[r + 1] as number); i++) {
        const cell = deltas.cells[i] as number;
        const inLane = cell % LANE_CELLS;
        cells.set(inLane, (cells.get(inLane) ?? 0) + (deltas.cellCounts[i] as number));
        this.lanes.set(inLane, (this.lanes.get(inLane) ?? new Set()).add(Math.floor(cell / LANE_CELLS)));
      }
      if (row === undefined) this.rows.set(key, { counts, weights, cells });
      else {
        row.counts = row.counts.map((count, i) => count + (counts[i] ?? Number.NaN));
        row.weights = row.weights.map((weight, i) => weight + (weights[i] ?? Number.NaN));
      }
    }
  }

  /** For comparison. */
  sorted(): unknown {
    return [...this.rows]
      .map(([key, { counts, weights, cells }]) => [key, counts, weights, [...cells].sort(([a], [b]) => a - b)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
