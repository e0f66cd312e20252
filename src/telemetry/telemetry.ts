/** What the shell says about itself: counters and gauges from one table, and structured log lines. */
import type { MetricName } from './metric-table.ts';

/** Values come from closed sets, never from spans. */
export type Labels = Readonly<Record<string, string>>;

/** Structured fields, constant message. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface Telemetry {
  readonly log: Logger;
  /** Adds to a counter (a histogram metric records one observation). */
  add(metric: MetricName, value: number, labels?: Labels): void;
  /** Sets a gauge. */
  set(metric: MetricName, value: number, labels?: Labels): void;
  /** Takes a gauge away, because there is no more of what it tells of. */
  unset(metric: MetricName, labels?: Labels): void;
  observe(metric: MetricName, value: number, labels?: Labels): void;
}
