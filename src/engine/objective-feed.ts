/** Joins counts to objectives: which series count for which objective, and what each objective says. */
import { burnRate } from '../evaluate/slo/burn-rate.ts';
import { judgeObjective } from '../evaluate/slo/judge-objective.ts';
import type { Judgement } from '../model/judgement.ts';
import type { Objective } from '../model/objective.ts';
import { objectiveApplies } from '../model/objective-binding.ts';
import type { Policies } from '../model/policy.ts';
import type { SeriesInfo } from '../model/series.ts';
import type { SlotDeltas } from '../model/slot-deltas.ts';
import { type EpochMs, SLOT_MS } from '../model/time.ts';
import { ObjectiveCounts } from '../window/objective-counts.ts';

/** How one series counts for one objective; `threshold` is the position among the series' thresholds, -1 for failures. */
interface Binding {
  readonly objective: string;
  readonly threshold: number;
}

/** A fast burn: 2 % of a 30-day budget in one hour (SRE Workbook, table 5-8), seen over its short window. */
const FAST_BURN_RATE = 14.4;
const FAST_BURN_WINDOW_MS = 300_000;
/** Fewer bad requests than this are no burn, however low the traffic. */
const FAST_BURN_MIN_BAD = 10;
/** Counts of so many removed objectives are kept, about 60 kB each at most. */
const MAX_GONE = 200;

export class ObjectiveFeed {
  readonly counts = new ObjectiveCounts();
  #policies: Policies;
  #bindings: (readonly Binding[])[] = [];
  /** Objectives that were removed and whose counts are kept, those removed longest ago first. */
  readonly #gone = new Set<string>();

  constructor(policies: Policies) {
    this.#policies = policies;
  }

  /** Decides for which objectives a series counts. A threshold declared after the series appeared has no exact counter in it and does not bind. */
  bind(info: SeriesInfo): void {
    const objectives = this.#policies.services.get(info.service)?.objectives ?? [];
    this.#bindings[info.id] = objectives.flatMap((objective) => {
      if (!objectiveApplies(objective, info.endpoint)) return [];
      if (objective.sli.kind !== 'latency') return [{ objective: countsKey(objective), threshold: -1 }];
      const threshold = info.thresholdsNs.indexOf(objective.sli.thresholdNs);
      return threshold < 0 ? [] : [{ objective: countsKey(objective), threshold }];
    });
  }

  /** Counts a flush from `firstRow` on: what came too late is in no window and counts for no objective either. */
  add(deltas: SlotDeltas, firstRow: number): void {
    for (let row = firstRow; row < deltas.size; row++) {
      const bindings = this.#bindings[deltas.series[row] as number];
      if (bindings === undefined || bindings.length === 0) continue;
      const slot = deltas.slot[row] as number;
      for (const binding of bindings) {
        if (binding.threshold < 0) {
          this.counts.add(binding.objective, slot, deltas.weight[row] as number, deltas.failedWeight[row] as number);
        } else {
          const slow = deltas.slowWeight[(deltas.slowStart[row] as number) + binding.threshold] as number;
          this.counts.add(binding.objective, slot, deltas.timedWeight[row] as number, slow);
        }
      }
    }
  }

  /** Services that have objectives. */
  services(): IterableIterator<string> {
    return this.#policies.services.keys();
  }

  /** What every objective of a service says over its window up to `newestAt`. */
  judge(service: string, newestAt: EpochMs | null): readonly { readonly objective: Objective; readonly judgement: Judgement }[] {
    const objectives = this.#policies.services.get(service)?.objectives ?? [];
    return objectives.map((objective) => ({ objective, judgement: this.#judge(objective, newestAt) }));
  }

  /** The least that is left of an error budget of the service, as far as failures spend it; null when no objective knows. */
  tightestBudget(service: string, newestAt: EpochMs | null): number | null {
    let least: number | null = null;
    for (const objective of this.#policies.services.get(service)?.objectives ?? []) {
      if (objective.sli.kind === 'latency') continue;
      const { evidence } = this.#judge(objective, newestAt);
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
      const { valid, bad } = this.counts.sum(countsKey(objective), to - FAST_BURN_WINDOW_MS, to);
      return bad >= FAST_BURN_MIN_BAD && burnRate(bad, valid, objective.target) > FAST_BURN_RATE;
    });
  }

  /** Takes new objectives. Counts of those that are gone are kept for a while: what is removed by mistake comes back with its budget. */
  reconfigure(policies: Policies, series: Iterable<SeriesInfo>): void {
    const kept = countsKeys(policies);
    for (const key of countsKeys(this.#policies)) if (!kept.has(key)) this.#gone.add(key);
    for (const key of kept) this.#gone.delete(key);
    for (const key of this.#gone) {
      if (this.#gone.size <= MAX_GONE) break;
      this.#gone.delete(key);
      this.counts.remove(key);
    }
    this.#policies = policies;
    for (const info of series) this.bind(info);
  }

  #judge(objective: Objective, newestAt: EpochMs | null): Judgement {
    if (newestAt === null) return judgeObjective(objective, { valid: 0, bad: 0 });
    const to = endOfSlot(newestAt);
    return judgeObjective(objective, this.counts.sum(countsKey(objective), to - objective.windowMs, to));
  }
}

function countsKeys(policies: Policies): Set<string> {
  return new Set([...policies.services.values()].flatMap((policy) => policy.objectives.map(countsKey)));
}

/** An objective whose limit changes counts something else from then on, and starts anew. */
function countsKey({ id, sli }: Objective): string {
  return sli.kind === 'latency' ? `${id}@${sli.thresholdNs}` : id;
}

function endOfSlot(at: EpochMs): EpochMs {
  return (Math.floor(at / SLOT_MS) + 1) * SLOT_MS;
}
