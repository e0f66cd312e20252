/** The rules for spans once more, written plainly over strings and bigints: slow, obvious, and independent of `src/decode`. */
import { FLAG_FAILED, FLAG_NO_LATENCY, type SpanDisposition } from '../../src/model/observation-batch.ts';
import { SPAN_KINDS, type SpanRules } from '../../src/model/span-rules.ts';
import { decodeKeyValue, decodeShallowRequest, decodeShallowSpan, latin1, type ShallowSpan, scalarOf } from './shallow-otlp.ts';

export interface ReferenceRow {
  readonly service: string;
  readonly release: string;
  readonly endpoint: string;
  readonly endMs: number;
  readonly durationNs: number;
  readonly flags: number;
  readonly weight: number;
  readonly pod: string;
  /** Hex, null where there is none. */
  readonly traceId: string | null;
}
export interface ReferenceResult {
  readonly rows: readonly ReferenceRow[];
  readonly dispositions: Readonly<Partial<Record<SpanDisposition, number>>>;
}

/** Between the two parts of a name; no byte is this character. */
const SEAM = '\u0100';

type Values = Map<string, string | number | boolean>;

const SERVER_ERRORS = ['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'];
const CODES =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  );

/** What a request must become; null where it must be refused. Names and services are one character a byte. */
export function referenceDecode(bytes: Uint8Array, rules: SpanRules, nowMs: number): ReferenceResult | null {
  try {
    return decodeAll(bytes, rules, nowMs);
  } catch (error) {
    if (error instanceof TypeError || error instanceof ReferenceError) throw error;
    return null;
  }
}

function decodeAll(bytes: Uint8Array, rules: SpanRules, nowMs: number): ReferenceResult {
  const rows: ReferenceRow[] = [];
  const dispositions: Partial<Record<SpanDisposition, number>> = {};
  const settle = (disposition: SpanDisposition) => {
    dispositions[disposition] = (dispositions[disposition] ?? 0) + 1;
  };
  let seen = 0;
  for (const { resource, scopeSpans } of decodeShallowRequest(bytes).resourceSpans) {
    const resourceValues = valuesOf(
      (resource?.attributes ?? []).map(({ key, value }) => [latin1(key), value]),
      resourceKeys(rules),
    );
    const identity = identityOf(resourceValues, rules);
    for (const spanBytes of scopeSpans.flatMap(({ spans }) => spans)) {
      if (++seen > rules.limits.spansPerRequest) {
        settle('over_limit');
        continue;
      }
      const span = decodeShallowSpan(spanBytes);
      const kind = SPAN_KINDS[span.kind];
      if (kind === undefined || !rules.kinds.includes(kind)) {
        settle('not_entry');
        continue;
      }
      const attributes = span.attributes.slice(0, rules.limits.attributesPerSpan).map(decodeKeyValue);
      const values = valuesOf(
        attributes.map(({ key, value }) => [latin1(key), value]),
        spanKeys(rules),
      );
      const disposition = dispositionOf(span, values, resourceValues, identity.service, rules, nowMs);
      settle(disposition);
      if (!['counted', 'negative_duration', 'absurd_duration'].includes(disposition)) continue;
      if (disposition !== 'counted') settle('counted');
      const timed = disposition === 'counted' && !isStream(values);
      const end = BigInt(span.end.toString());
      rows.push({
        ...identity,
        endpoint: cutTo(endpointOf(span, values), rules.limits.nameBytes),
        endMs: Number(end) / 1e6,
        durationNs: timed ? Number(end - BigInt(span.start.toString())) : 0,
        flags: (outcomeOf(span, values, rules) === 'bad' ? FLAG_FAILED : 0) | (timed ? 0 : FLAG_NO_LATENCY),
        weight: weightOf(latin1(span.traceState)),
        traceId: span.traceId.length === 16 && span.traceId.some((byte) => byte !== 0) ? Buffer.from(span.traceId).toString('hex') : null,
      });
    }
  }
  return { rows, dispositions };
}

const SPAN_KEYS =
  'http.request.method http.method http.route http.response.status_code http.status_code network.protocol.name net.protocol.name rpc.system.name rpc.system rpc.service rpc.method rpc.response.status_code rpc.status_code rpc.grpc.status_code messaging.system messaging.operation.name messaging.operation.type messaging.operation messaging.destination.template messaging.destination.name messaging.destination messaging.destination.temporary messaging.temp_destination messaging.destination.anonymous graphql.operation.type faas.name faas.trigger error.type'.split(
    ' ',
  );

function spanKeys(rules: SpanRules): Set<string> {
  return new Set([...SPAN_KEYS, ...excludeKeys(rules)]);
}

function resourceKeys(rules: SpanRules): Set<string> {
  return new Set([
    'service.name',
    'service.namespace',
    ...rules.releaseBy,
    ...rules.releaseBy.map(oldName),
    ...rules.instanceBy,
    ...excludeKeys(rules),
  ]);
}

function excludeKeys(rules: SpanRules): string[] {
  return [...rules.exclude.values()].flat().flatMap((rule) => Object.keys(rule));
}

