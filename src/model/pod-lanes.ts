/** Gives the pods of one release their lanes. */
import { LANES } from './lane.ts';

/** Pods of a release, and of all, that are remembered. */
const MAX_PODS = 1000;
export const MAX_PODS_IN_ALL = 100_000;

/** How pods are numbered: by the lanes that they share, or each by a seat of its own, so that another process can give it a lane. */
export type PodNumbering = 'lanes' | 'seats';

/** Highest seat: seats are kept in bytes. Those above NAMED_SEATS stand for the lanes of pods that found no seat, by a hash of their names. */
export const SEATS = 255;
export const NAMED_SEATS = SEATS - LANES;

/** How many more pods may be remembered, and how often that changed: shared by all releases. */
export interface PodRoom {
  left: number;
  changes: number;
}

/** Remembers hashes of names, not names: senders choose those, and how long they are. */
export class PodLanes {
  readonly #room: PodRoom;
  readonly #hasSeats: boolean;
  #lanes: Map<number, number> | null = null;

  constructor(room: PodRoom, numbering: PodNumbering = 'lanes') {
    this.#room = room;
    this.#hasSeats = numbering === 'seats';
  }

  /**
   * 0 for the empty name; else lane 1 + (k mod LANES) for the k-th pod, counted from 0, or by a hash of the name once there is no room. Seats: 1 + k, or
   * NAMED_SEATS and the lane by that hash.
   */
  laneOf(pod: string): number {
    return pod === '' ? 0 : this.laneOfHash(hashOf(pod));
  }

  /** Pods that are remembered. */
  get size(): number {
    return this.#lanes?.size ?? 0;
  }

  /** The pods as they came, for `restore`. */
  saved(): readonly number[] {
    return [...(this.#lanes?.keys() ?? [])];
  }

  /** Goes on with the pods of an earlier process, so that evidence about a pod goes on in its lane. To be called before any other pod comes. */
  restore(pods: readonly number[]): void {
    for (const pod of pods) this.laneOfHash(pod);
  }

  /** The next pod is the first again. */
  forget(): void {
    if (this.#lanes === null) return;
    this.#room.left += this.#lanes.size;
    this.#room.changes++;
    this.#lanes = null;
  }

  /** The same for a pod of which another process told the hash. */
  laneOfHash(pod: number): number {
    this.#lanes ??= new Map();
    const known = this.#lanes.get(pod);
    if (known !== undefined) return known;
    const { size } = this.#lanes;
    const most = this.#hasSeats ? NAMED_SEATS : MAX_PODS;
    if (size >= most || this.#room.left <= 0) return (this.#hasSeats ? NAMED_SEATS : 0) + 1 + (pod % LANES);
    const lane = 1 + (this.#hasSeats ? size : size % LANES);
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
