/** Folds criteria into what the rest of a policy is made of: tolerances against the baseline, and limits of the canary alone. */
import type { Criterion } from '../model/policy.ts';
import type { CanarySection, CriterionEntry } from './canary-schema.ts';
import type { Finding, YamlPath } from './problem.ts';

/** Something said twice, or against itself, in one document; the path is inside the canary section. */
export interface Contradiction {
  readonly path: YamlPath;
  readonly finding: Finding;
}

type Tolerances = NonNullable<CanarySection['tolerances']>;

/** The section's tolerances, with those its criteria set. */
export function tolerancesOf(section: CanarySection): Tolerances {
  const tolerances: Tolerances = { ...section.tolerances };
  for (const { criterion } of section.criteria ?? []) {
    if (criterion.kind !== 'relative') continue;
    const { check, unit, increase } = criterion;
    if (check !== 'errors') tolerances[check] = { ...tolerances[check], harm: increase };
    else tolerances.errors = { ...tolerances.errors, ...(unit === 'points' ? { harm: increase } : { oddsRatio: 1 + increase }) };
  }
  return tolerances;
}

/** The absolute limits of all layers, most special first; of two about the same thing on the same endpoints, the more special one is in force. */
export function limitsOf(sections: readonly CanarySection[]): readonly Criterion[] {
  const limits = new Map<string, Criterion>();
  for (const section of sections) {
    for (const entry of section.criteria ?? []) {
      const { match, criterion } = entry;
      const key = keyOf(entry);
      if (criterion.kind !== 'absolute' || limits.has(key)) continue;
      limits.set(key, { text: criterion.text, endpoint: match, limitRatio: criterion.limitRatio, edgeUs: criterion.edgeUs });
    }
  }
  return [...limits.values()];
}

/** Criteria of one document that say the same thing twice, or what its `tolerances` say too. */
export function criteriaContradictions(section: CanarySection): readonly Contradiction[] {
  const found: Contradiction[] = [];
  const seen = new Map<string, string>();
  for (const [index, entry] of (section.criteria ?? []).entries()) {
    const { criterion } = entry;
    const path = ['criteria', index];
    const refuse = (message: string, expected: string): number => found.push({ path, finding: { message, expected } });
    const key = keyOf(entry);
    const twin = seen.get(key);
    if (twin !== undefined) refuse(`\`${criterion.text}\` and \`${twin}\` are about the same thing`, 'one of them');
    seen.set(key, criterion.text);
    if (criterion.kind !== 'relative') continue;
    const option = optionOf(criterion);
    if (writtenTolerance(section.tolerances, criterion) !== undefined) {
      refuse(`\`${criterion.text}\` says what \`tolerances.${option}\` says too`, 'one of them');
    }
    if (section.checks?.[criterion.check]?.muted === true) {
      refuse(`\`checks.${criterion.check}\` is muted, so nothing is compared`, `a criterion, or \`muted: true\``);
    }
  }
  return found;
}

type Relative = Extract<CriterionEntry['criterion'], { kind: 'relative' }>;

function optionOf({ check, unit }: Relative): string {
  return `${check}.${check === 'errors' && unit === 'share' ? 'oddsRatio' : 'harm'}`;
}

function writtenTolerance(tolerances: CanarySection['tolerances'], { check, unit }: Relative): number | undefined {
  if (check !== 'errors') return tolerances?.[check]?.harm;
  return unit === 'share' ? tolerances?.errors?.oddsRatio : tolerances?.errors?.harm;
}

function keyOf({ match, criterion }: CriterionEntry): string {
  return JSON.stringify([match, criterion.kind === 'relative' ? optionOf(criterion) : criterion.subject]);
}
