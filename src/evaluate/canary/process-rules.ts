/** How much one second, and one incident, may say at most, and how the money of a process enters over time. */
import type { CanaryPolicy } from '../../model/policy.ts';
import type { DurationMs } from '../../model/time.ts';

/** Part of a process's money that bets from the start; the rest enters in instalments, so that late regressions find fresh money. */
export const INITIAL_STAKE = 0.5;

/** The caps and the tempering that keep one incident of one pod from deciding. Only tests that show why they exist set them otherwise. */
export interface ProcessLimits {
  /** Highest log evidence of one block. */
  readonly blockCap: number;
  /** Highest log evidence of one incident window; null: derived from alpha so that two full windows never suffice. */
  readonly windowCap: number | null;
  /** Whether evidence is divided by the estimated overdispersion. */
  readonly isTempered: boolean;
}

export const PROCESS_LIMITS: ProcessLimits = { blockCap: Math.LN10, windowCap: null, isTempered: true };

export interface ProcessRules {
  readonly windowMs: DurationMs;
  readonly windowCap: number;
  /** Money that enters per incident window. */
  readonly instalment: number;
}

/** Rules of the harm and safe processes; a severe process has no window cap. Windows cap at ½ ln(1 / (alpha · stake)): 2.649 for alpha = 0.01. */
export function processRules(policy: CanaryPolicy, limits: ProcessLimits, isSevere: boolean): ProcessRules {
  const derived = 0.5 * Math.log(1 / (policy.alpha * INITIAL_STAKE));
  return {
    windowMs: policy.incidentWindowMs,
    windowCap: isSevere ? Infinity : (limits.windowCap ?? derived),
    instalment: ((1 - INITIAL_STAKE) * policy.incidentWindowMs) / policy.horizonMs,
  };
}
