/** What the API asks when a deploy system says what became of a signal. */
import type { DeliveryState } from '../model/rollout.ts';
import type { Unavailable } from './unavailable.ts';

export interface SignalOutcome {
  readonly signalId: string;
  /** Null: every sink that waits to be told. */
  readonly sink: string | null;
  readonly outcome: 'done' | 'not_done';
  readonly by: string;
  /** Empty when nothing was said. */
  readonly detail: string;
}

export type ReportedOutcome =
  /** It is kept, or was kept before. */
  | { readonly outcome: 'kept' }
  | { readonly outcome: 'unknown' }
  /** The sink does not wait to be told. */
  | { readonly outcome: 'not_awaited' }
  /** The delivery is over, and ended otherwise. */
  | { readonly outcome: 'over'; readonly state: DeliveryState }
  | Unavailable;
