/** The table of values in the README of the chart: each with its type, default and meaning, from the schema and values.yaml. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { chartValuesJson } from '../../src/config/chart-values-json.ts';

const VALUES = join(import.meta.dirname, '../../charts/slipstream/values.yaml');

/** Set and read as a whole: our own documents, which are described elsewhere, and objects of Kubernetes. */
const WHOLE = new Set([
  ...['config', 'slos', 'resources', 'podSecurityContext', 'securityContext'],
  ...['livenessProbe', 'readinessProbe', 'startupProbe'],
]);

export interface ValueSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly ValueSchema[];
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly items?: ValueSchema;
  readonly additionalProperties?: unknown;
}

export interface ChartValue {
  /** From the top, such as `image.tag`. */
  readonly path: string;
  readonly schema: ValueSchema;
  /** Undefined: not in values.yaml. */
  readonly fallback: unknown;
  /** What the comment before it in values.yaml says, where one does. */
  readonly comment: string | null;
}

/** Every value that may be set by itself, and every object that holds them, in the order of values.yaml. */
export function chartValues(): readonly ChartValue[] {
  return valuesBelow('', chartValuesJson() as ValueSchema, defaults(), commentsByPath());
}

function valuesBelow(
  prefix: string,
  schema: ValueSchema,
  fallback: Readonly<Record<string, unknown>>,
  comments: ReadonlyMap<string, string>,
): readonly ChartValue[] {
  const { properties = {} } = schema;
  const order = [...Object.keys(fallback), ...Object.keys(properties).filter((key) => !(key in fallback))];
  return order.flatMap((key) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const inner = properties[key] ?? {};
    const value: ChartValue = { path, schema: inner, fallback: fallback[key], comment: comments.get(path) ?? null };
    return isGroup(value) ? [value, ...valuesBelow(path, inner, fallback[key] as Record<string, unknown>, comments)] : [value];
  });
}

/** True for what only holds values: those are listed one by one. */
export function isGroup({ path, schema, fallback }: ChartValue): boolean {
  const isShown = typeof fallback === 'object' && fallback !== null && !Array.isArray(fallback);
  return isShown && Object.keys(fallback).length > 0 && schema.properties !== undefined && !WHOLE.has(path);
}

function defaults(): Record<string, unknown> {
  return parseDocument(readFileSync(VALUES, 'utf8')).toJS() as Record<string, unknown>;
}

/** The text after `# --` of the line before a key, by the path of the key. */
function commentsByPath(): ReadonlyMap<string, string> {
  const comments = new Map<string, string>();
  const trail: string[] = [];
  let comment: string | null = null;
  for (const line of readFileSync(VALUES, 'utf8').split('\n')) {
    const key = /^( *)([A-Za-z]+):/.exec(line);
    if (key !== null) {
      const [, indent = '', name = ''] = key;
      trail.splice(indent.length / 2, trail.length, name);
      if (comment !== null) comments.set(trail.join('.'), comment);
    }
    comment = /^ *# -- (.+)$/.exec(line)?.[1] ?? null;
  }
  return comments;
}

/** The table, as Markdown. */
export function chartValuesTable(): string {
  const rows = chartValues()
    .filter((value) => !isGroup(value))
    .map(
      ({ path, schema, fallback }) =>
        `| \`${path}\` | ${typeName(schema)} | ${defaultText(fallback)} | ${escaped(schema.description ?? '')} |`,
    );
  return ['| value | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function typeName(schema: ValueSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeName))].filter((name) => name !== 'null').join(' or ');
  const [type = ''] = [schema.type ?? 'object'].flat();
  return type === 'array' ? `list of ${plural(typeName(schema.items ?? {}))}` : type;
}

function plural(name: string): string {
  return /^`/.test(name) ? name : name.replace(/\b(string|object|integer|number)\b/g, '$1s');
}

function defaultText(value: unknown): string {
  if (value === undefined || value === null || value === '') return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}
