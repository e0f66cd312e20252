/**
 * Reads what an OpenSLO metric source of type `OpenTelemetrySpans` selects, and refuses sources of other systems by name.
 *
 * Its `spec` selects spans by attributes and never asks in a query language: `where` (attributes of span or resource, each with a value or a list),
 * `endpoint` (instead of attributes, as we name it, `*` and `**` allowed) or `scope: service` (attributes name no endpoint here), of thresholds `field` and `unit`, of ratios `bad` or `good`.
 */
import { nearestName } from '../nearest-name.ts';
import { type Finding, shownValue } from '../problem.ts';
import { isSection } from './leniency.ts';
import { type Place, placeIn, type References } from './references.ts';
import type { MetricSource } from './schema.ts';

export const SPAN_SOURCE = 'OpenTelemetrySpans';

export interface Critic {
  /** What follows is not converted. */
  refuse(place: Place, finding: Finding): void;
  warn(place: Place, finding: Finding): void;
}

export type Where = Readonly<Record<string, readonly string[]>>;

export interface SpanSelection {
  /** Pattern of the endpoint; null for the whole service. */
  readonly match: string | null;
  /** What the endpoint does not say. */
  readonly where: Where;
  /** What else the source says: `field`, `unit`, `bad`, `good`. */
  readonly rest: Readonly<Record<string, unknown>>;
}

const COMMON_KEYS = ['where', 'endpoint', 'scope'];
const WHERE_EXPECTED = 'attributes of span or resource with their values, such as `{ http.request.method: POST, http.route: /checkout }`';

/** Pairs of attributes that our endpoints are named by; see `EndpointRules` for what applies when. */
const METHOD_NAMES = ['http.request.method', 'http.method'];
const ENDPOINT_PAIRS: readonly (readonly [first: readonly string[], second: readonly string[], separator: string])[] = [
  [METHOD_NAMES, ['http.route'], ' '],
  [['rpc.service'], ['rpc.method'], '/'],
  [['messaging.operation.name'], ['messaging.destination.template', 'messaging.destination.name'], ' '],
];

/** Null when it was refused. `keys` are those of `rest` that are allowed here. */
export function spanSelection(
  source: MetricSource,
  place: Place,
  { service, keys, references, critic }: { service: string; keys: readonly string[]; references: References; critic: Critic },
): SpanSelection | null {
  if (!isOfSpans(source, place, references, critic)) return null;
  const at = placeIn(place, 'spec');
  const known = [...COMMON_KEYS, ...keys];
  const unknown = Object.keys(source.spec).filter((key) => !known.includes(key));
  for (const key of unknown) {
    const finding = {
      message: `a source of spans has no \`${key}\` here`,
      expected: `one of ${known.join(', ')}`,
      suggestion: nearestName(key, known),
    };
    critic.refuse(placeIn(at, key), finding);
  }
  const { where: given, endpoint, scope, ...rest } = source.spec;
  const where = whereOf(given, placeIn(at, 'where'), critic);
  if (unknown.length > 0 || where === null) return null;
  const own = withoutService(where, service, placeIn(at, 'where'), critic);
  if (own === null) return null;
  if (endpoint !== undefined) {
    if (typeof endpoint === 'string' && endpoint !== '' && endpoint.length <= 512) return { match: endpoint, where: own, rest };
    critic.refuse(placeIn(at, 'endpoint'), { message: 'not an endpoint', expected: 'an endpoint or pattern, such as `GET /reports/**`' });
    return null;
  }
  if (scope === 'service') return { match: null, where: own, rest };
  if (scope !== undefined) {
    critic.refuse(placeIn(at, 'scope'), { message: `${shownValue(scope, [])} is no scope`, expected: '`service`, or none' });
    return null;
  }
  return { ...endpointOf(own, placeIn(at, 'where'), critic), rest };
}

