/** One value an hour of what a trend rule is about, built from pieces of ten minutes. */
import type { Counts, Distribution } from '../model/distribution.ts';
import type { TrendRule } from '../model/objective.ts';
import type { DurationMs } from '../model/time.ts';

export const PIECE_MS: DurationMs = 600_000;
export const HOURS_OF_DAY = 24;
const PIECES_OF_HOUR = 6;
/** 28 days to look at, and the one before them to compare the first with. */
const HOURS_KEPT = 29 * HOURS_OF_DAY;

/** Pieces with requests an hour needs. */
const LEAST_PIECES = PIECES_OF_HOUR / 2;
/** Requests an hour needs: of a percentile, five beyond it. */
const LEAST_BEYOND = 5;
const LEAST_FOR_ERRORS = 100;

const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

/** Plain data: goes through JSON unchanged. */
export interface SavedTrend {
  /** What it is of; a rule that is about something else starts anew. */
  readonly of: string;
  /** Piece that was added last, counted from 1970; null: none yet. */
  readonly piece: number | null;
  readonly open: OpenHour;
  /** Hours since 1970 of the first value, and one value for each from then on. */
  readonly firstHour: number;
  readonly hours: readonly (number | null)[];
}

interface OpenHour {
  readonly pieces: number;
  readonly requests: number;
  readonly failed: number;
  /** Sum over requests, µs. */
  readonly durationUs: number;
  /** Upper end of a bucket in µs, and how many. */
  readonly buckets: readonly (readonly [highUs: number, count: number])[];
}

const EMPTY: OpenHour = { pieces: 0, requests: 0, failed: 0, durationUs: 0, buckets: [] };

export class TrendHours {
  readonly rule: TrendRule;
  #piece: number | null = null;
  #open: OpenHour = EMPTY;
  #firstHour = 0;
  #hours: (number | null)[] = [];

  constructor(rule: TrendRule, saved?: SavedTrend) {
    this.rule = rule;
    if (saved === undefined || saved.of !== subject(rule)) return;
    this.#piece = saved.piece;
    this.#open = saved.open;
    this.#firstHour = saved.firstHour;
    this.#hours = [...saved.hours];
  }

  /** Piece that was added last. */
  get piece(): number | null {
    return this.#piece;
  }

  /** Adds what happened in `piece`, which is later than any before it; those left out in between had nothing. */
  add(piece: number, counts: Counts, latencies: Distribution): void {
    const hour = hourOf(piece);
    if (this.#piece === null) this.#firstHour = hour;
    else this.#closeBefore(hour, hourOf(this.#piece));
    this.#piece = piece;
    if (counts.spans > 0) this.#open = added(this.#open, counts, latencies, this.rule.metric in QUANTILES);
    if (piece % PIECES_OF_HOUR === PIECES_OF_HOUR - 1) this.#close();
  }

  /** When the last full hour ended, in hours since 1970. */
  get endHour(): number {
    return this.#firstHour + this.#hours.length;
  }

  /** `count` days of 24 hours, oldest first, up to the last full hour; null where nothing is known. */
  days(count: number): (number | null)[][] {
    return Array.from({ length: count }, (_, i) => {
      const from = this.#hours.length - (count - i) * HOURS_OF_DAY;
      return Array.from({ length: HOURS_OF_DAY }, (_, hour) => this.#hours[from + hour] ?? null);
    });
  }

  saved(): SavedTrend {
    return { of: subject(this.rule), piece: this.#piece, open: this.#open, firstHour: this.#firstHour, hours: this.#hours };
  }

  /** Hours are closed in order; `#hours` always ends where the open one begins. */
  #closeBefore(hour: number, lastHour: number): void {
    if (hour > lastHour && this.endHour <= lastHour) this.#close();
    const missing = Math.min(hour - this.endHour, HOURS_KEPT);
    if (missing <= 0) return;
    for (let i = 0; i < missing; i++) this.#hours.push(null);
    this.#firstHour = hour - this.#hours.length;
    this.#trim();
  }

  #close(): void {
    this.#hours.push(hourValue(this.rule.metric, this.#open));
    this.#open = EMPTY;
    this.#trim();
  }

  #trim(): void {
    const surplus = this.#hours.length - HOURS_KEPT;
    if (surplus <= 0) return;
    this.#hours.splice(0, surplus);
    this.#firstHour += surplus;
  }
}

function hourOf(piece: number): number {
  return Math.floor(piece / PIECES_OF_HOUR);
}

function subject({ metric, endpoint }: TrendRule): string {
  return JSON.stringify([metric, endpoint]);
}

function added(open: OpenHour, counts: Counts, latencies: Distribution, needsBuckets: boolean): OpenHour {
  const buckets = new Map(open.buckets);
  let durationUs = 0;
  for (const { lowUs, highUs, count } of latencies.buckets()) {
    durationUs += count * ((lowUs + highUs) / 2);
    if (needsBuckets) buckets.set(highUs, (buckets.get(highUs) ?? 0) + count);
  }
  // Of sampled spans each stands for several requests, and histograms count spans.
  const weight = counts.requests / counts.spans;
  return {
    pieces: open.pieces + 1,
    requests: open.requests + counts.requests,
    failed: open.failed + counts.failed,
    durationUs: open.durationUs + durationUs * weight,
    buckets: [...buckets],
  };
}

/** µs, ratio or requests at once; null without enough. */
function hourValue(metric: TrendRule['metric'], { pieces, requests, failed, durationUs, buckets }: OpenHour): number | null {
  if (pieces < LEAST_PIECES) return null;
  switch (metric) {
    case 'errors':
      return requests < LEAST_FOR_ERRORS ? null : failed / requests;
    case 'inFlight':
      // Little's law: requests at once on average are the sum of their durations over the time.
      return durationUs / 1000 / (pieces * PIECE_MS);
    case 'p50':
    case 'p95':
    case 'p99':
      return quantile(buckets, QUANTILES[metric]);
    default:
      return metric satisfies never;
  }
}

/** Upper end of the bucket of the nearest rank; null with fewer than five beyond it. */
function quantile(buckets: OpenHour['buckets'], q: number): number | null {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  if (total * (1 - q) < LEAST_BEYOND - 1e-9) return null;
  let rank = Math.ceil(total * q - 1e-9);
  for (const [highUs, count] of [...buckets].sort((a, b) => a[0] - b[0])) {
    rank -= count;
    if (rank <= 0) return highUs;
  }
  return null;
}
