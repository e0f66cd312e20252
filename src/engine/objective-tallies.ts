/** All that objectives have counted, in one place that is saved and taken back together. */
import { calendarPeriod } from '../model/calendar.ts';
import type { Checkpoint, SavedState } from '../model/checkpoint.ts';
import { withoutDirt } from '../model/error-budget.ts';
import type { Objective } from '../model/objective.ts';
import type { Policies } from '../model/policy.ts';
import type { WindowCounts } from '../model/slo-views.ts';
import { type EpochMs, SLOT_MS, type SlotIndex } from '../model/time.ts';
import { CountKeys } from '../window/count-keys.ts';
import { HeardMinutes } from '../window/heard-minutes.ts';
import { ObjectiveCounts } from '../window/objective-counts.ts';
import { PeriodTotals } from '../window/period-totals.ts';
import { baseKey, countsKey } from './objective-key.ts';
import { ObjectiveNotes } from './objective-note.ts';
import { ObjectiveSlices } from './objective-slices.ts';
import { excluding, retell, type Tally, tallyOf, windowFrom } from './objective-tally.ts';
import { badShare } from './slice-verdict.ts';
import { SpendLedger } from './spend-ledger.ts';

/** Counts of so many removed objectives are kept, about 60 kB each at most. */
const MAX_GONE = 200;
const MINUTE_SEC = 60;
const HOUR_SEC = 3600;
const DAY_SEC = 86_400;
/** Under this name all services are heard together. */
const ANYBODY = '';

type Which = 'counted' | 'excluded';

export class ObjectiveTallies {
  readonly counts = new ObjectiveCounts();
  readonly ledger = new SpendLedger();
  readonly heardMinutes = new HeardMinutes();
  readonly slices = new ObjectiveSlices();
  readonly #periods = new PeriodTotals();
  readonly #keys = new CountKeys();
  readonly #notes = new ObjectiveNotes();
  /** Of what is declared, and of what is gone and kept. */
  readonly #tallies = new Map<string, Tally>();
  #declared = new Set<string>();
  /** Those removed longest ago first. */
  readonly #gone = new Set<string>();
  #newest: SlotIndex = Number.NEGATIVE_INFINITY;
  #retiredAt = Number.NEGATIVE_INFINITY;

  constructor(policies: Policies) {
    this.declare(policies);
  }

  /** Of an objective nobody declared, one that has counted nothing. */
  of(objective: Objective): Tally {
    return this.#tallies.get(countsKey(objective)) ?? tallyOf(objective, [], this.#newest + 1);
  }