function isOfSpans(source: MetricSource, place: Place, references: References, critic: Critic): boolean {
  let { type } = source;
  let at = placeIn(place, 'type');
  if (source.metricSourceRef !== undefined) {
    const found = references.find('DataSource', source.metricSourceRef);
    if (found === null) {
      critic.refuse(placeIn(place, 'metricSourceRef'), references.unknown('DataSource', source.metricSourceRef));
      return false;
    }
    if (type === undefined) {
      type = found.value.spec.type;
      at = placeIn(place, 'metricSourceRef');
    }
  }
  if (type === SPAN_SOURCE) return true;
  const message = `a source of type ${shownValue(type, [])} is not supported: its queries cannot be answered from spans`;
  const expected = `\`type: ${SPAN_SOURCE}\` with \`where\`, which selects spans by their attributes`;
  critic.refuse(at, { message, expected, suggestion: nearestName(String(type), [SPAN_SOURCE]) });
  return false;
}

/** Values as lists of texts, attributes in order. Null when it was refused. */
export function whereOf(given: unknown, place: Place, critic: Critic): Where | null {
  if (given === undefined) return {};
  if (!isSection(given)) {
    critic.refuse(place, { message: 'not a selection', expected: WHERE_EXPECTED });
    return null;
  }
  const where: [string, readonly string[]][] = [];
  for (const [attribute, value] of Object.entries(given)) {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    if (values.length === 0 || !values.every((entry) => ['string', 'number', 'boolean'].includes(typeof entry))) {
      critic.refuse(placeIn(place, attribute), { message: 'not a value or list of values', expected: WHERE_EXPECTED });
      return null;
    }
    const texts = values.map((entry) =>
      attribute === 'span.kind'
        ? String(entry)
            .toLowerCase()
            .replace(/^span_kind_/, '')
        : String(entry),
    );
    where.push([attribute, [...new Set(texts)].sort()]);
  }
  return Object.fromEntries(where.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** An SLO is about one service anyway. */
function withoutService(where: Where, service: string, place: Place, critic: Critic): Where | null {
  const { 'service.name': names, ...rest } = where;
  if (names === undefined) return where;
  const bare = service.slice(service.indexOf('/') + 1);
  if (names.length === 1 && names[0] === bare) return rest;
  critic.refuse(placeIn(place, 'service.name'), {
    message: `the spans of ${shownValue(names.join(', '), [])} are not those of \`${service}\``,
    expected: `\`service.name: ${bare}\`, or none: the SLO's \`service\` says it`,
  });
  return null;
}

function endpointOf(where: Where, place: Place, critic: Critic): { readonly match: string | null; readonly where: Where } {
  for (const [firsts, seconds, separator] of ENDPOINT_PAIRS) {
    const first = firsts.find((name) => where[name] !== undefined);
    const second = seconds.find((name) => where[name] !== undefined);
    if (second === undefined || !isOne(where[second]) || (first !== undefined && !isOne(where[first]))) continue;
    const used = new Set([first, second]);
    const left = Object.fromEntries(Object.entries(where).filter(([name]) => !used.has(name)));
    const name = where[second]?.[0] ?? '';
    if (name.includes('*'))
      critic.warn(placeIn(place, second), {
        message: `in the name of an endpoint \`*\` stands for anything, so \`${name}\` means others too`,
        expected: 'the route as the framework names it, without `*`',
      });
    // The newer conventions write the whole name into `rpc.method`.
    if (separator === '/' && name.includes('/')) return { match: name, where: left };
    const before = first === undefined ? (separator === '/' ? '**' : '*') : (where[first]?.[0] ?? '');
    return { match: `${before}${separator}${name}`, where: left };
  }
  return { match: null, where };
}

/** True when an import would take the attributes for the name of an endpoint. */
export function namesEndpoint(where: Where): boolean {
  return ENDPOINT_PAIRS.some(([firsts, seconds]) => [...firsts, ...seconds].some((name) => where[name] !== undefined));
}

function isOne(values: readonly string[] | undefined): boolean {
  return values !== undefined && values.length === 1 && values[0] !== '*';
}
