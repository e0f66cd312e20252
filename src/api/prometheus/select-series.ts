/** Which series a selector means, and which of them can be read as one. */
import { labelName, metricLabels } from '../../model/metric-labels.ts';
import type { MetricGroup, MetricOutcome } from '../../model/metric-scan.ts';
import { type MetricPart, type SlotFamily, WITHHELD_LABELS } from '../../model/metric-table.ts';
import type { SeriesInfo } from '../../model/series.ts';
import { isAnything, type LabelTest, testOf } from './match-labels.ts';
import { patternBudget } from './pattern.ts';
import { QueryError } from './query-error.ts';
import type { Matcher, Selector } from './query-tree.ts';
import { LabelSet } from './sample.ts';

export interface Element {
  readonly labels: LabelSet;
  /** Position in `groups`. */
  readonly group: number;
  readonly outcome: MetricOutcome;
}

export interface Selection {
  readonly groups: readonly MetricGroup[];
  readonly elements: readonly Element[];
  /** What `le` must be, as text; null: all buckets are asked for. */
  readonly le: string | null;
}

/** Labels that are kept; null: all. */
export type Kept = readonly string[] | null;

export interface Meant {
  readonly selector: Selector;
  readonly family: SlotFamily;
  readonly part: MetricPart;
  readonly kept: Kept;
}

/** Throws a QueryError of `execution` for a matcher that cannot be honoured. */
export function selectSeries({ selector, family, part, kept }: Meant, series: readonly SeriesInfo[], query: string): Selection {
  const asked = selector.matchers.filter((matcher) => !isAnything(matcher));
  const le = part === 'bucket' ? leOf(asked) : null;
  const others = asked.filter(({ label }) => part !== 'bucket' || label !== 'le');
  checkLabels(others, series, selector.metric, family);
  const outcomes = outcomesOf(others, family, query);
  const budget = patternBudget();
  const tests = others
    .filter(({ label }) => label !== family.outcome?.name)
    .map((matcher) => [matcher.label, testOf(matcher, query, budget)] as const);
  const groups: { readonly service: string; readonly ids: number[] }[] = [];
  const elements: Element[] = [];
  const byKey = new Map<string, number>();
  for (const info of series) {
    if (family.endpointKind !== null && info.kind !== family.endpointKind) continue;
    const labels = metricLabels(info, family);
    if (!tests.every(([label, test]) => test(labels.get(label) ?? ''))) continue;
    const all = le === null ? labels : labels.set('le', le);
    const base = kept === null ? new LabelSet(all) : new LabelSet(all).only(kept);
    const key = JSON.stringify([info.service, base.key]);
    const group = byKey.get(key);
    if (group !== undefined) {
      groups[group]?.ids.push(info.id);
      continue;
    }
    byKey.set(key, groups.length);
    for (const { outcome, value } of apart(outcomes, family, kept)) {
      const named = family.outcome !== null && value !== '' ? base.with(family.outcome.name, value) : base;
      elements.push({ labels: named, group: groups.length, outcome });
    }
    groups.push({ service: info.service, ids: [info.id] });
  }
  return { groups, elements, le };
}

/** Both outcomes of a series are one where their label is not kept. */
function apart(outcomes: readonly Outcome[], family: SlotFamily, kept: Kept): readonly Outcome[] {
  const isApart = family.outcome !== null && (kept === null || kept.includes(family.outcome.name));
  if (isApart) return outcomes;
  const [first] = outcomes;
  if (first === undefined) return [];
  return [{ outcome: outcomes.length > 1 ? 'all' : first.outcome, value: '' }];
}

interface Outcome {
  readonly outcome: MetricOutcome;
  readonly value: string;
}

function outcomesOf(matchers: readonly Matcher[], { outcome }: SlotFamily, query: string): readonly Outcome[] {
  if (outcome === null) return [{ outcome: 'all', value: '' }];
  const { name, ok, failed } = outcome;
  const tests: LabelTest[] = [];
  for (const matcher of matchers) {
    if (matcher.label !== name) continue;
    const { op, value } = matcher;
    if ((op === '=' || op === '!=') && value !== '' && value !== ok && value !== failed) {
      const known = ok === '' ? `"${failed}" for what failed, none otherwise` : `"${failed}" or "${ok}"`;
      throw new QueryError('execution', `${name}="${value}" is not known: it is ${known}`);
    }
    tests.push(testOf(matcher, query));
  }
  const both: readonly Outcome[] = [
    { outcome: 'ok', value: ok },
    { outcome: 'failed', value: failed },
  ];
  return both.filter(({ value }) => tests.every((test) => test(value)));
}

/** A label that is not kept is no label without a value: an answer would be about other requests than were asked for. */
function checkLabels(matchers: readonly Matcher[], series: readonly SeriesInfo[], metric: string, family: SlotFamily): void {
  if (matchers.length === 0) return;
  const own = new Set([...Object.keys(family.labels), ...(family.outcome === null ? [] : [family.outcome.name])]);
  const unknown = matchers.filter(({ label }) => !own.has(label));
  for (const { label } of unknown) {
    const why = Object.hasOwn(WITHHELD_LABELS, label) ? WITHHELD_LABELS[label] : undefined;
    if (why !== undefined) throw new QueryError('execution', `${metric} has no label ${label}: ${why}`);
  }
  // Which attributes are tracked is known once something was heard.
  if (unknown.length === 0 || series.length === 0) return;
  const tracked = trackedLabels(series);
  const wrong = unknown.find(({ label }) => !tracked.has(label));
  if (wrong === undefined) return;
  const there = [...own, ...tracked].sort().join(', ');
  throw new QueryError(
    'execution',
    `${metric} has no label ${wrong.label}; its labels are ${there}; attributes named in release.by are labels too`,
  );
}

/** Labels that come from attributes of releases. */
export function trackedLabels(series: readonly SeriesInfo[]): Set<string> {
  const attributes = new Set<string>();
  for (const { release } of series) for (const attribute of release.attributes.keys()) attributes.add(attribute);
  return new Set([...attributes].map(labelName));
}

function leOf(matchers: readonly Matcher[]): string | null {
  const asked = matchers.filter(({ label }) => label === 'le');
  const [first] = asked;
  if (first === undefined) return null;
  if (asked.length > 1 || first.op !== '=') throw new QueryError('execution', 'le takes one matcher, and = only');
  const bound = first.value === '+Inf' ? Number.POSITIVE_INFINITY : Number(first.value);
  if (first.value.trim() === '' || !(bound >= 0)) throw new QueryError('execution', `le="${first.value}" is no upper end of a bucket`);
  return first.value;
}
