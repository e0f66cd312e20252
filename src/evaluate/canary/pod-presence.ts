/** Which groups of the canary's pods are there, by the requests of all endpoints: on a quiet one a pod may be unheard of for minutes. */
import { LANE_GROUPS, LANES } from '../../model/lane.ts';
import type { SlotIndex } from '../../model/time.ts';
import { type ArmSlot, groupOf } from './arm-slot.ts';

/** A group that sent nothing for so many slots may have no pod any more. */
const SEEN_SLOTS = 30;

export interface PodPresenceState {
  readonly lastSeen: readonly number[];
}

export class PodPresence {
  readonly #lastSeen = new Float64Array(LANE_GROUPS).fill(-SEEN_SLOTS - 1);
  readonly #open = new Uint8Array(LANE_GROUPS);

  /** Notes one endpoint's requests of the open slot; they count once it has ended, whatever the order of endpoints. */
  note({ lanes }: ArmSlot): void {
    if (lanes === null || lanes === undefined) return;
    for (let lane = 1; lane <= LANES; lane++) if ((lanes.requests[lane] as number) > 0) this.#open[groupOf(lane)] = 1;
  }

  endSlot(slot: SlotIndex): void {
    for (let group = 0; group < LANE_GROUPS; group++) if (this.#open[group] === 1) this.#lastSeen[group] = slot;
    this.#open.fill(0);
  }

  /** Whether every group sent something in the slots just before `slot`. */
  isComplete(slot: SlotIndex): boolean {
    return this.#lastSeen.every((seen) => slot - seen <= SEEN_SLOTS);
  }

  /** To be taken between slots. */
  snapshot(): PodPresenceState {
    return { lastSeen: Array.from(this.#lastSeen) };
  }

  static restore(state: PodPresenceState): PodPresence {
    const restored = new PodPresence();
    restored.#lastSeen.set(state.lastSeen);
    return restored;
  }
}
