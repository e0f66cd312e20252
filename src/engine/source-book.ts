/** How far the counts of all sources are complete: the time that judging lives in, and why it may not trust it. */
import type { StoredNote } from '../model/checkpoint.ts';
import { PermanentError } from '../model/errors.ts';
import type { InputDoubt } from '../model/judgement.ts';
import type { ProgressReport, SourceGap } from '../model/source-progress.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import { type Span, TimeSpans } from './time-spans.ts';

const NOTE = 'sources';
/** Of one member that crashed, or goes on under another name: nobody reads its spans in its place. */
const OTLP = 'otlp/';
/** Stream time that is further behind the wall clock than this is old news. */
const LAGGING_MS: DurationMs = 60_000;
/** So long after spans were lost those that remain may still tell of it: as long as a span may be late. */
const AFTER_GAP_MS: DurationMs = 60_000;
/** What comes at one moment was gathered for about so long before it. */
const LEAST_GAP_MS: DurationMs = 1000;
/**
 * A source that goes on, though far behind, is waited for until others have been this many times `waitMs` ahead for as long again: the memory of their slots
 * has an end.
 */
const SPREAD = 5;
/** What a member expects is forgotten once it was silent for so many times `waitMs`; whoever reads its partitions now expects them too. */
const MEMBER_WAITS = 2;
const MAX_SOURCES = 20_000;
const MAX_MEMBERS = 1_000;

export interface SourceBookOptions {
  /** Judging waits so long for a source that lags or is not heard of, then goes on without it and says so. */
  readonly waitMs: DurationMs;
}

export interface SourceView {
  readonly source: string;
  /** -Infinity: it is expected, and was never heard of. */
  readonly completeUntilMs: EpochMs;
  /** Wall clock when it grew last, or when it was expected first; NaN: not known since a restart. */
  readonly movedAt: EpochMs;
  readonly isWaitedFor: boolean;
}

interface Source {
  completeUntilMs: EpochMs;
  /** Wall clock when `completeUntilMs` grew last, or when it was expected first; NaN after a restart until the wall clock is told. */
  movedAt: EpochMs;
  /** Wall clock when others came to be far ahead; null while they are not. */
  leftBehindAt: EpochMs | null;
  isGivenUp: boolean;
}

interface Member {
  readonly expected: readonly string[];
  readonly heardAt: EpochMs;
}

/** JSON has no infinities: null is "not known". */
interface SourcesNote {
  readonly streamTime: EpochMs | null;
  readonly sources: readonly (readonly [source: string, completeUntilMs: EpochMs | null, isGivenUp: boolean])[];
  readonly lost: readonly Span[];
}

/**
 * Sources are those that members expect and those that reported and are not closed. Time is where the earliest of them is. One that is expected and was
 * never heard of makes time stand still, and so does a cell that knows of none: before any time was given it is -Infinity.
 *
 * A source is given up once it is `waitMs` behind the wall clock and stood still for as long, or was left far behind by others for long (`SPREAD`); it is
 * waited for again when it has come to where time is. While all stand still nothing is given up: then it is us who hear nothing, and time waits. So a
 * backlog of hours is counted to the last span. What some sources are ahead of the slowest is held in single slots meanwhile.
 *
 * The wall clock is passed in; it may step back, and then no time of this goes back with it.
 */
export class SourceBook {
  readonly options: SourceBookOptions;
  readonly #sources = new Map<string, Source>();
  readonly #members = new Map<string, Member>();
  #streamTime: EpochMs = Number.NEGATIVE_INFINITY;
  readonly #lost = new TimeSpans();
  readonly #unobserved = new TimeSpans();
  /** Wall clock of the last look, since which nothing was reported; NaN: something was. */
  #lookedAt: EpochMs = Number.NaN;
  /** All stood still for `waitMs` when it was looked at last. */
  #wasDeaf = false;
  /** A source more than there is room for: nothing is known of how far it is. */
  #isOverfull = false;

  constructor(options: SourceBookOptions) {
    this.options = options;
  }

