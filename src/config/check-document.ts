/** Holds a document against its schema and turns every deviation into a problem with place, value, expectation and nearest valid name. */
import type { z } from 'zod';
import { MISSING } from './fields.ts';
import { nearestName } from './nearest-name.ts';
import { type Finding, type Problem, shownValue, type YamlPath } from './problem.ts';
import type { SourceDocument } from './yaml-source.ts';

export type Checked<T> =
  | { readonly value: T; readonly problems: readonly [] }
  | { readonly value: null; readonly problems: readonly Problem[] };

/** A file with thousands of mistakes is another kind of file. */
const MAX_PROBLEMS = 200;

export function checkDocument<S extends z.ZodType>(schema: S, source: SourceDocument): Checked<z.output<S>> {
  const result = schema.safeParse(source.value, {
    // The message carries the names that are known there; nobody else reads it.
    error: (issue) => (issue.code === 'unrecognized_keys' ? JSON.stringify(shapeKeys(issue.inst)) : undefined),
  });
  if (result.success) return { value: result.data, problems: [] };
  const problems = telling(result.error.issues).flatMap((issue) => issueProblems(issue, [], source));
  return { value: null, problems: problems.slice(0, MAX_PROBLEMS) };
}

/** A rule over a section whose option is misspelt would only repeat that it is missing. */
function telling(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const misspelt = new Set(issues.filter((issue) => issue.code === 'unrecognized_keys').map((issue) => JSON.stringify(issue.path)));
  return issues.filter((issue) => issue.code !== 'custom' || !misspelt.has(JSON.stringify(issue.path)));
}

function shapeKeys(schema: unknown): readonly string[] {
  const shape = (schema as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
  return shape === undefined ? [] : Object.keys(shape);
}

function issueProblems(issue: z.core.$ZodIssue, above: YamlPath, source: SourceDocument): Problem[] {
  const path = [...above, ...issue.path.filter((step) => typeof step !== 'symbol')] as YamlPath;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = JSON.parse(issue.message) as string[];
      return issue.keys.map((key) => source.problem([...path, key], unknownKey(key, known), 'key'));
    }
    case 'invalid_key':
      return [source.problem(path, { message: `this name cannot be used: ${issue.issues[0]?.message ?? 'not valid'}` }, 'key')];
    case 'invalid_element':
      return issue.issues.flatMap((inner) => issueProblems(inner, path, source));
    case 'invalid_union': {
      // An option that has several forms: what is wrong with the form that was meant. None: what forms there are.
      const forms = issue.errors.filter((inner) => inner.length > 0);
      const value = valueAt(source.value, path);
      const meant = forms.find((inner) => !inner.some((one) => isOtherForm(one, value)));
      if (meant !== undefined) return telling(meant).flatMap((inner) => issueProblems(inner, path, source));
      if (forms.length === 0) break;
      const types = forms.flatMap((inner) => inner.map((one) => (one.code === 'invalid_type' ? (TYPE_NAMES[one.expected] ?? '') : '')));
      const finding = findingOf({ ...issue, code: 'invalid_type', expected: 'string' } as z.core.$ZodIssue, path, value);
      return [source.problem(path, { ...finding, expected: [...new Set(types)].join(' or ') })];
    }
    default:
  }
  return [source.problem(path, findingOf(issue, path, valueAt(source.value, path)))];
}

/** Whether a form of an option is not the one that `value` has: of another type, or no section where our own scalars were asked. */
function isOtherForm(issue: z.core.$ZodIssue, value: unknown): boolean {
  if (issue.path.length > 0) return false;
  return issue.code === 'invalid_type' || (issue.code === 'custom' && isSection(value) && issue.params?.expected !== undefined);
}

function isSection(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownKey(key: string, known: readonly string[]): Finding {
  if (key === '<<')
    return { message: 'YAML merge keys (`<<`) are not supported', expected: 'what services share in a `Defaults` document' };
  const suggestion = nearestName(key, known);
  return {
    message: 'there is no such option here',
    expected: suggestion === undefined ? `one of ${known.join(', ')}` : undefined,
    suggestion,
  };
}

function valueAt(root: unknown, path: YamlPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

function findingOf(issue: z.core.$ZodIssue, path: YamlPath, value: unknown): Finding {
  const shown = shownValue(value, path);
  switch (issue.code) {
    case 'invalid_type':
      if (value === null)
        return { message: `\`${path.at(-1) ?? 'the document'}\` has no value`, expected: TYPE_NAMES[issue.expected] ?? issue.expected };
      return value === undefined
        ? missing(path)
        : { message: `${shown} has the wrong type`, expected: TYPE_NAMES[issue.expected] ?? issue.expected };
    case 'invalid_value': {
      const names = issue.values.map(String);
      if (value === undefined) return { ...missing(path), expected: oneOf(names) };
      return { message: `${shown} is not known here`, expected: oneOf(names), suggestion: nearestName(String(value), names) };
    }
    case 'invalid_union': {
      const names = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
      if (value === undefined) return { ...missing(path), expected: oneOf(names) };
      return { message: `${shown} is not known here`, expected: oneOf(names), suggestion: nearestName(String(value), names) };
    }
    case 'too_small':
      return { message: `${shown} is too small`, expected: `at least ${issue.minimum}${unitOf(issue.origin)}` };
    case 'too_big':
      return { message: `${shown} is too large`, expected: `at most ${issue.maximum}${unitOf(issue.origin)}` };
    case 'invalid_format':
      return { message: `${shown} has the wrong form`, expected: issue.message };
    case 'custom': {
      const { expected, suggestion } = (issue.params ?? {}) as Omit<Finding, 'message'>;
      if (value === undefined && issue.message === MISSING) return { ...missing(path), expected };
      if (value === null) return { message: `\`${path.at(-1) ?? 'the document'}\` has no value`, expected };
      // Our own scalars say what is wrong with a value; rules over a section speak for themselves.
      const hides = shown === '[redacted]';
      const message = hides || typeof value === 'object' ? issue.message : `${shown}: ${issue.message}`;
      return { message, expected, suggestion: hides ? undefined : suggestion };
    }
    default:
      return { message: `${shown}: ${issue.message}` };
  }
}

function missing(path: YamlPath): Finding {
  return { message: `\`${path.at(-1) ?? 'the document'}\` is missing` };
}

function oneOf(names: readonly string[]): string {
  return names.length === 1 ? `\`${names[0]}\`` : `one of ${names.join(', ')}`;
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section (name: value lines)',
  record: 'a section (name: value lines)',
};
