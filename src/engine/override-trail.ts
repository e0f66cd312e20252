/** Overrides in force and their audit trail: at most one of a subject is in force, and none that is in force is forgotten. */
import type { EpochMs } from '../model/time.ts';

/** Overrides that are over are kept, up to so many with those in force. */
export const MAX_OVERRIDES = 200;

/** What every kind of override has. */
export interface Overriding {
  readonly by: string;
  readonly at: EpochMs;
  /** Null: until it is ended. */
  readonly until: EpochMs | null;
  readonly endedAt: EpochMs | null;
  readonly endedBy: string | null;
}

export class OverrideTrail<Entry extends Overriding> {
  readonly #subjectOf: (entry: Entry) => string;
  /** Oldest first. */
  #entries: Entry[] = [];

  constructor(subjectOf: (entry: Entry) => string) {
    this.#subjectOf = subjectOf;
  }

  /** Takes up an override; it ends the one of its subject that is in force. False when there is no room: every place is taken by one in force. */
  add(entry: Entry): boolean {
    const subject = this.#subjectOf(entry);
    const isInForce = (known: Entry): boolean => inForce(known, entry.at);
    if (this.#entries.filter((known) => this.#subjectOf(known) !== subject && isInForce(known)).length >= MAX_OVERRIDES) return false;
    this.end(subject, entry.by, entry.at);
    this.#entries.push(entry);
    if (this.#entries.length > MAX_OVERRIDES) {
      this.#entries.splice(
        this.#entries.findIndex((known) => !isInForce(known)),
        1,
      );
    }
    return true;
  }

  /** Ends the override of the subject that is in force, and returns it as it is kept from now on; null: there is none. */
  end(subject: string, by: string, now: EpochMs): Entry | null {
    const index = this.#entries.findIndex((entry) => this.#subjectOf(entry) === subject && inForce(entry, now));
    const entry = this.#entries[index];
    if (entry === undefined) return null;
    const ended = { ...entry, endedAt: now, endedBy: by };
    this.#entries[index] = ended;
    return ended;
  }

  /** In force for the subject; null: none. */
  of(subject: string, now: EpochMs): Entry | null {
    return this.#entries.find((entry) => this.#subjectOf(entry) === subject && inForce(entry, now)) ?? null;
  }

  inForce(now: EpochMs): readonly Entry[] {
    return this.#entries.filter((entry) => inForce(entry, now));
  }

  /** All that are kept, newest first. */
  all(): readonly Entry[] {
    return this.#entries.toReversed();
  }

  /** Oldest first: what `restore` takes. */
  save(): readonly Entry[] {
    return this.#entries;
  }

  restore(entries: readonly Entry[]): void {
    this.#entries = [...entries];
  }
}

export function inForce({ until, endedAt }: Pick<Overriding, 'until' | 'endedAt'>, now: EpochMs): boolean {
  return endedAt === null && (until === null || now < until);
}
