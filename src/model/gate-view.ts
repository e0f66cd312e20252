/** What is said to a deploy that asks whether it may go out. */
import type { EpochMs } from './time.ts';

export const GATE_REASONS = [
  'budget_left',
  'budget_low',
  'budget_spent',
  'objective_burns',
  'rollout_in_flight',
  'rolled_back_lately',
  'incident_large',
  'trend_steep',
  'load_test_passed',
  'load_test_failed',
  'load_test_inconclusive',
  'load_test_missing',
  'no_objectives',
  'no_data',
  'stale_telemetry',
  'state_unknown',
  'overridden',
] as const;
export type GateReason = (typeof GATE_REASONS)[number];

export interface GateFinding {
  readonly reason: GateReason;
  readonly answer: 'allow' | 'warn' | 'refuse' | 'unknown';
  /** The objective, rollout or test it is about; null: the service. */
  readonly subject: string | null;
  /** In words, with the numbers. */
  readonly text: string;
}

export interface GateOverride {
  readonly service: string;
  readonly by: string;
  readonly reason: string;
  readonly at: EpochMs;
  readonly until: EpochMs;
}

/** An override as the audit trail keeps it, whether in force or long over. */
export interface GateOverrideRecord extends GateOverride {
  /** When it was ended before its time, by another override of the service or on request; null: it ended or ends at `until`. */
  readonly endedAt: EpochMs | null;
  /** Who ended it; null: nobody. */
  readonly endedBy: string | null;
}

export interface GateView {
  readonly service: string;
  readonly now: EpochMs;
  /** The worst finding, refuse before unknown before warn before allow; with an override in force a refusal or unknown becomes a warning. */
  readonly answer: 'allow' | 'warn' | 'refuse' | 'unknown';
  readonly findings: readonly GateFinding[];
  /** In force; null: none. */
  readonly override: GateOverride | null;
}

/** What a comparison of two recordings said about a candidate, handed in by a pipeline. */
export interface LoadTestResult {
  readonly service: string;
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  /** Free text: release, commit or pipeline. */
  readonly candidate: string;
  readonly at: EpochMs;
  /** What failed, or how much was compared; one line. */
  readonly summary: string;
}
