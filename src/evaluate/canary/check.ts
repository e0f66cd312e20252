/** One metric of one endpoint: counts bad requests per block, bets on them and remembers what was said. */
import type { ArmCounts, Interval } from '../../model/judgement.ts';
import { LANE_GROUPS, LANES, type LaneColumns } from '../../model/lane.ts';
import type { DurationMs } from '../../model/time.ts';
import { type ArmSlot, countFrom, groupOf, laneCountFrom, laneFailures } from './arm-slot.ts';
import { type Block, harmEvidence, safeEvidence, temper } from './block-evidence.ts';
import type { CheckRule } from './check-rule.ts';
import { BaselineDispersion, type BaselineDispersionState, PairDispersion, type PairDispersionState } from './dispersion.ts';
import type { Edges } from './edges.ts';
import { HarmTest, type HarmTestState } from './harm-test.ts';
import { OddsInterval, type OddsIntervalState } from './odds-interval.ts';
import { type PodScratch, type PodTraffic, podEvidence } from './pod-evidence.ts';
import { PodSpread, type PodSpreadEstimate, type PodSpreadState } from './pod-spread.ts';
import { SafeProcess, type SafeProcessState } from './safe-process.ts';

/** A block that closes: how many requests a metric can be about, and when. */
export interface Closing {
  readonly atMs: DurationMs;
  readonly durationMs: DurationMs;
  readonly isWarmup: boolean;
  readonly baselineRequests: number;
  readonly canaryRequests: number;
  /** By groups of pods, when the block is judged by them; else null. */
  readonly pods: (PodTraffic & { readonly scratch: PodScratch }) | null;
}

export interface CheckState {
  readonly edges: Edges | null;
  readonly open: readonly [baseline: number, canary: number, pass: number];
  /** Bad of the open block: in each group of the canary's pods, and of the baseline where requests are told apart by pod. */
  readonly openPods: { readonly canary: readonly number[]; readonly baselineFailed: number } | null;
  readonly baseline: ArmCounts;
  readonly canary: ArmCounts;
  readonly odds: OddsIntervalState;
  readonly countedInWarmup: boolean;
  readonly baselineDispersion: BaselineDispersionState;
  readonly pairDispersion: PairDispersionState;
  readonly spread: PodSpreadState | null;
  readonly harm: HarmTestState | null;
  readonly safe: SafeProcessState | null;
}

/** Standard deviations of the pods' quantiles that a tolerance must exceed. */
const PODS_ALIKE = 3;
const NOTHING: ArmCounts = { bad: 0, total: 0 };

export class Check {
  readonly rule: CheckRule;
  /** Edges of the open block; null for errors, or while there is no reference. */
  edges: Edges | null = null;
  #openBaseline = 0;
  #openCanary = 0;
  #openPass = 0;
  #baseline = NOTHING;
  #canary = NOTHING;
  #odds = new OddsInterval();
  #countedInWarmup = false;
  #baselineDispersion = new BaselineDispersion();
  #pairDispersion: PairDispersion;
  /** Null until spans name pods. */
  #openGroups: Float64Array | null = null;
  #openBaselineFailed = 0;
  /** Null until the baseline's spans name pods. */
  #spread: PodSpread | null = null;
  #harm: HarmTest | null = null;
  #safe: SafeProcess | null = null;

  constructor(rule: CheckRule) {
    this.rule = rule;
    this.#pairDispersion = new PairDispersion(rule.harmRules.windowMs, rule.harm.psi0);
  }

  /** False while the baseline's quantile is not known well enough. */
  get isReady(): boolean {
    return this.rule.latency === null || this.edges !== null;
  }

  /** ln of the harm process's wealth; 0 before it has bet. */
  get logE(): number {
    return this.#harm?.logE ?? 0;
  }

