/** Whether the canary's pods are many enough, and known well enough, to judge an endpoint by them. */
import { LANE_GROUPS, LANES } from '../../model/lane.ts';
import type { SlotIndex } from '../../model/time.ts';
import { type ArmSlot, groupOf, laneRequests } from './arm-slot.ts';
import type { PodPresence } from './pod-presence.ts';

/** Most of the canary's requests that may come without a pod's name. */
const MAX_UNNAMED = 0.01;
/** Least of either release's requests that must be counted by pod; those without a latency are not. */
const MIN_TIMED = 0.95;
/**
 * One group must not have more of the requests than this for long: without it too little would be left to prove anything by. For long is in most of the
 * slots of about the last ten minutes, however many requests each had, as a storm of requests on one sick pod must not make it speak for all.
 */
const MAX_GROUP = 0.8;
const SLOT_FADE = 0.5 ** (1 / 600);
const MOST_SLOTS = 0.5;
/** Slots, faded, before that can be said. */
const MIN_SLOTS = 250;
/** Shares are those of about the last minute with requests: older slots fade by this factor. */
const FADE = 0.5 ** (1 / 30);

export interface PodLevelState {
  readonly shares: readonly number[];
  readonly uneven: readonly number[];
  readonly slots: number;
  readonly window: number;
  readonly isInForce: boolean;
}

/** What `#shares` holds, in faded requests. */
const [CANARY, CANARY_TIMED, CANARY_UNNAMED, BASELINE, BASELINE_TIMED] = [0, 1, 2, 3, 4];

/** Looks at requests and time only, of slots before the block it is asked about, never at what became of requests. */
export class PodLevel {
  readonly #shares = new Float64Array(5);
  /** By group, slots in which it had nearly all requests of named pods, and slots in which there were any: faded. */
  readonly #uneven = new Float64Array(LANE_GROUPS);
  #slots = 0;
  readonly #groups = new Float64Array(LANE_GROUPS);
  #window = -1;
  #isInForce = false;

  /** Whether a block that begins with `slot` may be judged by pods, `presence` being that of the whole service. */
  qualifies(slot: SlotIndex, presence: PodPresence): boolean {
    if (!presence.isComplete(slot)) return false;
    const share = (part: number, whole: number) => (this.#shares[part] as number) / (this.#shares[whole] as number);
    return (
      !this.#isUneven &&
      share(CANARY_UNNAMED, CANARY_TIMED) < MAX_UNNAMED &&
      share(CANARY_TIMED, CANARY) >= MIN_TIMED &&
      share(BASELINE_TIMED, BASELINE) >= MIN_TIMED
    );
  }

  note(baseline: ArmSlot, canary: ArmSlot): void {
    for (let i = 0; i < this.#shares.length; i++) this.#shares[i] = (this.#shares[i] as number) * FADE;
    this.#add(BASELINE, baseline.requests);
    this.#add(BASELINE_TIMED, laneRequests(baseline.lanes));
    this.#add(CANARY, canary.requests);
    this.#add(CANARY_TIMED, laneRequests(canary.lanes));
    if (canary.lanes === null || canary.lanes === undefined) return;
    this.#add(CANARY_UNNAMED, canary.lanes.requests[0] as number);
    this.#noteGroups(canary.lanes.requests);
  }

  /**
   * Whether pods are in force for the block that ends in incident window `window`. They come into force at once and stay until the window ends, so that
   * an incident cannot gain anew under the other level's cap.
   */
  settle(window: number, qualified: boolean): boolean {
    if (qualified || window !== this.#window) this.#isInForce = qualified;
    this.#window = window;
    return this.#isInForce;
  }

  snapshot(): PodLevelState {
    return {
      uneven: Array.from(this.#uneven),
      slots: this.#slots,
      shares: Array.from(this.#shares),
      window: this.#window,
      isInForce: this.#isInForce,
    };
  }

  static restore(state: PodLevelState): PodLevel {
    const restored = new PodLevel();
    restored.#shares.set(state.shares);
    restored.#uneven.set(state.uneven);
    restored.#slots = state.slots;
    restored.#window = state.window;
    restored.#isInForce = state.isInForce;
    return restored;
  }

  get #isUneven(): boolean {
    return this.#slots >= MIN_SLOTS && this.#uneven.some((slots) => slots > MOST_SLOTS * this.#slots);
  }

  #noteGroups(requests: ArrayLike<number>): void {
    this.#groups.fill(0);
    let named = 0;
    for (let lane = 1; lane <= LANES; lane++) {
      const group = groupOf(lane);
      this.#groups[group] = (this.#groups[group] as number) + (requests[lane] as number);
      named += requests[lane] as number;
    }
    if (named === 0) return;
    this.#slots = this.#slots * SLOT_FADE + 1;
    for (let group = 0; group < LANE_GROUPS; group++) {
      const hadNearlyAll = (this.#groups[group] as number) > MAX_GROUP * named;
      this.#uneven[group] = (this.#uneven[group] as number) * SLOT_FADE + (hadNearlyAll ? 1 : 0);
    }
  }

  #add(part: number, requests: number): void {
    this.#shares[part] = (this.#shares[part] as number) + requests;
  }
}
