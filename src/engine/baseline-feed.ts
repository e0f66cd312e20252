/** Says, slot by slot, what the canary is compared with: the baseline at the same time, or a piece of its own past that was kept. */
import type { ArmSlot } from '../evaluate/canary/arm-slot.ts';
import { type DurationMs, type SlotIndex, slotStartMs } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { SlotReading } from '../window/slot-reading.ts';
import { KeptBaseline, type KeptSeries } from './kept-baseline.ts';

/**
 * A piece of the past is compared with the canary's requests of so many slots, and with no others: the same requests of the baseline in two
 * comparisons would be two witnesses with one story. The first half of the pieces goes fast, the other half makes the stretch last, and goes fast again
 * after a piece that spoke for harm: that is known before the next one begins, so it makes no bet unfair. Below the slots after which a comparison
 * gives a block up.
 */
const FAST_SLOTS = 10;
const SLOW_SLOTS = 45;
/** A baseline without a request for so long is gone. */
const GONE_SLOTS = 30;

/** `concurrent`: the same time alone; `kept`: the past alone; `fading`: the same time while the baseline serves, then the past. */
export type FeedKind = 'concurrent' | 'kept' | 'fading';

/** What the baseline's side of a slot is: its requests in that very slot, the piece of a number, or nothing. */
export type Side = 'live' | 'nothing' | { readonly piece: number };

const NOTHING: ArmSlot = { requests: 0, failed: 0, size: 0, buckets: [], counts: [] };

export interface BaselineFeedState {
  readonly kind: FeedKind;
  readonly kept: string | null;
  readonly used: number;
  readonly openedAt: SlotIndex | null;
  readonly lastLive: SlotIndex | null;
  readonly logWealth: number;
  readonly isAlarmed: boolean;
  readonly isLive: boolean;
}

export class BaselineFeed {
  readonly kind: FeedKind;
  #kept: KeptBaseline | null = null;
  /** Pieces that have been compared. */
  #used = 0;
  /** First slot with requests of the canary since a piece was compared. */
  #openedAt: SlotIndex | null = null;
  /** Newest slot with requests of the baseline; for `fading`. */
  #lastLive: SlotIndex | null = null;

  /** ln of the wealth after the last piece, and whether that piece raised it. */
  #logWealth = 0;
  #isAlarmed = false;
  #isLive: boolean;

  constructor(kind: FeedKind) {
    this.kind = kind;
    this.#isLive = kind !== 'kept';
  }

  /** True while the canary is compared with the baseline of the same time. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** True while there is a past to be kept: the moment for it has not come. */
  get isWaiting(): boolean {
    return this.kind !== 'concurrent' && this.#kept === null;
  }

  /** Every piece has been compared, so there is nothing left to compare with. */
  get isUsedUp(): boolean {
    return this.kind === 'kept' && this.#kept !== null && this.#used >= this.#kept.size;
  }

  /** Keeps the baseline's past as it was `shiftMs` before `slot`, which is the next one to be asked for. */
  keep(series: KeptSeries, window: SlidingWindow, slot: SlotIndex, shiftMs: DurationMs): KeptBaseline {
    this.#kept = KeptBaseline.capture(series, window, slotStartMs(slot) - shiftMs);
    this.#lastLive = slot - 1;
    return this.#kept;
  }

  /** Goes on with a past that another one kept, from its first piece. */
  static of(kind: FeedKind, kept: KeptBaseline): BaselineFeed {
    const feed = new BaselineFeed(kind);
    feed.#kept = kept;
    return feed;
  }

  get kept(): KeptBaseline | null {
    return this.#kept;
  }

  /** The baseline's side of `slot`; slots are asked for in order. `liveRequests` tells how many it has in it. */
  side(slot: SlotIndex, liveRequests: () => number): Side {
    if (this.kind === 'concurrent') return 'live';
    if (this.kind === 'fading') {
      if (liveRequests() > 0) this.#lastLive = slot;
      if (slot - (this.#lastLive ?? slot) < GONE_SLOTS) return 'live';
    }
    if (this.#kept === null || this.#openedAt === null || this.#used >= this.#kept.size) return 'nothing';
    const slots = this.#isAlarmed || this.#used * 2 < this.#kept.size ? FAST_SLOTS : SLOW_SLOTS;
    return slot + 1 - this.#openedAt >= slots ? { piece: this.#used } : 'nothing';
  }

  /** The requests of an endpoint on that side, `into` where they have to be read; valid until the next call. */
  read(side: Side, endpoint: string, series: readonly number[], slot: SlotIndex, window: SlidingWindow, into: SlotReading): ArmSlot {
    if (side === 'nothing') return NOTHING;
    if (side !== 'live') return this.#kept?.piece(endpoint, side.piece) ?? NOTHING;
    window.readSlot(series, slot, into);
    return into;
  }

  /** The slot is over, in which the canary had so many requests, and after which the wealth is `logWealth`. */
  endSlot(slot: SlotIndex, side: Side, canaryRequests: number, logWealth: number): void {
    this.#isLive = side === 'live';
    if (side === 'live') this.#openedAt = null;
    else if (side === 'nothing') {
      if (canaryRequests > 0) this.#openedAt ??= slot;
    } else {
      this.#used++;
      this.#openedAt = null;
      this.#isAlarmed = logWealth > this.#logWealth;
      this.#logWealth = logWealth;
    }
  }

  /** Slots are missing, and the comparison forgets what it gathered. */
  skip(): void {
    this.#openedAt = null;
  }

  save(): BaselineFeedState {
    return {
      kind: this.kind,
      kept: this.#kept?.save() ?? null,
      used: this.#used,
      openedAt: this.#openedAt,
      lastLive: this.#lastLive,
      logWealth: this.#logWealth,
      isAlarmed: this.#isAlarmed,
      isLive: this.#isLive,
    };
  }

  static restore(saved: BaselineFeedState): BaselineFeed {
    const feed = new BaselineFeed(saved.kind);
    feed.#kept = saved.kept === null ? null : KeptBaseline.restore(saved.kept);
    feed.#used = saved.used;
    feed.#openedAt = saved.openedAt;
    feed.#lastLive = saved.lastLive;
    feed.#logWealth = saved.logWealth;
    feed.#isAlarmed = saved.isAlarmed;
    feed.#isLive = saved.isLive;
    return feed;
  }
}
