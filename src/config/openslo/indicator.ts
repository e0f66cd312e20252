/** Turns an OpenSLO indicator over spans into what our objectives are made of. */
import { nearestName } from '../nearest-name.ts';
import { shownValue } from '../problem.ts';
import { isSection } from './leniency.ts';
import { LATENCY_UNIT_NAMES, RATE_UNIT_NAMES } from './native-text.ts';
import { type Place, placeIn, type References } from './references.ts';
import type { SliSpec } from './schema.ts';
import { type Critic, type SpanSelection, spanSelection, type Where, whereOf } from './span-source.ts';

/** What is good or bad, without target and limit. `match` null: the whole service. */
export type Indicator = { readonly match: string | null } & (
  | { readonly kind: 'availability' }
  | { readonly kind: 'events'; readonly where: Where; readonly bad: readonly Where[] }
  /** `unit` of the limit. */
  | { readonly kind: 'latency' | 'throughput'; readonly unit: string }
  | { readonly kind: 'inFlight' }
);

export interface IndicatorContext {
  readonly service: string;
  readonly references: References;
  readonly critic: Critic;
}

/** Kinds that are counted unless the process file says otherwise. */
const COUNTED_KINDS = ['server', 'consumer'];
const FIELDS = ['duration', 'throughput', 'inFlight'] as const;
const FAILED = 'serverError';
const NOT_FAILED = 'notServerError';
const EXPECTED_BAD = `\`bad: ${FAILED}\` (failed by the conventions of HTTP and gRPC), or attributes, such as \`bad: { http.response.status_code: [5xx, 429] }\``;

/** Null when it was refused. */
export function indicatorOf(spec: SliSpec, place: Place, context: IndicatorContext): Indicator | null {
  if (spec.thresholdMetric !== undefined) {
    const at = placeIn(place, 'thresholdMetric', 'metricSource');
    const selection = spanSelection(spec.thresholdMetric.metricSource, at, { ...context, keys: ['field', 'unit'] });
    return selection === null ? null : thresholdOf(selection, placeIn(at, 'spec'), context.critic);
  }
  return spec.ratioMetric === undefined ? null : ratioOf(spec.ratioMetric, placeIn(place, 'ratioMetric'), context);
}

function thresholdOf({ match, where, rest }: SpanSelection, at: Place, critic: Critic): Indicator | null {
  const field = FIELDS.find((name) => name === rest.field);
  if (field === undefined) {
    const message = rest.field === undefined ? '`field` is missing' : `${shownValue(rest.field, [])} is no field of a span`;
    critic.refuse(placeIn(at, 'field'), {
      message,
      expected: `one of ${FIELDS.join(', ')}`,
      suggestion: nearestName(String(rest.field), FIELDS),
    });
    return null;
  }
  if (!isWholeEndpoint(match, where, placeIn(at, 'where'), critic)) return null;
  if (field === 'inFlight') return { kind: field, match };
  const units = field === 'duration' ? LATENCY_UNIT_NAMES : RATE_UNIT_NAMES;
  const unit = rest.unit === 'µs' ? 'us' : rest.unit;
  if (typeof unit === 'string' && units.includes(unit)) return { kind: field === 'duration' ? 'latency' : field, match, unit };
  const message = unit === undefined ? '`unit` is missing' : `${shownValue(unit, [])} is no unit of ${field}`;
  critic.refuse(placeIn(at, 'unit'), { message, expected: `one of ${units.join(', ')}` });
  return null;
}

type RatioMetric = NonNullable<SliSpec['ratioMetric']>;

