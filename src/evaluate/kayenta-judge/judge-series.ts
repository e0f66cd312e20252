/** The remote judge: every metric by itself, then groups, then one score. */
import { type ScoreThresholds, undecidedScore } from '../../model/score-thresholds.ts';
import type { GroupScore, JudgedMetric, JudgeReport, JudgeRequest } from '../../model/series-judge.ts';
import { classifyMetric } from './classify-metric.ts';

/** Of metrics that belong to no group. */
const NO_GROUP = 'other';

/**
 * Scores as Kayenta has them: the share of metrics of a group that passed, in percent; groups by weight; 0 when a critical metric failed. Where at least half
 * of the metrics, or a critical one, could not be judged the score lies between the limits: neither a pass nor a failure. Muted metrics count for nothing.
 * The limits must be without fault.
 */
export function judgeSeries(request: JudgeRequest): JudgeReport {
  return judgeReport(request.pairs.map(classifyMetric), request);
}

/** The same of metrics that were classified one by one. */
export function judgeReport(
  results: readonly JudgedMetric[],
  { groupWeights, thresholds }: Pick<JudgeRequest, 'groupWeights' | 'thresholds'>,
): JudgeReport {
  const counted = results.filter(({ muted }) => !muted);
  const groupScores = scoresOf(counted);
  return { results, groupScores, score: scoreOf(counted, groupScores, groupWeights, thresholds) };
}

function scoreOf(
  counted: readonly JudgedMetric[],
  groups: readonly GroupScore[],
  weights: ReadonlyMap<string, number>,
  thresholds: ScoreThresholds,
): JudgeReport['score'] {
  const critical = counted.find(({ isCriticalFailure }) => isCriticalFailure);
  if (critical !== undefined) {
    return { score: 0, classification: 'Fail', reason: `${critical.name}, which is critical, failed: ${critical.reason}` };
  }
  const unknown = counted.filter(({ classification }) => classification === 'Nodata');
  const criticalUnknown = unknown.find((metric) => metric.critical);
  if (criticalUnknown !== undefined || unknown.length * 2 >= counted.length) {
    const what =
      criticalUnknown === undefined
        ? `${unknown.length} of ${counted.length} metrics could not be judged`
        : `${criticalUnknown.name}, which is critical, could not be judged: ${criticalUnknown.reason}`;
    return { score: undecidedScore(thresholds), classification: 'Marginal', reason: `not decided: ${what}` };
  }
  const score = weighted(groups, weights);
  const failed = counted.filter(({ classification }) => classification !== 'Pass' && classification !== 'Nodata').map(({ name }) => name);
  const reason =
    failed.length === 0 ? 'no metric is proven worse' : `failed: ${failed.slice(0, 10).join(', ')}${failed.length > 10 ? ' …' : ''}`;
  return { score, classification: score >= thresholds.pass ? 'Pass' : score >= thresholds.marginal ? 'Marginal' : 'Fail', reason };
}

/** A metric may be in several groups; groups of which nothing could be judged are left out. */
function scoresOf(counted: readonly JudgedMetric[]): GroupScore[] {
  const tallies = new Map<string, { passed: number; judged: number }>();
  for (const { groups, classification } of counted) {
    if (classification === 'Nodata') continue;
    for (const name of new Set(groups.length === 0 ? [NO_GROUP] : groups)) {
      const tally = tallies.get(name) ?? { passed: 0, judged: 0 };
      tally.judged++;
      if (classification === 'Pass') tally.passed++;
      tallies.set(name, tally);
    }
  }
  return [...tallies].map(([name, { passed, judged }]) => ({ name, score: rounded((100 * passed) / judged) }));
}

/** Groups that are not named share what the named ones leave; the weights of groups that are left out are everybody's. */
function weighted(groups: readonly GroupScore[], weights: ReadonlyMap<string, number>): number {
  const named = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const unnamed = groups.filter(({ name }) => !weights.has(name)).length;
  const share = Math.max(0, 100 - named) / Math.max(1, unnamed);
  let [sum, total] = [0, 0];
  for (const { name, score } of groups) {
    const weight = weights.get(name) ?? share;
    sum += weight * score;
    total += weight;
  }
  // Weights that leave nothing to those that could be judged cannot tell them apart.
  return total > 0 ? rounded(sum / total) : rounded(groups.reduce((all, { score }) => all + score, 0) / groups.length);
}

function rounded(score: number): number {
  return Math.round(score * 100) / 100;
}
