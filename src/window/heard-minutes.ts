/** The minutes in which each service was heard: how much of a window was seen at all. */
import type { StoredCounts } from '../model/checkpoint.ts';
import { CountRowWriter, readCountRow } from '../model/count-row.ts';
import { SLOT_MS, type SlotIndex } from '../model/time.ts';
import type { CountKeys } from './count-keys.ts';
import { CountRing } from './count-ring.ts';

const MINUTE_SEC = 60;
const HOUR_SEC = 3600;
const HALF_HOUR = 30;
/** 92 days. */
const HOURS = 2208 + 1;
/** The kind of rows that this is stored as. */
const KIND = 'heard';

interface Heard {
  /** A bit a minute: the first half of each hour is its `valid`, the second its `bad`. */
  readonly hours: CountRing;
  firstSlot: SlotIndex;
  lastMinute: number;
}

export class HeardMinutes {
  readonly #names = new Map<string, Heard>();
  readonly #dirty = new Set<number>();
  readonly #writer = new CountRowWriter();

  /** Something of `name` ended in the 1 s slot `slot`. */
  note(name: string, slot: SlotIndex): void {
    const heard = this.#open(name);
    if (slot < heard.firstSlot) heard.firstSlot = slot;
    const minute = Math.floor(slot / MINUTE_SEC);
    if (minute === heard.lastMinute) return;
    heard.lastMinute = minute;
    const hourSec = Math.floor(slot / HOUR_SEC) * HOUR_SEC;
    const masks = masksOf(heard, hourSec);
    const ofHour = minute - hourSec / MINUTE_SEC;
    const [valid, bad] =
      ofHour < HALF_HOUR ? [masks.valid | (1 << ofHour), masks.bad] : [masks.valid, masks.bad | (1 << (ofHour - HALF_HOUR))];
    if (valid === masks.valid && bad === masks.bad) return;
    heard.hours.replace(hourSec, valid, bad);
    this.#dirty.add(hourSec);
  }

  /** How many minutes of [fromMinute, toMinute), minutes since the epoch, `name` was heard in. */
  minutes(name: string, fromMinute: number, toMinute: number): number {
    const heard = this.#names.get(name);
    if (heard === undefined) return 0;
    const from = Math.max(fromMinute, heard.hours.oldestSec / MINUTE_SEC);
    const to = Math.min(toMinute, heard.hours.newestEndSec / MINUTE_SEC);
    let minutes = 0;
    for (let hour = Math.floor(from / 60) * 60; hour < to; hour += 60) {
      const masks = masksOf(heard, hour * MINUTE_SEC);
      minutes +=
        bits(masks.valid & within(from - hour, to - hour)) + bits(masks.bad & within(from - hour - HALF_HOUR, to - hour - HALF_HOUR));
    }
    return minutes;
  }

  /** First slot in which `name` was heard; Infinity when it never was. */
  firstSlot(name: string): SlotIndex {
    return this.#names.get(name)?.firstSlot ?? Number.POSITIVE_INFINITY;
  }

  /** First slots of all names, to be saved besides the minutes. */
  firstSlots(): [name: string, slot: SlotIndex][] {
    return [...this.#names].map(([name, { firstSlot }]) => [name, firstSlot]);
  }

  checkpoint(keys: CountKeys): StoredCounts[] {
    const stored: StoredCounts[] = [];
    for (const startSec of this.#dirty) {
      for (const [name, heard] of this.#names) {
        const { valid, bad } = masksOf(heard, startSec);
        if (valid !== 0 || bad !== 0) this.#writer.add(keys.idOf(name), valid, bad);
      }
      const bytes = this.#writer.take();
      if (bytes.length > 0) stored.push({ kind: KIND, startSec, bytes });
    }
    this.#dirty.clear();
    return stored;
  }

  /** Takes back what checkpoints saved, in any order. */
  restore(stored: readonly StoredCounts[], keys: CountKeys, firstSlots: readonly (readonly [name: string, slot: SlotIndex])[]): void {
    for (const [name, slot] of firstSlots) this.#open(name).firstSlot = slot;
    for (const { kind, startSec, bytes } of stored) {
      if (kind !== KIND) continue;
      readCountRow(bytes, (id, valid, bad) => {
        const name = keys.nameOf(id);
        if (name !== undefined) this.#open(name).hours.replace(startSec, valid, bad);
      });
    }
  }

  remove(name: string): void {
    this.#names.delete(name);
  }

  #open(name: string): Heard {
    let heard = this.#names.get(name);
    if (heard === undefined) {
      heard = { hours: new CountRing(HOUR_SEC, HOURS), firstSlot: Number.POSITIVE_INFINITY, lastMinute: Number.NaN };
      this.#names.set(name, heard);
    }
    return heard;
  }
}

/** The minute since the epoch that a moment lies in. */
export function minuteOf(ms: number): number {
  return Math.floor(ms / SLOT_MS / MINUTE_SEC);
}

function masksOf({ hours }: Heard, hourSec: number): { valid: number; bad: number } {
  const masks = { valid: 0, bad: 0 };
  hours.sumInto(hourSec, hourSec + HOUR_SEC, masks);
  return masks;
}

/** Bits [from, to) of a half hour. */
function within(from: number, to: number): number {
  const [low, high] = [Math.min(Math.max(from, 0), HALF_HOUR), Math.min(Math.max(to, 0), HALF_HOUR)];
  return high <= low ? 0 : (2 ** high - 1) & ~(2 ** low - 1);
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}
