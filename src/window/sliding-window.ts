/** The state of all counts over event time: merges flushes, freezes and rolls up slots, answers what happened when. */
import type { StoredNote, StoredSlot } from '../model/checkpoint.ts';
import type { Counts } from '../model/distribution.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { SeriesInfo } from '../model/series.ts';
import { cellLanes, type SlotDeltas } from '../model/slot-deltas.ts';
import { type DurationMs, type EpochMs, type SlotIndex, slotStartMs } from '../model/time.ts';
import { BlockSum } from './block-sum.ts';
import { BlockWriter } from './block-writer.ts';
import { Origins } from './origins.ts';
import { Punctuality, type Timing } from './punctuality.ts';
import { SeriesTallies } from './series-tallies.ts';
import type { SlotBlock } from './slot-block.ts';
import { SlotCascade } from './slot-cascade.ts';
import { SlotReading } from './slot-reading.ts';
import type { Selection, SparseDistribution } from './sparse-distribution.ts';
import { checkedBlock, restoredNote, WINDOW_NOTE, type WindowNote } from './window-note.ts';
import { WindowTime } from './window-time.ts';

export interface SlidingWindowOptions {
  readonly layout: HistogramLayout;
  /** How long after the newest event time a slot still takes spans. */
  readonly graceMs?: DurationMs;
}

export interface MergeOutcome {
  /** The flush had been merged before; nothing changed. */
  readonly duplicate: boolean;
  /** Spans that came after their slot was frozen: in no window. They are the rows before `firstRow`. */
  readonly late: number;
  readonly firstRow: number;
}

/**
 * The freeze horizon is one for all services: the newest event time of any, less grace. It moves only in `advance`, so neither the cut of
 * flushes nor their order between two advances changes a count. When no span at all came for `graceMs` of wall clock, every slot is frozen.
 * Windows are rounded outward to slots: 1 s for the last 90 s, 10 s before that, up to 15 minutes. Where sources tell how far they are complete, all of
 * this is counted back from there: what some are ahead is held besides, at 1 s a slot.
 */
export class SlidingWindow {
  readonly layout: HistogramLayout;
  readonly #writer: BlockWriter;
  readonly #slots: SlotCascade;
  readonly #sum: BlockSum;
  readonly #slotSum: BlockSum;
  readonly #origins = new Origins();
  readonly #tallies = new SeriesTallies();
  readonly #services = new Map<string, Punctuality>();
  readonly #serviceOf: (Punctuality | undefined)[] = [];
  readonly #time: WindowTime;
  #lateSpans = 0;

  constructor(options: SlidingWindowOptions) {
    this.layout = options.layout;
    this.#time = new WindowTime(options.graceMs ?? 60_000);
    this.#writer = new BlockWriter(options.layout);
    this.#slots = new SlotCascade(this.#writer);
    this.#sum = new BlockSum(options.layout);
    this.#slotSum = new BlockSum(options.layout, cellLanes(options.layout.size));
  }

  /** Tells which service a series belongs to; `merge` does so for what a flush announces. */
  announce(series: readonly SeriesInfo[]): void {
    for (const { id, service } of series) this.#serviceOf[id] = this.#punctuality(service);
  }

