/** Keeps what operators forbid: overrides and resets of the breaker with their audit trail, and whether the kill switch is thrown. */
import { lowerMode } from '../decide/ceiling.ts';
import type { BreakerReset, ControlOverride, ControlOverrideRecord, OverrideScope } from '../model/control-view.ts';
import { PermanentError } from '../model/errors.ts';
import type { PolicyMode } from '../model/policy.ts';
import type { EpochMs } from '../model/time.ts';
import { OverrideTrail } from './override-trail.ts';

/** Resets are kept as an audit trail, up to so many. */
export const MAX_RESETS = 50;

/** As saved: plain JSON. */
interface SavedBook {
  readonly overrides: readonly ControlOverrideRecord[];
  readonly resets: readonly BreakerReset[];
}

const EVERYTHING: OverrideScope = { service: null, rollout: null };

export class ControlBook {
  readonly #overrides = new OverrideTrail<ControlOverrideRecord>(subjectOf);
  /** Oldest first. */
  #resets: BreakerReset[] = [];
  #isUnsaved = false;
  /** Since when a file of the machine holds all rollbacks back; null: there is none. Looked at anew by every process, so it is not saved. */
  switchedAt: EpochMs | null = null;

  /** Takes up an override; it ends the one of the same scope that is in force. False when every place is taken by one in force. */
  override({ service, rollout, mode, by, reason, at, until }: ControlOverride): boolean {
    const isTaken = this.#overrides.add({ service, rollout, mode, by, reason, at, until, endedAt: null, endedBy: null });
    this.#isUnsaved ||= isTaken;
    return isTaken;
  }

  /** Ends the override of exactly this scope, and returns it as the audit trail has it from now on; null: there is none. */
  endOverride(scope: OverrideScope, by: string, now: EpochMs): ControlOverrideRecord | null {
    const ended = this.#overrides.end(subjectOf(scope), by, now);
    this.#isUnsaved ||= ended !== null;
    return ended;
  }

  /** The most that may leave for a rollout of a service: the lowest of all that is in force for it. */
  modeOf(service: string, rollout: string, now: EpochMs): PolicyMode {
    const meant = [EVERYTHING, { service, rollout: null }, { service: null, rollout }].map(subjectOf);
    const modes = meant.map((subject): PolicyMode => this.#overrides.of(subject, now)?.mode ?? 'rollback');
    return modes.reduce(lowerMode, this.switchedAt === null ? 'rollback' : 'hold');
  }

  inForce(now: EpochMs): readonly ControlOverrideRecord[] {
    return this.#overrides.inForce(now);
  }

  /** All that are kept, newest first, whether in force or over. */
  overrides(): readonly ControlOverrideRecord[] {
    return this.#overrides.all();
  }

  addReset(reset: BreakerReset): void {
    this.#resets = [...this.#resets, reset].slice(-MAX_RESETS);
    this.#isUnsaved = true;
  }

  /** Newest first. */
  resets(): readonly BreakerReset[] {
    return this.#resets.toReversed();
  }

  /** All of it as JSON when it changed since it was last taken; null: it did not. */
  takeUnsaved(): string | null {
    if (!this.#isUnsaved) return null;
    this.#isUnsaved = false;
    return JSON.stringify({ overrides: this.#overrides.save(), resets: this.#resets } satisfies SavedBook);
  }

  /** Takes up what `takeUnsaved` gave, into an empty book. Throws PermanentError when it is not that. */
  restore(json: string): void {
    const { overrides, resets } = parsed(json);
    this.#overrides.restore(overrides);
    this.#resets = [...resets];
    this.#isUnsaved = false;
  }
}

/** Encoded as JSON, so that no name of a service or rollout makes two scopes alike. */
function subjectOf({ service, rollout }: OverrideScope): string {
  return JSON.stringify([service, rollout]);
}

function parsed(json: string): SavedBook {
  try {
    const saved = JSON.parse(json) as Partial<SavedBook>;
    if (!Array.isArray(saved.overrides) || !Array.isArray(saved.resets)) throw new Error('a list is missing');
    return saved as SavedBook;
  } catch (cause) {
    throw new PermanentError('note_corrupt', `reading what operators forbade: ${String(cause)}`, { cause });
  }
}
