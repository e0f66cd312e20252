/** Points and spans of time, all in event time unless a name says otherwise. */

/** Milliseconds since 1970-01-01T00:00:00Z; may carry a fraction. */
export type EpochMs = number;

/** A length of time in milliseconds. */
export type DurationMs = number;

/** Index of a 1-second slot of event time: `floor(EpochMs / 1000)`. */
export type SlotIndex = number;

/** Width of the smallest time bucket. */
export const SLOT_MS = 1000;

/** The slot a span belongs to, by its end time. */
export function slotOf(endMs: EpochMs): SlotIndex {
  return Math.floor(endMs / SLOT_MS);
}

/** End, exclusive, of the slot that `at` lies in. */
export function endOfSlot(at: EpochMs): EpochMs {
  return (slotOf(at) + 1) * SLOT_MS;
}

/** Start of a slot; `slotStartMs(slot + 1)` is its exclusive end. */
export function slotStartMs(slot: SlotIndex): EpochMs {
  return slot * SLOT_MS;
}