  /** ln of the highest evidence for health so far; null where health is not asked for. */
  get logSafe(): number | null {
    return this.rule.safe === null ? null : (this.#safe?.highestLogE ?? 0);
  }

  /**
   * Whether its health was proven, ln(1/beta) being `logProof`, and nothing has come since that undoes it: true of severe checks, which are not asked. Harm
   * sees to that where requests are judged; by pods it is silent of trouble of a single one, so there the evidence of late must be for health.
   */
  isNotInDoubt(logProof: number): boolean {
    const { logSafe } = this;
    if (logSafe === null) return true;
    return logSafe >= logProof && (this.level === 'request' || (this.#safe?.recentLogE ?? 0) >= 0);
  }

  get phi(): number {
    return Math.max(1, this.#baselineDispersion.ratio, this.#pairDispersion.ratio);
  }

  /** How much pods of the baseline differ in this quantile; null while that is not known, and for failures and severe checks. */
  get podSpread(): PodSpreadEstimate | null {
    return this.#spread?.estimate(Math.max(1, this.#baselineDispersion.ratio)) ?? null;
  }

  /** The least that is tolerated of the canary whatever the policy says, as a ratio: what pods of the baseline surely differ by, three times. */
  get leastRatio(): number {
    return PODS_ALIKE * (this.podSpread?.leastSd ?? 0);
  }

  /** Whether its last bet on harm was judged by pods. */
  get level(): 'request' | 'pod' {
    return this.#harm?.isByPod === true ? 'pod' : 'request';
  }

  get incidentWindows(): number {
    return this.#harm?.incidentWindows ?? 0;
  }

  /** Bad of total over closed blocks; for latency since warm-up ended, when the edge moved. */
  get baseline(): ArmCounts {
    return this.#baseline;
  }

  get canary(): ArmCounts {
    return this.#canary;
  }

  /** Odds of bad of the same requests, canary to baseline, with their interval; null before any was bad. */
  get oddsRatio(): Interval | null {
    return this.#odds.interval(this.phi);
  }

  /** Adds one slot to the open block. */
  count(baseline: ArmSlot, canary: ArmSlot, isWarmup: boolean): void {
    if (this.rule.latency === null) {
      this.#openBaseline += baseline.failed;
      this.#openCanary += canary.failed;
      this.#openPass += canary.failed;
    } else if (this.edges !== null) {
      this.#openBaseline += countFrom(baseline, this.edges.baseline);
      this.#openCanary += countFrom(canary, this.edges.canary);
      if (this.rule.safe !== null) this.#openPass += countFrom(canary, this.edges.pass);
    }
    if (baseline.lanes !== null && baseline.lanes !== undefined && this.edges !== null && !isWarmup && !this.rule.isSevere) {
      this.#spread ??= new PodSpread();
      this.#spread.add(baseline.lanes, this.edges);
    }
    if (canary.lanes !== null && canary.lanes !== undefined) this.#countPods(canary.lanes);
    if (this.#openGroups !== null && this.rule.latency === null) this.#openBaselineFailed += laneFailures(baseline.lanes);
  }

  /** Forgets the open block. */
  drop(): void {
    this.#openBaseline = 0;
    this.#openCanary = 0;
    this.#openPass = 0;
    this.#openGroups?.fill(0);
    this.#openBaselineFailed = 0;
  }

  /**
   * Bets on the block. Leaves the harm bets' tempered log evidence in `evidence`, zeros when it did not bet; of a block judged by pods, the least that
   * any group's absence leaves.
   */
  close(block: Closing, evidence: Float64Array, scratch: Float64Array): void {
    evidence.fill(0);
    const { rule } = this;
    const table = { nb: block.baselineRequests, nc: block.canaryRequests, xb: this.#openBaseline, xc: this.#openCanary };
    if (this.isReady && table.nb > 0 && table.nc > 0) {
      const phi = rule.limits.isTempered ? this.phi : 1;
      if (!block.isWarmup || rule.betsInWarmup) {
        this.#harm ??= new HarmTest(rule, block.atMs);
        if (block.pods === null || this.#openGroups === null) {
          harmEvidence(rule.harm, table, evidence);
          temper(evidence, phi, rule.limits.blockCap);
          this.#harm.update(block.atMs, evidence);
        } else {
          const baselineBad = rule.latency === null ? this.#openBaselineFailed : table.xb;
          podEvidence(rule, { ...block.pods, baselineBad, canaryBad: this.#openGroups }, phi, block.pods.scratch);
          this.#harm.updateByPod(block.atMs, table.nc, block.pods.scratch.without);
          evidence.set(block.pods.scratch.least);
        }
      }
      if (!block.isWarmup && rule.safe !== null) {
        safeEvidence(rule.safe, { ...table, xc: this.#openPass }, scratch);
        temper(scratch, phi, rule.limits.blockCap);
        this.#safe ??= new SafeProcess(rule.safeRules, rule.safe.bets.length, block.atMs);
        this.#safe.update(block.atMs, scratch);
      }
      this.#baselineDispersion.update(table.nb, table.xb, block.durationMs);
      // The edge moves when warm-up ends; a surplus from before would look like a clump after it.
      if (!block.isWarmup || rule.latency === null) this.#pairDispersion.update(block.atMs, table);
      this.#tally(block.isWarmup, table);
    }
    this.drop();
  }

  snapshot(): CheckState {
    return {
      edges: this.edges,
      open: [this.#openBaseline, this.#openCanary, this.#openPass],
      openPods: this.#openGroups === null ? null : { canary: Array.from(this.#openGroups), baselineFailed: this.#openBaselineFailed },
      baseline: this.#baseline,
      canary: this.#canary,
      odds: this.#odds.snapshot(),
      countedInWarmup: this.#countedInWarmup,
      baselineDispersion: this.#baselineDispersion.snapshot(),
      pairDispersion: this.#pairDispersion.snapshot(),
      spread: this.#spread?.snapshot() ?? null,
      harm: this.#harm?.snapshot() ?? null,
      safe: this.#safe?.snapshot() ?? null,
    };
  }

  static restore(rule: CheckRule, state: CheckState): Check {
    const restored = new Check(rule);
    restored.edges = state.edges;
    [restored.#openBaseline, restored.#openCanary, restored.#openPass] = state.open;
    restored.#openGroups = state.openPods === null ? null : Float64Array.from(state.openPods.canary);
    restored.#openBaselineFailed = state.openPods?.baselineFailed ?? 0;
    restored.#baseline = state.baseline;
    restored.#canary = state.canary;
    restored.#odds = OddsInterval.restore(state.odds);
    restored.#countedInWarmup = state.countedInWarmup;
    restored.#baselineDispersion = BaselineDispersion.restore(state.baselineDispersion);
    restored.#pairDispersion = PairDispersion.restore(rule.harmRules.windowMs, rule.harm.psi0, state.pairDispersion);
    restored.#spread = state.spread === null ? null : PodSpread.restore(state.spread);
    restored.#harm = state.harm === null ? null : HarmTest.restore(rule, state.harm);
    restored.#safe = state.safe === null ? null : SafeProcess.restore(rule.safeRules, state.safe);
    return restored;
  }

  #countPods(lanes: LaneColumns): void {
    this.#openGroups ??= new Float64Array(LANE_GROUPS);
    const groups = this.#openGroups;
    const edge = this.rule.latency === null ? null : (this.edges?.canary ?? Infinity);
    for (let lane = 1; lane <= LANES; lane++) {
      const bad = edge === null ? (lanes.failed[lane] as number) : laneCountFrom(lanes, lane, edge);
      const group = groupOf(lane);
      groups[group] = (groups[group] as number) + bad;
    }
  }

  #tally(isWarmup: boolean, table: Block): void {
    if (this.rule.latency !== null && this.#countedInWarmup && !isWarmup) {
      this.#baseline = NOTHING;
      this.#canary = NOTHING;
      this.#odds.clear();
    }
    this.#countedInWarmup = isWarmup;
    this.#baseline = { bad: this.#baseline.bad + table.xb, total: this.#baseline.total + table.nb };
    this.#canary = { bad: this.#canary.bad + table.xc, total: this.#canary.total + table.nc };
    this.#odds.add(table);
  }
}
