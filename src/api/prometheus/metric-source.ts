/** What the Prometheus-compatible API asks of the running service. */

import type { MetricRefusal, MetricScanRequest, MetricTimeline } from '../../model/metric-scan.ts';
import type { GaugeName } from '../../model/metric-table.ts';
import type { SeriesInfo } from '../../model/series.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';

export interface GaugeValue {
  readonly name: GaugeName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricSource {
  /** All series that have been announced. */
  series(): readonly SeriesInfo[];
  /** One time line for each request, in order; reads in small steps, and stops once `deadline` (by the monotonic clock) is over. */
  scan(requests: readonly MetricScanRequest[], deadline: DurationMs): Promise<readonly MetricTimeline[] | MetricRefusal>;
  /** Every gauge at `at`. */
  gauges(at: EpochMs): readonly GaugeValue[];
  /** Never jumps. */
  monotonicMs(): DurationMs;
  /** Lets others do something: to be awaited now and then. */
  breathe(): Promise<void>;
}

export interface MetricHandlers {
  readonly metricSource: MetricSource;
}
