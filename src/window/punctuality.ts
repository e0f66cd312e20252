/** How late the spans of one service's releases come, and so how long judging waits for stragglers: the decision watermark. */
import { LATENESS_BINS, type ReleaseArrivals, type ServiceArrivals } from '../model/slot-deltas.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

/** `newest`: time comes as far as the newest event; `complete`: no further than `now` either, since some sources may be ahead of others. */
export type Timing = 'newest' | 'complete';

/** Share of a release's spans that must have come before a slot is judged. */
const QUANTILE = 0.999;
const BIN_MS = 1000;
const MIN_LAG_MS = 1000;
export const MAX_LAG_MS: DurationMs = 60_000;
/**
 * Judging waits for releases with at least this share of the service's spans: a canary of one percent matters, an odd old pod does not. The share
 * is that since the release was first heard: a canary must not wait for minutes until it outweighs the past.
 */
const MIN_SHARE = 0.005;
/** Fewer spans of a release tell nothing. */
const MIN_SPANS = 20;
/** Until this many spans were seen, lag is at least EARLY_LAG_MS: five seconds is how often OpenTelemetry SDKs export. */
const EARLY_SPANS = 1000;
const EARLY_LAG_MS = 5000;
/** Lateness is forgotten by half in this much event time, in steps so that the cut of flushes matters little. */
const HALF_LIFE_MS = 600_000;
const DECAY_STEP_MS = 10_000;
/** A release of which less than this fraction of a span is left is forgotten. */
const FORGOTTEN_BELOW = 0.5;
/**
 * Spans of one service come by several sources, each of which tells lateness against its own newest span only: none is judged beyond what the slowest of
 * them has told. One that told nothing for this long, three times as long as SDKs take between exports, has no more spans of the service for now; so judging
 * is at most so much further behind, and slots are still there when it comes to them (MAX_LAG_MS and this are less than 90 s).
 */
const SOURCE_IDLE_MS = 15_000;
/** Sources of one service that are told apart; what comes by others is not waited for. */
const MAX_SOURCES = 256;
/** A service that was silent for this long is moved on by the wall clock, this far behind it. */
export const IDLE_MS: DurationMs = 60_000;

export interface SavedPunctuality {
  readonly newestAt: number;
  readonly mark: number;
  readonly spans: number;
  readonly decayedTo: number;
  readonly releases: readonly SavedRelease[];
  /** Latest end time by source, where there are several and the service is judged. */
  readonly sources?: readonly (readonly [source: string, newestAt: number])[];
}

export interface SavedRelease {
  readonly release: string;
  readonly of: number;
  readonly lateness: readonly number[];
}

/** The earlier shape: one lateness for the whole service. */
type EarlierPunctuality = Omit<SavedPunctuality, 'releases'> & { readonly lateness?: readonly number[] };

/** Stands for the releases of a state that did not tell them apart; no release is called so. */
const UNTOLD_RELEASE = '';

class ReleaseLateness {
  /** Spans of the service, this release's among them, since it was first heard. */
  of: number;
  readonly bins = new Float64Array(LATENESS_BINS);

  constructor(of: number) {
    this.of = of;
  }

  get spans(): number {
    let spans = 0;
    for (const count of this.bins) spans += count;
    return spans;
  }

  get matters(): boolean {
    const { spans } = this;
    return spans >= MIN_SPANS && spans >= MIN_SHARE * this.of;
  }

  add(counts: ArrayLike<number>): void {
    for (let bin = 0; bin < LATENESS_BINS; bin++) this.bins[bin] = (this.bins[bin] as number) + (counts[bin] ?? 0);
  }

  decay(factor: number): void {
    this.of *= factor;
    for (let bin = 0; bin < LATENESS_BINS; bin++) this.bins[bin] = (this.bins[bin] as number) * factor;
  }
}

export class Punctuality {
  /** Latest end time seen; -Infinity before the first span. */
  newestAt: EpochMs = Number.NEGATIVE_INFINITY;
  /** Highest watermark given out so far: slots that end at or before it may have been judged. */
  mark: EpochMs = Number.NEGATIVE_INFINITY;
  /** Wall clock when last heard, as far as it was told; NaN until it is. */
  heardAt: EpochMs = Number.NaN;
  #spans = 0;
  #decayedTo = Number.NaN;
  readonly #releases = new Map<string, ReleaseLateness>();
  /** Latest end time by source. */
  readonly #sources = new Map<string, EpochMs>();
  /** NaN when it has to be worked out anew. */
  #lagMs = Number.NaN;

