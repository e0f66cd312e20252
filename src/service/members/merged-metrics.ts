/** The slots of several cells as one source of metrics. Ids of series are made different from cell to cell. */
import type { MetricSource } from '../../api/prometheus/metric-source.ts';
import { RetryableError } from '../../model/errors.ts';
import type {
  MetricCounts,
  MetricHistogram,
  MetricOutcome,
  MetricRefusal,
  MetricScanRequest,
  MetricTimeline,
  MetricWindow,
} from '../../model/metric-scan.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';

export interface MergedMetricsParts {
  /** By partition; looked at for each question. */
  sources(): ReadonlyMap<number, MetricSource>;
  /** How many partitions there are. */
  readonly partitions: number;
  partitionOf(service: string): number;
  monotonicMs(): DurationMs;
  breathe(): Promise<void>;
}

export function mergedMetrics(parts: MergedMetricsParts): MetricSource {
  const { sources, partitions, partitionOf } = parts;
  const outer = (id: number, partition: number): number => id * partitions + partition;
  const inner = (id: number): number => Math.floor(id / partitions);

  /** What of a request is of one partition, and where its groups stand in the whole. */
  const shareOf = (request: MetricScanRequest, partition: number) => {
    const at = request.groups.flatMap(({ service }, index) => (partitionOf(service) === partition ? [index] : []));
    const groups = at.map((index) => {
      const { service, ids } = request.groups[index] as MetricScanRequest['groups'][number];
      return { service, ids: ids.map(inner) };
    });
    return { at, request: { ...request, groups } };
  };

  return {
    series: () =>
      [...sources()].flatMap(([partition, source]) =>
        source
          .series()
          .filter(({ service }) => partitionOf(service) === partition)
          .map((info) => ({ ...info, id: outer(info.id, partition) })),
      ),
    gauges: (at: EpochMs) =>
      [...sources()].flatMap(([partition, source]) =>
        source.gauges(at).filter(({ labels }) => labels.service === undefined || partitionOf(labels.service) === partition),
      ),
    monotonicMs: () => parts.monotonicMs(),
    breathe: () => parts.breathe(),
    async scan(requests, deadline) {
      const shares: Share[][] = requests.map(() => []);
      const named = new Set(requests.flatMap(({ groups }) => groups.map(({ service }) => partitionOf(service))));
      // A query that means nothing is still answered with an empty time line.
      for (const partition of named.size === 0 ? [...sources().keys()].slice(0, 1) : named) {
        const source = sources().get(partition);
        if (source === undefined) throw new RetryableError('partition', `partition ${partition} is with another member`);
        const asked = requests.map((request) => shareOf(request, partition));
        const lines = await source.scan(
          asked.map(({ request }) => request),
          deadline,
        );
        if ('kind' in lines) return lines satisfies MetricRefusal;
        for (const [i, timeline] of lines.entries()) shares[i]?.push({ timeline, at: asked[i]?.at ?? [] });
      }
      return shares.map((of) => new MergedTimeline(of));
    },
  };
}

interface Share {
  readonly timeline: MetricTimeline;
  /** Places of its groups in the whole request. */
  readonly at: readonly number[];
}

class MergedTimeline implements MetricTimeline {
  readonly #shares: readonly Share[];
  readonly #first: MetricTimeline;
  readonly #of = new Map<number, { readonly timeline: MetricTimeline; readonly group: number }>();

  constructor(shares: readonly Share[]) {
    const [first] = shares;
    if (first === undefined) throw new RetryableError('partition', 'this member has no partition yet');
    this.#shares = shares;
    this.#first = first.timeline;
    for (const { timeline, at } of shares) for (const [group, index] of at.entries()) this.#of.set(index, { timeline, group });
  }

  get layout() {
    return this.#first.layout;
  }

  get isSampled(): boolean {
    return this.#shares.some(({ timeline }) => timeline.isSampled);
  }

  get keptFromMs(): EpochMs {
    return Math.max(...this.#shares.map(({ timeline }) => timeline.keptFromMs));
  }

  /** Those that do not have the service say -Infinity. */
  completeTo(service: string): EpochMs {
    return Math.max(...this.#shares.map(({ timeline }) => timeline.completeTo(service)));
  }

  /** Wide enough for all: edges of coarser slots are edges of finer ones. */
  window(fromMs: EpochMs, toMs: EpochMs): MetricWindow {
    const windows = this.#shares.map(({ timeline }) => timeline.window(fromMs, toMs));
    return { fromSec: Math.min(...windows.map(({ fromSec }) => fromSec)), toSec: Math.max(...windows.map(({ toSec }) => toSec)) };
  }

  counts(group: number, window: MetricWindow): MetricCounts {
    const { timeline, group: own } = this.#owner(group);
    return timeline.counts(own, window);
  }

  histogram(group: number, window: MetricWindow, outcome: MetricOutcome): MetricHistogram {
    const { timeline, group: own } = this.#owner(group);
    return timeline.histogram(own, window, outcome);
  }

  #owner(group: number) {
    const owner = this.#of.get(group);
    if (owner === undefined) throw new RangeError(`the query has no group ${group}`);
    return owner;
  }
}
