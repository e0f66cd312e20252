/** Who sent a request's span: service, release and endpoint, the three that make a series. */

/**
 * One deployed version of a service. Two releases are the same when all tracked attributes are equal; which attributes are tracked is
 * configuration (`release.by`), so a matcher can select by any of them.
 */
export interface Release {
  /** What people call it: the first tracked attribute that has a value, or `unknown`. */
  readonly name: string;
  /** The tracked resource attributes that the spans carried. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** Selects releases by tracked resource attributes: every named attribute must have exactly the given value. Empty matches nothing. */
export type ReleaseMatcher = Readonly<Record<string, string>>;

/** For people and metrics: `service.version=1.5.0, k8s.deployment.name=shop`; values as they came, however long. */
export function matcherText(matcher: ReleaseMatcher): string {
  return Object.entries(matcher)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

/** True when `release` carries every attribute of `matcher` with that value; an empty matcher matches no release. */
export function releaseMatches(matcher: ReleaseMatcher, release: Release): boolean {
  const wanted = Object.entries(matcher);
  return wanted.length > 0 && wanted.every(([key, value]) => release.attributes.get(key) === value);
}

/** True when both ask for the same attributes with the same values, in whatever order. */
export function sameMatcher(a: ReleaseMatcher, b: ReleaseMatcher): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

/** Which convention named the endpoint; `overflow` stands for every endpoint beyond the service's quota. */
export const ENDPOINT_KINDS = ['http', 'rpc', 'messaging', 'graphql', 'faas', 'span', 'overflow'] as const;
export type EndpointKind = (typeof ENDPOINT_KINDS)[number];

/** What a resource says about its spans, read once per distinct resource. */
export interface ResourceIdentity {
  /** `name`, or `namespace/name` where the resource carries a namespace (a `/` inside either is written `%2F`). */
  readonly service: string;
  /** All tracked attributes with a value. */
  readonly releaseAttributes: ReadonlyMap<string, string>;
}

/** A series: service × release × endpoint. Ids are dense from 0 and never reused within one state. */
export interface SeriesInfo {
  readonly id: number;
  readonly service: string;
  readonly release: Release;
  /** `GET /checkout/{id}`, `pkg.Service/Method`, `process orders` …; `(other)` for overflow. */
  readonly endpoint: string;
  readonly kind: EndpointKind;
  /** Latency limits declared by objectives for this endpoint, ascending; index = position in `SlotDeltas.slow`. At most 8. */
  readonly thresholdsNs: readonly number[];
  /** Keys of the event rules that are counted for this endpoint. At most MAX_EVENT_RULES; see `ruleCounterAt`. */
  readonly rules: readonly string[];
}

/** Counters of a series: two for each rule, its valid events and its bad ones. */
export const COUNTERS_PER_RULE = 2;

/** Position in a row of `SlotDeltas.slow` of the valid events of the series' rule with this key, that of the bad ones follows; -1 when they are not counted. */
export function ruleCounterAt({ thresholdsNs, rules }: Pick<SeriesInfo, 'thresholdsNs' | 'rules'>, key: string): number {
  const rule = rules.indexOf(key);
  return rule < 0 ? -1 : thresholdsNs.length + rule * COUNTERS_PER_RULE;
}

/** The endpoint name of an overflow series. */
export const OVERFLOW_ENDPOINT = '(other)';

/**
 * Gives names on the wire their numbers. `decode` is handed one, so it never builds strings for spans whose series is known.
 */
export interface SeriesInterner {
  /** Number of a (service, release) pair. Called once per distinct resource, not per span. */
  resource(identity: ResourceIdentity): number;
  /** Lane of the pod `instance` of `resource`: 0 for the empty name, else 1 to LANES. Called once per distinct resource, too. */
  lane(resource: number, instance: string): number;
  /**
   * Series of an endpoint of `resource`. The endpoint's name is the bytes of `a`, then, where `b` is not empty, `separator` (one ASCII byte)
   * and the bytes of `b` (for example method, space, route). Beyond the service's quota it is the overflow series. Never throws.
   */
  series(
    resource: number,
    kind: EndpointKindIndex,
    a: Uint8Array,
    aStart: number,
    aEnd: number,
    separator: number,
    b: Uint8Array,
    bStart: number,
    bEnd: number,
  ): number;
}

/** Position in ENDPOINT_KINDS. */
export type EndpointKindIndex = 0 | 1 | 2 | 3 | 4 | 5 | 6;
