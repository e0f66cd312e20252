/** Turns one OpenSLO SLO into entries of our own files, each with the endpoint it is about and the place it comes from. */
import { NAME_PATTERN } from '../name-pattern.ts';
import { USUAL_WINDOW_MS } from '../window-schema.ts';
import { type NativeTier, tiersOf } from './alerts.ts';
import { ANNOTATION, annotationOf } from './annotations.ts';
import { type Indicator, indicatorOf } from './indicator.ts';
import { fitsPercent, fitsPlain, percentText, plainNumber } from './native-text.ts';
import type { Placed } from './objects.ts';
import { type Place, placeIn, type References } from './references.ts';
import type { SloObjective } from './schema.ts';
import { parseShorthand, shorthandMs } from './shorthand.ts';
import type { Critic, Where } from './span-source.ts';
import { type NativeWindow, nativeWindow } from './window.ts';

/** An entry of `objectives`, as a file has it. */
export interface NativeEntry {
  readonly name: string;
  readonly latency?: string;
  readonly availability?: string;
  readonly errorRate?: string;
  readonly throughput?: string;
  readonly inFlight?: string;
  readonly target?: string;
  readonly bad?: readonly WrittenRule[];
  readonly where?: WrittenRule;
  readonly window?: NativeWindow['written'];
  readonly timeslices?: { readonly slice: string; readonly good?: string };
  readonly alerts?: NativeAlerts;
}
type WrittenRule = Readonly<Record<string, string | readonly string[]>>;

export interface NativeAlerts {
  readonly preset?: 'none';
  readonly tiers?: readonly NativeTier[];
  readonly basis?: string;
  readonly minBad?: number;
}

export interface ConvertedObjective {
  /** Null: the whole service. */
  readonly match: string | null;
  readonly entry: NativeEntry;
  readonly place: Place;
  /** What people wrote about it. */
  readonly comment: string;
}

/** A window nobody says is at least known for tiers. */
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MAX_NAME_CHARS = 63;

/** Objectives that cannot be said are left out, and `critic` has the reason. */
export function sloEntries(slo: Placed<'SLO'>, service: string, references: References, critic: Critic): readonly ConvertedObjective[] {
  const { value, source } = slo;
  const { spec, metadata } = value;
  const place: Place = { source, path: ['spec'] };
  const [written] = spec.timeWindow ?? [];
  const window = written === undefined ? undefined : nativeWindow(written, placeIn(place, 'timeWindow', 0), critic);
  if (window === null) return [];
  const objectives = spec.objectives ?? [];
  if (objectives.length === 0)
    critic.warn(place, { message: 'without objectives nothing is promised', expected: '`objectives: [{ target: 0.99 }]`' });
  if (objectives.some(({ compositeWeight }) => compositeWeight !== undefined))
    critic.warn(placeIn(place, 'objectives'), {
      message: 'a weighted whole is not computed: each objective is kept by itself, and its `compositeWeight` is not taken over',
    });
  const names = namesOf(annotationOf(metadata, ANNOTATION.objective) ?? metadata.name, objectives);
  const converted: ConvertedObjective[] = [];
  for (const [index, objective] of objectives.entries()) {
    const at = placeIn(place, 'objectives', index);
    const indicator = indicatorFor(slo, objective, at, { service, references, critic });
    if (indicator === null) continue;
    const target = targetOf(objective, at, critic);
    const slices = target === null ? null : slicesOf(slo, objective, indicator, at, critic);
    if (target === null || slices === null) continue;
    const sli = sliText(indicator, objective, target, annotationOf(metadata, ANNOTATION.sli) === 'errorRate', at, critic);
    if (sli === null) continue;
    const windowMs = window?.ms ?? USUAL_WINDOW_MS;
    const tiers = tiersOf(spec.alertPolicies, placeIn(place, 'alertPolicies'), { references, critic, windowMs, target });
    const alerts = alertsOf(slo, tiers);
    const entry: NativeEntry = {
      name: names[index] ?? metadata.name,
      ...sli,
      ...(window === undefined ? {} : { window: window.written }),
      ...(slices === undefined ? {} : { timeslices: slices }),
      ...(alerts === undefined ? {} : { alerts }),
    };
    converted.push({ match: indicator.match, entry, place: at, comment: commentOf(slo, objective) });
  }
  return converted;
}