function oldName(name: string): string {
  if (name === 'deployment.environment.name') return 'deployment.environment';
  return name.replace(/^k8s\.pod\.label\./, 'k8s.pod.labels.');
}

/** The first usable value of each wanted key; unwanted ones are not decoded. */
function valuesOf(pairs: readonly (readonly [string, readonly Uint8Array[]])[], wanted: ReadonlySet<string>): Values {
  const values: Values = new Map();
  for (const [key, pieces] of pairs) {
    if (!wanted.has(key)) continue;
    const value = scalarOf(pieces);
    if (value !== null && value !== '' && !values.has(key)) values.set(key, value);
  }
  return values;
}

function identityOf(values: Values, rules: SpanRules): { service: string; release: string; pod: string } {
  const text = (key: string) => (values.has(key) ? utf8(String(values.get(key))) : '');
  const part = (value: string) => value.replaceAll('/', '%2F');
  const name = part(text('service.name') || 'unknown_service');
  const namespace = part(text('service.namespace'));
  const release = rules.releaseBy
    .map((key) => [key, text(key) || text(oldName(key))])
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${value}`)
    .join(';');
  const pod = rules.instanceBy.map(text).find((value) => value !== '') ?? '';
  return { service: namespace === '' ? name : `${namespace}/${name}`, release, pod };
}

function dispositionOf(
  span: ShallowSpan,
  values: Values,
  resource: Values,
  service: string,
  rules: SpanRules,
  nowMs: number,
): SpanDisposition {
  const kind = SPAN_KINDS[span.kind];
  if (kind === 'consumer') {
    const operation = newest(values, 'messaging.operation.type', 'messaging.operation');
    if (typeof operation === 'string' && !['process', 'deliver'].includes(operation)) return 'not_entry';
  } else if (rules.entryOnly && !['client', 'producer'].includes(String(kind))) {
    const hasParent = span.parentSpanId.some((byte) => byte !== 0);
    if (hasParent && (span.flags & 0x100) !== 0 && (span.flags & 0x200) === 0) return 'not_entry';
  }
  const applicable = [...(rules.exclude.get('*') ?? []), ...(rules.exclude.get(service) ?? [])];
  const isMet = (value: unknown, wanted: readonly string[]) =>
    value !== undefined && (wanted.includes('*') || wanted.includes(utf8(String(value))));
  if (
    applicable.some((rule) =>
      Object.entries(rule).every(([key, wanted]) => isMet(values.get(key), wanted) || isMet(resource.get(key), wanted)),
    )
  ) {
    return 'excluded';
  }
  if (outcomeOf(span, values, rules) === 'ignored') return 'excluded';
  const start = BigInt(span.start.toString());
  const end = BigInt(span.end.toString());
  if (end === 0n) return 'no_end_time';
  if (Number(end) / 1e6 > nowMs + rules.maxSkewMs) return 'future';
  if (Number(end) / 1e6 < nowMs - rules.maxAgeMs) return 'ancient';
  if (start === 0n) return 'absurd_duration';
  if (end < start) return 'negative_duration';
  return end - start > BigInt(rules.maxDurationMs) * 1_000_000n ? 'absurd_duration' : 'counted';
}

function outcomeOf(span: ShallowSpan, values: Values, rules: SpanRules): 'good' | 'bad' | 'ignored' {
  const code = grpcCode(newest(values, 'rpc.response.status_code', 'rpc.status_code', 'rpc.grpc.status_code'));
  const status = httpStatus(values);
  const treated = rules.statusTreatment.get(code ?? '') ?? rules.statusTreatment.get(String(status ?? ''));
  if (treated !== undefined) return treated;
  if (span.status?.code === 2) return 'bad';
  if (span.status?.code === 1) return 'good';
  const isCall = span.kind === 3 || span.kind === 4;
  if (code !== undefined && (isCall ? code !== 'OK' : SERVER_ERRORS.includes(code))) return 'bad';
  if (status !== undefined && status >= (isCall ? 400 : 500)) return 'bad';
  return values.has('error.type') ? 'bad' : 'good';
}

function grpcCode(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? CODES[value] : undefined;
  if (typeof value !== 'string') return undefined;
  if (/^\d{1,3}$/.test(value)) return CODES[Number(value)];
  if (value === 'canceled') return 'CANCELLED';
  const upper = value.toUpperCase();
  if (value !== upper && value !== value.toLowerCase()) return undefined;
  return CODES.includes(upper) && value !== 'cancelled' ? upper : undefined;
}

function httpStatus(values: Values): number | undefined {
  const value = newest(values, 'http.response.status_code', 'http.status_code');
  const status = typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599 ? status : undefined;
}

function isStream(values: Values): boolean {
  return (
    httpStatus(values) === 101 ||
    newest(values, 'network.protocol.name', 'net.protocol.name') === 'websocket' ||
    values.get('graphql.operation.type') === 'subscription'
  );
}

function endpointOf(span: ShallowSpan, values: Values): string {
  const text = (...keys: string[]): string => {
    const value = newest(values, ...keys);
    return typeof value === 'string' ? value : '';
  };
  const has = (...keys: string[]) => keys.some((key) => values.has(key));
  if (has('graphql.operation.type')) {
    const type = text('graphql.operation.type');
    return ['query', 'mutation', 'subscription'].includes(type) ? `graphql:graphql${SEAM} ${type}` : 'graphql:graphql';
  }
  const isMessage = has(
    'messaging.system',
    'messaging.operation.name',
    'messaging.operation.type',
    'messaging.operation',
    'messaging.destination.template',
    'messaging.destination.name',
    'messaging.destination',
  );
  if ((span.kind === 4 || span.kind === 5) && isMessage) {
    const operation = text('messaging.operation.name') || text('messaging.operation.type', 'messaging.operation') || 'process';
    let destination = text('messaging.destination.template');
    if (destination === '' && newest(values, 'messaging.destination.temporary', 'messaging.temp_destination') === true)
      destination = '(temporary)';
    if (destination === '' && values.get('messaging.destination.anonymous') === true) destination = '(anonymous)';
    if (destination === '') destination = text('messaging.destination.name', 'messaging.destination');
    return `messaging:${operation}${destination === '' ? '' : `${SEAM} ${destination}`}`;
  }
  if (has('rpc.method', 'rpc.service', 'rpc.system', 'rpc.system.name')) {
    const method = text('rpc.method') === '_OTHER' ? '' : text('rpc.method');
    const service = text('rpc.service');
    if (method !== '' && (service === '' || method.includes('/'))) return `rpc:${method.length > 1 ? method.replace(/^\//, '') : method}`;
    if (service !== '') return `rpc:${service}${method === '' ? '' : `${SEAM}/${method}`}`;
    return `rpc:${text('rpc.system.name', 'rpc.system') || 'RPC'}`;
  }
  if (has('http.route', 'http.request.method', 'http.method', 'http.response.status_code', 'http.status_code')) {
    const sent = text('http.request.method', 'http.method');
    const method = /^(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|QUERY)$/.test(sent) ? sent : 'HTTP';
    let rest = text('http.route');
    if (rest === '') {
      rest = withoutWord(withoutWord(cleaned(latin1(span.name)), 'HTTP'), method);
    }
    return `http:${method}${rest === '' ? '' : `${SEAM} ${rest}`}`;
  }
  if (text('faas.trigger') !== '') return `faas:${text('faas.name') === '' ? '' : `${text('faas.name')}${SEAM}/`}${text('faas.trigger')}`;
  return `span:${cleaned(latin1(span.name)) || '(unnamed)'}`;
}

function withoutWord(name: string, word: string): string {
  if (name === word) return '';
  return name.startsWith(`${word} `) ? name.slice(word.length + 1) : name;
}

function cleaned(name: string): string {
  const slash = name.indexOf('/');
  let inPath = false;
  return name
    .replace(/\?[^ ]*/g, (query: string, at: number) => (slash >= 0 && at > slash ? '' : query))
    .split(/([/ ])/)
    .map((piece) => {
      if (piece === '/') inPath = true;
      if (!/\d/.test(piece) || !/^[0-9A-Za-z%-=_~]+$/.test(piece)) return piece;
      const letters = piece.replace(/[^A-Za-z]/g, '');
      if (letters === '') return '{id}';
      if (/^[a-fA-F]+$/.test(letters) && piece.length >= 8) return '{id}';
      return inPath && piece.length >= 24 ? '{id}' : piece;
    })
    .join('');
}

function newest(values: Values, ...keys: string[]): string | number | boolean | undefined {
  const key = keys.find((candidate) => values.has(candidate));
  return key === undefined ? undefined : values.get(key);
}

/** `kind:name` with the name cut to `limit` bytes: each of its two parts between characters, no separator without a second part. */
function cutTo(endpoint: string, limit: number): string {
  const colon = endpoint.indexOf(':') + 1;
  const [first = '', second = ''] = endpoint.slice(colon).split(SEAM);
  const a = cutPart(first, limit);
  const room = limit - first.length - 1;
  const b = room > 0 ? cutPart(second.slice(1), room) : '';
  return endpoint.slice(0, colon) + a + (b === '' ? '' : second.charAt(0) + b);
}

function cutPart(part: string, limit: number): string {
  if (part.length <= limit) return part;
  for (let end = limit; end > 0 && end >= limit - 3; end--) {
    if ((part.charCodeAt(end) & 0xc0) !== 0x80) return part.slice(0, end);
  }
  return part.slice(0, limit);
}

function weightOf(traceState: string): number {
  const member = traceState
    .split(',')
    .map((entry) => entry.replace(/^[ \t]+/, ''))
    .find((entry) => entry.startsWith('ot='));
  const sub = member
    ?.slice(3)
    .split(';')
    .find((entry) => entry.startsWith('th:'));
  const digits = /^([0-9a-f]{1,14})(?:[ \t].*)?$/s.exec(sub?.slice(3) ?? '')?.[1];
  if (digits === undefined) return 1;
  const rejected = BigInt(`0x${digits.padEnd(14, '0')}`);
  return 2 ** 56 / Number(2n ** 56n - rejected);
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
