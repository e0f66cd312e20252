/** Turns all SLO documents into the policies the core works with, and checks what only shows when they are seen together. */
import type { Objective } from '../model/objective.ts';
import type { Policies, ServicePolicy } from '../model/policy.ts';
import type { AttributeRule } from '../model/span-rules.ts';
import { canaryPolicy, USUAL_BUDGET } from './canary-policy.ts';
import type { CanarySection } from './canary-schema.ts';
import { checkDocument } from './check-document.ts';
import { USUAL_GATE } from './gate-policy.ts';
import { nearestName } from './nearest-name.ts';
import { policyContradictions, unreachedEndpoints } from './policy-contradictions.ts';
import { type Problem, shownValue, type YamlPath } from './problem.ts';
import { serviceObjectives, unknownName } from './service-objectives.ts';
import {
  API_VERSION,
  type DefaultsDocument,
  defaultsSchema,
  type ServiceDocument,
  SLO_DEFAULTS,
  SLO_KINDS,
  serviceObjectivesSchema,
} from './slo-schema.ts';
import type { SourceDocument } from './yaml-source.ts';

const DAY_MS = 86_400_000;
const WINDOW_MS = 28 * DAY_MS;
const OPENSLO_KINDS = ['SLO', 'SLI', 'DataSource', 'Service', 'AlertPolicy', 'AlertCondition', 'AlertNotificationTarget'];

/** What the process file declares; null where no process file is at hand, then names are not checked. */
export interface ProcessNames {
  readonly sinks: readonly string[];
  readonly releaseBy: readonly string[];
}

export interface ResolvedPolicies {
  readonly policies: Policies;
  /** For `SpanRules.exclude`. */
  readonly exclude: ReadonlyMap<string, readonly AttributeRule[]>;
  readonly problems: readonly Problem[];
  /** Fine, but hardly meant. */
  readonly warnings: readonly Problem[];
}

interface Read<T> {
  readonly source: SourceDocument;
  readonly value: T;
}

/**
 * The policies are only meaningful when there are no problems. `isComplete`: all files could be read, so a class that no `Defaults` declares
 * does not exist.
 */
export function resolvePolicies(
  sources: readonly SourceDocument[],
  process: ProcessNames | null,
  revision: string,
  isComplete: boolean,
): ResolvedPolicies {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const { defaults, services } = readDocuments(sources, problems);
  const common = defaults?.value.spec;
  const knowsClasses = defaults !== null || (isComplete && problems.length === 0);
  const classes = knowsClasses ? new Map(Object.entries(common?.classes ?? {})) : null;
  const allSinks = process?.sinks ?? [];

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
  if (defaults !== null) checkCanary(defaults.source, common?.canary);

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
    const windowMs = spec.window ?? common?.window ?? WINDOW_MS;
    const objectives = serviceObjectives(value, windowMs, classes, {
      refuse: (path, finding) => problems.push(source.problem(path, finding)),
      warn: (path, finding) => warnings.push(source.problem(path, finding)),
    });
    if (spec.canary?.strictness === 'budget' && objectives.length === 0) {
      const finding = { message: 'there is no objective, so no error budget to go by', expected: 'an objective, or `fixed`' };
      warnings.push(source.problem(['spec', 'canary', 'strictness'], finding));
    }
    byService.set(spec.service, {
      service: spec.service,
      objectives,
      exclusions: [],
      trends: [],
      gate: USUAL_GATE,
      canary: canaryPolicy([spec.canary, common?.canary], allSinks, tightestBudget(objectives)),
      maxSeries: spec.endpoints?.max ?? common?.endpoints?.max ?? SLO_DEFAULTS.maxEndpoints,
    });
  }
  const policies: Policies = {
    revision,
    services: byService,
    fallback: {
      canary: canaryPolicy([common?.canary], allSinks),
      gate: USUAL_GATE,
      maxSeries: common?.endpoints?.max ?? SLO_DEFAULTS.maxEndpoints,
    },
    maxRollbacksPerHour: common?.maxRollbacksPerHour ?? SLO_DEFAULTS.maxRollbacksPerHour,
  };
  return { policies, exclude, problems, warnings };
}

