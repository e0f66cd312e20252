/** Where a comparison stands in event time: how long it has run, watched and seen its canary. */
import { type DurationMs, type EpochMs, SLOT_MS, type SlotIndex, slotStartMs } from '../../model/time.ts';

/** A canary is silent when none of its requests came for this long, and for this many times the usual gap. */
const SILENT_MS = 30_000;
const SILENT_GAPS = 20;

export interface RunTimeState {
  readonly startSlot: SlotIndex;
  readonly nextSlot: SlotIndex;
  readonly skippedMs: DurationMs;
  readonly firstCanary: SlotIndex | null;
  readonly lastCanary: SlotIndex | null;
}

export class RunTime {
  readonly startSlot: SlotIndex;
  /** The slot that is being fed. */
  nextSlot: SlotIndex;
  #skippedMs = 0;
  #firstCanary: SlotIndex | null = null;
  #lastCanary: SlotIndex | null = null;

  constructor(startSlot: SlotIndex) {
    this.startSlot = startSlot;
    this.nextSlot = startSlot;
  }

  /** Event time since the run began. */
  get elapsedMs(): DurationMs {
    return (this.nextSlot - this.startSlot) * SLOT_MS;
  }

  /** The same without gaps: money enters for time watched. */
  get watchedMs(): DurationMs {
    return this.elapsedMs - this.#skippedMs;
  }

  /** Time from the first slot with a canary request to the one being fed; 0 before. */
  get sinceCanaryMs(): DurationMs {
    return this.#firstCanary === null ? 0 : (this.nextSlot - this.#firstCanary) * SLOT_MS;
  }

  /** A moment of event time, relative to the run's begin. */
  relativeMs(at: EpochMs): DurationMs {
    return at - slotStartMs(this.startSlot);
  }

  /** Notes a request of the canary in the slot being fed. */
  sawCanary(): void {
    this.#firstCanary ??= this.nextSlot;
    this.#lastCanary = this.nextSlot;
  }

  /** True when the canary has sent nothing for unusually long. */
  isSilent(canaryRequests: number): boolean {
    const quietMs = (this.nextSlot - 1 - (this.#lastCanary ?? this.startSlot)) * SLOT_MS;
    return quietMs > Math.max(SILENT_MS, (SILENT_GAPS * this.sinceCanaryMs) / canaryRequests);
  }

  skipTo(slot: SlotIndex): void {
    this.#skippedMs += (slot - this.nextSlot) * SLOT_MS;
    this.nextSlot = slot;
  }

  snapshot(): RunTimeState {
    return {
      startSlot: this.startSlot,
      nextSlot: this.nextSlot,
      skippedMs: this.#skippedMs,
      firstCanary: this.#firstCanary,
      lastCanary: this.#lastCanary,
    };
  }

  static restore(state: RunTimeState): RunTime {
    const restored = new RunTime(state.startSlot);
    restored.nextSlot = state.nextSlot;
    restored.#skippedMs = state.skippedMs;
    restored.#firstCanary = state.firstCanary;
    restored.#lastCanary = state.lastCanary;
    return restored;
  }
}
