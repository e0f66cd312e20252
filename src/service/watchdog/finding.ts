/** What one look at a part says, and who looks. */
import type { WatchdogPart } from '../../model/watchdog-view.ts';

export interface Finding {
  readonly part: WatchdogPart;
  /** What was expected and what was found, one sentence for people; null: it is well. */
  readonly fault: string | null;
}

export interface WatchdogCheck {
  /** Blamed when looking itself fails or takes too long. */
  readonly part: WatchdogPart;
  /** Parts that are not among the findings could not be looked at: nothing new is known of them. */
  look(): readonly Finding[] | Promise<readonly Finding[]>;
}

/** Only differences of the monotonic clock mean something, so ages are told in seconds. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
