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
import { PermanentError } from '../model/errors.ts';
import type { SeriesInfo } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';
import { type DeliveryChange, isFinal, type JournalEntry, openEntries, type SignalJournal } from './journal.ts';
import { type DecidedSignal, KEPT_RUNS, KEPT_SIGNALS, type Store } from './store.ts';

export class MemoryStore implements Store {
  readonly recovered = null;
  readonly journal: SignalJournal;
  readonly #kept: { readonly signals: number; readonly runs: number };
  #at: EpochMs | null = null;
  readonly #series = new Map<number, SeriesInfo>();
  readonly #slots = new Map<LevelSeconds, Map<number, Uint8Array>>(LEVEL_SECONDS.map((level) => [level, new Map()]));
  readonly #countKeys = new Map<number, string>();
  readonly #counts = new Map<CountKind, Map<number, Uint8Array>>(COUNT_KINDS.map((kind) => [kind, new Map()]));
  /** Least recently changed first. */
  readonly #runs = new Map<string, string>();
  readonly #notes = new Map<string, string>();
  readonly #signals = new Map<string, SignalRecord>();

  constructor(kept: { readonly signals?: number; readonly runs?: number } = {}) {
    this.#kept = { signals: kept.signals ?? KEPT_SIGNALS, runs: kept.runs ?? KEPT_RUNS };
    this.journal = new MemoryJournal(this.#signals);
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
    for (const run of checkpoint.runs) {
      this.#runs.delete(run.id);
      this.#runs.set(run.id, run.json);
    }
    for (const note of checkpoint.notes) this.#notes.set(note.key, note.json);
    this.#retain(checkpoint);
    const fresh = this.#journalNew(signals);
    this.#forget();
    return fresh;
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

  #journalNew(signals: readonly DecidedSignal[]): readonly string[] {
    const fresh: string[] = [];
    for (const { signal, decidedAt } of signals) {
      if (this.#signals.has(signal.id)) continue;
      this.#signals.set(signal.id, { decidedAt, deliveries: new Map(openEntries(signal, decidedAt).map((entry) => [entry.sink, entry])) });
      fresh.push(signal.id);
    }
    return fresh;
  }

  #forget(): void {
    for (const id of this.#runs.keys()) {
      if (this.#runs.size <= this.#kept.runs) break;
      this.#runs.delete(id);
    }
    if (this.#signals.size <= this.#kept.signals) return;
    const done = [...this.#signals].filter(([, record]) => [...record.deliveries.values()].every((entry) => isFinal(entry.state)));
    done.sort(([idA, a], [idB, b]) => b.decidedAt - a.decidedAt || (idA < idB ? 1 : -1));
    for (const [id] of done.slice(this.#kept.signals)) this.#signals.delete(id);
  }
}

interface SignalRecord {
  readonly decidedAt: EpochMs;
  readonly deliveries: Map<string, JournalEntry>;
}

class MemoryJournal implements SignalJournal {
  readonly #signals: ReadonlyMap<string, SignalRecord>;

  constructor(signals: ReadonlyMap<string, SignalRecord>) {
    this.#signals = signals;
  }

  pending(): readonly JournalEntry[] {
    return this.#all()
      .filter((entry) => !isFinal(entry.state))
      .reverse();
  }

  mark(signalId: string, sink: string, change: DeliveryChange): void {
    const deliveries = this.#signals.get(signalId)?.deliveries;
    const entry = deliveries?.get(sink);
    if (deliveries === undefined || entry === undefined) {
      throw new PermanentError('unknown_delivery', `marking signal ${signalId} for ${sink}: it is not in the journal`);
    }
    if (isFinal(entry.state)) return;
    const { state, attempts, lastError, at } = change;
    deliveries.set(sink, { ...entry, state, attempts, lastError, updatedAt: at });
  }

  entries(limit: number): readonly JournalEntry[] {
    return this.#all().slice(0, limit);
  }

  /** Newest decision first; ties by id and sink, descending, as the sibling on disk has it. */
  #all(): JournalEntry[] {
    return [...this.#signals.values()]
      .flatMap((record) => [...record.deliveries.values()])
      .sort((a, b) => b.decidedAt - a.decidedAt || descending(a.signal.id, b.signal.id) || descending(a.sink, b.sink));
  }
}

function dropBefore(rows: Map<number, Uint8Array> | undefined, fromSec: number): void {
  for (const startSec of rows?.keys() ?? []) if (startSec < fromSec) rows?.delete(startSec);
}

function descending(a: string, b: string): number {
  return a === b ? 0 : a < b ? 1 : -1;
}
