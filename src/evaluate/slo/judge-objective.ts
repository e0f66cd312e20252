/** What an objective says over its window. */
import { allowedBad, budgetLeft } from '../../model/error-budget.ts';
import type { Judgement, ObjectiveEvidence } from '../../model/judgement.ts';
import type { Objective } from '../../model/objective.ts';

/** Requests over the objective's window; sums of sampling weights when spans are sampled. 0 <= bad <= valid, finite. */
export interface ObjectiveCounts {
  readonly valid: number;
  readonly bad: number;
}

/**
 * Judges bad against budget: met while the budget is not overspent. Comparing counts instead of ratios keeps it exact at the limit: at a target of
 * 0.999, 1 bad of 1,000 meets the objective (budget remaining 0) and 2 breach it (remaining -1). Without valid requests there is no data, which is neither.
 */
export function judgeObjective(objective: Objective, counts: ObjectiveCounts): Judgement {
  const { valid, bad } = counts;
  const evidence: ObjectiveEvidence = {
    kind: 'objective',
    objective: objective.id,
    good: valid - bad,
    valid,
    sli: valid === 0 ? null : (valid - bad) / valid,
    target: objective.target,
    budgetRemaining: valid === 0 ? null : budgetRemaining(objective.target, counts),
  };
  if (evidence.budgetRemaining === null) return { check: objective.id, outcome: 'inconclusive', reason: 'no_data', evidence };
  return evidence.budgetRemaining >= 0
    ? { check: objective.id, outcome: 'pass', reason: 'objective_met', evidence }
    : { check: objective.id, outcome: 'fail', reason: 'objective_breached', evidence };
}

/**
 * Share of the window's budget that is left: 1 - bad / (budget * valid). 1 untouched, 0 spent, negative overspent without limit; NaN-free for
 * `valid` > 0. Example: a target of 0.99 over 10,000 requests allows 100 bad; 25 leave 0.75, 150 leave -0.5.
 */
export function budgetRemaining(target: number, { valid, bad }: ObjectiveCounts): number {
  const allowed = allowedBad(target, valid);
  return budgetLeft(bad, allowed);
}
