/** Says where a policy tolerates less between releases than pods of the same release differ by. */
import type { Judgement } from '../../model/judgement.ts';
import { checkName } from './check-name.ts';
import type { EndpointComparison } from './endpoint-comparison.ts';

/** One judgement for each check whose tolerance is surely below three standard deviations of the baseline's pods; such a check tolerates those instead. */
export function podSpreadJudgements(endpoints: readonly EndpointComparison[]): readonly Judgement[] {
  return endpoints.flatMap((endpoint) =>
    endpoint.checks.flatMap((check): readonly Judgement[] => {
      const { podSpread, edges } = check;
      if (podSpread === null || edges === null || check.leastRatio <= edges.toleratedRatio) return [];
      const { pods, relativeSd } = podSpread;
      const { metric } = check.rule;
      return [
        {
          check: `pod spread ${checkName(metric, endpoint.name)}`,
          outcome: 'inconclusive',
          reason: 'tolerance_too_small',
          evidence: { kind: 'spread', endpoint: endpoint.name, metric, pods, relativeSd, toleranceRatio: edges.toleratedRatio },
        },
      ];
    }),
  );
}