  report({ member, progress, expected, gaps }: ProgressReport, now: EpochMs): void {
    this.#lookedAt = Number.NaN;
    const closed = new Set(progress.flatMap(({ source, isClosed }) => (isClosed ? [source] : [])));
    this.#members.delete(member);
    this.#members.set(member, { expected: expected.filter((source) => !closed.has(source)), heardAt: now });
    if (this.#members.size > MAX_MEMBERS) this.#members.delete(this.#members.keys().next().value as string);
    const stillExpected = closed.size > 0 ? this.#expected(now) : null;
    for (const { source, completeUntilMs, isClosed } of progress) {
      // One that another member is about to take over is waited for from where it was left.
      if (isClosed && stillExpected?.has(source) !== true) this.#sources.delete(source);
      else this.#heard(source, completeUntilMs, now);
    }
    for (const source of expected) if (!closed.has(source)) this.#open(source, now);
    for (const gap of gaps) this.lost(gap, now);
  }

  /** Spans were lost. To be told once each; told twice it changes nothing. Of unknown begin: since the source was complete; of unknown end: until now. */
  lost({ source, fromMs, toMs }: SourceGap, now: EpochMs): void {
    const completeTo = this.#sources.get(source)?.completeUntilMs ?? Number.NEGATIVE_INFINITY;
    const known = [fromMs, completeTo, this.#streamTime, now].find((at): at is EpochMs => at !== null && Number.isFinite(at)) ?? now;
    const to = toMs ?? now;
    this.#lose([Math.min(known, to), to]);
  }

  /**
   * Everything that had arrived by this time is counted, but for sources that were given up. Never above `now` when it moves, never back; -Infinity as long
   * as nothing is known.
   */
  streamTime(now: EpochMs): EpochMs {
    if (now === this.#lookedAt) return this.#streamTime;
    this.#lookedAt = now;
    this.#giveUp(now);
    let earliest = now;
    let isAnyWaitedFor = false;
    let isAnyInVain = false;
    for (const { completeUntilMs, isGivenUp } of this.#sources.values()) {
      if (isGivenUp) {
        isAnyInVain = true;
        continue;
      }
      isAnyWaitedFor = true;
      earliest = Math.min(earliest, completeUntilMs);
    }
    if (!isAnyWaitedFor || !(earliest > this.#streamTime)) return this.#streamTime;
    if (isAnyInVain && Number.isFinite(this.#streamTime)) this.#unobserved.add([this.#streamTime, earliest]);
    this.#streamTime = earliest;
    return earliest;
  }

  /** Why nothing final may be said now: spans were lost a moment ago, or something is waited for in vain, or time is far behind the wall clock. */
  doubt(now: EpochMs): InputDoubt | null {
    const at = this.streamTime(now);
    this.#lost.dropBefore(at - AFTER_GAP_MS);
    if (this.#lost.firstFrom <= at) return 'input_gap';
    if (this.#isOverfull || !Number.isFinite(at) || now - at > LAGGING_MS) return 'input_lagging';
    for (const { isGivenUp } of this.#sources.values()) if (isGivenUp) return 'input_lagging';
    return null;
  }

  /** Times of which spans may be missing, found out since the last call: nothing is to be concluded from what is there of them. */
  takeUnobserved(): readonly Span[] {
    return this.#unobserved.take();
  }

  /** Every source there is, by name. */
  sources(now: EpochMs): readonly SourceView[] {
    this.streamTime(now);
    return [...this.#sources]
      .map(([source, { completeUntilMs, movedAt, isGivenUp }]) => ({ source, completeUntilMs, movedAt, isWaitedFor: !isGivenUp }))
      .sort((a, b) => (a.source < b.source ? -1 : 1));
  }

  snapshot(): readonly StoredNote[] {
    const note: SourcesNote = {
      streamTime: finiteOrNull(this.#streamTime),
      sources: [...this.#sources].map(([source, { completeUntilMs, isGivenUp }]) => [source, finiteOrNull(completeUntilMs), isGivenUp]),
      lost: this.#lost.all,
    };
    return [{ key: NOTE, json: JSON.stringify(note) }];
  }

  /** Takes back what `snapshot` saved. Sources get `waitMs` anew to be heard of: who was away is us. Throws PermanentError when it is not what was written. */
  restore(notes: readonly StoredNote[]): void {
    const note = notes.find(({ key }) => key === NOTE);
    if (note === undefined) return;
    const { streamTime, sources, lost } = parsed(note);
    this.#streamTime = streamTime ?? Number.NEGATIVE_INFINITY;
    this.#lookedAt = Number.NaN;
    for (const [source, completeUntilMs, isGivenUp] of sources) {
      this.#sources.set(source, {
        completeUntilMs: completeUntilMs ?? Number.NEGATIVE_INFINITY,
        movedAt: Number.NaN,
        leftBehindAt: null,
        isGivenUp,
      });
    }
    for (const span of lost) this.#lost.add(span);
  }

  #heard(name: string, completeUntilMs: EpochMs, now: EpochMs): void {
    const source = this.#open(name, now);
    if (source === null || !(completeUntilMs > source.completeUntilMs)) return;
    source.completeUntilMs = completeUntilMs;
    source.movedAt = now;
    // One that is behind can add nothing to the time that has passed without it.
    if (source.isGivenUp && completeUntilMs >= this.#streamTime) source.isGivenUp = false;
  }

  #open(name: string, now: EpochMs): Source | null {
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    if (this.#sources.size >= MAX_SOURCES) {
      this.#isOverfull = true;
      return null;
    }
    const source = { completeUntilMs: Number.NEGATIVE_INFINITY, movedAt: now, leftBehindAt: null, isGivenUp: false };
    this.#sources.set(name, source);
    return source;
  }

  #giveUp(now: EpochMs): void {
    const { waitMs } = this.options;
    let furthest = Number.NEGATIVE_INFINITY;
    let movedAt = Number.NEGATIVE_INFINITY;
    for (const source of this.#sources.values()) {
      // After a restart, and where the wall clock was set back.
      if (!(source.movedAt <= now)) source.movedAt = now;
      furthest = Math.max(furthest, Math.min(source.completeUntilMs, now));
      if (Number.isFinite(source.completeUntilMs)) movedAt = Math.max(movedAt, source.movedAt);
    }
    const isAnythingHeard = now - movedAt <= waitMs;
    if (!isAnythingHeard) {
      this.#wasDeaf = Number.isFinite(movedAt);
      return;
    }
    if (this.#wasDeaf) {
      // We hear again. One source is the first to be heard: the others are still to come, and have as long for it as ever.
      this.#wasDeaf = false;
      for (const source of this.#sources.values()) source.movedAt = now;
    }
    let expected: ReadonlySet<string> | null | undefined;
    for (const [name, source] of this.#sources) {
      const { completeUntilMs } = source;
      const isStill = now - source.movedAt > waitMs;
      if (!Number.isFinite(completeUntilMs) || furthest - completeUntilMs <= SPREAD * waitMs) source.leftBehindAt = null;
      else source.leftBehindAt ??= now;
      const isLeftBehind = source.leftBehindAt !== null && now - source.leftBehindAt > SPREAD * waitMs;
      if (now - completeUntilMs > waitMs && (isStill || isLeftBehind)) source.isGivenUp = true;
      if (!source.isGivenUp || !isStill) continue;
      if (name.startsWith(OTLP)) this.#crashed(name, source, now);
      else {
        if (expected === undefined) expected = this.#expected(now);
        if (expected !== null && !expected.has(name)) this.#sources.delete(name);
      }
    }
  }

  /** Whoever sent to it sends to others now; what it had taken and not told is lost. */
  #crashed(name: string, { completeUntilMs }: Source, now: EpochMs): void {
    this.#sources.delete(name);
    if (!Number.isFinite(completeUntilMs)) return;
    const text = `${name}: was not heard of since ${new Date(completeUntilMs).toISOString()}, and did not take its leave`;
    this.lost({ source: name, reason: 'crash', fromMs: completeUntilMs, toMs: null, text }, now);
  }

  /** What members expect that were heard of lately; null: none was. */
  #expected(now: EpochMs): ReadonlySet<string> | null {
    const expected = new Set<string>();
    let isAny = false;
    for (const [member, { expected: names, heardAt }] of this.#members) {
      if (now - heardAt > MEMBER_WAITS * this.options.waitMs) {
        this.#members.delete(member);
        continue;
      }
      isAny = true;
      for (const name of names) expected.add(name);
    }
    return isAny ? expected : null;
  }

  #lose([fromMs, toMs]: Span): void {
    const span: Span = [Math.min(fromMs, toMs - LEAST_GAP_MS), toMs];
    this.#lost.add(span);
    this.#unobserved.add(span);
  }
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function parsed({ key, json }: StoredNote): SourcesNote {
  try {
    const note = JSON.parse(json) as Partial<SourcesNote>;
    if (!Array.isArray(note.sources) || !Array.isArray(note.lost)) throw new Error('a list is missing');
    return note as SourcesNote;
  } catch (cause) {
    throw new PermanentError('note_corrupt', `reading note ${key}: ${String(cause)}`, { cause });
  }
}
