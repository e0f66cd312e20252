/** The metric table brought to life on one or more OpenTelemetry meters. */
import type { Meter } from '@opentelemetry/api';
import { METRICS, type MetricName, type MetricRow } from './metric-table.ts';
import type { Labels } from './telemetry.ts';

/** Of every name. */
export const PREFIX = 'slipstream_';

/** Boundaries in seconds: an evaluation tick takes a millisecond, a checkpoint on a slow disk seconds. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

type Operation = 'add' | 'set' | 'observe';

const ALLOWED: Readonly<Record<MetricRow['kind'], readonly Operation[]>> = {
  counter: ['add'],
  gauge: ['set'],
  histogram: ['observe', 'add'],
};

const ROWS: Readonly<Record<MetricName, MetricRow>> = METRICS;

/** Takes a value to every meter it was made for. */
type Recorder = (value: number, labels: Labels) => void;

const NO_LABELS: Labels = {};

export class Instruments {
  readonly #records = new Map<MetricName, readonly Recorder[]>();
  readonly #strict: boolean;

  /** With `strict` a call that contradicts the table throws (development and tests); otherwise it is dropped and counted. */
  constructor(meters: readonly Meter[], strict: boolean) {
    this.#strict = strict;
    for (const name of Object.keys(ROWS) as MetricName[]) {
      this.#records.set(
        name,
        meters.map((meter) => instrument(meter, `${PREFIX}${name}`, ROWS[name])),
      );
      // A counter that never counted shows 0, so that a rate over it is 0 and not absent.
      if (ROWS[name].kind === 'counter') for (const labels of labelsFromStart(ROWS[name])) this.#write(name, 0, labels);
    }
  }

  /** Records `value` on `name`, unless kind, labels or value contradict the table. */
  record(operation: Operation, name: MetricName, value: number, labels: Labels = NO_LABELS): void {
    const complaint = complaintAbout(operation, name, value, labels);
    if (complaint === null) {
      this.#write(name, value, labels);
      return;
    }
    if (this.#strict) throw new TypeError(complaint);
    this.#write('misused_metrics_total', 1, NO_LABELS);
  }

  /** The SDK shows a gauge for ever once it was set, an observable one too: NaN stands for none, and readers leave it out. */
  unset(name: MetricName, labels: Labels = NO_LABELS): void {
    if (complaintAbout('set', name, 0, labels) === null) this.#write(name, Number.NaN, labels);
    else this.record('set', name, 0, labels);
  }

  #write(name: MetricName, value: number, labels: Labels): void {
    for (const record of this.#records.get(name) ?? []) record(value, labels);
  }
}

function instrument(meter: Meter, name: string, row: MetricRow): Recorder {
  const options = { description: row.help };
  switch (row.kind) {
    case 'counter': {
      const counter = meter.createCounter(name, options);
      return (value, labels) => counter.add(value, labels);
    }
    case 'gauge': {
      const gauge = meter.createGauge(name, options);
      return (value, labels) => gauge.record(value, labels);
    }
    case 'histogram': {
      const histogram = meter.createHistogram(name, { ...options, advice: { explicitBucketBoundaries: SECONDS } });
      return (value, labels) => histogram.record(value, labels);
    }
    default:
      return row.kind satisfies never;
  }
}

/** Those that a counter has before it counts: one empty set without labels, none where their values are not known beforehand. */
function labelsFromStart({ labels, known }: MetricRow): Labels[] {
  return labels.reduce<Labels[]>(
    (sets, label) => sets.flatMap((set) => (known?.[label] ?? []).map((value) => ({ ...set, [label]: value }))),
    [NO_LABELS],
  );
}

function complaintAbout(operation: Operation, name: MetricName, value: number, labels: Labels): string | null {
  const row = ROWS[name];
  if (!ALLOWED[row.kind].includes(operation)) return `metric ${name} is a ${row.kind}: it cannot ${operation}`;
  if (!Number.isFinite(value) || (row.kind === 'counter' && value < 0)) return `metric ${name} cannot take ${value}`;
  const given = Object.keys(labels);
  if (given.length !== row.labels.length || !given.every((label) => row.labels.includes(label))) {
    return `metric ${name} has the labels [${row.labels.join(', ')}], not [${given.join(', ')}]`;
  }
  return null;
}
