/** Says our objectives in OpenSLO v1, valid to its SDK; what OpenSLO has no field for stands in annotations, and the rest is named. */
import type { Budgeting, Objective, Tier } from '../../model/objective.ts';
import type { Policies, ServicePolicy } from '../../model/policy.ts';
import { fileProblem, type Problem } from '../problem.ts';
import { API_VERSION } from '../slo-schema.ts';
import type { SourceDocument } from '../yaml-source.ts';
import { OWN_TARGET } from './alerts.ts';
import { ANNOTATION } from './annotations.ts';
import { exportedSli } from './export-sli.ts';
import { isSection } from './leniency.ts';
import { durationText, percentText } from './native-text.ts';
import { DNS_LABEL, OPENSLO_VERSION, type OpenSloKind } from './schema.ts';
import { shorthandOf } from './shorthand.ts';
import { SPAN_SOURCE } from './span-source.ts';
import { openSloWindow } from './window.ts';

/** An object of OpenSLO, plain data. */
export interface ExportedObject {
  readonly apiVersion: string;
  readonly kind: OpenSloKind;
  readonly metadata: ExportedMetadata;
  readonly spec: object;
}

interface ExportedMetadata {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface OpenSloExport {
  readonly objects: readonly ExportedObject[];
  /** Objectives that OpenSLO cannot say. */
  readonly unsupported: readonly Problem[];
  /** Parts of our files that have no place in OpenSLO. */
  readonly warnings: readonly Problem[];
}

/** Name of the data source that all indicators name. */
const SPANS = 'spans';
const MAX_NAME_CHARS = 63;
const MAX_DESCRIPTION_CHARS = 1050;
const LABEL_KEY = /^[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
/** Options of a service that are in its objectives, once resolved. */
const RESOLVED = new Set(['service', 'window', 'timeslices', 'alerts', 'objectives', 'perEndpoint', 'classes']);

/** `sources` are the documents that `policies` were resolved from. Objects are in the order of services and their objectives. */
export function openSloExport(policies: Policies, sources: readonly SourceDocument[]): OpenSloExport {
  const warnings = sources.flatMap(withoutPlace);
  const unsupported: Problem[] = [];
  const names = new Names();
  const services: ExportedObject[] = [];
  const slos: ExportedObject[] = [];
  const alerts = new AlertObjects(names);
  for (const policy of policies.services.values()) {
    const source = sources.find(({ value }) => serviceOf(value) === policy.service);
    const refuse = (message: string, expected: string): void => {
      const finding = { message, expected };
      unsupported.push(source === undefined ? fileProblem(policy.service, finding) : source.problem(['spec', 'service'], finding));
    };
    const exported = policy.objectives.flatMap((objective) => exportedSlo(objective, names, alerts, refuse));
    if (exported.length === 0) continue;
    services.push(serviceObject(policy, source, names));
    slos.push(...exported);
  }
  if (slos.length === 0) return { objects: [], unsupported, warnings };
  const spans = {
    apiVersion: OPENSLO_VERSION,
    kind: 'DataSource',
    metadata: { name: SPANS },
    spec: { type: SPAN_SOURCE, connectionDetails: {} },
  } as const;
  return { objects: [spans, ...services, ...slos, ...alerts.objects()], unsupported, warnings };
}

function serviceOf(value: unknown): unknown {
  return isSection(value) && isSection(value.spec) ? value.spec.service : undefined;
}

function withoutPlace(source: SourceDocument): Problem[] {
  const { value } = source;
  if (!isSection(value) || value.apiVersion !== API_VERSION || !isSection(value.spec)) return [];
  return Object.keys(value.spec)
    .filter((key) => !RESOLVED.has(key))
    .map((key) => source.problem(['spec', key], { message: `\`${key}\` has no place in OpenSLO and is not exported` }, 'key'));
}

function serviceObject({ service }: ServicePolicy, source: SourceDocument | undefined, names: Names): ExportedObject {
  const name = names.ofService(service);
  const metadata = isSection(source?.value) ? source.value.metadata : undefined;
  const given = isSection(metadata) && isSection(metadata.labels) ? Object.entries(metadata.labels) : [];
  const labels = Object.fromEntries(given.filter(([key]) => LABEL_KEY.test(key)).map(([key, value]) => [key, String(value)]));
  return {
    apiVersion: OPENSLO_VERSION,
    kind: 'Service',
    metadata: {
      name,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(name === service ? {} : { annotations: { [ANNOTATION.service]: service } }),
    },
    spec: {},
  };
}

function exportedSlo(
  objective: Objective,
  names: Names,
  alerts: AlertObjects,
  refuse: (message: string, expected: string) => void,
): ExportedObject[] {
  const { id, name, service, windowMs, calendar, budgeting, target } = objective;
  const window = openSloWindow(windowMs, calendar);
  if (window === null) {
    refuse(`\`${id}\` is not exported: OpenSLO has no window of ${durationText(windowMs)}`, 'a window of whole minutes');
    return [];
  }
  const slice = budgeting.kind === 'timeslices' ? shorthandOf(budgeting.sliceMs) : null;
  if (budgeting.kind === 'timeslices' && slice === null) {
    refuse(`\`${id}\` is not exported: OpenSLO has no slices of ${durationText(budgeting.sliceMs)}`, 'slices of whole minutes');
    return [];
  }
  const { spec: indicator, limit } = exportedSli(objective, SPANS);
  // The same name whatever else is exported beside it.
  const isOwn = name.startsWith(`${names.ofService(service)}-`);
  const objectName = names.unique('SLO', `${service}-${objective.endpoint ?? ''}-${name}`, isOwn ? name : '');
  const { tiers, basis, minBad } = objective.alerts;
  const said: Record<string, string> =
    tiers.length === 0 ? { [ANNOTATION.alerts]: 'none' } : { [ANNOTATION.alertBasis]: basis, [ANNOTATION.minBad]: String(minBad) };
  const annotations = {
    ...(objectName === name ? {} : { [ANNOTATION.objective]: name }),
    ...(objective.sli.kind === 'errorRate' ? { [ANNOTATION.sli]: 'errorRate' } : {}),
    ...said,
  };
  const { budgetingMethod, ...slices } = exportedBudgeting(budgeting, slice);
  const policies = tiers.flatMap((tier) => alerts.nameOf(tier, windowMs) ?? []);
  return [
    {
      apiVersion: OPENSLO_VERSION,
      kind: 'SLO',
      metadata: { name: objectName, annotations },
      spec: {
        description: objective.text.slice(0, MAX_DESCRIPTION_CHARS),
        service: names.ofService(service),
        indicator: { metadata: { name: objectName }, spec: indicator },
        timeWindow: [window],
        budgetingMethod,
        objectives: [{ ...limit, target, ...slices }],
        ...(policies.length === 0 ? {} : { alertPolicies: policies.map((alertPolicyRef) => ({ alertPolicyRef })) }),
      },
    },
  ];
}

/** `timeSliceWindow` is `slice`, that of timeslices in the words of OpenSLO. */
function exportedBudgeting(
  budgeting: Budgeting,
  slice: string | null,
): { readonly budgetingMethod: string; readonly timeSliceTarget?: number; readonly timeSliceWindow?: string | null } {
  if (budgeting.kind === 'occurrences') return { budgetingMethod: 'Occurrences' };
  if (budgeting.ratio === 'mean') return { budgetingMethod: 'RatioTimeslices', timeSliceWindow: slice };
  return { budgetingMethod: 'Timeslices', timeSliceTarget: budgeting.ratio ?? 1, timeSliceWindow: slice };
}

/** Tiers as alert policies, each once however many objectives have it. */
class AlertObjects {
  readonly #names: Names;
  readonly #byContent = new Map<string, ExportedObject>();

  constructor(names: Names) {
    this.#names = names;
  }

  /** Null for a long window that OpenSLO cannot say: our files have none but of whole minutes unless somebody writes seconds. */
  nameOf(tier: Tier, windowMs: number): string | null {
    const lookbackWindow = shorthandOf(tier.longMs);
    if (lookbackWindow === null) return null;
    const key = JSON.stringify([tier, windowMs]);
    const known = this.#byContent.get(key);
    if (known !== undefined) return known.metadata.name;
    const name = this.#names.unique(
      'AlertPolicy',
      `${tier.severity}-${lookbackWindow}-burn-${tier.burnRate}`,
      `${tier.severity}-${lookbackWindow}`,
    );
    const condition = { kind: 'burnrate', op: 'gt', threshold: tier.burnRate, lookbackWindow };
    this.#byContent.set(key, {
      apiVersion: OPENSLO_VERSION,
      kind: 'AlertPolicy',
      metadata: {
        name,
        annotations: { [ANNOTATION.budget]: percentText(tier.budgetShare), [ANNOTATION.shortWindow]: durationText(tier.shortMs) },
      },
      spec: {
        alertWhenBreaching: true,
        conditions: [{ kind: 'AlertCondition', metadata: { name }, spec: { severity: tier.severity, condition } }],
        notificationTargets: [{ kind: 'AlertNotificationTarget', metadata: { name: OWN_TARGET }, spec: { target: OWN_TARGET } }],
      },
    });
    return name;
  }

  objects(): readonly ExportedObject[] {
    return [...this.#byContent.values()];
  }
}

/** Names as the SDK takes them, none twice for a kind. */
class Names {
  readonly #taken = new Set<string>();
  readonly #services = new Map<string, string>();

  ofService(service: string): string {
    const known = this.#services.get(service);
    if (known !== undefined) return known;
    const name = this.unique('Service', service, service);
    this.#services.set(service, name);
    return name;
  }

  /** The short text where it can be a name and is free, or else the long one, with a number where that is taken too. */
  unique(kind: OpenSloKind, long: string, short: string): string {
    const label = labelOf(long);
    let name = DNS_LABEL.test(short) ? short : label;
    for (let count = 1; this.#taken.has(`${kind}/${name}`); count++) {
      const suffix = count === 1 ? '' : `-${count}`;
      name = `${label.slice(0, MAX_NAME_CHARS - suffix.length).replace(/-+$/, '')}${suffix}`;
    }
    this.#taken.add(`${kind}/${name}`);
    return name;
  }
}

function labelOf(text: string): string {
  const label = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, MAX_NAME_CHARS)
    .replace(/-+$/, '');
  return label === '' ? 'unnamed' : label;
}
