/** A partition of the delta topic that is ours: its records go into a cell, whose state stands at exactly the position up to which they did. */
import { rmSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import type { GuardState } from '../../decide/guard.ts';
import type { SourceBook } from '../../engine/source-book.ts';
import type { LogGap, LogPosition, LogRecord } from '../../kafka/log.ts';
import { within } from '../../kafka/time-limit.ts';
import type { StoredNote } from '../../model/checkpoint.ts';
import type { SlotDeltas } from '../../model/slot-deltas.ts';
import type { SourceGap } from '../../model/source-progress.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import type { ChangelogStore } from '../../store/changelog-store.ts';
import type { DeltaReader } from '../../wire/delta-reader.ts';
import { readProgress } from '../../wire/progress-record.ts';
import { kindOf } from '../../wire/record-kind.ts';
import { isWireError, type WireError, wireErrorText } from '../../wire/wire-error.ts';
import type { Cell } from '../cell.ts';
import type { Clock } from '../clock.ts';
import type { CellTelemetry } from '../members/cell-telemetry.ts';
import { sourceGap } from '../source-gap.ts';

const POSITION_NOTE = 'delta-position';
/** Judging moves on when the time it lives in has by this much. */
const TURN_MS: DurationMs = 250;
/** How often records that cannot be read are worth a line of the log. */
const REFUSALS_TOLD_MS: DurationMs = 60_000;

export interface OwnedCellParts {
  readonly cell: Cell;
  readonly sources: SourceBook;
  readonly reader: DeltaReader;
  readonly telemetry: CellTelemetry;
  readonly clock: Clock;
  readonly store: ChangelogStore;
  /** As saved; null: nothing of the partition was ever taken. */
  readonly position: LogPosition | null;
  /** As it is now, for the services of this cell. */
  config(): Config;
  /** Harm of a canary of the service was proven, whatever comes of it. */
  harmed(service: string, at: EpochMs): void;
  /** Of the store's scratch files; goes with the cell. */
  readonly folder: string;
}

export class OwnedCell {
  readonly cell: Cell;
  readonly #parts: OwnedCellParts;
  #position: LogPosition | null;
  #harms: GuardState['harms'];
  #turnedAt: EpochMs = Number.NEGATIVE_INFINITY;
  /** Records that could not be read since it was told last, and when that was. */
  #refused = 0;
  #refusalToldAt: DurationMs = Number.NEGATIVE_INFINITY;

  constructor(parts: OwnedCellParts) {
    this.#parts = parts;
    this.cell = parts.cell;
    this.#position = parts.position;
    this.#harms = this.cell.engine.controls.guard.harms;
  }

  /** Up to where records are part of the cell's state. */
  get position(): LogPosition | null {
    return this.#position;
  }

  /** What is to be saved with every checkpoint of the cell. */
  notes(): readonly StoredNote[] {
    const position = this.#position === null ? [] : [{ key: POSITION_NOTE, json: JSON.stringify(this.#position) }];
    return [...position, ...this.#parts.reader.notes()];
  }

  /** Never throws for what a record holds: one that cannot be read is a gap. */
  take(record: LogRecord): void {
    const { reader, sources, clock } = this.#parts;
    const bytes = record.value ?? new Uint8Array(0);
    const kind = kindOf(bytes);
    switch (kind) {
      case 'deltas':
        this.#merge(reader.read(bytes), record);
        break;
      case 'progress': {
        const report = readProgress(bytes);
        if (isWireError(report)) this.#poison(report, record);
        else sources.report(report, clock.now());
        break;
      }
      case null:
        this.#poison({ kind: 'malformed', field: 'kind', offset: 0, message: 'this is no record of ours' }, record);
        break;
      default:
        kind satisfies never;
    }
    this.#position = { offset: record.offset + 1, anchor: { offset: record.offset, timestampMs: record.timestampMs } };
    const now = this.cell.judging.now();
    // Nothing is known of the sources at first.
    if (!(now - this.#turnedAt >= TURN_MS)) return;
    this.#turnedAt = now;
    this.cell.judging.turn([]);
    this.#tellHarms();
  }

  gap(gap: LogGap): void {
    this.#lose(sourceGap(gap));
  }

  /** Judging moves on with time. To be called about twice a second. */
  tick(): void {
    this.cell.judging.tick();
    this.#tellHarms();
  }

  /** Takes new policies. */
  reconfigure(): void {
    this.cell.engine.reconfigure(this.#parts.config().policies);
  }

  /** Resolves once all that was written until now is durable; null: it is. */
  durable(): Promise<void> | null {
    return this.#parts.store.durable();
  }

  /** Judges no more, and saves; true when all is durable within the time. */
  async finish(withinMs: DurationMs): Promise<boolean> {
    this.cell.pause();
    const isWritten = this.cell.judging.checkpoint('whole');
    const durable = this.#parts.store.durable();
    if (durable === null) return isWritten;
    return within(durable, withinMs).then(
      () => isWritten,
      () => false,
    );
  }

  /** Lets go of everything, saved or not: nothing of it takes effect any more. */
  async drop(): Promise<void> {
    this.cell.pause();
    await this.cell.stop();
    await this.#parts.store.finish(AbortSignal.abort());
    this.#parts.telemetry.drop();
    rmSync(this.#parts.folder, { recursive: true, force: true });
  }

  #tellHarms(): void {
    const { harms } = this.cell.engine.controls.guard;
    if (harms === this.#harms) return;
    const known = new Set(this.#harms.map(({ service, at }) => `${at} ${service}`));
    this.#harms = harms;
    for (const { service, at } of harms) if (!known.has(`${at} ${service}`)) this.#parts.harmed(service, at);
  }

  #merge(read: SlotDeltas | WireError, record: LogRecord): void {
    if (isWireError(read)) this.#poison(read, record);
    else this.cell.judging.merge([read]);
  }

  /** Of which time its counts are is not known: no later than it was written, and not before what is judged already. */
  #poison(error: WireError, { offset, timestampMs }: LogRecord): void {
    const { telemetry, clock } = this.#parts;
    telemetry.add('delta_records_refused_total', 1);
    this.#refused++;
    const text = `offset ${offset} of the delta topic cannot be read: ${wireErrorText(error)}`;
    const gap: SourceGap = { source: 'deltas', reason: 'poison', fromMs: null, toMs: timestampMs < 0 ? null : timestampMs, text };
    const at = clock.monotonicMs();
    // A member of another release, or set up in another way, writes several a second.
    const isTold = at - this.#refusalToldAt >= REFUSALS_TOLD_MS;
    this.#lose(gap, isTold ? { refused: this.#refused } : null);
    if (!isTold) return;
    this.#refusalToldAt = at;
    this.#refused = 0;
  }

  /** `told`: goes into the line of the log; null: there is none. */
  #lose(gap: SourceGap, told: { readonly refused?: number } | null = {}): void {
    const { telemetry, sources, clock } = this.#parts;
    if (told !== null)
      telemetry.log.error(
        { ...gap, ...told },
        'counts were lost: budgets are incomplete and no verdict is given until evidence has built up again',
      );
    sources.lost(gap, clock.now());
  }
}

/** Where to go on, as the notes of a saved state have it; null: from the start. */
export function savedPosition(notes: readonly StoredNote[]): LogPosition | null {
  const note = notes.find(({ key }) => key === POSITION_NOTE);
  return note === undefined ? null : (JSON.parse(note.json) as LogPosition);
}