/** The smallest share of failures that the service as a whole allows itself, in (0, 1). */
function tightestBudget(objectives: readonly Objective[]): number {
  const budgets = objectives.flatMap(({ endpoint, sli, target }) =>
    endpoint === null && sli.kind !== 'latency' ? [Number((1 - target).toFixed(12))] : [],
  );
  return budgets.length === 0 ? USUAL_BUDGET : Math.min(...budgets);
}

function readDocuments(
  sources: readonly SourceDocument[],
  problems: Problem[],
): { defaults: Read<DefaultsDocument> | null; services: Read<ServiceDocument>[] } {
  let defaults: Read<DefaultsDocument> | null = null;
  const services: Read<ServiceDocument>[] = [];
  for (const source of sources) {
    const kind = kindOf(source, problems);
    if (kind === null) continue;
    if (kind === 'ServiceObjectives') {
      const checked = checkDocument(serviceObjectivesSchema, source);
      problems.push(...checked.problems);
      if (checked.value !== null) services.push({ source, value: checked.value });
      continue;
    }
    const checked = checkDocument(defaultsSchema, source);
    problems.push(...checked.problems);
    if (checked.value === null) continue;
    if (defaults === null) defaults = { source, value: checked.value };
    else
      problems.push(source.problem(['kind'], { message: 'another document is `Defaults` already', expected: 'one `Defaults` document' }));
  }
  return { defaults, services };
}

/** Which of our documents it is; anything else is named and refused. */
function kindOf(source: SourceDocument, problems: Problem[]): (typeof SLO_KINDS)[number] | null {
  const refuse = (path: YamlPath, message: string, expected: string, suggestion?: string): null => {
    problems.push(source.problem(path, { message, expected, suggestion }));
    return null;
  };
  if (typeof source.value !== 'object' || source.value === null || Array.isArray(source.value)) {
    return refuse([], 'not a document of SLOs', `a section with apiVersion, kind, metadata and spec`);
  }
  const { apiVersion, kind } = source.value as Record<string, unknown>;
  const expectedVersion = `\`${API_VERSION}\``;
  const ours = SLO_KINDS.find((name) => name === kind);
  if (typeof apiVersion === 'string' && /^openslo(\.com)?\//i.test(apiVersion)) {
    const known = OPENSLO_KINDS.some((name) => name.toLowerCase() === String(kind).toLowerCase());
    const what = known ? `OpenSLO ${String(kind)} documents are` : 'OpenSLO is';
    return refuse(['apiVersion'], `${what} not supported by this version`, `${expectedVersion} with kind ${SLO_KINDS.join(' or ')}`);
  }
  if (apiVersion !== API_VERSION) {
    const message = apiVersion === undefined ? '`apiVersion` is missing' : `${shownValue(apiVersion, ['apiVersion'])} is not known here`;
    return refuse(['apiVersion'], message, expectedVersion, nearestName(String(apiVersion), [API_VERSION]));
  }
  if (ours !== undefined) return ours;
  const message = kind === undefined ? '`kind` is missing' : `${shownValue(kind, ['kind'])} is not known here`;
  return refuse(['kind'], message, SLO_KINDS.join(' or '), nearestName(String(kind), SLO_KINDS));
}

/** Names that must be declared in the process file. */
function checkNames(source: SourceDocument, section: CanarySection, path: YamlPath, process: ProcessNames, problems: Problem[]): void {
  for (const [index, name] of (section.sinks ?? []).entries()) {
    if (process.sinks.includes(name)) continue;
    problems.push(source.problem([...path, 'sinks', index], unknownName('sink', name, process.sinks, 'the process file')));
  }
  const untracked = (attribute: string, inner: YamlPath, at: 'key' | 'value'): void => {
    if (process.releaseBy.includes(attribute)) return;
    const message = `\`${attribute}\` does not tell releases apart, so no release has it`;
    const expected = `one of ${process.releaseBy.join(', ')}, or one more entry in \`spans.releaseBy\` of the process file`;
    problems.push(
      source.problem([...path, 'track', ...inner], { message, expected, suggestion: nearestName(attribute, process.releaseBy) }, at),
    );
  };
  if (section.track?.by !== undefined) untracked(section.track.by, ['by'], 'value');
  for (const side of ['canary', 'baseline'] as const) {
    for (const attribute of Object.keys(section.track?.[side] ?? {})) untracked(attribute, [side, attribute], 'key');
  }
}