  /** Takes what is declared now. */
  declare(policies: Policies): void {
    const before = this.#declared;
    this.#declared = new Set();
    for (const { objectives, exclusions } of policies.services.values()) {
      for (const objective of objectives) this.#declare(objective, exclusions, before);
    }
    for (const key of before) if (!this.#declared.has(key)) this.#leave(key);
    this.#dropGone();
    this.#changePeriods();
  }

  /** A request of `service`, or of one without objectives, ended in `slot`. */
  heard(service: string | null, slot: SlotIndex): void {
    if (slot > this.#newest) this.#newest = slot;
    this.heardMinutes.note(ANYBODY, slot);
    if (service !== null) this.heardMinutes.note(service, slot);
  }

  /** Counts requests of one slot; `isOut`: maintenance takes them out. */
  count(tally: Tally, slot: SlotIndex, valid: number, bad: number, isOut: boolean): void {
    if (valid > 0 && slot < tally.since) tally.since = Math.min(tally.since, Math.max(slot, tally.declaredFrom));
    const { budgeting } = tally.objective;
    if (budgeting.kind === 'occurrences') {
      this.#add(tally, isOut ? 'excluded' : 'counted', slot, valid, bad);
      return;
    }
    // A slice of requests leaves out those that do not count; one of throughput or load would be another without them, and is left out as a whole.
    const key = isOut && budgeting.ratio !== null ? tally.excludedKey : tally.key;
    this.slices.add(key, slot, budgeting.sliceMs / SLOT_MS, valid, bad);
  }

  /** Counts of the window that ends at `toMs`. */
  total(tally: Tally, which: Which, toMs: EpochMs): WindowCounts {
    const { calendar, windowMs } = tally.objective;
    const key = which === 'counted' ? tally.key : tally.excludedKey;
    if (calendar === null || tally.periodKeys === null) return this.counts.sum(key, toMs - windowMs, toMs);
    const name = tally.periodKeys[which];
    const period = calendarPeriod(calendar, toMs - 1);
    const stepMs = this.counts.stepMs(toMs);
    const to = Math.min(period.toMs, Math.ceil(toMs / stepMs) * stepMs);
    const whole = this.#periods.of(name, period.fromMs);
    if (whole === undefined) {
      // Older than the periods kept; or nothing was counted in it.
      const isOlder = this.#periods.has(name) && this.#periods.oldest(name) > period.fromMs;
      return isOlder ? this.counts.sum(key, period.fromMs, to) : { from: period.fromMs, to, valid: 0, bad: 0 };
    }
    if (to === period.toMs) return { from: period.fromMs, to, valid: whole.valid, bad: withoutDirt(whole.bad) };
    // All that came after `to`, less what later periods have of it.
    const after = this.counts.sum(key, to, Number.POSITIVE_INFINITY);
    const later = this.#periods.after(name, period.fromMs);
    const bad = withoutDirt(whole.bad - (after.bad - later.bad));
    return { from: period.fromMs, to, valid: whole.valid - (after.valid - later.valid), bad };
  }

  /** Closes slices that end by `horizon`, and once an hour forgets what left the windows. */
  advance(horizon: SlotIndex): void {
    if (!(horizon > this.slices.closedBefore)) return;
    let longestSec = 0;
    for (const key of this.#declared) {
      const tally = this.#tallies.get(key) as Tally;
      const { budgeting } = tally.objective;
      if (budgeting.kind === 'occurrences') continue;
      longestSec = Math.max(longestSec, budgeting.sliceMs / SLOT_MS);
      this.#closeSlices(tally, budgeting.sliceMs / SLOT_MS, budgeting.ratio !== null, horizon);
    }
    this.slices.closed(horizon, longestSec);
    const hour = Math.floor(this.#newest / HOUR_SEC);
    if (hour === this.#retiredAt) return;
    this.#retiredAt = hour;
    for (const key of this.#declared) this.ledger.retire(key, this.#ledgerFrom(key));
  }

  checkpoint(): Pick<Checkpoint, 'countKeys' | 'counts' | 'notes'> {
    const parts = [this.counts, this.#periods, this.ledger, this.heardMinutes];
    const counts = parts.flatMap((part) => part.checkpoint(this.#keys));
    const notes = this.#notes.changed(
      {
        tallies: [...this.#tallies.values()].map(({ key, declaredFrom, since }) => [key, finiteOrNull(declaredFrom), finiteOrNull(since)]),
        heardFrom: this.heardMinutes.firstSlots(),
      },
      { newest: finiteOrNull(this.#newest), ledgerFrom: finiteOrNull(this.ledger.forgottenBefore), slices: this.slices.saved() },
    );
    return { counts, countKeys: this.#keys.takeChanged(), notes };
  }

  restore(saved: SavedState): void {
    const { objectives, progress } = this.#notes.restored(saved.notes);
    this.#newest = progress.newest ?? Number.NEGATIVE_INFINITY;
    this.#keys.restore(saved.countKeys);
    this.counts.restore(saved.counts, this.#keys);
    this.#periods.restore(saved.counts, this.#keys);
    this.heardMinutes.restore(saved.counts, this.#keys, objectives.heardFrom);
    if (progress.slices !== null) this.slices.restore(progress.slices);
    this.ledger.restore(saved.counts, this.#keys, progress.ledgerFrom ?? Number.NEGATIVE_INFINITY, (key) => this.#ledgerFrom(key));
    this.#keys.forgetUnused();
    const known = new Map(objectives.tallies.map(([key, declaredFrom, since]) => [key, { declaredFrom, since }]));
    for (const [key, tally] of this.#tallies) {
      const before = known.get(key);
      tally.declaredFrom = before === undefined ? this.#newest + 1 : (before.declaredFrom ?? Number.NEGATIVE_INFINITY);
      tally.since = before?.since ?? Number.POSITIVE_INFINITY;
    }
    for (const name of [...this.counts.names()]) if (!this.#declared.has(baseKey(name))) this.#leave(baseKey(name));
    this.#dropGone();
    this.#changePeriods();
  }

  #declare(objective: Objective, exclusions: Tally['exclusions'], before: ReadonlySet<string>): void {
    const key = countsKey(objective);
    this.#declared.add(key);
    this.#gone.delete(key);
    const known = this.#tallies.get(key);
    if (known === undefined) this.#tallies.set(key, tallyOf(objective, exclusions, this.#newest + 1));
    else {
      // It was away, and has seen the slice that is open now in part only.
      if (!before.has(key)) known.declaredFrom = this.#newest + 1;
      retell(known, objective, exclusions);
    }
  }

  /**
   * A calendar that an objective has no more is forgotten: nothing is counted by it from now on. One that is new to it begins with what its rings have of the
   * period, its begin rounded down as they hold it.
   */
  #changePeriods(): void {
    const kept = new Set([...this.#tallies.values()].flatMap(({ periodKeys }) => (periodKeys === null ? [] : Object.values(periodKeys))));
    for (const name of [...this.#periods.names()]) if (!kept.has(name) && !this.#gone.has(baseKey(name))) this.#periods.remove(name);
    if (!Number.isFinite(this.#newest)) return;
    for (const { key, excludedKey, periodKeys, objective } of this.#tallies.values()) {
      if (periodKeys === null || objective.calendar === null) continue;
      const { fromMs } = calendarPeriod(objective.calendar, this.#newest * SLOT_MS);
      for (const [of, name] of [
        [key, periodKeys.counted],
        [excludedKey, periodKeys.excluded],
      ] as const) {
        if (this.#periods.has(name) || !this.counts.has(of)) continue;
        const { valid, bad } = this.counts.sum(of, fromMs, Number.POSITIVE_INFINITY);
        this.#periods.add(name, fromMs, valid, bad);
      }
    }
  }

  #add({ key, excludedKey, periodKeys, objective }: Tally, which: Which, slot: SlotIndex, valid: number, bad: number): void {
    this.counts.add(which === 'counted' ? key : excludedKey, slot, valid, bad);
    if (periodKeys === null || objective.calendar === null) return;
    this.#periods.add(periodKeys[which], calendarPeriod(objective.calendar, slot * SLOT_MS).fromMs, valid, bad);
  }

  #closeSlices(tally: Tally, sliceSec: number, isOfRequests: boolean, horizon: SlotIndex): void {
    const { sli, service } = tally.objective;
    const from = Math.max(tally.declaredFrom, this.heardMinutes.firstSlot(service));
    const silentFrom = sli.kind === 'throughput' && Number.isFinite(from) ? from : null;
    for (const [startSec, counts] of this.slices.closing(tally.key, sliceSec, horizon, silentFrom)) {
      if (startSec < from || !this.slices.isObserved(startSec, sliceSec)) continue;
      if (counts === null && !this.#wasAnybodyHeard(startSec, sliceSec)) continue;
      const bad = badShare(tally.objective, sliceSec, counts ?? { valid: 0, bad: 0 });
      if (bad === null) continue;
      const isOut = !isOfRequests && excluding(tally.exclusions, startSec * SLOT_MS, (startSec + sliceSec) * SLOT_MS).length > 0;
      // Where all fell silent within it, or began to speak, what is missing in it may have been lost on the way to us.
      const isTooFew = sli.kind === 'throughput' && sli.bound === 'least' && bad > 0;
      if (!isOut && isTooFew && !this.#wasAnybodyHeard(startSec - MINUTE_SEC, sliceSec + 2 * MINUTE_SEC)) continue;
      this.#add(tally, isOut ? 'excluded' : 'counted', startSec, 1, bad);
    }
    for (const [startSec, counts] of this.slices.closing(tally.excludedKey, sliceSec, horizon, null)) {
      const bad = counts === null ? null : badShare(tally.objective, sliceSec, counts);
      if (bad !== null) this.#add(tally, 'excluded', startSec, 1, bad);
    }
  }

  #wasAnybodyHeard(startSec: number, sliceSec: number): boolean {
    const [from, to] = [Math.floor(startSec / MINUTE_SEC), Math.ceil((startSec + sliceSec) / MINUTE_SEC)];
    return this.heardMinutes.minutes(ANYBODY, from, to) === to - from;
  }

  /** What left the objective's window by now is in no ledger of it. */
  #ledgerFrom(key: string): EpochMs {
    const tally = this.#tallies.get(key);
    const toMs = (this.#newest + 1) * SLOT_MS;
    return tally === undefined || !Number.isFinite(toMs) ? toMs - 92 * DAY_SEC * SLOT_MS : windowFrom(tally.objective, toMs);
  }

  #leave(key: string): void {
    this.#gone.add(key);
    this.slices.remove(key);
    const tally = this.#tallies.get(key);
    if (tally !== undefined) this.slices.remove(tally.excludedKey);
  }

  #dropGone(): void {
    const dropped = new Set<string>();
    for (const key of this.#gone) {
      if (this.#gone.size <= MAX_GONE) break;
      this.#gone.delete(key);
      dropped.add(key);
      this.#tallies.delete(key);
      this.ledger.remove(key);
    }
    if (dropped.size === 0) return;
    for (const part of [this.counts, this.#periods]) {
      for (const name of [...part.names()]) if (dropped.has(baseKey(name))) part.remove(name);
    }
  }
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
