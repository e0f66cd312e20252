/** What `rate`, `increase` and `irate` give: events of slots over a range, for each series that a selector means. */
import type { MetricCounts, MetricOutcome, MetricScanRequest, MetricTimeline, MetricWindow } from '../../model/metric-scan.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import { QueryError } from './query-error.ts';
import { type BucketSample, type Sample, sample } from './sample.ts';
import type { Meant, Selection } from './select-series.ts';

/** A series is there for so long after its last request: without it, a ratio is no number rather than not there. */
export const PRESENT_MS: DurationMs = 15 * 60_000;
/** `irate` looks at no more than this. */
const INSTANT_MS: DurationMs = 10_000;
/** A service's newest complete second may lie so far back. */
const MAX_LAG_MS: DurationMs = 60_000;
const US_PER_SEC = 1e6;

export type RateFunction = 'rate' | 'increase' | 'irate';

export interface RateCall {
  readonly function: RateFunction;
  readonly rangeMs: DurationMs;
  readonly meant: Meant;
}

/** The slots that the call needs for steps from `fromMs` to `toMs`. */
export function requestOf(call: RateCall, { groups, le }: Selection, fromMs: EpochMs, toMs: EpochMs): MetricScanRequest {
  const { rangeMs, meant } = call;
  const { offsetMs } = meant.selector;
  const earliest = fromMs - offsetMs - MAX_LAG_MS;
  const needsCells = meant.part === 'bucket' || meant.part === 'sum';
  return {
    groups,
    fromMs: earliest - Math.max(rangeMs, PRESENT_MS),
    toMs: toMs - offsetMs,
    cellsFromMs: needsCells && le !== '+Inf' ? earliest - rangeMs : Number.POSITIVE_INFINITY,
  };
}

export class SlotVector {
  readonly #call: RateCall;
  readonly #selection: Selection;
  readonly #timeline: MetricTimeline;
  readonly #warn: (text: string) => void;
  /** Edges of buckets in the unit of the metric; whole numbers of microseconds become no odd fractions. */
  readonly #edge: (bucket: number) => number;
  readonly #openBucket: number;

  constructor(call: RateCall, selection: Selection, timeline: MetricTimeline, warn: (text: string) => void) {
    this.#call = call;
    this.#selection = selection;
    this.#timeline = timeline;
    this.#warn = warn;
    const perUnit = US_PER_SEC * call.meant.family.unitSec;
    this.#edge = (bucket) => timeline.layout.lowestUs(bucket) / perUnit;
    this.#openBucket = timeline.layout.index(timeline.layout.highestUs);
    if (timeline.isSampled && selection.elements.length > 0 && call.meant.family.reading === 'duration') {
      warn('some spans were sampled: their latencies stand for the requests they were chosen from, failed ones and others apart');
    }
  }

  at(t: EpochMs): Sample[] {
    const { rangeMs, meant } = this.#call;
    const samples: Sample[] = [];
    for (const { labels, group, outcome } of this.#selection.elements) {
      const { service } = this.#selection.groups[group] as { service: string };
      const toMs = Math.min(t - meant.selector.offsetMs, this.#timeline.completeTo(service));
      if (!Number.isFinite(toMs)) continue;
      const presence = this.#timeline.window(toMs - Math.max(rangeMs, PRESENT_MS), toMs);
      if (!(this.#timeline.counts(group, presence).requests > 0)) continue;
      const lengthMs = this.#call.function === 'irate' ? Math.min(rangeMs, INSTANT_MS) : rangeMs;
      const window = this.#window(toMs - lengthMs, toMs);
      const perSecond = 1 / (window.toSec - window.fromSec);
      const scale = this.#call.function === 'increase' ? (perSecond * rangeMs) / 1000 : perSecond;
      if (meant.part === 'bucket' && this.#selection.le === null) {
        samples.push({ labels, value: Number.NaN, histogram: this.#buckets(group, window, outcome, scale) });
      } else samples.push(sample(labels, this.#count(group, window, outcome) * scale));
    }
    return samples;
  }

  #window(fromMs: EpochMs, toMs: EpochMs): MetricWindow {
    const window = this.#timeline.window(fromMs, toMs);
    const { metric } = this.#call.meant.selector;
    const movedSec = Math.max(Math.floor(fromMs / 1000) - window.fromSec, Math.abs(Math.floor(toMs / 1000) - window.toSec));
    if (movedSec > 0)
      this.#warn(`${metric}: ranges were moved to edges of slots, which get coarser with age; rates are over what was counted`);
    if (fromMs < this.#timeline.keptFromMs) this.#warn(`${metric}: a range reaches back to before what is kept`);
    return window;
  }

  #count(group: number, window: MetricWindow, outcome: MetricOutcome): number {
    const { family, part } = this.#call.meant;
    const counts = this.#timeline.counts(group, window);
    const isWhole = this.#selection.le === '+Inf';
    if (part === 'bucket' && !isWhole) return this.#countUpTo(group, window, outcome);
    if (part === 'sum') return this.#sum(group, window, outcome);
    if (family.reading === 'failures') return counts.failed;
    return family.reading === 'duration'
      ? ofOutcome(outcome, counts.timed, counts.timedFailed)
      : ofOutcome(outcome, counts.requests, counts.failed);
  }

  /** Up to the end of the bucket that the bound lies in: a request that took as long as allowed never counts as too slow. */
  #countUpTo(group: number, window: MetricWindow, outcome: MetricOutcome): number {
    const { layout } = this.#timeline;
    const { unitSec } = this.#call.meant.family;
    const exactUs = Number(this.#selection.le) * unitSec * US_PER_SEC;
    const boundUs = Math.abs(exactUs - Math.round(exactUs)) < 1e-6 ? Math.round(exactUs) : exactUs;
    const bucket = layout.index(boundUs);
    const isEdge = layout.lowestUs(bucket) === boundUs;
    if (!isEdge && bucket >= this.#openBucket) {
      throw new QueryError(
        'execution',
        `le="${this.#selection.le}" lies beyond the highest latency that is told apart, ${this.#edge(this.#openBucket)}`,
      );
    }
    if (!isEdge)
      this.#warn(`le="${this.#selection.le}" lies within a bucket and was counted as ${this.#edge(bucket + 1)}, where that ends`);
    const { buckets, counts } = this.#timeline.histogram(group, window, outcome);
    let sum = 0;
    for (let i = 0; i < buckets.length && (buckets[i] as number) < bucket + (isEdge ? 0 : 1); i++) sum += counts[i] as number;
    return sum;
  }

  #sum(group: number, window: MetricWindow, outcome: MetricOutcome): number {
    const { buckets, counts } = this.#timeline.histogram(group, window, outcome);
    let sum = 0;
    for (let i = 0; i < buckets.length; i++) {
      const bucket = buckets[i] as number;
      sum += ((this.#edge(bucket) + this.#edge(bucket + 1)) / 2) * (counts[i] as number);
    }
    return sum;
  }

  #buckets(group: number, window: MetricWindow, outcome: MetricOutcome, scale: number): BucketSample {
    const { buckets, counts } = this.#timeline.histogram(group, window, outcome);
    return { buckets, counts: Array.from(counts, (count) => count * scale), edge: this.#edge, openBucket: this.#openBucket };
  }
}

function ofOutcome(outcome: MetricOutcome, all: MetricCounts['requests'], failed: number): number {
  switch (outcome) {
    case 'all':
      return all;
    case 'ok':
      return Math.max(0, all - failed);
    case 'failed':
      return failed;
    default:
      return outcome satisfies never;
  }
}
