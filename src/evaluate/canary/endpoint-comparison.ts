/** One endpoint in two releases: gathers slots into blocks and lets every check bet on each block. */
import type { DurationMs, SlotIndex } from '../../model/time.ts';
import { SLOT_MS } from '../../model/time.ts';
import { type ArmSlot, timedRequests } from './arm-slot.ts';
import { HARM_BETS } from './block-evidence.ts';
import { Check, type CheckState } from './check.ts';
import type { CheckRule } from './check-rule.ts';
import { type BucketScale, edgesAt } from './edges.ts';
import { logSumExp } from './log-sum.ts';
import { PodBlock, type PodBlockState } from './pod-block.ts';
import { type PodScratch, podScratch } from './pod-evidence.ts';
import { PodLevel, type PodLevelState } from './pod-level.ts';
import type { PodPresence } from './pod-presence.ts';
import { ReferenceHistogram, type ReferenceState } from './reference-histogram.ts';

/** A block closes with this many baseline requests, or after ten seconds with at least one; it always needs one of the canary. */
const MIN_BASELINE = 10;
const MAX_GATHERING_SLOTS = 10;
/** A block that still lacks one of the releases is void: it would compare across minutes of drift. */
const MAX_BLOCK_SLOTS = 60;

/** What judging by pods needs. */
interface Pods {
  readonly level: PodLevel;
  readonly block: PodBlock;
  readonly scratch: PodScratch;
}

/** A slot that is fed: when it is, in event time of the run at its end, and what is known of it beforehand. */
export interface FedSlot {
  readonly slot: SlotIndex;
  readonly atMs: DurationMs;
  readonly isWarmup: boolean;
  readonly presence: PodPresence;
}

interface OpenBlock {
  readonly from: SlotIndex;
  readonly isWarmup: boolean;
  baselineRequests: number;
  baselineTimed: number;
  canaryRequests: number;
  canaryTimed: number;
}

export interface EndpointState {
  readonly name: string;
  readonly baselineRequests: number;
  readonly canaryRequests: number;
  readonly share: number;
  readonly block: Readonly<OpenBlock> | null;
  readonly reference: ReferenceState;
  readonly checks: readonly CheckState[];
  /** Null while spans name no pods. */
  readonly pods: { readonly level: PodLevelState; readonly block: PodBlockState } | null;
}

export class EndpointComparison {
  readonly name: string;
  readonly checks: readonly Check[];
  /** Requests since the run began. */
  baselineRequests = 0;
  canaryRequests = 0;
  /** Requests of the baseline that are known to come; 0 where nobody knows. */
  expectedRequests = 0;
  /** Share of the run's money, [0, 1]; 0 until the endpoint can be compared. */
  share = 0;
  /** ln of the weighted mean of its checks' wealth. */
  logWealth = 0;
  readonly #scale: BucketScale;
  #reference: ReferenceHistogram;
  #block: OpenBlock | null = null;
  readonly #windowMs: DurationMs;
  #pods: Pods | null = null;

  constructor(name: string, checks: readonly Check[], scale: BucketScale) {
    this.name = name;
    this.#scale = scale;
    this.checks = checks;
    this.#windowMs = checks[0]?.rule.harmRules.windowMs ?? 1;
    this.#reference = new ReferenceHistogram(scale.size);
    this.#weigh();
  }

  /** The baseline's latencies of the last minutes. */
  get reference(): ReferenceHistogram {
    return this.#reference;
  }

