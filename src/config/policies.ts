/** Turns all SLO documents into the policies the core works with, and checks what only shows when they are seen together. */
import type { Exclusion, Objective } from '../model/objective.ts';
import type { CommonCausePolicy, Policies, ServicePolicy } from '../model/policy.ts';
import type { AttributeRule } from '../model/span-rules.ts';
import type { EpochMs } from '../model/time.ts';
import { canaryPolicy, USUAL_BUDGET } from './canary-policy.ts';
import type { CanarySection } from './canary-schema.ts';
import { exclusionsOf } from './exclusion-schema.ts';
import { type GateSection, gatePolicy } from './gate-schema.ts';
import { policyContradictions, unreachedEndpoints } from './policy-contradictions.ts';
import type { Critic, Problem } from './problem.ts';
import { checkNames, type ProcessNames } from './process-names.ts';
import { serviceObjectives } from './service-objectives.ts';
import { readDocuments } from './slo-documents.ts';
import { COMMON_CAUSE_BASE, SLO_DEFAULTS } from './slo-schema.ts';
import { trendRules } from './trend-schema.ts';
import type { SourceDocument } from './yaml-source.ts';

export interface ResolvedPolicies {
  readonly policies: Policies;
  /** For `SpanRules.exclude`. */
  readonly exclude: ReadonlyMap<string, readonly AttributeRule[]>;
  readonly problems: readonly Problem[];
  /** Fine, but hardly meant. */
  readonly warnings: readonly Problem[];
}

/**
 * The policies are only meaningful when there are no problems. `isComplete`: all files could be read, so a class that no `Defaults` declares
 * does not exist. `now`: exclusions are known from 93 days before to 400 days after.
 */
export function resolvePolicies(
  sources: readonly SourceDocument[],
  process: ProcessNames | null,
  revision: string,
  isComplete: boolean,
  now: EpochMs = Date.now(),
): ResolvedPolicies {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const { defaults, services } = readDocuments(sources, problems, warnings);
  const common = defaults?.value.spec;
  const knowsClasses = defaults !== null || (isComplete && problems.length === 0);
  const classes = knowsClasses ? new Map(Object.entries(common?.classes ?? {})) : null;
  const allSinks = process?.sinks ?? [];
  const criticOf = (source: SourceDocument): Critic => ({
    refuse: (path, finding) => problems.push(source.problem(path, finding)),
    warn: (path, finding) => warnings.push(source.problem(path, finding)),
  });

  const checkCanary = (source: SourceDocument, section: CanarySection | undefined): void => {
    if (section === undefined) return;
    const path = ['spec', 'canary'];
    const policy = canaryPolicy([section, common?.canary], allSinks);
    for (const { path: inner, finding } of policyContradictions(section, policy))
      problems.push(source.problem([...path, ...inner], finding));
    for (const { path: inner, finding } of unreachedEndpoints(section)) warnings.push(source.problem([...path, ...inner], finding));
    if (process === null) return;
    checkNames(source, section, path, process, problems);
    if (policy.mode === 'observe' || policy.sinks.length > 0) return;
    const finding = {
      message: `with mode \`${policy.mode}\` signals leave, and there is no sink to take them`,
      expected: 'an entry in `sinks` of the process file',
    };
    problems.push(source.problem([...path, 'mode'], finding));
  };
  const checkGate = (source: SourceDocument, section: GateSection | undefined): void => {
    const { warnBelow, refuseBelow } = gatePolicy([section, common?.gate]);
    if (section === undefined || refuseBelow <= warnBelow) return;
    const finding = { message: 'a deploy would be refused before it is warned of', expected: 'at most `warnBelow`' };
    problems.push(source.problem(['spec', 'gate', 'refuseBelow'], finding));
  };
  let shared: readonly Exclusion[] = [];
  if (defaults !== null) {
    checkCanary(defaults.source, common?.canary);
    checkGate(defaults.source, common?.gate);
    shared = exclusionsOf(common?.exclusions ?? [], now, criticOf(defaults.source));
    trendRules('', common?.trends ?? [], [], criticOf(defaults.source).refuse);
  }

  const exclude = new Map<string, readonly AttributeRule[]>();
  if (common?.spans?.exclude !== undefined) exclude.set('*', common.spans.exclude);
  const byService = new Map<string, ServicePolicy>();
  for (const { source, value } of services) {
    const { spec } = value;
    if (byService.has(spec.service)) {
      problems.push(
        source.problem(['spec', 'service'], {
          message: `another document is about \`${spec.service}\``,
          expected: 'one document per service',
        }),
      );
      continue;
    }
    checkCanary(source, spec.canary);
    if (spec.spans?.exclude !== undefined) exclude.set(spec.service, spec.spans.exclude);
    checkGate(source, spec.gate);
    const critic = criticOf(source);
    const objectives = serviceObjectives(value, common, classes, critic);
    if (spec.canary?.strictness === 'budget' && objectives.length === 0) {
      const finding = { message: 'there is no objective, so no error budget to go by', expected: 'an objective, or `fixed`' };
      warnings.push(source.problem(['spec', 'canary', 'strictness'], finding));
    }
    byService.set(spec.service, {
      service: spec.service,
      objectives,
      exclusions: [...exclusionsOf(spec.exclusions ?? [], now, critic), ...shared],
      trends: trendRules(spec.service, spec.trends ?? [], common?.trends ?? [], critic.refuse),
      gate: gatePolicy([spec.gate, common?.gate]),
      canary: canaryPolicy([spec.canary, common?.canary], allSinks, tightestBudget(objectives)),
      maxSeries: spec.endpoints?.max ?? common?.endpoints?.max ?? SLO_DEFAULTS.maxEndpoints,
    });
  }
  const policies: Policies = {
    revision,
    services: byService,
    fallback: {
      canary: canaryPolicy([common?.canary], allSinks),
      gate: gatePolicy([common?.gate]),
      maxSeries: common?.endpoints?.max ?? SLO_DEFAULTS.maxEndpoints,
    },
    maxRollbacksPerHour: common?.maxRollbacksPerHour ?? SLO_DEFAULTS.maxRollbacksPerHour,
    commonCause: commonCause(common?.commonCause),
  };
  return { policies, exclude, problems, warnings };
}

function commonCause(given: { readonly services?: number | undefined; readonly within?: number | undefined } = {}): CommonCausePolicy {
  const { services, within } = COMMON_CAUSE_BASE;
  return { services: given.services ?? services ?? 0, withinMs: given.within ?? within ?? 0 };
}

/** The smallest share of failing requests that the service as a whole allows itself, in (0, 1). */
function tightestBudget(objectives: readonly Objective[]): number {
  const budgets = objectives.flatMap(({ endpoint, sli, target }) =>
    endpoint === null && (sli.kind === 'availability' || sli.kind === 'errorRate' || sli.kind === 'events')
      ? [Number((1 - target).toFixed(12))]
      : [],
  );
  return budgets.length === 0 ? USUAL_BUDGET : Math.min(...budgets);
}
