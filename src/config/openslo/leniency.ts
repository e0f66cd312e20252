/** What `lenient` forgives in OpenSLO files as people write them: each forgiveness is named in a warning, none changes what is promised. */
import { type Say, shownValue, type YamlPath } from '../problem.ts';
import { DNS_LABEL, EXPECTED_NAME, MAX_DISPLAY_CHARS, OPENSLO_KINDS, OPENSLO_VERSION } from './schema.ts';

type Section = Record<string, unknown>;
const METHODS = ['Occurrences', 'Timeslices', 'RatioTimeslices'];
const NUMBERS = ['target', 'targetPercent', 'value', 'timeSliceTarget', 'compositeWeight'] as const;
/** Attributes of foreign queries and connections are theirs. */
const FOREIGN = new Set(['connectionDetails', 'metricSource']);

export function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy without entries that have no value: to the SDK they are not there. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isSection(value)) return value;
  const kept = Object.entries(value).filter(([, entry]) => entry !== null);
  return Object.fromEntries(kept.map(([key, entry]) => [key, FOREIGN.has(key) ? entry : withoutNulls(entry)]));
}

/** Changes `object` in place, which is a copy, and says what it changed. Paths stay what they are in the file. */
export function forgive(object: Section, say: Say): void {
  if (object.apiVersion === 'openslo.com/v1') {
    object.apiVersion = OPENSLO_VERSION;
    say(['apiVersion'], { message: '`openslo.com/v1` is read as `openslo/v1`', expected: `\`${OPENSLO_VERSION}\`` });
  }
  const kind = OPENSLO_KINDS.find((name) => name.toLowerCase() === String(object.kind).toLowerCase());
  if (kind !== undefined && kind !== object.kind) {
    say(['kind'], { message: `${shownValue(object.kind, ['kind'])} is read as \`${kind}\``, expected: `\`${kind}\`` });
    object.kind = kind;
  }
  doubtNames(object, [], say);
  const spec = object.spec;
  if (!isSection(spec)) return;
  if (kind === 'SLO') forgiveSlo(spec, ['spec'], say);
  if (kind === 'AlertPolicy') forgivePolicy(spec, ['spec'], say);
  if (kind === 'AlertCondition') forgiveCondition(spec, ['spec'], say);
}

/** Names of the object and of those inside it. */
function doubtNames(object: Section, path: YamlPath, say: Say): void {
  const { metadata } = object;
  if (!isSection(metadata)) return;
  const { name, displayName } = metadata;
  if (typeof name === 'string' && name !== '' && !DNS_LABEL.test(name))
    say([...path, 'metadata', 'name'], { message: `the SDK refuses the name ${shownValue(name, [])}`, expected: EXPECTED_NAME });
  if (typeof displayName === 'string' && displayName.length > MAX_DISPLAY_CHARS)
    say([...path, 'metadata', 'displayName'], {
      message: 'the SDK refuses so long a `displayName`',
      expected: `at most ${MAX_DISPLAY_CHARS} characters`,
    });
}

