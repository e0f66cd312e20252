/** What handlers of overrides have in common, be it of the deploy gate or of signals. */
import type { Unavailable } from '../api/unavailable.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Clock } from './clock.ts';

export interface OverrideParts {
  readonly telemetry: Telemetry;
  readonly clock: Pick<Clock, 'now'>;
  /** Makes a change durable; false when the store refuses. */
  checkpoint(): boolean;
  /** True while the store takes what it is given. */
  isDurable(): boolean;
}

/** Every place for overrides is taken by one in force. */
export const OVERRIDES_FULL: Unavailable = {
  outcome: 'unavailable',
  detail: 'too many overrides are in force already',
  retryAfterMs: 60_000,
};
