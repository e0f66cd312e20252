/** Takes OpenSLO files apart into checked objects: several documents, lists and JSON alike, each finding at its place and with its object's name. */
import { checkDocument } from '../check-document.ts';
import { nearestName } from '../nearest-name.ts';
import { type Finding, type Problem, shownValue, type YamlPath } from '../problem.ts';
import type { SourceDocument } from '../yaml-source.ts';
import { forgive, isSection, withoutNulls } from './leniency.ts';
import { OPENSLO_KINDS, OPENSLO_SCHEMAS, OPENSLO_VERSION, type OpenSloKind, type OpenSloMode, type OpenSloObject } from './schema.ts';
import { parseShorthand, shorthandMs } from './shorthand.ts';

/** One object that is valid, with the place it comes from; paths start at the object. */
export interface Placed<Kind extends OpenSloKind> {
  readonly kind: Kind;
  readonly value: OpenSloObject<Kind>;
  readonly source: SourceDocument;
}
export type AnyPlaced = { [Kind in OpenSloKind]: Placed<Kind> }[OpenSloKind];

export interface OpenSloObjects {
  readonly objects: readonly AnyPlaced[];
  /** What the mode refuses. */
  readonly problems: readonly Problem[];
  /** Accepted, and either forgiven or hardly meant. */
  readonly warnings: readonly Problem[];
}

const HOUR_MS = 3_600_000;
const MAX_OBJECTS = 10_000;

/** True for an object of any OpenSLO version, and for a list that has one. */
export function isOpenSlo(value: unknown): boolean {
  if (Array.isArray(value)) return value.some((entry) => isSection(entry) && isOpenSlo(entry));
  return isSection(value) && typeof value.apiVersion === 'string' && /^openslo(\.com)?\//i.test(value.apiVersion);
}

export function openSloObjects(sources: readonly SourceDocument[], mode: OpenSloMode): OpenSloObjects {
  const objects: AnyPlaced[] = [];
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const parts = sources.flatMap(partsOf);
  const [tooMany] = parts.slice(MAX_OBJECTS);
  if (tooMany !== undefined)
    problems.push(tooMany.problem([], { message: `more than ${MAX_OBJECTS} objects`, expected: 'fewer files at once' }));
  for (const part of parts.slice(0, MAX_OBJECTS)) {
    const object = checked(part, mode, problems, warnings);
    if (object !== null) objects.push(object);
  }
  return { objects, problems, warnings };
}

/** The entries of a list, or the document itself. */
function partsOf(source: SourceDocument): SourceDocument[] {
  if (!Array.isArray(source.value)) return [source];
  return source.value.map((value: unknown, index) => ({
    file: source.file,
    value,
    problem: (path, finding, at) => source.problem([index, ...path], finding, at),
  }));
}

function checked(part: SourceDocument, mode: OpenSloMode, problems: Problem[], warnings: Problem[]): AnyPlaced | null {
  if (!isSection(part.value)) {
    problems.push(part.problem([], { message: 'not an OpenSLO object', expected: 'a section with apiVersion, kind, metadata and spec' }));
    return null;
  }
  const value = withoutNulls(part.value) as Record<string, unknown>;
  const source = titled(part, value);
  if (mode === 'lenient') forgive(value, (path, finding) => warnings.push(source.problem(path, finding)));
  const kind = kindOf(source, value, problems);
  if (kind === null) return null;
  const result = checkDocument(OPENSLO_SCHEMAS[mode][kind], { ...source, value });
  problems.push(...result.problems);
  if (result.value === null) return null;
  const placed = { kind, value: result.value, source } as AnyPlaced;
  lint(placed, (path, finding) => warnings.push(source.problem(path, finding)));
  return placed;
}

/** The same place, whose findings begin with kind and name of the object. */
function titled(part: SourceDocument, value: Record<string, unknown>): SourceDocument {
  const { kind, metadata } = value;
  const name = isSection(metadata) && typeof metadata.name === 'string' ? ` ${shownValue(metadata.name, [])}` : '';
  const title = `${typeof kind === 'string' ? shownValue(kind, []).slice(1, -1) : 'object'}${name}`;
  return { ...part, problem: (path, finding, at) => part.problem(path, { ...finding, message: `${title}: ${finding.message}` }, at) };
}

function kindOf(source: SourceDocument, value: Record<string, unknown>, problems: Problem[]): OpenSloKind | null {
  const refuse = (path: YamlPath, finding: Finding): null => {
    problems.push(source.problem(path, finding));
    return null;
  };
  const { apiVersion, kind } = value;
  const expected = `\`${OPENSLO_VERSION}\``;
  if (apiVersion !== OPENSLO_VERSION) {
    if (typeof apiVersion === 'string' && /^openslo(\.com)?\/v[12](alpha|beta)/i.test(apiVersion))
      return refuse(['apiVersion'], {
        message: `${shownValue(apiVersion, [])} is not supported`,
        expected: `${expected}, whose fields have other names`,
      });
    const message = apiVersion === undefined ? '`apiVersion` is missing' : `${shownValue(apiVersion, [])} is not known here`;
    return refuse(['apiVersion'], { message, expected, suggestion: nearestName(String(apiVersion), [OPENSLO_VERSION]) });
  }
  const known = OPENSLO_KINDS.find((name) => name === kind);
  if (known !== undefined) return known;
  const message = kind === undefined ? '`kind` is missing' : `${shownValue(kind, [])} is not known here`;
  return refuse(['kind'], {
    message,
    expected: `one of ${OPENSLO_KINDS.join(', ')}`,
    suggestion: nearestName(String(kind), OPENSLO_KINDS),
  });
}

/** Valid, and yet hardly what was meant. */
function lint(placed: AnyPlaced, say: (path: YamlPath, finding: Finding) => void): void {
  const lintCondition = (spec: OpenSloObject<'AlertCondition'>['spec'] | undefined, path: YamlPath): void => {
    const { op } = spec?.condition ?? {};
    if (op !== 'lte' && op !== 'lt') return;
    const message = `with \`op: ${op}\` this alerts while the burn rate is low, and is silent while the budget burns`;
    say([...path, 'condition', 'op'], {
      message,
      expected: 'alerts when the burn rate exceeds `threshold`',
      suggestion: op === 'lt' ? 'gt' : 'gte',
    });
  };
  const lintPolicy = (spec: OpenSloObject<'AlertPolicy'>['spec'] | undefined, path: YamlPath): void => {
    for (const [index, { spec: inner }] of (spec?.conditions ?? []).entries()) lintCondition(inner, [...path, 'conditions', index, 'spec']);
  };
  if (placed.kind === 'AlertCondition') lintCondition(placed.value.spec, ['spec']);
  if (placed.kind === 'AlertPolicy') lintPolicy(placed.value.spec, ['spec']);
  if (placed.kind !== 'SLO') return;
  const { timeWindow, alertPolicies } = placed.value.spec;
  for (const [index, { spec }] of (alertPolicies ?? []).entries()) lintPolicy(spec, ['spec', 'alertPolicies', index, 'spec']);
  for (const [index, { duration, calendar }] of (timeWindow ?? []).entries()) {
    const length = parseShorthand(duration);
    if (calendar === undefined || length === null || shorthandMs(length) >= HOUR_MS) continue;
    const message = `a calendar window of ${length.count === 1 ? 'one minute' : `${length.count} minutes`}: \`m\` is a minute, \`M\` a month`;
    say(['spec', 'timeWindow', index, 'duration'], { message, expected: 'a day or longer, such as `1M`', suggestion: `${length.count}M` });
  }
}
