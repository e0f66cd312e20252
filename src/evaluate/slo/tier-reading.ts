/** What one burn-rate tier sees now: by the rate of failures, by the share of the budget that was spent, or by both. */
import { errorBudget } from '../../model/error-budget.ts';
import type { AlertPolicy, Tier } from '../../model/objective.ts';
import type { TierReading, WindowCounts } from '../../model/slo-views.ts';

export interface TierWindows {
  readonly tier: Tier;
  readonly long: WindowCounts;
  readonly short: WindowCounts;
  /** In (0, 1). */
  readonly target: number;
  readonly policy: Pick<AlertPolicy, 'basis' | 'minBad'>;
  /** Valid events that the whole period is expected to have, as `periodVolume` says; null or 0: nothing to speak of. */
  readonly period: number | null;
}

/** Relative. Counts and budgets carry a few units in the last place; a burn of exactly the tier's rate must not fire. */
const FLOAT_DIRT = 1e-12;

/** Far enough below the threshold to count as calm: Schmitt's trigger, so that a burn that hovers around it does not flap. */
const CALM_SHARE = 0.9;

/**
 * Reads a tier. Both windows must burn above it, strictly (SRE Workbook, chapter 5):
 *
 * - by rate: `(bad / valid) / (1 - target) > burnRate` in each window;
 * - by budget: `bad / ((1 - target) × period)`, the share of the period's budget that was really spent, is above `budgetShare` in the long window and
 *   above `budgetShare × short / long` in the short one. Both forms agree when traffic is even; at night, the second does not page for 2 of 2.
 *
 * Fewer than `minBad` bad events in the long window never fire: the floor is on what went wrong, for a floor on traffic would hide a total outage of a
 * quiet endpoint. Without valid events in the long window, or without a period where the budget form is asked, there is no data.
 *
 * Example: at 99.9 % over 30 days, 36 bad of 2,500 burn at 14.4, which is not above 14.4; 37 are.
 */
export function readTier({ tier, long, short, target, policy, period }: TierWindows): TierReading {
  const budget = errorBudget(target);
  const longBurn = burnOf(long, budget);
  const shortBurn = burnOf(short, budget);
  const longSpent = period !== null && period > 0 ? long.bad / (budget * period) : null;
  const seen = { tier, long, short, longBurn, shortBurn, longSpent };

  const needsPeriod = policy.basis !== 'rate';
  if (long.valid === 0 || (needsPeriod && longSpent === null)) return { ...seen, isFiring: false, why: 'no_data' };
  const rate = policy.basis === 'budget' || isAbove(longBurn, tier.burnRate);
  const spent = policy.basis === 'rate' || isAbove(longSpent ?? 0, tier.budgetShare);
  if (!rate || !spent) return { ...seen, isFiring: false, why: 'below_long' };
  if (!isShortAbove(seen, policy.basis, 1 + FLOAT_DIRT)) return { ...seen, isFiring: false, why: 'below_short' };
  if (long.bad < policy.minBad) return { ...seen, isFiring: false, why: 'too_few_bad' };
  return { ...seen, isFiring: true, why: policy.basis };
}

/**
 * True when the short window burns below nine tenths of what makes the tier fire, so that the alert may go. By the rate of failures whatever the basis: what
 * was spent is little, too, while nobody listened, and an alert must not end for that. Null when it cannot be said: no request in the short window while the
 * long one still holds enough bad events to fire.
 */
export function isCalm(reading: TierReading, { basis, minBad }: Pick<AlertPolicy, 'basis' | 'minBad'>): boolean | null {
  if (reading.isFiring) return false;
  const isFew = reading.long.bad === 0 || reading.long.bad < minBad;
  if (reading.short.valid === 0) return isFew ? true : null;
  if (basis !== 'rate' && isFew) return true;
  return !isShortAbove(reading, 'rate', CALM_SHARE) && (basis !== 'budget' || !isShortAbove(reading, 'budget', CALM_SHARE));
}

type Seen = Pick<TierReading, 'tier' | 'long' | 'short' | 'shortBurn' | 'longSpent'>;

/** Whether the short window is above `part` of the tier's threshold. */
function isShortAbove(seen: Seen, basis: AlertPolicy['basis'], part: number): boolean {
  const { tier } = seen;
  const rate = basis === 'budget' || seen.shortBurn > part * tier.burnRate;
  const spent = basis === 'rate' || shortSpent(seen) > (part * tier.budgetShare * tier.shortMs) / tier.longMs;
  return rate && spent;
}

/** Share of the period's budget that was spent within the short window. */
function shortSpent({ long, short, longSpent }: Seen): number {
  return longSpent === null || long.bad === 0 ? 0 : (longSpent * short.bad) / long.bad;
}

/** As `burnRate`, of a budget that is known. */
function burnOf({ valid, bad }: WindowCounts, budget: number): number {
  return valid === 0 || bad === 0 ? 0 : bad / (budget * valid);
}

function isAbove(value: number, limit: number): boolean {
  return value > limit * (1 + FLOAT_DIRT);
}
