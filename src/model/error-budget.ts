/** The error budget of a target: what may be bad. */

/** Decimal places of a budget: `1 - target` is off by about 1e-16 at most, and nobody writes a target with more digits. */
const PLACES = 15;

/**
 * The error budget of a target in (0, 1): the ratio of events that may be bad. Rounded to 15 decimal places, so that a target of 0.999 has a budget
 * of 0.001 and not of 0.0010000000000000009.
 */
export function errorBudget(target: number): number {
  return Number((1 - target).toFixed(PLACES));
}

/** How many of `valid` events may be bad: `errorBudget(target) × valid` without float dirt, not rounded down. 0.9 of 1,000 allows 100. */
export function allowedBad(target: number, valid: number): number {
  return Number((errorBudget(target) * valid).toPrecision(15));
}

/**
 * Share of what is allowed, > 0, that is left: 1 untouched, exactly 0 where all is spent, negative overspent without limit. Example: of 100 allowed, 25 bad
 * leave 0.75, 150 leave -0.5.
 */
export function budgetLeft(bad: number, allowed: number): number {
  return (allowed - bad) / allowed;
}

const BILLION = 1e9;

/**
 * A sum or difference of counts to nine decimal places: what floats leave behind in parts of events must not overspend a budget that is spent exactly. Ten
 * tenths are 1, 0.3 - 0.1 - 0.2 is 0. Whole counts stay as they are.
 */
export function withoutDirt(sum: number): number {
  return Number.isInteger(sum) ? sum : Math.round(sum * BILLION) / BILLION + 0;
}
