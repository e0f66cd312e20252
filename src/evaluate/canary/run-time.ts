/** Where a comparison stands in event time: how long it has run, watched and seen its canary. */
import { type DurationMs, type EpochMs, SLOT_MS, type SlotIndex, slotStartMs } from '../../model/time.ts';

/** A release is silent when none of its requests came for this long, and for this many times the usual gap. */
const SILENT_MS = 30_000;
const SILENT_GAPS = 20;

export interface RunTimeState {
  readonly startSlot: SlotIndex;
  readonly nextSlot: SlotIndex;
  readonly skippedMs: DurationMs;
  readonly firstCanary: SlotIndex | null;
  readonly lastCanary: SlotIndex | null;
  readonly lastBaseline: SlotIndex | null;
  readonly skippedSinceBaselineMs: DurationMs;
  readonly unwatchedMs: DurationMs;
  readonly skippedSinceLastMs: DurationMs;
}

export class RunTime {
  readonly startSlot: SlotIndex;
  /** The slot that is being fed. */
  nextSlot: SlotIndex;
  #skippedMs = 0;
  #firstCanary: SlotIndex | null = null;
  #lastCanary: SlotIndex | null = null;
  #lastBaseline: SlotIndex | null = null;
  /** Gaps since the last baseline request. */
  #skippedSinceBaselineMs = 0;
  /** Since the first canary request: gaps in the stream, and times at which the canary alone was silent. */
  #unwatchedMs = 0;
  /** Gaps since the last canary request. */
  #skippedSinceLastMs = 0;

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

  /** Time from the first slot with a canary request to the one being fed, without gaps and times at which the canary was silent; 0 before. */
  get sinceCanaryMs(): DurationMs {
    return this.#firstCanary === null ? 0 : (this.nextSlot - this.#firstCanary) * SLOT_MS - this.#unwatchedMs;
  }

  /** True until the first request of the canary, though not beyond `graceMs` of the run. */
  isStarting(graceMs: DurationMs): boolean {
    return this.sinceCanaryMs === 0 && this.elapsedMs < graceMs;
  }

  /** A moment of event time, relative to the run's begin. */
  relativeMs(at: EpochMs): DurationMs {
    return at - slotStartMs(this.startSlot);
  }

  /** Notes a request of the canary in the slot being fed; `canaryRequests` came before it. */
  sawCanary(canaryRequests: number): void {
    if (this.#firstCanary === null) this.#firstCanary = this.nextSlot;
    else if (this.isCanarySilent(canaryRequests)) this.#unwatchedMs += this.#quietMs - this.#skippedSinceLastMs;
    this.#lastCanary = this.nextSlot;
    this.#skippedSinceLastMs = 0;
  }

  /** True when the canary has sent nothing for unusually long while it was watched. */
  isCanarySilent(canaryRequests: number): boolean {
    return this.#quietMs - this.#skippedSinceLastMs > Math.max(SILENT_MS, (SILENT_GAPS * this.sinceCanaryMs) / canaryRequests);
  }

  /** Notes a request of the baseline in the slot being fed. */
  sawBaseline(): void {
    this.#lastBaseline = this.nextSlot;
    this.#skippedSinceBaselineMs = 0;
  }

  /** True when the baseline, which has sent `baselineRequests`, has sent nothing for unusually long while it was watched. */
  isBaselineSilent(baselineRequests: number): boolean {
    const quietMs = (this.nextSlot - 1 - (this.#lastBaseline ?? this.startSlot)) * SLOT_MS - this.#skippedSinceBaselineMs;
    return quietMs > Math.max(SILENT_MS, (SILENT_GAPS * (this.watchedMs - quietMs)) / baselineRequests);
  }

  skipTo(slot: SlotIndex): void {
    const skippedMs = (slot - this.nextSlot) * SLOT_MS;
    this.#skippedMs += skippedMs;
    this.#skippedSinceBaselineMs += skippedMs;
    if (this.#firstCanary !== null) {
      this.#unwatchedMs += skippedMs;
      this.#skippedSinceLastMs += skippedMs;
    }
    this.nextSlot = slot;
  }

  get #quietMs(): DurationMs {
    return (this.nextSlot - 1 - (this.#lastCanary ?? this.startSlot)) * SLOT_MS;
  }

  snapshot(): RunTimeState {
    return {
      startSlot: this.startSlot,
      nextSlot: this.nextSlot,
      skippedMs: this.#skippedMs,
      firstCanary: this.#firstCanary,
      lastCanary: this.#lastCanary,
      lastBaseline: this.#lastBaseline,
      skippedSinceBaselineMs: this.#skippedSinceBaselineMs,
      unwatchedMs: this.#unwatchedMs,
      skippedSinceLastMs: this.#skippedSinceLastMs,
    };
  }

  static restore(state: RunTimeState): RunTime {
    const restored = new RunTime(state.startSlot);
    restored.nextSlot = state.nextSlot;
    restored.#skippedMs = state.skippedMs;
    restored.#firstCanary = state.firstCanary;
    restored.#unwatchedMs = state.unwatchedMs;
    restored.#skippedSinceLastMs = state.skippedSinceLastMs;
    restored.#lastCanary = state.lastCanary;
    restored.#lastBaseline = state.lastBaseline;
    restored.#skippedSinceBaselineMs = state.skippedSinceBaselineMs;
    return restored;
  }
}
