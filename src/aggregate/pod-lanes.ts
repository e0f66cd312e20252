/** Gives the pods of one release their lanes. */
import { LANES } from '../model/lane.ts';

/** Pods of a release, and of all, that are remembered. */
const MAX_PODS = 1000;
export const MAX_PODS_IN_ALL = 100_000;

/** How many more pods may be remembered, and how often that changed: shared by all releases. */
export interface PodRoom {
  left: number;
  changes: number;
}

/** Remembers hashes of names, not names: senders choose those, and how long they are. */
export class PodLanes {
  readonly #room: PodRoom;
  #lanes: Map<number, number> | null = null;

  constructor(room: PodRoom) {
    this.#room = room;
  }

  /** 0 for the empty name; else lane 1 + (k mod LANES) for the k-th pod, counted from 0, or by a hash of the name once there is no room. */
  laneOf(pod: string): number {
    return pod === '' ? 0 : this.#laneOf(hashOf(pod));
  }

  /** The pods as they came, for `restore`. */
  saved(): readonly number[] {
    return [...(this.#lanes?.keys() ?? [])];
  }

  /** Goes on with the pods of an earlier process, so that evidence about a pod goes on in its lane. To be called before any other pod comes. */
  restore(pods: readonly number[]): void {
    for (const pod of pods) this.#laneOf(pod);
  }

  /** The next pod is the first again. */
  forget(): void {
    if (this.#lanes === null) return;
    this.#room.left += this.#lanes.size;
    this.#room.changes++;
    this.#lanes = null;
  }

  #laneOf(pod: number): number {
    this.#lanes ??= new Map();
    const known = this.#lanes.get(pod);
    if (known !== undefined) return known;
    if (this.#lanes.size >= MAX_PODS || this.#room.left <= 0) return 1 + (pod % LANES);
    const lane = 1 + (this.#lanes.size % LANES);
    this.#lanes.set(pod, lane);
    this.#room.left--;
    this.#room.changes++;
    return lane;
  }
}

/** FNV-1a over UTF-16 code units from two starts, 53 bits in all: a whole number that JSON keeps. */
function hashOf(text: string): number {
  return (fnv(text, 0x9e3779b9) >>> 11) * 0x1_0000_0000 + fnv(text, 0x811c9dc5);
}

/** 32 bits, unsigned. */
function fnv(text: string, start: number): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
