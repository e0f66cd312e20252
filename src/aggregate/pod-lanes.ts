/** Gives the pods of one release their lanes. */
import { LANES } from '../model/lane.ts';

/** Pods of a release, and of all, that are remembered by name. */
const MAX_PODS = 1000;
export const MAX_PODS_IN_ALL = 100_000;

/** How many more pods may be remembered: shared by all releases. */
export interface PodRoom {
  left: number;
}

export class PodLanes {
  readonly #room: PodRoom;
  #lanes: Map<string, number> | null = null;

  constructor(room: PodRoom) {
    this.#room = room;
  }

  /** 0 for the empty name; else lane 1 + (k mod LANES) for the k-th pod, counted from 0, or by a hash of the name once there is no room. */
  laneOf(pod: string): number {
    if (pod === '') return 0;
    this.#lanes ??= new Map();
    const known = this.#lanes.get(pod);
    if (known !== undefined) return known;
    if (this.#lanes.size >= MAX_PODS || this.#room.left <= 0) return 1 + (hashOf(pod) % LANES);
    const lane = 1 + (this.#lanes.size % LANES);
    this.#lanes.set(pod, lane);
    this.#room.left--;
    return lane;
  }

  /** The next pod is the first again. */
  forget(): void {
    this.#room.left += this.#lanes?.size ?? 0;
    this.#lanes = null;
  }
}

/** FNV-1a over UTF-16 code units, 32 bits unsigned. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
