/** Which check, of comparisons and guards, decides a run: the one with most of the wealth that proves harm. */
import type { Reason } from '../../model/judgement.ts';
import { ALL_ENDPOINTS, checkName } from './check-name.ts';
import { harmGuards } from './guard-judgements.ts';
import type { DecisiveCheck, Standing } from './standing.ts';

export const SILENCE: DecisiveCheck = { check: checkName('silence', ALL_ENDPOINTS), reason: 'silence_proven' };

/** The check with the largest share of the wealth, silence apart; null when none has money. */
export function decisiveCheck(standing: Standing): DecisiveCheck | null {
  let best: DecisiveCheck | null = null;
  let most = -Infinity;
  const weigh = (check: () => string, reason: Reason, logShare: number) => {
    if (logShare <= most) return;
    most = logShare;
    best = { check: check(), reason };
  };
  const logOthers = Math.log(standing.guards.othersMoney);
  for (const endpoint of standing.endpoints) {
    if (endpoint.share === 0 || logOthers + Math.log(endpoint.share) + endpoint.logWealth <= most) continue;
    for (const { rule, logE } of endpoint.checks) {
      weigh(() => checkName(rule.metric, endpoint.name), 'harm_proven', logOthers + Math.log(endpoint.share * rule.weight) + logE);
    }
  }
  standing.rules.forEach((rule, index) => {
    if (standing.poolShare === 0) return;
    const logShare = logOthers + Math.log(standing.poolShare * rule.weight) + standing.pool.logE(index);
    weigh(() => checkName(rule.metric, ALL_ENDPOINTS), 'harm_proven', logShare);
  });
  for (const { check, reason, weight, logE } of harmGuards(standing.guards)) weigh(() => check, reason, Math.log(weight) + logE);
  return best;
}
