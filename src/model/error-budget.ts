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