function ratioOf(ratio: RatioMetric, place: Place, context: IndicatorContext): Indicator | null {
  const { critic } = context;
  if (ratio.raw !== undefined || ratio.total === undefined) {
    const message = 'a `raw` ratio is not supported: without good and total there is nothing to count';
    critic.refuse(placeIn(place, 'raw'), { message, expected: '`total` with `good` or `bad`' });
    return null;
  }
  const totalPlace = placeIn(place, 'total', 'metricSource');
  const total = spanSelection(ratio.total.metricSource, totalPlace, { ...context, keys: [] });
  const side = ratio.bad === undefined ? 'good' : 'bad';
  const metric = ratio[side];
  const at = placeIn(place, side, 'metricSource');
  const part = metric === undefined ? null : spanSelection(metric.metricSource, at, { ...context, keys: [side] });
  if (total === null || part === null) return null;
  const extra = attributesBeyond(part, total, placeIn(at, 'spec', 'where'), critic);
  if (extra === null) return null;
  const isNarrower = Object.keys(extra).length > 0;
  const said = part.rest[side];
  const whole = { ...total, at: placeIn(totalPlace, 'spec', 'where'), critic };
  if (side === 'good') {
    if (said === NOT_FAILED && !isNarrower) return availability(whole);
    const message = isNarrower ? 'good requests cannot be told by attributes: what has none of them would be bad' : '`good` is missing';
    critic.refuse(placeIn(at, 'spec', 'good'), { message, expected: `\`good: ${NOT_FAILED}\`, or \`bad\` instead of \`good\`` });
    return null;
  }
  if (said === FAILED) {
    if (!isNarrower) return availability(whole);
    const message = `\`bad: ${FAILED}\` is about the same spans as \`total\``;
    critic.refuse(placeIn(at, 'spec', 'where'), { message, expected: 'the same `where` on both, or the rule of attributes in `bad`' });
    return null;
  }
  const bad = badRules(said, extra, placeIn(at, 'spec', 'bad'), critic);
  return bad === null ? null : { kind: 'events', match: total.match, where: total.where, bad };
}

function availability({ match, where, at, critic }: SpanSelection & { at: Place; critic: Critic }): Indicator | null {
  return isWholeEndpoint(match, where, at, critic) ? { kind: 'availability', match } : null;
}

/** What `part` asks besides what `total` asks; null when it was refused. */
function attributesBeyond(part: SpanSelection, total: SpanSelection, at: Place, critic: Critic): Where | null {
  const differs =
    part.match !== total.match ||
    Object.entries(total.where).some(([name, values]) => JSON.stringify(part.where[name]) !== JSON.stringify(values));
  if (differs) {
    critic.refuse(at, {
      message: 'this selects other spans than `total`, not a part of them',
      expected: 'all that `where` of `total` has, and what makes it a part',
    });
    return null;
  }
  return Object.fromEntries(Object.entries(part.where).filter(([name]) => total.where[name] === undefined));
}

function badRules(said: unknown, extra: Where, at: Place, critic: Critic): readonly Where[] | null {
  const isNarrower = Object.keys(extra).length > 0;
  if (said === undefined && isNarrower) return [extra];
  const entries: unknown[] = Array.isArray(said) ? said : [said];
  if (said === undefined || entries.length === 0 || !entries.every(isSection)) {
    critic.refuse(at, {
      message: said === undefined ? '`bad` is missing' : `${shownValue(said, [])} is no rule of what is bad`,
      expected: EXPECTED_BAD,
    });
    return null;
  }
  const rules: Where[] = [];
  for (const [index, entry] of entries.entries()) {
    const rule = whereOf(entry, Array.isArray(said) ? placeIn(at, index) : at, critic);
    if (rule === null) return null;
    rules.push({ ...extra, ...rule });
  }
  return rules;
}

/** Failures by the conventions and durations are counted by endpoint: of attributes only the kind of span may be left. */
function isWholeEndpoint(match: string | null, where: Where, at: Place, critic: Critic): boolean {
  const [other] = Object.keys(where).filter((name) => name !== 'span.kind');
  if (other !== undefined) {
    const message = `\`${other}\` names no endpoint; failures by convention and durations are counted for whole endpoints`;
    critic.refuse(placeIn(at, other), {
      message,
      expected: '`http.request.method` with `http.route`, `endpoint`, or `bad` as a rule of attributes',
    });
    return false;
  }
  const kinds = where['span.kind'];
  if (kinds === undefined) return true;
  const uncounted = kinds.find((kind) => !COUNTED_KINDS.includes(kind));
  if (uncounted !== undefined) {
    critic.refuse(placeIn(at, 'span.kind'), { message: `spans of kind ${uncounted} are not counted`, expected: '`SERVER` or `CONSUMER`' });
    return false;
  }
  if (match === null && kinds.length < COUNTED_KINDS.length)
    critic.warn(placeIn(at, 'span.kind'), {
      message: `which kinds of spans a service counts is said for all of them in the process file, so not \`${kinds.join(', ')}\` alone`,
      expected: '`spans.kinds` of the process file, by default server and consumer',
    });
  return true;
}
