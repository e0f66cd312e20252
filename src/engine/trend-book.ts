/** Trends of all rules: gathers their hours from the sliding window, ten minutes at a time, and judges them. */
import { trendOf } from '../evaluate/slo/trend.ts';
import type { StoredNote } from '../model/checkpoint.ts';
import type { Counts, Distribution } from '../model/distribution.ts';
import { PermanentError } from '../model/errors.ts';
import type { TrendRule } from '../model/objective.ts';
import type { Policies } from '../model/policy.ts';
import type { TrendView } from '../model/slo-views.ts';
import { type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import { PIECE_MS, type SavedTrend, TrendHours } from './trend-hours.ts';

/** One note a rule: they change at different times. */
const NOTE_PREFIX = 'trend:';
const HOUR_MS = 3_600_000;
/**
 * Rules served in one call, and for each second that time has moved on since the last, so that the end of ten minutes is no hitch. A piece stays readable
 * for four minutes after it is complete.
 */
const RULES_AT_ONCE = 10;
/** Histograms reach so far back in memory. */
const MEMORY_MS = 900_000;

/** What it needs of the sliding window. */
export interface TrendSource {
  readonly frozenBefore: SlotIndex;
  readonly newestSlot: SlotIndex;
  counts(series: readonly number[], fromMs: EpochMs, toMs: EpochMs): Counts;
  distribution(series: readonly number[], fromMs: EpochMs, toMs: EpochMs, which: 'all'): Distribution;
}

export class TrendBook {
  readonly #rules = new Map<string, TrendHours>();
  readonly #changed = new Set<string>();
  #servedAt: SlotIndex = Number.NaN;
  /** Views cost a millisecond and change once an hour. */
  readonly #views = new WeakMap<TrendHours, { readonly endHour: number; readonly view: TrendView }>();

  constructor(policies: Policies) {
    this.#take(policies);
  }

  /**
   * Adds the last ten minutes of event time that are complete, to some of the rules that lack them. Call about once a second. `seriesOf` names the series a
   * rule is about. What cannot be read any more, after a restart or a long silence, is missing.
   */
  advance(window: TrendSource, seriesOf: (rule: TrendRule) => readonly number[]): void {
    const piece = Math.floor((window.frozenBefore * SLOT_MS) / PIECE_MS) - 1;
    if (!Number.isFinite(piece)) return;
    const from = piece * PIECE_MS;
    if (from < (window.newestSlot + 1) * SLOT_MS - MEMORY_MS) return;
    // A backlog is read much faster than it came.
    const movedSec = Math.max(1, Math.min(MEMORY_MS / SLOT_MS, window.newestSlot - this.#servedAt || 1));
    this.#servedAt = window.newestSlot;
    let served = 0;
    for (const [id, hours] of this.#rules) {
      if (hours.piece !== null && hours.piece >= piece) continue;
      const series = seriesOf(hours.rule);
      hours.add(piece, window.counts(series, from, from + PIECE_MS), window.distribution(series, from, from + PIECE_MS, 'all'));
      this.#changed.add(id);
      if (++served >= RULES_AT_ONCE * movedSec) return;
    }
  }

  /** All rules of a service, as of the last full hour of each. */
  views(service: string): readonly TrendView[] {
    return [...this.#rules.values()].filter(({ rule }) => rule.service === service).map((hours) => this.#view(hours));
  }

  /** Takes new rules. Hours of a rule that is still about the same are kept. */
  reconfigure(policies: Policies): void {
    this.#take(policies);
  }

  /** Rules that changed since the last call; `null` stands for those that are gone. */
  snapshot(): readonly StoredNote[] {
    const notes = [...this.#changed].map((id) => ({
      key: NOTE_PREFIX + id,
      json: JSON.stringify(this.#rules.get(id)?.saved() ?? null),
    }));
    this.#changed.clear();
    return notes;
  }

  /** Takes back what `snapshot` saved; rules that are not declared any more are left out. Throws PermanentError when it is not what was written. */
  restore(notes: readonly StoredNote[]): void {
    for (const { key, json } of notes) {
      if (!key.startsWith(NOTE_PREFIX)) continue;
      const saved = parsed(key, json);
      const id = key.slice(NOTE_PREFIX.length);
      const hours = this.#rules.get(id);
      if (saved !== null && hours !== undefined) this.#rules.set(id, new TrendHours(hours.rule, saved));
    }
  }

  #view(hours: TrendHours): TrendView {
    const known = this.#views.get(hours);
    if (known?.endHour === hours.endHour) return known.view;
    const view = trendOf(hours.days(hours.rule.days + 1), hours.rule, hours.endHour * HOUR_MS);
    this.#views.set(hours, { endHour: hours.endHour, view });
    return view;
  }

  #take(policies: Policies): void {
    const before = new Map(this.#rules);
    this.#rules.clear();
    for (const { trends } of policies.services.values()) {
      for (const rule of trends) this.#rules.set(rule.id, new TrendHours(rule, before.get(rule.id)?.saved()));
    }
    for (const id of before.keys()) if (!this.#rules.has(id)) this.#changed.add(id);
  }
}

function parsed(key: string, json: string): SavedTrend | null {
  try {
    const saved = JSON.parse(json) as SavedTrend | null;
    if (saved !== null && (!Array.isArray(saved.hours) || !Array.isArray(saved.open?.buckets))) throw new Error('a list is missing');
    return saved;
  } catch (cause) {
    throw new PermanentError('note_corrupt', `reading note ${key}: ${String(cause)}`, { cause });
  }
}