function forgiveSlo(spec: Section, path: YamlPath, say: Say): void {
  if (spec.budgetingMethod === undefined) {
    spec.budgetingMethod = 'Occurrences';
    say([...path, 'budgetingMethod'], {
      message: '`budgetingMethod` is missing; `Occurrences` is taken',
      expected: 'budgetingMethod: Occurrences',
    });
  }
  const method = METHODS.find((name) => name.toLowerCase() === String(spec.budgetingMethod).toLowerCase());
  if (method !== undefined && method !== spec.budgetingMethod) {
    say([...path, 'budgetingMethod'], {
      message: `${shownValue(spec.budgetingMethod, [])} is read as \`${method}\``,
      expected: `\`${method}\``,
    });
    spec.budgetingMethod = method;
  }
  if (spec.timeWindow === undefined || (Array.isArray(spec.timeWindow) && spec.timeWindow.length === 0)) {
    delete spec.timeWindow;
    const message = '`timeWindow` is missing; the usual window of the service is taken';
    say([...path, 'timeWindow'], { message, expected: 'timeWindow: [{ duration: 28d, isRolling: true }]' });
  }
  for (const [index, window] of sections(spec.timeWindow)) {
    if (window.isRolling !== undefined || window.calendar !== undefined) continue;
    window.isRolling = true;
    const message = '`isRolling` is missing, which to the SDK is false; without a `calendar` it is taken as true';
    say([...path, 'timeWindow', index], { message, expected: '`isRolling: true`' });
  }
  if (isSection(spec.indicator)) doubtNames(spec.indicator, [...path, 'indicator'], say);
  for (const [index, objective] of sections(spec.objectives)) forgiveObjective(objective, spec, [...path, 'objectives', index], say);
  if (!Array.isArray(spec.alertPolicies)) return;
  const policies: unknown[] = spec.alertPolicies;
  for (const [index, policy] of policies.entries()) {
    const at = [...path, 'alertPolicies', index];
    if (typeof policy === 'string') {
      policies[index] = { alertPolicyRef: policy };
      say(at, { message: `${shownValue(policy, [])} is read as the name of an AlertPolicy`, expected: `\`alertPolicyRef: ${policy}\`` });
    } else if (isSection(policy)) {
      doubtNames(policy, at, say);
      if (isSection(policy.spec)) forgivePolicy(policy.spec, [...at, 'spec'], say);
    }
  }
}

function forgiveObjective(objective: Section, spec: Section, path: YamlPath, say: Say): void {
  for (const field of NUMBERS) forgiveNumber(objective, field, path, say);
  const slice = objective.timeSliceWindow;
  if (typeof slice === 'number' || (typeof slice === 'string' && /^[0-9]+$/.test(slice))) {
    objective.timeSliceWindow = `${slice}m`;
    const message = `\`${slice}\` is read as minutes, as the specification has it; the SDK refuses it`;
    say([...path, 'timeSliceWindow'], { message, expected: `\`${slice}m\`` });
  }
  const indicator = isSection(objective.indicator) ? objective.indicator : spec.indicator;
  if (isSection(objective.indicator)) doubtNames(objective.indicator, [...path, 'indicator'], say);
  if (!isSection(indicator) || !isSection(indicator.spec) || indicator.spec.ratioMetric === undefined) return;
  for (const field of ['op', 'value']) {
    if (objective[field] === undefined) continue;
    delete objective[field];
    const message = `\`${field}\` beside a ratioMetric means nothing and is left out: the ratio of good to total is held against \`target\``;
    say([...path, field], { message, expected: `no \`${field}\`; the SDK refuses it` });
  }
}

function forgivePolicy(spec: Section, path: YamlPath, say: Say): void {
  for (const [index, condition] of sections(spec.conditions)) {
    doubtNames(condition, [...path, 'conditions', index], say);
    if (isSection(condition.spec)) forgiveCondition(condition.spec, [...path, 'conditions', index, 'spec'], say);
  }
  for (const [index, target] of sections(spec.notificationTargets)) doubtNames(target, [...path, 'notificationTargets', index], say);
}

function forgiveCondition(spec: Section, path: YamlPath, say: Say): void {
  if (isSection(spec.condition)) forgiveNumber(spec.condition, 'threshold', [...path, 'condition'], say);
}

function forgiveNumber(section: Section, field: string, path: YamlPath, say: Say): void {
  const text = section[field];
  if (typeof text !== 'string' || !/^-?\d+(\.\d+)?$/.test(text)) return;
  section[field] = Number(text);
  say([...path, field], { message: `the text \`${text}\` is read as a number`, expected: `${text} without quotes` });
}

function sections(list: unknown): (readonly [number, Section])[] {
  return Array.isArray(list) ? list.flatMap((entry, index) => (isSection(entry) ? [[index, entry] as const] : [])) : [];
}