  /** Baseline requests behind the reference, faded, or those known to come; the traffic that money is given by. */
  traffic(atMs: DurationMs): number {
    return Math.max(this.#reference.requests(atMs), this.baselineRequests, this.expectedRequests);
  }

  prime(atMs: DurationMs, baseline: ArmSlot): void {
    this.#reference.add(atMs, baseline);
  }

  /** Adds a slot that ends at `atMs` of the run. The edges of a block are set before its first request is seen. */
  feed({ slot, atMs, isWarmup, presence }: FedSlot, baseline: ArmSlot, canary: ArmSlot): void {
    this.#block ??= this.#open(slot, atMs, isWarmup, presence);
    const block = this.#block;
    block.baselineRequests += baseline.requests;
    block.baselineTimed += timedRequests(baseline);
    block.canaryRequests += canary.requests;
    block.canaryTimed += timedRequests(canary);
    this.baselineRequests += baseline.requests;
    this.canaryRequests += canary.requests;
    for (const check of this.checks) check.count(baseline, canary, block.isWarmup);
    if (canary.lanes !== null && canary.lanes !== undefined)
      this.#pods ??= { level: new PodLevel(), block: new PodBlock(), scratch: podScratch(HARM_BETS.length) };
    this.#pods?.level.note(baseline, canary);
    this.#pods?.block.add(baseline, canary);
    this.#reference.add(atMs, baseline);
  }

  /**
   * Closes the open block if it is complete after `slot`, whose end is `atMs` of watched time, and says whether it did. Completeness depends on requests
   * and time only, never on what happened to them. `onEvidence` gets each check's tempered log evidence per bet.
   */
  closeBlock(slot: SlotIndex, atMs: DurationMs, onEvidence: (check: number, evidence: Float64Array) => void, scratch: Scratch): boolean {
    const block = this.#block;
    if (block === null) return false;
    const slots = slot + 1 - block.from;
    const isEnough = block.baselineRequests >= MIN_BASELINE || (block.baselineRequests > 0 && slots >= MAX_GATHERING_SLOTS);
    if (block.canaryRequests === 0 || !isEnough) {
      if (slots >= MAX_BLOCK_SLOTS) this.dropBlock();
      return false;
    }
    const time = { atMs, durationMs: slots * SLOT_MS, isWarmup: block.isWarmup };
    const pods = this.#pods?.level.settle(Math.floor(atMs / this.#windowMs), this.#pods.block.qualifies) === true ? this.#pods : null;
    const all = {
      ...time,
      baselineRequests: block.baselineRequests,
      canaryRequests: block.canaryRequests,
      pods: pods && { baselineRequests: pods.block.baselineRequests, canaryRequests: pods.block.requests, scratch: pods.scratch },
    };
    const timed = {
      ...time,
      baselineRequests: block.baselineTimed,
      canaryRequests: block.canaryTimed,
      pods: pods && { baselineRequests: block.baselineTimed, canaryRequests: pods.block.served, scratch: pods.scratch },
    };
    this.checks.forEach((check, index) => {
      check.close(check.rule.latency === null ? all : timed, scratch.harm, scratch.safe);
      onEvidence(index, scratch.harm);
    });
    this.#block = null;
    this.#weigh();
    return true;
  }

  /** Forgets the open block, as after a gap in the stream. */
  dropBlock(): void {
    this.#block = null;
    for (const check of this.checks) check.drop();
  }

  snapshot(): EndpointState {
    return {
      name: this.name,
      baselineRequests: this.baselineRequests,
      canaryRequests: this.canaryRequests,
      share: this.share,
      block: this.#block === null ? null : { ...this.#block },
      reference: this.#reference.snapshot(),
      checks: this.checks.map((check) => check.snapshot()),
      pods: this.#pods && { level: this.#pods.level.snapshot(), block: this.#pods.block.snapshot() },
    };
  }

  static restore(rules: readonly CheckRule[], scale: BucketScale, state: EndpointState): EndpointComparison {
    const checks = rules.map((rule, index) => Check.restore(rule, state.checks[index] as CheckState));
    const restored = new EndpointComparison(state.name, checks, scale);
    restored.baselineRequests = state.baselineRequests;
    restored.canaryRequests = state.canaryRequests;
    restored.share = state.share;
    restored.#block = state.block === null ? null : { ...state.block };
    restored.#reference = ReferenceHistogram.restore(scale.size, state.reference);
    restored.#pods = state.pods && {
      level: PodLevel.restore(state.pods.level),
      block: PodBlock.restore(state.pods.block),
      scratch: podScratch(HARM_BETS.length),
    };
    return restored;
  }

  #open(slot: SlotIndex, atMs: DurationMs, isWarmup: boolean, presence: PodPresence): OpenBlock {
    for (const check of this.checks) {
      const { latency } = check.rule;
      if (latency !== null) check.edges = edgesAt(this.#reference, this.#scale, latency, atMs, isWarmup, check.leastRatio);
    }
    this.#pods?.block.begin(this.#pods.level.qualifies(slot, presence));
    return { from: slot, isWarmup, baselineRequests: 0, baselineTimed: 0, canaryRequests: 0, canaryTimed: 0 };
  }

  #weigh(): void {
    this.logWealth = logSumExp(this.checks.map((check) => Math.log(check.rule.weight) + check.logE));
  }
}

/** Room for one block's evidence, shared by all endpoints of a run. */
export interface Scratch {
  readonly harm: Float64Array;
  readonly safe: Float64Array;
}
