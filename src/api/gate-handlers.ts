/** What the routes of the deploy gate ask of the running service. */
import type { GateOverrideRecord, GateView, LoadTestResult } from '../model/gate-view.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { Unavailable } from './unavailable.ts';

type Eventually<T> = T | Promise<T>;

/** Somebody's wish that deploys of a service go out although the gate would refuse them. */
export interface OverrideWish {
  readonly service: string;
  readonly by: string;
  readonly reason: string;
  readonly forMs: DurationMs;
}

/** An override as the audit trail is shown. */
export interface OverrideEntry extends GateOverrideRecord {
  readonly isInForce: boolean;
}

export interface GateHandlers {
  /** May a deploy of the service go out now? Asked of any name. */
  gate(service: string): Eventually<GateView>;
  /** In force from now on; ends one of the service that is in force. */
  overrideGate(wish: OverrideWish): Eventually<{ readonly outcome: 'in_force'; readonly override: OverrideEntry } | Unavailable>;
  endGateOverride(
    service: string,
    by: string,
  ): Eventually<{ readonly outcome: 'ended'; readonly override: OverrideEntry } | { readonly outcome: 'none' } | Unavailable>;
  /** The audit trail, newest first. */
  gateOverrides(): Eventually<{ readonly now: EpochMs; readonly overrides: readonly OverrideEntry[] }>;
  addLoadTest(result: LoadTestResult): Eventually<{ readonly outcome: 'kept' } | Unavailable>;
}
