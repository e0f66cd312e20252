/** How fast an error budget is being spent. */
import { errorBudget } from '../../model/error-budget.ts';

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
