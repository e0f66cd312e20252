/** Metrics of a service that was never heard: nothing to read, nothing to tell. */
import type { MetricSource } from '../../src/api/prometheus/metric-source.ts';

export const NO_METRICS: MetricSource = {
  series: () => [],
  scan: async () => [],
  gauges: () => [],
  monotonicMs: () => 0,
  breathe: async () => {},
};
