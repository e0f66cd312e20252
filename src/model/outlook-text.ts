/** What can be found at the traffic there is, in words. */
import { checkText } from './evidence-text.ts';
import { lengthText, percent, timesText } from './number-text.ts';
import type { Outlook } from './outlook.ts';

/** `p99 × 1.5`, `+0.5 % errors`: the regression, named by what it does to its metric. */
export function effectText(metric: string, effect: Outlook['effect']): string {
  return effect.kind === 'latency' ? `${metric} × ${factorText(effect.ratio)}` : `errors + ${percent(effect.addRatio)}`;
}

/** `p99 × 1.5 on GET /cart needs about 40 min at this traffic; × 2 would be found within the run`. Lower case, no full stop. */
export function outlookText(outlook: Outlook): string {
  const { metric, endpoint, effect, neededMs, smallest, isJudgeable } = outlook;
  if (!isJudgeable) return `${checkText(metric, endpoint)} cannot be judged at this traffic`;
  const needs = neededMs === null ? 'is not found at this traffic' : `needs about ${lengthText(neededMs)} at this traffic`;
  const found = smallest === null ? 'nothing would be found within the run' : `found within the run: ${effectText(metric, smallest)}`;
  return `${effectText(metric, effect)} on ${endpoint} ${needs}; ${found}`;
}

/** Two decimals at most where the factor is near 1, as 1.05 and 1.1 are not the same wish. */
function factorText(ratio: number): string {
  return ratio < 10 ? String(Number(ratio.toFixed(2))) : timesText(ratio);
}
