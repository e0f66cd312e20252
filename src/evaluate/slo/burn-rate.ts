/** Error budget and how fast it is being spent. */

/** Decimal places of a budget: `1 - target` is off by about 1e-16 at most, and nobody writes a target with more digits. */
const PLACES = 15;

/**
 * The error budget of a target in (0, 1): the ratio of requests that may be bad. Rounded to 15 decimal places, so that a target of 0.999 has a budget
 * of 0.001 and not of 0.0010000000000000009.
 */
export function errorBudget(target: number): number {
  return Number((1 - target).toFixed(PLACES));
}

/**
 * How many times faster than sustainable the budget is being spent: (bad / valid) / (1 - target), the rate form of the SRE Workbook, chapter 5. 1 spends
 * exactly the budget by the end of the objective's window. 0 when nothing was valid: nothing was spent.
 *
 * Examples for a target of 0.999: 36 bad of 2,500 is 1.44 % and burns at 14.4, which spends 2 % of a 30-day budget in one hour and all of it in 50;
 * one failure of ten requests is 10 % and burns at 100.
 */
export function burnRate(bad: number, valid: number, target: number): number {
  return valid === 0 ? 0 : bad / valid / errorBudget(target);
}
