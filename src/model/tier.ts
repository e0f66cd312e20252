/** Burn-rate tiers by shares of the budget, and which of them can never fire. */
import { errorBudget } from './error-budget.ts';
import type { Severity, Tier } from './objective.ts';
import type { DurationMs } from './time.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MONTH_MS = 30 * DAY_MS;

/** The short window is this part of the long one (SRE Workbook, chapter 5). */
const SHORT_PART = 12;
const SHORTEST_MS = MINUTE_MS;
const SHORTEST_LONG_MS = 10 * MINUTE_MS;

/** Two that page and two that make tickets: SRE Workbook, table 5-8 and the expression above it, which has the third. For 30 days. */
const GOOGLE: readonly { readonly severity: Severity; readonly longMs: DurationMs; readonly budgetShare: number }[] = [
  { severity: 'page', longMs: HOUR_MS, budgetShare: 0.02 },
  { severity: 'page', longMs: 6 * HOUR_MS, budgetShare: 0.05 },
  { severity: 'ticket', longMs: DAY_MS, budgetShare: 0.1 },
  { severity: 'ticket', longMs: 3 * DAY_MS, budgetShare: 0.1 },
];

/** A tier of an objective over `windowMs`. The burn rate is rounded to 12 digits: 0.02 × 30 d / 1 h is 14.4. */
export function tierOf(
  {
    severity,
    longMs,
    shortMs,
    budgetShare,
  }: { severity: Severity; longMs: DurationMs; shortMs?: DurationMs | undefined; budgetShare: number },
  windowMs: DurationMs,
): Tier {
  const burnRate = Number(((budgetShare * windowMs) / longMs).toPrecision(12));
  return { severity, longMs, shortMs: shortMs ?? Math.max(SHORTEST_MS, longMs / SHORT_PART), budgetShare, burnRate };
}

/**
 * The Workbook's tiers for a window. Shares of the budget stay what they are; long windows shrink with windows below 30 days, so that a burn that is
 * sustainable never fires. Tiers whose long window would be below 10 minutes are left out, as are those that come to the same windows.
 */
export function googleTiers(windowMs: DurationMs): readonly Tier[] {
  const part = Math.min(1, windowMs / MONTH_MS);
  return GOOGLE.flatMap(({ severity, longMs, budgetShare }) => {
    const scaledMs = windowMs >= 28 * DAY_MS ? longMs : Math.round((longMs * part) / MINUTE_MS) * MINUTE_MS;
    return scaledMs < SHORTEST_LONG_MS ? [] : [tierOf({ severity, longMs: scaledMs, budgetShare }, windowMs)];
  });
}

/** Why a tier can never fire at `target`, or null when it can: burn is at most 1 / budget, when everything is bad, and must exceed the tier's. */
export function tierObjection(tier: Tier, target: number): string | null {
  const most = 1 / errorBudget(target);
  if (tier.burnRate < most) return null;
  return `a total outage burns at ${Number(most.toPrecision(6))}, and the tier asks for more than ${Number(tier.burnRate.toPrecision(6))}`;
}
