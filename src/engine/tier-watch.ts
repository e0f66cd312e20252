/** Reads all tiers of one objective: each window is counted once, whatever number of tiers looks over it. */
import { periodVolume } from '../evaluate/slo/period-volume.ts';
import { readTier } from '../evaluate/slo/tier-reading.ts';
import type { Objective } from '../model/objective.ts';
import type { TierReading, WindowCounts } from '../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { CountsOf } from './counts-of.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The volume of a period changes slowly and is told as of the last whole turn. */
const VOLUME_MS = 60_000;
/** Counts are in steps of 10 s: so many turns share the work of a minute. */
const STEP_MS = 10_000;
const TURNS = VOLUME_MS / STEP_MS;
/**
 * What is older takes no spans any more: a service that is heard at all is at most 2 min behind, and grace is 1 min. So it is counted anew only when the
 * windows move on, every 10 s; only this much is counted every second. Of a service that was never heard everything may still come, so nothing found is
 * looked for again.
 */
const RECENT_MS = 300_000;

export class TierWatch {
  readonly objective: Objective;
  /** Distinct window lengths. */
  readonly #lengths: readonly DurationMs[];
  readonly #long: readonly number[];
  readonly #short: readonly number[];
  readonly #turnMs: DurationMs;
  /** Of each window up to RECENT_MS before `#olderTo`; null for those that are no longer than that. */
  #older: readonly (WindowCounts | null)[] = [];
  #olderTo: EpochMs = Number.NaN;
  /** Of the period, the last day and the last hour, up to RECENT_MS before `#volumeAt`. */
  #settled: readonly number[] = [];
  #volumeAt: EpochMs = Number.NaN;

  constructor(objective: Objective) {
    this.objective = objective;
    const { tiers } = objective.alerts;
    this.#lengths = [...new Set(tiers.flatMap(({ longMs, shortMs }) => [longMs, shortMs]))];
    this.#long = tiers.map(({ longMs }) => this.#lengths.indexOf(longMs));
    this.#short = tiers.map(({ shortMs }) => this.#lengths.indexOf(shortMs));
    this.#turnMs = (hashOf(objective.id) % TURNS) * STEP_MS;
  }

  /** What every tier sees over the windows that end at `to`, a multiple of 10 s. */
  read(counts: CountsOf, to: EpochMs): readonly TierReading[] {
    const { objective } = this;
    const { tiers } = objective.alerts;
    if (tiers.length === 0) return [];
    const windows = this.#windows(counts, to);
    const period = this.#periodVolume(counts, to);
    return tiers.map((tier, i) =>
      readTier({
        tier,
        long: windows[this.#long[i] as number] as WindowCounts,
        short: windows[this.#short[i] as number] as WindowCounts,
        target: objective.target,
        policy: objective.alerts,
        period,
      }),
    );
  }

  #windows(counts: CountsOf, to: EpochMs): readonly WindowCounts[] {
    const { objective } = this;
    const { budgeting } = objective;
    if (budgeting.kind === 'timeslices') {
      // A slice is counted once nothing more can come for it, where it began: windows end with the last of these, and the shortest holds one of them.
      const closedTo = counts.closedTo(objective);
      const end = Number.isFinite(closedTo) ? Math.min(closedTo, to) : to;
      return this.#lengths.map((lengthMs) => counts.over(objective, end - Math.max(lengthMs, budgeting.sliceMs), end));
    }
    const recentFrom = to - RECENT_MS;
    if (to !== this.#olderTo) {
      this.#older = this.#lengths.map((lengthMs) => (lengthMs > RECENT_MS ? counts.over(objective, to - lengthMs, recentFrom) : null));
      this.#olderTo = this.#older.some((window) => window !== null && window.valid > 0) ? to : Number.NaN;
    }
    const recent = counts.over(objective, recentFrom, to);
    return this.#lengths.map((lengthMs, i) => {
      const older = this.#older[i] ?? null;
      if (older === null) return lengthMs === RECENT_MS ? recent : counts.over(objective, to - lengthMs, to);
      return { from: older.from, to: recent.to, valid: older.valid + recent.valid, bad: older.bad + recent.bad };
    });
  }

  /** As of the last turn, and of nothing else: it is the same whenever it is asked for, and after a restart. */
  #periodVolume(counts: CountsOf, to: EpochMs): number {
    const { objective } = this;
    const { windowMs, calendar } = objective;
    const at = Math.floor((to - this.#turnMs) / VOLUME_MS) * VOLUME_MS + this.#turnMs;
    const isOld = objective.budgeting.kind === 'timeslices';
    const recentMs = isOld ? 0 : RECENT_MS;
    const lengths = [windowMs, DAY_MS, HOUR_MS];
    if (at !== this.#volumeAt || isOld) {
      this.#settled = lengths.map((lengthMs) => (lengthMs > recentMs ? counts.over(objective, at - lengthMs, at - recentMs).valid : 0));
      this.#volumeAt = this.#settled.some((valid) => valid > 0) ? at : Number.NaN;
    }
    const recent = isOld ? 0 : counts.over(objective, at - RECENT_MS, at).valid;
    const [rolling = 0, day = 0, hour = 0] = this.#settled.map((settled) => settled + recent);
    // A calendar's period is short to count, and may have begun within what is recent. A window that is no longer than that is counted as it is.
    const total = calendar === null && windowMs > recentMs ? rolling : counts.total(objective, at - 1).valid;
    return periodVolume({ windowMs, total: { valid: total }, day: { valid: day }, hour: { valid: hour } });
  }
}

/** Spreads objectives over turns: FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
