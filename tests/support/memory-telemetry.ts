/** A telemetry that keeps its sums and log lines in memory, for tests and benchmarks. */
import type { DecisionSpan } from '../../src/telemetry/decision-spans.ts';
import type { LineLevel, LogLine as LogRow } from '../../src/telemetry/log-lines/log-line.ts';
import { LOG_LINES } from '../../src/telemetry/log-lines/log-table.ts';
import { METRICS, type MetricName } from '../../src/telemetry/metric-table.ts';
import type { Labels, Logger, Telemetry } from '../../src/telemetry/telemetry.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** Holds each metric and each log line to its row of the table: another kind, other labels, a field that is not named there throw. */
export class MemoryTelemetry implements Telemetry {
  readonly lines: LogLine[] = [];
  readonly log: Logger = {
    debug: (fields, message) => void this.lines.push({ level: 'debug', fields, message }),
    info: (fields, message) => this.#told('info', fields, message),
    warn: (fields, message) => this.#told('warn', fields, message),
    error: (fields, message) => this.#told('error', fields, message),
  };
  readonly spans: DecisionSpan[] = [];
  readonly #series = new Map<MetricName, { readonly labels: Labels; value: number; count: number }[]>();

  add(metric: MetricName, value: number, labels: Labels = {}): void {
    if (METRICS[metric].kind === 'gauge') throw new Error(`${metric} is a gauge: it is set`);
    const entry = this.#entry(metric, labels);
    entry.value += value;
    entry.count++;
  }

  set(metric: MetricName, value: number, labels: Labels = {}): void {
    if (METRICS[metric].kind !== 'gauge') throw new Error(`${metric} is no gauge`);
    this.#entry(metric, labels).value = value;
  }

  unset(metric: MetricName, labels: Labels = {}): void {
    if (METRICS[metric].kind !== 'gauge') throw new Error(`${metric} is no gauge`);
    const entries = this.#series.get(metric) ?? [];
    const at = entries.findIndex((known) => contains(known.labels, labels) && contains(labels, known.labels));
    if (at >= 0) entries.splice(at, 1);
  }

  decided(span: DecisionSpan): void {
    this.spans.push(span);
  }

  observe(metric: MetricName, value: number, labels: Labels = {}): void {
    if (METRICS[metric].kind !== 'histogram') throw new Error(`${metric} is no histogram`);
    this.add(metric, value, labels);
  }

  /** Sum over all label sets that carry `labels`: of what was added, observed or last set. 0 when nothing was. */
  value(metric: MetricName, labels: Labels = {}): number {
    return this.#matching(metric, labels).reduce((sum, entry) => sum + entry.value, 0);
  }

  /** How often it was added to or observed. */
  count(metric: MetricName, labels: Labels = {}): number {
    return this.#matching(metric, labels).reduce((sum, entry) => sum + entry.count, 0);
  }

  #told(level: LineLevel, fields: object, message: keyof typeof LOG_LINES): void {
    const row: LogRow | undefined = LOG_LINES[message];
    if (row?.level !== level) throw new Error(`the table of log lines has no '${message}' at ${level}`);
    const named = row.fields.split(', ').map((field) => field.replace(/^\[|\]$/g, ''));
    const unnamed = Object.keys(fields).filter((field) => !named.includes(field) && !named.includes('…'));
    if (unnamed.length > 0) throw new Error(`the table of log lines does not say that '${message}' has ${unnamed}`);
    this.lines.push({ level, fields, message });
  }

  #matching(metric: MetricName, labels: Labels) {
    return (this.#series.get(metric) ?? []).filter((entry) => contains(entry.labels, labels));
  }

  #entry(metric: MetricName, labels: Labels) {
    let entries = this.#series.get(metric);
    if (entries === undefined) {
      entries = [];
      this.#series.set(metric, entries);
    }
    let entry = entries.find((known) => contains(known.labels, labels) && contains(labels, known.labels));
    if (entry === undefined) {
      const wanted = [...METRICS[metric].labels].sort().join();
      if (Object.keys(labels).sort().join() !== wanted) {
        throw new Error(`${metric} has the labels [${wanted}], not [${Object.keys(labels).sort()}]`);
      }
      entry = { labels: { ...labels }, value: 0, count: 0 };
      entries.push(entry);
    }
    return entry;
  }
}

function contains(all: Labels, some: Labels): boolean {
  return Object.entries(some).every(([key, value]) => all[key] === value);
}
