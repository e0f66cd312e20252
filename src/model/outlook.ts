/** What a run can find at the traffic there is: planned before it starts, and told while it is inconclusive. */
import type { DurationMs } from './time.ts';

export interface Outlook {
  /** As judgements name it: `p99 POST /checkout`. */
  readonly check: string;
  readonly endpoint: string;
  readonly metric: string;
  /** A regression just worth finding: latency times `ratio`, or `addRatio` more failures. */
  readonly effect: { readonly kind: 'latency'; readonly ratio: number } | { readonly kind: 'errors'; readonly addRatio: number };
  /** How long finding it takes from now on, about; null: never at this traffic. */
  readonly neededMs: DurationMs | null;
  /** The smallest regression that would be found within the time of the run; null: none. */
  readonly smallest: Outlook['effect'] | null;
  /** False: neither harm nor health of this check can be proven within the run at this traffic. */
  readonly isJudgeable: boolean;
}
