/** What one of several cells says of itself: their gauges sum up, and go with the cell. */
import { OTHER_SERVICES } from '../../engine/service-traffic.ts';
import type { RunningTelemetry } from '../../telemetry/create-telemetry.ts';
import type { MetricName } from '../../telemetry/metric-table.ts';
import type { Labels } from '../../telemetry/telemetry.ts';

/**
 * An override for everything is in force in every cell, and the kill switch holds all of them: that is one, not many. All cells wait for the same sources.
 */
const HIGHEST: ReadonlySet<MetricName> = new Set(['overrides_in_force', 'stream_lag_seconds', 'sources_waited_for', 'sources_given_up']);
const NO_LABELS: Labels = {};

interface Gauge {
  readonly metric: MetricName;
  readonly labels: Labels;
  readonly values: Map<string, number>;
}

/** The gauges of all cells of a process. */
export class CellGauges {
  readonly telemetry: RunningTelemetry;
  readonly #gauges = new Map<string, Gauge>();

  constructor(telemetry: RunningTelemetry) {
    this.telemetry = telemetry;
  }

  set(cell: string, metric: MetricName, value: number, labels: Labels): void {
    const key = keyOf(metric, labels);
    let gauge = this.#gauges.get(key);
    if (gauge === undefined) {
      gauge = { metric, labels: { ...labels }, values: new Map() };
      this.#gauges.set(key, gauge);
    }
    gauge.values.set(cell, value);
    this.#show(gauge);
  }

  /** A gauge that no cell sets any more is no longer shown. */
  unset(cell: string, metric: MetricName, labels: Labels): void {
    this.#without(cell, keyOf(metric, labels));
  }

  drop(cell: string): void {
    for (const key of [...this.#gauges.keys()]) this.#without(cell, key);
  }

  #without(cell: string, key: string): void {
    const gauge = this.#gauges.get(key);
    if (gauge === undefined || !gauge.values.delete(cell)) return;
    if (gauge.values.size > 0) {
      this.#show(gauge);
      return;
    }
    this.#gauges.delete(key);
    this.telemetry.unset(gauge.metric, gauge.labels);
  }

  #show({ metric, labels, values }: Gauge): void {
    const all = [...values.values()];
    const value = HIGHEST.has(metric) ? Math.max(...all) : all.reduce((sum, one) => sum + one, 0);
    this.telemetry.set(metric, value, labels);
  }
}

function keyOf(metric: MetricName, labels: Labels): string {
  return JSON.stringify([metric, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

export interface CellTelemetry extends RunningTelemetry {
  /** Takes all gauges of the cell away; what it still sets afterwards is ignored. */
  drop(): void;
}

/** `isOurs` tells the services that the cell has: gauges of others are ignored, since every cell knows the objectives of all. */
export function cellTelemetry(gauges: CellGauges, cell: string, isOurs: (service: string) => boolean): CellTelemetry {
  const { telemetry } = gauges;
  const hides: (() => void)[] = [];
  let isDropped = false;
  return {
    log: telemetry.log,
    add: (metric, value, labels) => telemetry.add(metric, value, labels),
    observe: (metric, value, labels) => telemetry.observe(metric, value, labels),
    decided: (span) => telemetry.decided(span),
    span: (name, attributes, act) => telemetry.span(name, attributes, act),
    metricsText: () => telemetry.metricsText(),
    show(source) {
      const ours = function* () {
        for (const scraped of source()) {
          const { service } = scraped.labels;
          // Those that a cell does not tell apart are its own, whoever has services of that name.
          if (service === undefined || service === OTHER_SERVICES || isOurs(service)) yield scraped;
        }
      };
      const hide = telemetry.show(ours);
      hides.push(hide);
      return hide;
    },
    unset(metric, labels = NO_LABELS) {
      gauges.unset(cell, metric, labels);
    },
    set(metric, value, labels = NO_LABELS) {
      if (isDropped || (labels.service !== undefined && !isOurs(labels.service))) return;
      gauges.set(cell, metric, value, labels);
    },
    // A cell does not own the telemetry that it says things with.
    shutdown: async () => undefined,
    drop() {
      isDropped = true;
      for (const hide of hides.splice(0)) hide();
      gauges.drop(cell);
    },
  };
}
