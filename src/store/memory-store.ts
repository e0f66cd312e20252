/** State that lives as long as the process: for replays, demos and tests. */
import {
  type Checkpoint,
  COUNT_KINDS,
  type CountKind,
  LEVEL_SECONDS,
  type LevelSeconds,
  type SavedState,
  type StoredSlot,
} from '../model/checkpoint.ts';
import type { SeriesInfo } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';
import type { DecidedSignal, SignalJournal } from './journal.ts';
import { MemoryJournal } from './memory-journal.ts';
import { type DecisionRecord, KEPT_RUNS, KEPT_SIGNALS, type Store } from './store.ts';

export class MemoryStore implements Store {
  readonly recovered = null;
  readonly journal: SignalJournal;
  readonly #keptRuns: number;
  #at: EpochMs | null = null;
  readonly #series = new Map<number, SeriesInfo>();
  readonly #slots = new Map<LevelSeconds, Map<number, Uint8Array>>(LEVEL_SECONDS.map((level) => [level, new Map()]));
  readonly #countKeys = new Map<number, string>();
  readonly #counts = new Map<CountKind, Map<number, Uint8Array>>(COUNT_KINDS.map((kind) => [kind, new Map()]));
  /** Least recently changed first. */
  readonly #runs = new Map<string, string>();
  readonly #notes = new Map<string, string>();

  constructor(kept: { readonly signals?: number; readonly runs?: number } = {}) {
    this.#keptRuns = kept.runs ?? KEPT_RUNS;
    this.journal = new MemoryJournal(kept.signals ?? KEPT_SIGNALS);
  }

  load(slotsFromSec: Partial<Record<LevelSeconds, number>>): SavedState {
    return {
      at: this.#at,
      series: [...this.#series.values()].sort((a, b) => a.id - b.id),
      slots: LEVEL_SECONDS.flatMap((level) => {
        const fromSec = slotsFromSec[level];
        return fromSec === undefined ? [] : this.slots(level, fromSec, Number.POSITIVE_INFINITY);
      }),
      countKeys: [...this.#countKeys].sort(([a], [b]) => a - b).map(([id, key]) => ({ id, key })),
      counts: [...this.#counts].flatMap(([kind, rows]) => [...rows].map(([startSec, bytes]) => ({ kind, startSec, bytes: bytes.slice() }))),
      runs: [...this.#runs].map(([id, json]) => ({ id, json })),
      notes: [...this.#notes].map(([key, json]) => ({ key, json })),
    };
  }

  checkpoint(checkpoint: Checkpoint, signals: readonly DecidedSignal[] = []): readonly string[] {
    this.#at = checkpoint.at;
    for (const series of checkpoint.series) this.#series.set(series.id, series);
    // The writer may reuse its buffer.
    for (const slot of checkpoint.slots) this.#slots.get(slot.level)?.set(slot.startSec, slot.bytes.slice());
    for (const { id, key } of checkpoint.countKeys) {
      if (key === null) this.#countKeys.delete(id);
      else this.#countKeys.set(id, key);
    }
    for (const { kind, startSec, bytes } of checkpoint.counts) this.#counts.get(kind)?.set(startSec, bytes.slice());
    this.#retain(checkpoint);
    return this.recordDecisions(checkpoint, signals);
  }

  recordDecisions({ runs, notes }: DecisionRecord, signals: readonly DecidedSignal[]): readonly string[] {
    for (const run of runs) {
      this.#runs.delete(run.id);
      this.#runs.set(run.id, run.json);
    }
    for (const note of notes) this.#notes.set(note.key, note.json);
    for (const id of this.#runs.keys()) {
      if (this.#runs.size <= this.#keptRuns) break;
      this.#runs.delete(id);
    }
    return this.journal.append(signals);
  }

  durable(): null {
    return null;
  }

  slots(level: LevelSeconds, fromSec: number, toSec: number): readonly StoredSlot[] {
    return [...(this.#slots.get(level) ?? [])]
      .filter(([startSec]) => startSec >= fromSec && startSec < toSec)
      .sort(([a], [b]) => a - b)
      .map(([startSec, bytes]) => ({ level, startSec, bytes: bytes.slice() }));
  }

  close(): void {}

  [Symbol.dispose](): void {
    this.close();
  }

  #retain({ retain, retainCounts }: Pick<Checkpoint, 'retain' | 'retainCounts'>): void {
    for (const { level, slotsFromSec } of retain) dropBefore(this.#slots.get(level), slotsFromSec);
    for (const { kind, fromSec } of retainCounts) dropBefore(this.#counts.get(kind), fromSec);
  }
}

function dropBefore(rows: Map<number, Uint8Array> | undefined, fromSec: number): void {
  for (const startSec of rows?.keys() ?? []) if (startSec < fromSec) rows?.delete(startSec);
}