  add(arrivals: ServiceArrivals, now: EpochMs, source = ''): void {
    this.heardAt = now;
    this.newestAt = Math.max(this.newestAt, arrivals.maxEndMs);
    this.#noteSource(source, arrivals.maxEndMs, now);
    this.#decay();
    for (const heard of arrivals.releases) if (!this.#releases.has(heard.release)) this.#releases.set(heard.release, this.#born(heard));
    let spans = 0;
    for (const { release, lateness } of arrivals.releases) {
      this.#releases.get(release)?.add(lateness);
      for (const count of lateness) spans += count;
    }
    for (const release of this.#releases.values()) release.of += spans;
    this.#spans += spans;
    this.#lagMs = Number.NaN;
  }

  /**
   * Upper edge of the bin that holds p99.9 of recent lateness, 1 to 60 s: the largest over the releases that have 0.5 % of the service's spans and
   * 20 at least; over all spans where no release has. At least 5 s until 1,000 spans of the service were seen. One lag for all releases: what
   * waited longer for one arm than for the other would compare different times.
   */
  get lagMs(): DurationMs {
    if (Number.isNaN(this.#lagMs)) {
      const atLeast = this.#spans < EARLY_SPANS ? EARLY_LAG_MS : MIN_LAG_MS;
      this.#lagMs = Math.min(MAX_LAG_MS, Math.max(atLeast, this.#lateness()));
    }
    return this.#lagMs;
  }

  /**
   * Event time up to which this service may be judged: latest end time - lag, or `now` - 60 s once nothing was heard for 60 s. Never
   * later than `now`, never earlier than it was (should the wall clock step back). -Infinity before the first span. `complete`: some sources may be ahead
   * of `now`, up to which all are complete; latest is then what the slowest of the service's sources has told, and no later than `now`.
   */
  watermark(now: EpochMs, timing: Timing = 'newest'): EpochMs {
    if (Number.isNaN(this.heardAt)) this.heardAt = now;
    if (this.newestAt === Number.NEGATIVE_INFINITY) return this.mark;
    const isComplete = timing === 'complete';
    const heard = (isComplete ? this.#slowest(now) : this.newestAt) - this.lagMs;
    const heardAt = isComplete ? Math.max(this.heardAt, Math.min(this.newestAt, now)) : this.heardAt;
    const isSilent = now - heardAt >= IDLE_MS;
    const reached = Math.min(now, isSilent ? Math.max(heard, now - IDLE_MS) : heard);
    this.mark = Math.max(this.mark, reached);
    return this.mark;
  }

  saved(): SavedPunctuality {
    const releases = [...this.#releases].map(([release, { of, bins }]) => {
      const used = bins.findLastIndex((count) => count > 0) + 1;
      return { release, of, lateness: [...bins.subarray(0, used)] };
    });
    // Where nothing is judged they are gathered again before it is.
    const isSourced = this.#sources.size > 1 && Number.isFinite(this.mark);
    return {
      newestAt: this.newestAt,
      mark: this.mark,
      spans: this.#spans,
      decayedTo: this.#decayedTo,
      releases,
      ...(isSourced && { sources: [...this.#sources].filter(([, newestAt]) => newestAt > this.mark - SOURCE_IDLE_MS) }),
    };
  }

  /** A state that does not tell releases apart counts as one more release, which is forgotten in time. */
  restore(saved: SavedPunctuality | EarlierPunctuality): void {
    for (const [source, newestAt] of saved.sources ?? []) this.#sources.set(source, newestAt);
    this.newestAt = saved.newestAt;
    this.mark = saved.mark ?? Number.NEGATIVE_INFINITY;
    this.#spans = saved.spans;
    this.#decayedTo = saved.decayedTo;
    this.#lagMs = Number.NaN;
    for (const { release, of, lateness } of 'releases' in saved ? saved.releases : untold(saved.lateness)) {
      const restored = new ReleaseLateness(of);
      restored.add(lateness);
      this.#releases.set(release, restored);
    }
  }

  #noteSource(source: string, newestAt: EpochMs, now: EpochMs): void {
    const known = this.#sources.get(source);
    if (known === undefined && this.#sources.size >= MAX_SOURCES) {
      const to = Math.min(this.newestAt, now);
      for (const [name, at] of this.#sources) if (at <= to - SOURCE_IDLE_MS) this.#sources.delete(name);
      if (this.#sources.size >= MAX_SOURCES) return;
    }
    this.#sources.set(source, Math.max(known ?? newestAt, newestAt));
  }

  /** Of the sources that still tell something, the earliest latest end time, no later than `now`. */
  #slowest(now: EpochMs): EpochMs {
    const to = Math.min(this.newestAt, now);
    let slowest = to;
    for (const newestAt of this.#sources.values()) if (newestAt > to - SOURCE_IDLE_MS) slowest = Math.min(slowest, newestAt);
    return slowest;
  }

  /** A release heard for the first time: the service's spans count from where its earliest span lies, as though they had come evenly. */
  #born({ lateness }: ReleaseArrivals): ReleaseLateness {
    let spans = 0;
    for (const release of this.#releases.values()) spans += release.spans;
    const sinceMs = (lateness.findLastIndex((count) => count > 0) + 1) * BIN_MS;
    return new ReleaseLateness(spans * (1 - 2 ** (-sinceMs / HALF_LIFE_MS)));
  }

  #lateness(): DurationMs {
    const telling = [...this.#releases.values()].filter(({ matters }) => matters);
    if (telling.length > 0) return Math.max(...telling.map(({ bins }) => latenessMs(bins)));
    const all = new ReleaseLateness(0);
    for (const { bins } of this.#releases.values()) all.add(bins);
    return latenessMs(all.bins);
  }

  #decay(): void {
    const to = Math.floor(this.newestAt / DECAY_STEP_MS) * DECAY_STEP_MS;
    if (Number.isNaN(this.#decayedTo)) this.#decayedTo = to;
    if (to <= this.#decayedTo) return;
    const factor = 2 ** ((this.#decayedTo - to) / HALF_LIFE_MS);
    for (const [name, release] of this.#releases) {
      release.decay(factor);
      if (release.spans < FORGOTTEN_BELOW) this.#releases.delete(name);
    }
    this.#decayedTo = to;
  }
}

function untold(lateness: readonly number[] = []): SavedRelease[] {
  const of = lateness.reduce((sum, count) => sum + count, 0);
  return of === 0 ? [] : [{ release: UNTOLD_RELEASE, of, lateness }];
}

/** Upper edge of the bin that holds p99.9; that of the first bin when all are empty. */
function latenessMs(bins: Float64Array): DurationMs {
  let total = 0;
  for (const count of bins) total += count;
  let below = 0;
  let bin = 0;
  for (; bin < LATENESS_BINS - 1; bin++) {
    below += bins[bin] as number;
    if (below >= QUANTILE * total) break;
  }
  return (bin + 1) * BIN_MS;
}