function indicatorFor(
  { value, source }: Placed<'SLO'>,
  objective: SloObjective,
  at: Place,
  context: { service: string; references: References; critic: Critic },
): Indicator | null {
  const { spec } = value;
  const isOwn = objective.indicator !== undefined || objective.indicatorRef !== undefined;
  const { indicator, indicatorRef } = isOwn ? objective : spec;
  const holder: Place = isOwn ? at : { source, path: ['spec'] };
  if (indicator !== undefined) return indicatorOf(indicator.spec, placeIn(holder, 'indicator', 'spec'), context);
  if (indicatorRef === undefined) return null;
  const found = context.references.find('SLI', indicatorRef);
  if (found !== null) return indicatorOf(found.value.spec, { source: found.source, path: ['spec'] }, context);
  context.critic.refuse(placeIn(holder, 'indicatorRef'), context.references.unknown('SLI', indicatorRef));
  return null;
}

function targetOf({ target, targetPercent }: SloObjective, at: Place, critic: Critic): number | null {
  const ratio = target ?? Number(`${targetPercent}e-2`);
  const place = placeIn(at, target === undefined ? 'targetPercent' : 'target');
  if (ratio > 0 && fitsPercent(ratio)) return ratio;
  const message = ratio > 0 ? 'a target with more digits than anybody can keep' : 'a target of 0 is met by anything';
  critic.refuse(place, { message, expected: 'above 0, such as 0.99' });
  return null;
}

function isOfSlices(indicator: Indicator): boolean {
  return indicator.kind === 'throughput' || indicator.kind === 'inFlight';
}

/** Undefined: requests count, not slices. Null: refused. */
function slicesOf(
  { value, source }: Placed<'SLO'>,
  objective: SloObjective,
  indicator: Indicator,
  at: Place,
  critic: Critic,
): NativeEntry['timeslices'] | null {
  const method = value.spec.budgetingMethod;
  const methodPlace: Place = { source, path: ['spec', 'budgetingMethod'] };
  if (method === 'RatioTimeslices' && isOfSlices(indicator)) {
    const message = `${indicator.kind} is about slices as a whole, which have no ratio of good requests`;
    critic.refuse(methodPlace, { message, expected: '`Timeslices`' });
    return null;
  }
  if (method === 'Occurrences') {
    if (!isOfSlices(indicator)) return undefined;
    critic.refuse(methodPlace, { message: `${indicator.kind} is about slices of time, not about requests`, expected: '`Timeslices`' });
    return null;
  }
  const { timeSliceWindow = '', timeSliceTarget = 1 } = objective;
  const length = parseShorthand(timeSliceWindow);
  const sliceMs = length === null ? 0 : shorthandMs(length);
  if (sliceMs < MINUTE_MS || sliceMs > HOUR_MS || DAY_MS % sliceMs !== 0) {
    critic.refuse(placeIn(at, 'timeSliceWindow'), {
      message: `slices of \`${timeSliceWindow}\` are not supported`,
      expected: '1m to 1h, such that a day has a whole number of them',
    });
    return null;
  }
  if (method === 'RatioTimeslices') {
    if (objective.timeSliceTarget !== undefined)
      critic.warn(placeIn(at, 'timeSliceTarget'), {
        message: '`timeSliceTarget` beside `RatioTimeslices` means nothing and is left out: the mean over slices is held against `target`',
        expected: 'no `timeSliceTarget`',
      });
    return { slice: timeSliceWindow, good: 'mean' };
  }
  if (!isOfSlices(indicator)) {
    if (fitsPercent(timeSliceTarget)) return { slice: timeSliceWindow, good: percentText(timeSliceTarget) };
    critic.refuse(placeIn(at, 'timeSliceTarget'), { message: 'a share with more digits than our files have', expected: 'such as 0.95' });
    return null;
  }
  if (timeSliceTarget === 1) return { slice: timeSliceWindow };
  critic.refuse(placeIn(at, 'timeSliceTarget'), {
    message: `a slice is good by its ${indicator.kind}, not by a share of it`,
    expected: '`timeSliceTarget: 1`',
  });
  return null;
}

