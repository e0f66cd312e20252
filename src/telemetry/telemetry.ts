/** What the shell says about itself: counters and gauges from one table, and structured log lines. */
import type { DecisionSpan } from './decision-spans.ts';
import type { LogMessage } from './log-lines/log-table.ts';
import type { MetricName } from './metric-table.ts';

/** Values come from closed sets, never from spans. */
export type Labels = Readonly<Record<string, string>>;

/** Structured fields, constant message: one of the table `log-lines`, which says what it means. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: LogMessage<'info'>): void;
  warn(fields: object, message: LogMessage<'warn'>): void;
  error(fields: object, message: LogMessage<'error'>): void;
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
  /** Adds a span to the trace of a rollout, where traces are exported. Never throws. */
  decided(span: DecisionSpan): void;
}
