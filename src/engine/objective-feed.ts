/** Joins counts to objectives: which series count for which objective, and what each objective has counted. */
import { burnRate } from '../evaluate/slo/burn-rate.ts';
import { judgeObjective } from '../evaluate/slo/judge-objective.ts';
import type { Checkpoint, SavedState } from '../model/checkpoint.ts';
import { allowedBad } from '../model/error-budget.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { Judgement } from '../model/judgement.ts';
import type { Objective } from '../model/objective.ts';
import type { Policies, ServicePolicy } from '../model/policy.ts';
import type { SeriesInfo } from '../model/series.ts';
import type { Coverage, LedgerView, WindowCounts } from '../model/slo-views.ts';
import type { SlotDeltas } from '../model/slot-deltas.ts';
import { type EpochMs, endOfSlot, SLOT_MS, type SlotIndex } from '../model/time.ts';
import { minuteOf } from '../window/heard-minutes.ts';
import type { HourColumns, ObjectiveCounts } from '../window/objective-counts.ts';
import { type Binding, bindingOf, readRow } from './objective-bindings.ts';
import { countsKey } from './objective-key.ts';
import { ObjectiveTallies } from './objective-tallies.ts';
import { excluding, isExcluded, windowFrom } from './objective-tally.ts';

/** A fast burn: 2 % of a 30-day budget in one hour (SRE Workbook, table 5-8), seen over its short window. */
const FAST_BURN_RATE = 14.4;
const FAST_BURN_WINDOW_MS = 300_000;
/** Fewer bad requests than this are no burn, however low the traffic. */
const FAST_BURN_MIN_BAD = 10;
/** As far back as minutes are remembered. */
const COVERED_MINUTES = 92 * 24 * 60;
const NOTHING: WindowCounts = { from: 0, to: 0, valid: 0, bad: 0 };

/** What the series of a service share. */
interface Place {
  /** Null: nothing is declared for it. */
  readonly policy: ServicePolicy | null;
  /** The slot that was noted last as one in which it was heard. */
  heardSlot: SlotIndex;
}

interface Join {
  readonly info: SeriesInfo;
  readonly place: Place;
  readonly bindings: readonly Binding[];
}

/**
 * Times are event times. Methods that take `at` tell of the window that ends with the second of `at`, usually the newest one of the service; null: nothing was
 * ever heard, and there is nothing to tell.
 */
export class ObjectiveFeed {
  readonly #layout: HistogramLayout;
  readonly #state: ObjectiveTallies;
  #policies: Policies;
  #joins: Join[] = [];
  #places = new Map<string, Place>();
  readonly #read = { valid: 0, bad: 0 };

  constructor(policies: Policies, layout: HistogramLayout) {
    this.#policies = policies;
    this.#layout = layout;
    this.#state = new ObjectiveTallies(policies);
  }

  /** Rings of all objectives, by `countsKey`. */
  get counts(): ObjectiveCounts {
    return this.#state.counts;
  }

