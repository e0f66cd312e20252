/** Whether an objective's alert fires, from what its tiers see: the worst one counts, and none goes at the first calm second. */
import type { AlertPolicy, Severity, Tier } from '../../model/objective.ts';
import type { TierReading } from '../../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import { isCalm } from './tier-reading.ts';

/** A tier that fired and has not been calm for long enough since. */
export interface HeldTier extends Pick<Tier, 'severity' | 'longMs' | 'shortMs'> {
  /** How long it has been calm, in time in which telemetry was heard. */
  readonly calmMs: DurationMs;
}

/** Plain data: goes through JSON unchanged. */
export interface AlertState {
  readonly severity: Severity | null;
  /** Since when it is this severity. */
  readonly since: EpochMs | null;
  readonly isFrozen: boolean;
  /** Up to when calm was counted; null while nothing is held. */
  readonly heardAt: EpochMs | null;
  readonly held: readonly HeldTier[];
}

export const NO_ALERT: AlertState = { severity: null, since: null, isFrozen: false, heardAt: null, held: [] };

export interface AlertStep {
  readonly at: EpochMs;
  /** Newest event time of the service, at most `at`: calm is counted only as far as something was heard. */
  readonly heardAt: EpochMs;
  /** Telemetry is lost, state unknown or the clock has jumped. */
  readonly isFrozen: boolean;
  readonly policy: Pick<AlertPolicy, 'basis' | 'minBad'>;
}

/** An interruption of a burn that is no longer than the tier's short window does not end its alert, so calm must last that long, within these. */
const SHORTEST_HOLD_MS = 2 * 60_000;
const LONGEST_HOLD_MS = 30 * 60_000;

/**
 * A longer hole in what was heard counts as this much: a service that speaks once in five minutes must get out of its alert, too. Less than any hold, so
 * that one good request after a hole ends nothing.
 */
const LONGEST_STEP_MS = 60_000;

/**
 * The state after `readings`. Each tier that fires is held until it has been calm (`isCalm`) for its short window, 2 to 30 minutes, without a break; the
 * severity is that of the worst held tier, so that a page silences tickets and a ticket may outlive its page. Every tier is held by itself: so, of the same
 * requests, more bad ones never end an alert earlier. While frozen nothing changes and no time passes; afterwards it goes on where it was, and a
 * hole in what was heard counts one minute at most.
 */
export function nextAlert(state: AlertState, readings: readonly TierReading[], { at, heardAt, isFrozen, policy }: AlertStep): AlertState {
  if (isFrozen) {
    // What is heard while state is unknown counts nothing. Of a silent service nothing is, and this stays what it was.
    const until = state.heardAt === null ? null : heardAt;
    return state.isFrozen && state.heardAt === until ? state : { ...state, isFrozen: true, heardAt: until };
  }
  const elapsedMs = state.heardAt === null ? 0 : Math.min(Math.max(heardAt - state.heardAt, 0), LONGEST_STEP_MS);
  const held: HeldTier[] = [];
  for (const reading of readings) {
    const before = state.held.length === 0 ? undefined : state.held.find((tier) => isSame(tier, reading.tier));
    const tier = stillHeld(before, reading, elapsedMs, policy);
    if (tier !== null) held.push(tier);
  }
  if (held.length === 0) return state.severity === null && !state.isFrozen ? state : NO_ALERT;
  const severity = worst(held);
  const since = severity === state.severity ? state.since : at;
  // A newest event time never goes back; where a wrong clock made it so, it is counted from there again.
  return { severity, since, isFrozen: false, heardAt, held };
}

function stillHeld(
  before: HeldTier | undefined,
  reading: TierReading,
  elapsedMs: DurationMs,
  policy: AlertStep['policy'],
): HeldTier | null {
  const { severity, longMs, shortMs } = reading.tier;
  if (reading.isFiring) return { severity, longMs, shortMs, calmMs: 0 };
  if (before === undefined) return null;
  const calm = isCalm(reading, policy);
  if (calm === null) return before;
  if (!calm) return { ...before, calmMs: 0 };
  const calmMs = before.calmMs + elapsedMs;
  return calmMs >= holdMs(reading.tier) ? null : { ...before, calmMs };
}

/** How long a tier must be calm before its alert ends. */
export function holdMs({ shortMs }: Pick<Tier, 'shortMs'>): DurationMs {
  return Math.min(Math.max(shortMs, SHORTEST_HOLD_MS), LONGEST_HOLD_MS);
}

function worst(held: readonly HeldTier[]): Severity {
  return held.some(({ severity }) => severity === 'page') ? 'page' : 'ticket';
}

function isSame(a: Pick<Tier, 'severity' | 'longMs' | 'shortMs'>, b: Tier): boolean {
  return a.longMs === b.longMs && a.shortMs === b.shortMs && a.severity === b.severity;
}
