/** Keeps what people and pipelines told the deploy gate: overrides with their audit trail, and results of load tests. */
import type { StoredNote } from '../model/checkpoint.ts';
import { PermanentError } from '../model/errors.ts';
import type { GateOverride, GateOverrideRecord, LoadTestResult } from '../model/gate-view.ts';
import type { EpochMs } from '../model/time.ts';
import { OverrideTrail } from './override-trail.ts';

/** Load tests are kept of so many services, those heard of last, */
export const MAX_TESTED_SERVICES = 100;
/** and of each so many, the newest. */
export const MAX_LOAD_TESTS = 5;

const NOTE = 'gate';

/** As saved: plain JSON. */
interface SavedBook {
  readonly overrides: readonly GateOverrideRecord[];
  readonly loadTests: readonly LoadTestResult[];
}

export class GateBook {
  readonly #overrides = new OverrideTrail<GateOverrideRecord>(({ service }) => service);
  /** By service, that which was heard of longest ago first; each newest first. */
  readonly #loadTests = new Map<string, readonly LoadTestResult[]>();
  #isUnsaved = false;

  /**
   * Takes up an override; it ends the one of the service that is in force. False when there is no room: every place is taken by one in force, which
   * must not be forgotten.
   */
  override({ service, by, reason, at, until }: GateOverride): boolean {
    const isTaken = this.#overrides.add({ service, by, reason, at, until, endedAt: null, endedBy: null });
    this.#isUnsaved ||= isTaken;
    return isTaken;
  }

  /** Ends the override of the service that is in force, and returns it as the audit trail has it from now on; null: there is none. */
  endOverride(service: string, by: string, now: EpochMs): GateOverrideRecord | null {
    const ended = this.#overrides.end(service, by, now);
    this.#isUnsaved ||= ended !== null;
    return ended;
  }

  /** The override of the service that is in force; null: none. */
  overrideOf(service: string, now: EpochMs): GateOverride | null {
    const record = this.#overrides.of(service, now);
    if (record === null) return null;
    const { by, reason, at, until } = record;
    return { service, by, reason, at, until };
  }

  /** All that are kept, newest first, whether in force or over. */
  overrides(): readonly GateOverrideRecord[] {
    return this.#overrides.all();
  }

  /** Takes up a result; the same candidate and time again takes the place of what was said of it. */
  addLoadTest(result: LoadTestResult): void {
    const { service, candidate, at } = result;
    const others = (this.#loadTests.get(service) ?? []).filter((known) => known.candidate !== candidate || known.at !== at);
    // Of the same time, what was handed in last counts as the newest.
    const newest = [result, ...others].toSorted((a, b) => b.at - a.at).slice(0, MAX_LOAD_TESTS);
    this.#loadTests.delete(service);
    this.#loadTests.set(service, newest);
    const [longestAgo] = this.#loadTests.keys();
    if (this.#loadTests.size > MAX_TESTED_SERVICES && longestAgo !== undefined) this.#loadTests.delete(longestAgo);
    this.#isUnsaved = true;
  }

  /** Results of the service, newest first. */
  loadTestsOf(service: string): readonly LoadTestResult[] {
    return this.#loadTests.get(service) ?? [];
  }

  /** All of it as JSON when it changed since it was last taken; null: it did not. */
  takeUnsaved(): string | null {
    if (!this.#isUnsaved) return null;
    this.#isUnsaved = false;
    const loadTests = [...this.#loadTests.values()].flatMap((results) => results.toReversed());
    return JSON.stringify({ overrides: this.#overrides.save(), loadTests } satisfies SavedBook);
  }

  /** The same as a note. */
  snapshot(): StoredNote[] {
    const json = this.takeUnsaved();
    return json === null ? [] : [{ key: NOTE, json }];
  }

  restoreFrom(notes: readonly StoredNote[]): void {
    const note = notes.find(({ key }) => key === NOTE);
    if (note !== undefined) this.restore(note.json);
  }

  /** Takes up what `takeUnsaved` gave, into an empty book. Throws PermanentError when it is not that. */
  restore(json: string): void {
    const { overrides, loadTests } = parsed(json);
    this.#overrides.restore(overrides);
    for (const result of loadTests) this.addLoadTest(result);
    this.#isUnsaved = false;
  }
}

function parsed(json: string): SavedBook {
  try {
    const saved = JSON.parse(json) as Partial<SavedBook>;
    if (!Array.isArray(saved.overrides) || !Array.isArray(saved.loadTests)) throw new Error('a list is missing');
    return saved as SavedBook;
  } catch (cause) {
    throw new PermanentError('note_corrupt', `reading what the gate was told: ${String(cause)}`, { cause });
  }
}