/** Null when it was refused. */
function sliText(
  indicator: Indicator,
  objective: SloObjective,
  target: number,
  isErrorRate: boolean,
  at: Place,
  critic: Critic,
): Omit<NativeEntry, 'name'> | null {
  const { op, value } = objective;
  if (indicator.kind === 'availability' || indicator.kind === 'events') {
    for (const field of ['op', 'value'] as const) {
      if (objective[field] === undefined) continue;
      critic.warn(placeIn(at, field), {
        message: `\`${field}\` beside a ratio means nothing and is left out`,
        expected: `no \`${field}\``,
      });
    }
    const share = isErrorRate ? { errorRate: `< ${percentText(complementOf(target))}` } : { availability: percentText(target) };
    if (indicator.kind === 'availability') return share;
    const where = Object.keys(indicator.where).length === 0 ? {} : { where: written(indicator.where) };
    return { ...share, bad: indicator.bad.map(written), ...where };
  }
  if (op === undefined || value === undefined) {
    const field = op === undefined ? 'op' : 'value';
    critic.refuse(at, { message: `\`${field}\` is missing, which a threshold needs`, expected: '`op: lte` and `value: 500`' });
    return null;
  }
  if (!(value > 0) || !fitsPlain(value)) {
    const message = value > 0 ? 'a threshold with more digits than our files have' : 'a threshold is above 0';
    critic.refuse(placeIn(at, 'value'), { message, expected: 'such as 500' });
    return null;
  }
  const isUpper = op === 'lte' || op === 'lt';
  if (indicator.kind === 'throughput')
    return { throughput: `${isUpper ? '<' : '>'} ${plainNumber(value)}${indicator.unit.slice(1)}`, target: percentText(target) };
  if (!isUpper) {
    const message = `\`op: ${op}\` asks that requests ${indicator.kind === 'latency' ? 'are slow' : 'pile up'}, which is no promise`;
    critic.refuse(placeIn(at, 'op'), { message, expected: '`op: lte`' });
    return null;
  }
  if (indicator.kind === 'inFlight') return { inFlight: `< ${plainNumber(value)}`, target: percentText(target) };
  return { latency: `p${percentText(target).slice(0, -1)} < ${plainNumber(value)}${indicator.unit}` };
}

/** 0.999 → 0.001, without float dirt. */
function complementOf(ratio: number): number {
  return Number((1 - ratio).toFixed(15));
}

function written(rule: Where): WrittenRule {
  return Object.fromEntries(Object.entries(rule).map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]));
}

function alertsOf({ value }: Placed<'SLO'>, tiers: readonly NativeTier[]): NativeAlerts | undefined {
  const { metadata } = value;
  if (annotationOf(metadata, ANNOTATION.alerts) === 'none' && (value.spec.alertPolicies ?? []).length === 0) return { preset: 'none' };
  if (tiers.length === 0) return undefined;
  const basis = annotationOf(metadata, ANNOTATION.alertBasis);
  const minBad = annotationOf(metadata, ANNOTATION.minBad);
  return {
    tiers,
    ...(basis !== undefined && /^(rate|budget|both)$/.test(basis) ? { basis } : {}),
    ...(minBad !== undefined && /^\d{1,6}$/.test(minBad) ? { minBad: Number(minBad) } : {}),
  };
}

/** One objective has the name of the SLO; several have it with what they are called, or their number. */
function namesOf(base: string, objectives: readonly SloObjective[]): readonly string[] {
  const whole = nameOf(base);
  if (objectives.length < 2) return [whole];
  const names: string[] = [];
  for (const [index, { displayName }] of objectives.entries()) {
    const called = displayName === undefined ? '' : nameOf(`${whole}-${displayName}`.toLowerCase());
    names.push(
      called === '' || called === whole || names.includes(called) ? nameOf(`${whole.slice(0, MAX_NAME_CHARS - 5)}-${index + 1}`) : called,
    );
  }
  return names;
}

/** The nearest that our files take as a name. */
function nameOf(text: string): string {
  if (NAME_PATTERN.test(text)) return text;
  const tidy = text
    .replaceAll(/[^-._A-Za-z0-9]+/g, '-')
    .replace(/^[-._]+/, '')
    .slice(0, MAX_NAME_CHARS)
    .replace(/[-._]+$/, '');
  return tidy === '' ? 'objective' : tidy;
}

function commentOf({ value }: Placed<'SLO'>, { displayName }: SloObjective): string {
  const { metadata, spec } = value;
  const labels = Object.entries(metadata.labels ?? {}).map(([key, label]) => `${key}: ${[label].flat().join(', ')}`);
  const parts = [metadata.displayName, displayName === metadata.displayName ? undefined : displayName, spec.description, ...labels];
  return parts.filter((part) => part !== undefined && part !== '').join('\n');
}