  merge(deltas: SlotDeltas): MergeOutcome {
    if (!this.#origins.admit(deltas.origin)) return { duplicate: true, late: 0, firstRow: deltas.size };
    this.announce(deltas.announced);
    let firstRow = 0;
    let late = 0;
    for (let row = 0; row < deltas.size; row++) {
      const slot = deltas.slot[row] as number;
      const series = deltas.series[row] as number;
      const count = deltas.count[row] as number;
      const isLate = slot < this.#slots.frozenBefore;
      const mark = this.#serviceOf[series]?.mark ?? Number.NEGATIVE_INFINITY;
      const untimed = count - (deltas.timed[row] as number);
      this.#tallies.add(series, count, untimed, deltas.weight[row] as number, isLate, slotStartMs(slot + 1) <= mark);
      if (!isLate) continue;
      firstRow = row + 1;
      late += count;
    }
    this.#lateSpans += late;
    for (let from = firstRow; from < deltas.size; ) {
      const slot = deltas.slot[from] as number;
      let to = from + 1;
      while (to < deltas.size && deltas.slot[to] === slot) to++;
      this.#slots.add(slot, this.#writer.fromDeltas(deltas, from, to));
      from = to;
    }
    for (const arrivals of deltas.arrivals) {
      this.#punctuality(arrivals.service).add(arrivals, this.#time.now, deltas.origin.source);
      this.#time.newestMs = Math.max(this.#time.newestMs, arrivals.maxEndMs);
    }
    this.#noteNewest();
    if (deltas.size > 0) this.#time.heard();
    return { duplicate: false, late, firstRow };
  }

  /**
   * Freezes and rolls up what is complete. Call about once a second with the wall clock, in a replay with the clock of the recording, and where sources tell
   * how far they are complete with the time that all of them have come to.
   */
  advance(now: EpochMs, timing: Timing = 'newest'): void {
    const horizon = this.#time.advance(now, timing);
    if (horizon === null) return;
    this.#noteNewest();
    this.#slots.advance(horizon);
  }

  /** Single slots are to be readable from `slot` on, as far back as there is room for; Infinity: as far as they are anyway. */
  set neededFrom(slot: SlotIndex) {
    this.#slots.neededFrom = slot;
  }

  /** `ms` of wall clock in which nobody listened, or that never were: what was heard a moment ago is not long ago now. */
  notListened(ms: DurationMs): void {
    this.#time.notListened(ms);
    for (const punctuality of this.#services.values()) punctuality.heardAt += ms;
  }

  /** Slots before this take no spans any more. */
  get frozenBefore(): SlotIndex {
    return this.#slots.frozenBefore;
  }

  /** Slots from this one on can be read one by one; a multiple of 10. */
  get detailFrom(): SlotIndex {
    return this.#slots.detailFrom;
  }

  /** Slot that time has come to: of the newest event, or as far as sources are complete; -Infinity before the first span. */
  get newestSlot(): SlotIndex {
    return this.#time.slot;
  }

  /** Spans of all series that are in no window. */
  get lateSpans(): number {
    return this.#lateSpans;
  }

  /** Memory held by slots. */
  get byteLength(): number {
    return this.#slots.byteLength;
  }

  /** Event time up to which `service` may be judged; -Infinity when it was never heard. See `Punctuality.watermark`. */
  watermark(service: string, now: EpochMs, timing: Timing = 'newest'): EpochMs {
    return this.#services.get(service)?.watermark(now, timing) ?? Number.NEGATIVE_INFINITY;
  }

  /** The watermark last given out, which asking does not move; -Infinity before any. */
  lastWatermark(service: string): EpochMs {
    return this.#services.get(service)?.mark ?? Number.NEGATIVE_INFINITY;
  }

  /** How long judging waits for stragglers; NaN for a service never heard. */
  lagMs(service: string): DurationMs {
    return this.#services.get(service)?.lagMs ?? Number.NaN;
  }

  /** Latest end time of the service; null when it was never heard. */
  newestAt(service: string): EpochMs | null {
    const newestAt = this.#services.get(service)?.newestAt ?? Number.NEGATIVE_INFINITY;
    return newestAt === Number.NEGATIVE_INFINITY ? null : newestAt;
  }

  /** Spans of a series since the state began, late ones included; and the requests they stand for. */
  received(series: number): number {
    return this.#tallies.received(series);
  }

  receivedWeight(series: number): number {
    return this.#tallies.receivedWeight(series);
  }

  /** Spans of a series without a usable latency: streams, and those whose times cannot be. */
  withoutLatency(series: number): number {
    return this.#tallies.untimed(series);
  }

  /** Spans that came after their slot was frozen. */
  late(series: number): number {
    return this.#tallies.late(series);
  }

  /** Spans that came after their slot was behind the decision watermark, frozen or not. */
  behindWatermark(series: number): number {
    return this.#tallies.behind(series);
  }

  /** Sum of `series` in one 1 s slot, which must not lie before `detailFrom`, with its lanes. */
  readSlot(series: readonly number[], slot: SlotIndex, into: SlotReading): void {
    for (const fragment of this.#slots.fragments(slot)) this.#slotSum.add(fragment, series);
    this.#slotSum.takeReading(into);
  }

  /** The blocks of each slot in memory that [fromMs, toMs) touches, oldest first. Blocks never change: they may be read later. */
  *heldBlocks(fromMs: EpochMs, toMs: EpochMs): Generator<{ startSec: number; blocks: readonly SlotBlock[] }> {
    const { detailFrom } = this.#slots;
    for (const { endSec, blocks } of this.#slots.touched(fromMs, toMs)) {
      yield { startSec: endSec - (endSec <= detailFrom ? 10 : 1), blocks: [...blocks] };
    }
  }

  /** Blocks of stored slots, for windows longer than memory. Throws PermanentError when a slot is corrupt or of another layout. */
  olderBlocks(slots: readonly StoredSlot[]): SlotBlock[] {
    return slots.map(({ level, bytes }) => checkedBlock(bytes, this.layout, level));
  }

  /** Sum of `series` over [fromMs, toMs), as far as it is in memory, and over `older` blocks, which must not overlap it. */
  counts(series: readonly number[], fromMs: EpochMs, toMs: EpochMs, older: readonly SlotBlock[] = []): Counts {
    for (const block of older) this.#sum.add(block, series, true);
    for (const { blocks } of this.#slots.touched(fromMs, toMs)) {
      for (const block of blocks) this.#sum.add(block, series, true);
    }
    return this.#sum.takeCounts();
  }

  /** Latencies of `series`, over the same time as `counts`. */
  distribution(
    series: readonly number[],
    fromMs: EpochMs,
    toMs: EpochMs,
    which: Selection,
    older: readonly SlotBlock[] = [],
  ): SparseDistribution {
    for (const block of older) this.#sum.add(block, series);
    for (const { blocks } of this.#slots.touched(fromMs, toMs)) {
      for (const block of blocks) this.#sum.add(block, series);
    }
    return this.#sum.takeDistribution(which);
  }

  /**
   * Slots with requests of `series` in [beforeMs - spanMs, beforeMs), oldest first, none reaching beyond `beforeMs`: what primes a
   * reference. The same `reading` is filled again and again.
   */
  *baseline(series: readonly number[], beforeMs: EpochMs, spanMs: DurationMs): Generator<{ endMs: EpochMs; reading: SlotReading }> {
    const reading = new SlotReading();
    for (const { endSec, blocks } of this.#slots.touched(beforeMs - spanMs, beforeMs)) {
      if (slotStartMs(endSec) > beforeMs) continue;
      for (const block of blocks) this.#sum.add(block, series);
      this.#sum.takeReading(reading);
      if (reading.requests > 0) yield { endMs: slotStartMs(endSec), reading };
    }
  }

  /** What changed since the last call: slots replace those of the same level and start, notes those of the same key. */
  checkpoint(): { slots: StoredSlot[]; notes: StoredNote[] } {
    const note: WindowNote = {
      ...this.#time.saved(),
      lateSpans: this.#lateSpans,
      cascade: this.#slots.saved(),
      origins: this.#origins.saved(),
      services: [...this.#services].map(([service, punctuality]) => ({ service, heardAt: punctuality.heardAt, ...punctuality.saved() })),
    };
    return { slots: this.#slots.takeChanged(), notes: [{ key: WINDOW_NOTE, json: JSON.stringify(note) }, ...this.#tallies.takeChanged()] };
  }

  /**
   * Takes back what checkpoints saved. Of the slots, those within RESTORE_SEC before the last checkpoint are needed; others are skipped.
   * Throws PermanentError, naming the offset, when a slot is corrupt or of another histogram layout; then this window is unusable. `exact`: time goes on
   * where it was, and silence with it; else silence begins anew.
   */
  restore(
    slots: readonly StoredSlot[],
    notes: readonly StoredNote[],
    series: readonly SeriesInfo[],
    continuity: 'gap' | 'exact' = 'gap',
  ): void {
    const note = restoredNote(notes);
    if (note === null) return;
    const isExact = continuity === 'exact';
    this.#time.restore(note, isExact);
    this.#lateSpans = note.lateSpans;
    this.#origins.restore(note.origins);
    for (const saved of note.services) {
      const punctuality = this.#punctuality(saved.service);
      punctuality.restore(saved);
      if (isExact) punctuality.heardAt = saved.heardAt ?? Number.NaN;
    }
    this.announce(series);
    this.#tallies.restore(notes);
    this.#noteNewest();
    // What was kept is there to be read back, but for what a program kept that dropped all before its newest 90 s.
    if (isExact && note.cascade.droppedBefore != null) this.#slots.neededFrom = Number.NEGATIVE_INFINITY;
    this.#slots.restore(note.cascade, slots, this.layout);
  }

  #noteNewest(): void {
    this.#slots.newestSlot = this.#time.newestSlot;
    this.#slots.reachedSlot = this.#time.slot;
  }

  #punctuality(service: string): Punctuality {
    let punctuality = this.#services.get(service);
    if (punctuality === undefined) {
      punctuality = new Punctuality();
      this.#services.set(service, punctuality);
    }
    return punctuality;
  }
}
