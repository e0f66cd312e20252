/** Requests of endpoints that the policy mutes: counted by the pattern that mutes them, and asked for nothing. */
import type { Judgement } from '../../model/judgement.ts';
import type { ArmSlot } from './arm-slot.ts';
import { NO_OVERFLOW, type Overflow, overflowing, uncomparedEvidence } from './overflow.ts';

export type MutedState = readonly (readonly [pattern: string, tally: Overflow])[];

export class Muted {
  readonly #byPattern = new Map<string, Overflow>();

  /** Adds one slot of one endpoint that `pattern` mutes. */
  count(pattern: string, baseline: ArmSlot, canary: ArmSlot): void {
    this.#byPattern.set(pattern, overflowing(this.#byPattern.get(pattern) ?? NO_OVERFLOW, baseline, canary));
  }

  /** One line for each pattern that muted something, by pattern. */
  judgements(): readonly Judgement[] {
    return [...this.#byPattern.keys()].sort().map((pattern) => ({
      check: `errors ${pattern}`,
      outcome: 'inconclusive',
      reason: 'muted',
      evidence: uncomparedEvidence(pattern, this.#byPattern.get(pattern) ?? NO_OVERFLOW),
    }));
  }

  snapshot(): MutedState {
    return [...this.#byPattern];
  }

  static restore(state: MutedState): Muted {
    const restored = new Muted();
    for (const [pattern, tally] of state) restored.#byPattern.set(pattern, tally);
    return restored;
  }
}
