/** Whether the canary's pods are many enough, and known well enough, to judge an endpoint by them. */
import { LANE_GROUPS, LANES } from '../../model/lane.ts';
import type { SlotIndex } from '../../model/time.ts';
import { type ArmSlot, groupOf, laneRequests } from './arm-slot.ts';

/** Every group of pods has sent something within this many slots. */
const SEEN_SLOTS = 30;
/** Most of the canary's requests that may come without a pod's name. */
const MAX_UNNAMED = 0.01;
/** Least of either release's requests that must be counted by pod; those without a latency are not. */
const MIN_TIMED = 0.95;
/** Shares are those of about the last minute: older slots fade by this factor. */
const FADE = 0.5 ** (1 / 30);

export interface PodLevelState {
  readonly lastSeen: readonly number[];
  readonly shares: readonly number[];
  readonly window: number;
  readonly isInForce: boolean;
}

/** What `#shares` holds, in faded requests. */
const [CANARY, CANARY_TIMED, CANARY_UNNAMED, BASELINE, BASELINE_TIMED] = [0, 1, 2, 3, 4];

/** Looks at requests and time only, of slots before the block it is asked about, never at what became of requests. */
export class PodLevel {
  readonly #lastSeen = new Float64Array(LANE_GROUPS).fill(-SEEN_SLOTS - 1);
  readonly #shares = new Float64Array(5);
  #window = -1;
  #isInForce = false;

  /** Whether a block that begins with `slot` may be judged by pods. */
  qualifies(slot: SlotIndex): boolean {
    for (const seen of this.#lastSeen) if (slot - seen > SEEN_SLOTS) return false;
    const share = (part: number, whole: number) => (this.#shares[part] as number) / (this.#shares[whole] as number);
    return (
      share(CANARY_UNNAMED, CANARY_TIMED) < MAX_UNNAMED &&
      share(CANARY_TIMED, CANARY) >= MIN_TIMED &&
      share(BASELINE_TIMED, BASELINE) >= MIN_TIMED
    );
  }

  note(slot: SlotIndex, baseline: ArmSlot, canary: ArmSlot): void {
    for (let i = 0; i < this.#shares.length; i++) this.#shares[i] = (this.#shares[i] as number) * FADE;
    this.#add(BASELINE, baseline.requests);
    this.#add(BASELINE_TIMED, laneRequests(baseline.lanes));
    this.#add(CANARY, canary.requests);
    this.#add(CANARY_TIMED, laneRequests(canary.lanes));
    if (canary.lanes === null || canary.lanes === undefined) return;
    const { requests } = canary.lanes;
    this.#add(CANARY_UNNAMED, requests[0] as number);
    for (let lane = 1; lane <= LANES; lane++) if ((requests[lane] as number) > 0) this.#lastSeen[groupOf(lane)] = slot;
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
    return { lastSeen: Array.from(this.#lastSeen), shares: Array.from(this.#shares), window: this.#window, isInForce: this.#isInForce };
  }

  static restore(state: PodLevelState): PodLevel {
    const restored = new PodLevel();
    restored.#lastSeen.set(state.lastSeen);
    restored.#shares.set(state.shares);
    restored.#window = state.window;
    restored.#isInForce = state.isInForce;
    return restored;
  }

  #add(part: number, requests: number): void {
    this.#shares[part] = (this.#shares[part] as number) + requests;
  }
}
