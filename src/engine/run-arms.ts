/** Which series take part in a run, on which side, and what came of them. */
import type { EndpointTiming, Telemetry } from '../decide/trust.ts';
import type { Rollout } from '../model/rollout.ts';
import { releaseMatches, type SeriesInfo } from '../model/series.ts';
import { type DurationMs, type EpochMs, type SlotIndex, slotStartMs } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import { ArmTally, type ArmTallyState } from './arm-tally.ts';

export type Arm = 'baseline' | 'canary';

export interface BoundEndpoint {
  readonly baseline: number[];
  readonly canary: number[];
  /** Its baseline's past has been given to the comparison. */
  isPrimed: boolean;
}

/** Plain data without infinities. */
export interface RunArmsState {
  readonly baseline: ArmTallyState;
  readonly canary: ArmTallyState;
  /** Endpoints in the order they were bound, and whether their baseline's past was given to the comparison. */
  readonly endpoints: readonly (readonly [name: string, isPrimed: boolean])[];
}

export class RunArms {
  readonly endpoints = new Map<string, BoundEndpoint>();
  readonly baseline = new ArmTally();
  readonly canary = new ArmTally();
  readonly #all = { baseline: [] as number[], canary: [] as number[] };

  /** Lets a series of the rollout's service take part; one that matches neither release does not. */
  bind(rollout: Rollout, info: SeriesInfo, window: SlidingWindow): void {
    const arm = armOf(rollout, info);
    if (arm === null) return;
    const endpoint = this.endpoints.get(info.endpoint) ?? { baseline: [], canary: [], isPrimed: false };
    this.endpoints.set(info.endpoint, endpoint);
    if (endpoint[arm].includes(info.id)) return;
    endpoint[arm].push(info.id);
    this.#all[arm].push(info.id);
    this[arm].bind(info.id, window);
  }

  save(): RunArmsState {
    const endpoints = [...this.endpoints].map(([name, { isPrimed }]): [string, boolean] => [name, isPrimed]);
    return { baseline: this.baseline.save(), canary: this.canary.save(), endpoints };
  }

  /** Goes on with what was counted; series are to be bound again. */
  restore(saved: RunArmsState): void {
    this.endpoints.clear();
    for (const [name, isPrimed] of saved.endpoints) this.endpoints.set(name, { baseline: [], canary: [], isPrimed });
    this.baseline.restore(saved.baseline);
    this.canary.restore(saved.canary);
  }

  /** Requests of one side in one slot, which must not lie before the window's detail. */
  requests(arm: Arm, window: SlidingWindow, slot: SlotIndex): number {
    return window.counts(this.#all[arm], slotStartMs(slot), slotStartMs(slot + 1)).spans;
  }

  get late(): number {
    return this.baseline.late + this.canary.late;
  }

  /** What came since the run began, judged up to `at` and `lagMs` behind the newest. */
  telemetry(window: SlidingWindow, at: EpochMs, lagMs: DurationMs): Pick<Telemetry, 'baseline' | 'canary' | 'endpoints'> {
    return {
      baseline: this.baseline.tally(window, at, lagMs),
      canary: this.canary.tally(window, at, lagMs),
      endpoints: this.#timings(window),
    };
  }

  *#timings(window: SlidingWindow): Generator<EndpointTiming> {
    for (const { baseline, canary } of this.endpoints.values()) {
      yield { baseline: this.baseline.timing(baseline, window), canary: this.canary.timing(canary, window) };
    }
  }
}

/** The side of a run that a series belongs to; one that matches both releases is the canary's. */
export function armOf(rollout: Rollout, info: Pick<SeriesInfo, 'service' | 'release'>): Arm | null {
  if (info.service !== rollout.service) return null;
  if (releaseMatches(rollout.canary, info.release)) return 'canary';
  return releaseMatches(rollout.baseline, info.release) ? 'baseline' : null;
}