  /** Decides for which objectives a series counts. What was declared after the series appeared has no exact counter in it and does not bind. */
  bind(info: SeriesInfo): void {
    const place = this.#place(info.service);
    const bindings = (place.policy?.objectives ?? []).flatMap((objective) => bindingOf(this.#state.of(objective), info) ?? []);
    this.#joins[info.id] = { info, place, bindings };
  }

  /** Counts a flush from `firstRow` on: what came too late is in no window and counts for no objective either. */
  add(deltas: SlotDeltas, firstRow: number): void {
    for (let row = firstRow; row < deltas.size; row++) {
      const slot = deltas.slot[row] as number;
      const join = this.#joins[deltas.series[row] as number];
      if (join === undefined) {
        this.#state.heard(null, slot);
        continue;
      }
      const { place, bindings } = join;
      if (place.heardSlot !== slot) {
        place.heardSlot = slot;
        this.#state.heard(place.policy === null ? null : place.policy.service, slot);
      }
      if (place.policy === null || bindings.length === 0) continue;
      const { exclusions } = place.policy;
      const isOut = exclusions.length > 0 && isExcluded(exclusions, slot);
      for (let i = 0; i < bindings.length; i++) {
        const binding = bindings[i] as Binding;
        const { tally, source } = binding;
        readRow(source, deltas, row, this.#layout, this.#read);
        const { valid, bad } = this.#read;
        if (valid === 0 && bad === 0) continue;
        this.#state.count(tally, slot, valid, bad, isOut);
        const isRequests = source.kind !== 'durations' && source.kind !== 'requests';
        if (bad > 0 && isRequests && !isOut) this.#spend(binding, join.info, slot, bad);
      }
    }
  }

  /**
   * Time has come so far that slots before `frozenBefore` take no spans any more (`SlidingWindow.frozenBefore`): closes timeslices that end by then. A slice
   * without any request counts against a throughput objective only when the service was heard before, nothing says that we did not listen, and in each of
   * its minutes spans of some service came: else the silence may be ours. One with too few requests needs such minutes right before and after it, too.
   */
  advance(frozenBefore: SlotIndex): void {
    this.#state.advance(frozenBefore);
  }

  /** Of timeslices: the end of the last one that is closed; -Infinity before any. */
  closedTo({ budgeting }: Objective): EpochMs {
    const sliceMs = budgeting.kind === 'timeslices' ? budgeting.sliceMs : SLOT_MS;
    return Math.floor((this.#state.slices.closedBefore * SLOT_MS) / sliceMs) * sliceMs;
  }

  /** Nobody listened between the two moments: timeslices that touch them are not judged. */
  notObserved(fromMs: EpochMs, toMs: EpochMs): void {
    this.#state.slices.notObserved(fromMs, toMs);
  }

  /** Services that have objectives. */
  services(): IterableIterator<string> {
    return this.#policies.services.keys();
  }

  *all(): Generator<Objective> {
    for (const { objectives } of this.#policies.services.values()) yield* objectives;
  }

  /** Counts of the objective's window: the last `windowMs` to the end of the second of `at`, or the calendar's period that holds `at` up to there. */
  total(objective: Objective, at: EpochMs | null): WindowCounts {
    return at === null ? NOTHING : this.#state.total(this.#state.of(objective), 'counted', endOfSlot(at));
  }

  /** Counts over [fromMs, toMs); see `ObjectiveCounts.sum` for how edges are rounded. */
  over(objective: Objective, fromMs: EpochMs, toMs: EpochMs): WindowCounts {
    return this.#state.counts.sum(countsKey(objective), fromMs, toMs);
  }

  /** Full hours that begin in [fromMs, toMs), as far as there are counts. */
  hours(objective: Objective, fromMs: EpochMs, toMs: EpochMs): HourColumns {
    return this.#state.counts.hours(countsKey(objective), fromMs, toMs);
  }

  /**
   * Who spent the budget of the objective's window. Of timeslices the bad requests are told, and each row's share is its part of them, of what the bad
   * slices have spent.
   */
  ledger(objective: Objective, at: EpochMs | null): LedgerView {
    if (at === null) return { from: 0, rows: [] };
    const total = this.total(objective, at);
    const { from, rows } = this.#state.ledger.view(countsKey(objective), windowFrom(objective, endOfSlot(at)), endOfSlot(at));
    const allowed = allowedBad(objective.target, total.valid);
    const requests = rows.reduce((sum, row) => sum + row.bad, 0);
    const perBad = objective.budgeting.kind === 'timeslices' ? total.bad / requests : 1;
    return { from, rows: rows.map((row) => ({ ...row, budgetShare: total.valid === 0 ? null : (row.bad * perBad) / allowed })) };
  }

  /** Releases that spent most within [fromMs, toMs), edges rounded outward to hours, worst first. */
  spenders(objective: Objective, fromMs: EpochMs, toMs: EpochMs): readonly string[] {
    const spent = new Map<string, number>();
    for (const { release, bad } of this.#state.ledger.view(countsKey(objective), fromMs, toMs).rows)
      spent.set(release, (spent.get(release) ?? 0) + bad);
    return [...spent].sort((a, b) => b[1] - a[1]).map(([release]) => release);
  }

  /** Minutes of the window in which the service was heard. `at` is how far the stream has come, whoever was heard last. */
  coverage(objective: Objective, at: EpochMs | null): Coverage {
    const { heardMinutes } = this.#state;
    const firstSlot = heardMinutes.firstSlot(objective.service);
    if (at === null || !Number.isFinite(firstSlot)) return { heardMinutes: 0, minutes: 0 };
    const to = minuteOf(at) + 1;
    const from = Math.max(minuteOf(firstSlot * SLOT_MS), minuteOf(windowFrom(objective, endOfSlot(at))), to - COVERED_MINUTES);
    return { heardMinutes: heardMinutes.minutes(objective.service, from, to), minutes: Math.max(0, to - from) };
  }

  /** What maintenance took out of the objective's window. Exclusions hold for what comes after they were declared. */
  excluded(objective: Objective, at: EpochMs | null): { readonly valid: number; readonly bad: number } {
    const { valid, bad } = at === null ? NOTHING : this.#state.total(this.#state.of(objective), 'excluded', endOfSlot(at));
    return { valid, bad };
  }

  /** Names of the exclusions that hold for a service now. */
  excludedNow(service: string, at: EpochMs): string[] {
    return excluding(this.#policies.services.get(service)?.exclusions ?? [], at, at + 1);
  }

  /** First event that was counted once the objective was there, rounded down to its second; null before any. */
  countedSince(objective: Objective): EpochMs | null {
    const { since } = this.#state.of(objective);
    return Number.isFinite(since) ? since * SLOT_MS : null;
  }

  /** Requests that came for timeslices that were closed, and changed nothing. */
  get lateForSlices(): number {
    return this.#state.slices.late;
  }

  /** Memory of an objective's rings. */
  byteLength(objective: Objective): number {
    return this.#state.counts.byteLength(countsKey(objective));
  }

  /** What every objective of a service says over its window up to `newestAt`. */
  judge(service: string, newestAt: EpochMs | null): readonly { readonly objective: Objective; readonly judgement: Judgement }[] {
    const objectives = this.#policies.services.get(service)?.objectives ?? [];
    return objectives.map((objective) => ({ objective, judgement: judgeObjective(objective, this.total(objective, newestAt)) }));
  }

  /** The least that is left of an error budget of the service, as far as failures spend it; null when no objective knows. */
  tightestBudget(service: string, newestAt: EpochMs | null): number | null {
    let least: number | null = null;
    for (const objective of this.#policies.services.get(service)?.objectives ?? []) {
      const { kind } = objective.sli;
      if (kind === 'latency' || kind === 'throughput' || kind === 'inFlight') continue;
      const { evidence } = judgeObjective(objective, this.total(objective, newestAt));
      if (evidence.kind !== 'objective' || evidence.budgetRemaining === null) continue;
      least = Math.min(least ?? Number.POSITIVE_INFINITY, evidence.budgetRemaining);
    }
    return least;
  }

  /** True when an objective of the service burns its budget fast right now. */
  isBurningFast(service: string, newestAt: EpochMs | null): boolean {
    if (newestAt === null) return false;
    const to = endOfSlot(newestAt);
    return (this.#policies.services.get(service)?.objectives ?? []).some((objective) => {
      const { valid, bad } = this.over(objective, to - FAST_BURN_WINDOW_MS, to);
      return bad >= FAST_BURN_MIN_BAD && burnRate(bad, valid, objective.target) > FAST_BURN_RATE;
    });
  }

  /** Takes new objectives. Counts of those that are gone are kept for a while: what is removed by mistake comes back with its budget. */
  reconfigure(policies: Policies, series: Iterable<SeriesInfo>): void {
    this.#policies = policies;
    this.#state.declare(policies);
    this.#places = new Map();
    for (const info of series) this.bind(info);
  }

  /** What changed since the last call. */
  checkpoint(): Pick<Checkpoint, 'countKeys' | 'counts' | 'notes'> {
    return this.#state.checkpoint();
  }

  /** Takes back what checkpoints saved, before anything is counted. Between the last of them and `now` nobody listened; null: nothing was missed. */
  restore(saved: SavedState, now: EpochMs | null): void {
    this.#state.restore(saved);
    if (saved.at !== null && now !== null) this.notObserved(saved.at, now);
  }

  #spend(binding: Binding, { endpoint, release: { name } }: SeriesInfo, slot: SlotIndex, bad: number): void {
    const { ledger } = this.#state;
    if (binding.spent === null || binding.spentAsOf !== ledger.givenUp) {
      binding.spent = ledger.cellOf(binding.tally.key, endpoint, name);
      binding.spentAsOf = ledger.givenUp;
    }
    ledger.addTo(binding.spent, slot, bad);
  }

  #place(service: string): Place {
    let place = this.#places.get(service);
    if (place === undefined) {
      place = { policy: this.#policies.services.get(service) ?? null, heardSlot: Number.NaN };
      this.#places.set(service, place);
    }
    return place;
  }
}
