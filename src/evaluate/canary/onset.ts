/** When harm probably began: the moment since which the evidence has only grown. */
import { type EpochMs, type SlotIndex, slotStartMs } from '../../model/time.ts';

export interface OnsetsState {
  readonly lows: readonly (readonly [name: string, lows: readonly number[], at: readonly SlotIndex[]])[];
}

interface Lows {
  readonly logE: number[];
  readonly at: SlotIndex[];
}

/**
 * The last time at which each wealth was at its lowest. A healthy canary's wealth only sinks: what is in the game is lost little by little and instalments
 * follow it. From the onset on it grows, and the money that gains is what entered at about that time: what entered long before had been lost by then, what
 * enters later has gained less. So the last minimum estimates the restart with most money, as the last minimum of a cumulative sum estimates a change
 * point (Page 1954), with two numbers a check instead of one for each bet and restart.
 */
export class Onsets {
  readonly #byName = new Map<string, Lows>();

  /** Notes what the wealths of this name are after a block that ended with `slot`. */
  note(name: string, wealths: readonly { readonly logE: number }[], slot: SlotIndex): void {
    let lows = this.#byName.get(name);
    if (lows === undefined) {
      lows = { logE: wealths.map(() => 0), at: wealths.map(() => slot) };
      this.#byName.set(name, lows);
    }
    for (let index = 0; index < wealths.length; index++) {
      const { logE } = wealths[index] as { logE: number };
      if (logE > (lows.logE[index] as number)) continue;
      lows.logE[index] = logE;
      lows.at[index] = slot + 1;
    }
  }

  /** Null while there is no evidence of harm: the wealth is no more than at the start. */
  onsetAt(name: string, index: number, logE: number): EpochMs | null {
    const at = this.#byName.get(name)?.at[index];
    return at === undefined || logE <= 0 ? null : slotStartMs(at);
  }

  snapshot(): OnsetsState {
    return { lows: [...this.#byName].map(([name, { logE, at }]) => [name, [...logE], [...at]]) };
  }

  static restore(state: OnsetsState): Onsets {
    const restored = new Onsets();
    for (const [name, logE, at] of state.lows) restored.#byName.set(name, { logE: [...logE], at: [...at] });
    return restored;
  }
}
