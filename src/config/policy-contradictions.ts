/** What the parts of a canary policy, each fine by itself, make impossible together, or hardly worth having. */
import { endpointMatches } from '../model/endpoint-pattern.ts';
import type { CanaryPolicy } from '../model/policy.ts';
import type { CanarySection } from './canary-schema.ts';
import { type Contradiction, criteriaContradictions } from './criteria.ts';

/** `section` is one document's part of `policy`; paths are inside it. */
export function policyContradictions(section: CanarySection, policy: CanaryPolicy): readonly Contradiction[] {
  const found: Contradiction[] = [...criteriaContradictions(section)];
  const refuse = (path: Contradiction['path'], message: string, expected: string): number =>
    found.push({ path, finding: { message, expected } });
  if (policy.minPassMs > policy.horizonMs) refuse(['minPromote'], 'a run would end before it could be promoted', 'at most `decideWithin`');
  if (policy.warmupMs >= policy.horizonMs) refuse(['warmup'], 'a run would end before it is warm', 'less than `decideWithin`');
  if (policy.incidentWindowMs * 2 > policy.horizonMs) {
    refuse(['incidentWindow'], 'proof of harm takes two such windows, longer than a run lasts', 'at most half of `decideWithin`');
  }
  for (const quantile of ['p50', 'p95', 'p99'] as const) {
    const { ratio, addUs, passRatio, passAddUs } = policy.latency[quantile];
    const path = ['tolerances', quantile];
    if (passRatio <= ratio)
      refuse(
        [...path, 'healthy'],
        'what counts as healthy is not beyond what is tolerated, so health can never be proven',
        'more than `harm`',
      );
    if (passAddUs < addUs)
      refuse([...path, 'healthyAtLeast'], 'tighter than what is tolerated, so health can never be proven', 'at least `orAtLeast`');
  }
  if (policy.errors.passAddRatio <= policy.errors.addRatio) {
    refuse(
      ['tolerances', 'errors', 'healthy'],
      'what counts as healthy is not beyond what is tolerated, so health can never be proven',
      'more than `harm`',
    );
  }
  if (policy.bakeMs > 0 && policy.incidentWindowMs * 2 > policy.bakeMs) {
    refuse(['bake'], 'proof of harm takes two incident windows, longer than the bake', 'at least twice `incidentWindow`');
  }
  if (section.onSilence === 'rollback' && policy.baseline.kind === 'previous') {
    refuse(
      ['onSilence'],
      'silence is told from the traffic that both releases have at the same time, which `baseline: previous` does not ask for',
      '`hold`, or `baseline: concurrent`',
    );
  }
  for (const [index, { match }] of (section.criteria ?? []).entries()) {
    const setting = match === null ? undefined : policy.endpoints.find((entry) => endpointMatches(entry.endpoint, typical(match)));
    if (setting?.isMuted !== true) continue;
    refuse(['criteria', index], `\`${setting.endpoint}\` is muted, so nothing there is counted`, 'a criterion, or `muted: true`');
  }
  if (Object.values(policy.checks).every((check) => check.isMuted)) {
    refuse(['checks'], 'every check is muted, so nothing would ever be judged', 'at least one of p50, p95, p99 and errors');
  }
  for (const [name, check] of Object.entries(policy.checks)) {
    // Of two documents: within one, the schema says it.
    if (check.isCritical && check.isMuted)
      refuse(
        ['checks', name],
        'muted in one document and critical in another: it could never be proven',
        '`critical: false` beside `muted: true`',
      );
  }
  const all = policy.endpoints.findIndex((entry) => entry.endpoint === '**');
  const judged = policy.endpoints.slice(0, all < 0 ? undefined : all + 1);
  if (all >= 0 && judged.every((entry) => entry.isMuted)) {
    refuse(['endpoints'], 'every endpoint is muted, so nothing would ever be judged', 'an entry before `**` that is not');
  }
  return found;
}

/** Entries that no endpoint ever reaches; paths are inside the section. */
export function unreachedEndpoints(section: CanarySection): readonly Contradiction[] {
  const entries = section.endpoints ?? [];
  return entries.flatMap(({ match }, index): Contradiction[] => {
    const before = entries.slice(0, index).find((earlier) => endpointMatches(earlier.match, typical(match)));
    if (before === undefined) return [];
    const message = `\`${match}\` is never reached: \`${before.match}\` before it takes all its endpoints, and the first that matches counts`;
    return [{ path: ['endpoints', index, 'match'], finding: { message, expected: 'special patterns before general ones' } }];
  });
}

/** An endpoint of the pattern that shares no accidental letters with other patterns. */
function typical(pattern: string): string {
  return pattern.replaceAll('**', '\u0001/\u0001 \u0001/\u0001').replaceAll('*', '\u0001');
}
