/** Draws requests field by field, in any order and with fields repeated or unknown, and damages them. */

const ENCODER = new TextEncoder();

/** A tag and its value; `payload` makes it length-delimited. */
export function bytesField(id: number, payload: Uint8Array): Uint8Array {
  return concat([varint(BigInt(id * 8 + 2)), varint(BigInt(payload.length)), payload]);
}
export function textField(id: number, text: string): Uint8Array {
  return bytesField(id, ENCODER.encode(text));
}
export function varintField(id: number, value: bigint | number): Uint8Array {
  return concat([varint(BigInt(id * 8)), varint(BigInt.asUintN(64, BigInt(value)))]);
}
export function fixed64Field(id: number, value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return concat([varint(BigInt(id * 8 + 1)), bytes]);
}
export function fixed32Field(id: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
  return concat([varint(BigInt(id * 8 + 5)), bytes]);
}
export function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

type Random = () => number;

const KEYS = [
  ['http.request.method', 'GET', 'POST', '_OTHER', 'get', 'BREW'],
  ['http.method', 'PUT', 'PATCH', ''],
  ['http.route', '/users/{id}', '/ä/ö/ü/{id}/rather/long/route/for/a/small/limit', '/'],
  ['http.response.status_code', 200, 404, 429, 499, 500, 503, 101, 99, -1, '502'],
  ['http.status_code', 200, 500, 429],
  ['network.protocol.name', 'websocket', 'http'],
  ['rpc.system', 'grpc', 'dubbo'],
  ['rpc.system.name', 'grpc', ''],
  ['rpc.service', 'pkg.Cart', 'Cart'],
  ['rpc.method', 'pkg.Cart/Add', 'Add', '/pkg.Cart/Add', '_OTHER', '/'],
  ['rpc.response.status_code', 'OK', 'INTERNAL', 'canceled', 'deadline_exceeded', '14', 'nonsense'],
  ['rpc.grpc.status_code', 0, 1, 2, 4, 13, 17],
  ['messaging.system', 'kafka', true],
  ['messaging.operation.type', 'process', 'receive', 'deliver'],
  ['messaging.operation', 'receive', 'process'],
  ['messaging.operation.name', 'handle', 'poll'],
  ['messaging.destination.name', 'orders', 'tmp-123'],
  ['messaging.destination.template', 'orders-{n}'],
  ['messaging.destination.temporary', true, false],
  ['messaging.destination.anonymous', true],
  ['graphql.operation.type', 'query', 'subscription', 'evil'],
  ['faas.trigger', 'http', 'pubsub'],
  ['faas.name', 'resize'],
  ['error.type', 'timeout', '', 5],
  ['user_agent.synthetic.type', 'bot', 'test'],
  ['probe', true, 1, 'yes'],
  ['something.else', 'x'],
  ['http.routf', 'near miss'],
  ['', 'no key'],
] as const;
const RESOURCE_KEYS = [
  ['service.name', 'cart', 'a/b', '', 7],
  ['service.namespace', 'shop', 'x/y'],
  ['service.version', '1.0', '1.1', 2],
  ['deployment.environment', 'prod'],
  ['deployment.environment.name', 'staging'],
  ['k8s.pod.labels.track', 'canary'],
  ['k8s.pod.label.track', 'stable'],
  ['probe', 'yes', true],
  ['host.name', 'h'],
  ['k8s.pod.name', 'cart-1', 'cart-2', 'pöd', ''],
  ['service.instance.id', 'a', 3],
] as const;
const NAMES = [
  'GET /users/1234?x=1',
  'HTTP GET',
  'GET',
  '/a/9f1c2d3e4b5a',
  'process order 77',
  '',
  'ünïcode näme',
  'GET /t/abcdefghij0123456789klmnop/x',
];
const TRACE_STATES = [
  'ot=th:8',
  'a=b,ot=rv:1;th:c',
  'ot=th:ffffffffffffff',
  'ot=th:xyz',
  'ot=th:',
  ' ot=th:4 , c=d',
  'ot=th:0123456789abcdef',
];

/** A request of at most a few spans around `nowMs`. */
export function randomRequest(random: Random, nowMs: number): Uint8Array {
  return concat(upTo(random, 2, () => bytesField(1, resourceSpans(random, nowMs)), 1));
}

function resourceSpans(random: Random, nowMs: number): Uint8Array {
  const fields = [
    ...upTo(random, chance(random, 0.1) ? 2 : 1, () => bytesField(1, resource(random))),
    ...upTo(random, 2, () => bytesField(2, scopeSpans(random, nowMs)), 1),
    textField(3, 'https://opentelemetry.io/schemas/1.44.0'),
  ];
  return mixed(random, fields);
}

function resource(random: Random): Uint8Array {
  return mixed(random, [...upTo(random, 5, () => bytesField(1, keyValue(random, RESOURCE_KEYS))), varintField(2, 0)]);
}

function scopeSpans(random: Random, nowMs: number): Uint8Array {
  return mixed(random, [textField(1, ''), ...upTo(random, 3, () => bytesField(2, span(random, nowMs)), 1)]);
}

function span(random: Random, nowMs: number): Uint8Array {
  const nowNs = BigInt(nowMs) * 1_000_000n;
  const end = nowNs - BigInt(Math.floor(random() * 1e10));
  const ends = [end, end, end, end, end, 0n, nowNs * 2n, 1n, 2n ** 63n + 5n, nowNs + 10_000_000_000n];
  const starts = [end - BigInt(Math.floor(random() * 1e9)), end - 1n, end, 0n, end + 5n, 1n, 2n ** 64n - 1n];
  const fields = [
    ...(chance(random, 0.9) ? [bytesField(1, traceId(random))] : []),
    bytesField(2, new Uint8Array(8).fill(5)),
    ...(chance(random, 0.3) ? [textField(3, pick(random, TRACE_STATES))] : []),
    ...(chance(random, 0.5) ? [bytesField(4, new Uint8Array(8).fill(chance(random, 0.8) ? 9 : 0))] : []),
    textField(5, pick(random, NAMES)),
    varintField(6, pick(random, [2, 2, 2, 2, 5, 5, 3, 1, 0, 4, 6, -1])),
    fixed64Field(7, chance(random, 0.7) ? (starts[0] as bigint) : pick(random, starts)),
    fixed64Field(8, pick(random, ends)),
    ...upTo(random, 7, () => bytesField(9, keyValue(random, KEYS))),
    ...(chance(random, 0.2) ? [bytesField(11, concat([fixed64Field(1, end), textField(2, 'event')]))] : []),
    ...(chance(random, 0.3) ? [bytesField(15, concat([textField(2, 'm'), varintField(3, pick(random, [0, 1, 2, 3]))]))] : []),
    ...(chance(random, 0.5) ? [fixed32Field(16, pick(random, [0, 1, 0x100, 0x101, 0x300, 0x301]))] : []),
  ];
  return mixed(random, fields);
}

function traceId(random: Random): Uint8Array {
  const bytes = new Uint8Array(pick(random, [16, 16, 16, 16, 15, 17, 0]));
  return chance(random, 0.1) ? bytes : bytes.map(() => Math.floor(random() * 256));
}

function keyValue(random: Random, table: readonly (readonly [string, ...(string | number | boolean)[]])[]): Uint8Array {
  const [key, ...values] = pick(random, table);
  const repeats = chance(random, 0.05) ? 2 : 1;
  const fields = [textField(1, key), ...Array.from({ length: repeats }, () => bytesField(2, anyValue(random, pick(random, values))))];
  return chance(random, 0.9) ? concat(fields) : mixed(random, fields);
}

function anyValue(random: Random, value: string | number | boolean | undefined): Uint8Array {
  if (chance(random, 0.04))
    return pick(random, [bytesField(5, bytesField(1, textField(1, 'in'))), bytesField(6, new Uint8Array()), new Uint8Array()]);
  if (typeof value === 'string') return textField(1, value);
  if (typeof value === 'boolean') return varintField(2, value ? 1 : 0);
  if (chance(random, 0.1)) {
    const bytes = new Uint8Array(9);
    bytes[0] = 0x21;
    new DataView(bytes.buffer).setFloat64(1, value ?? 0.5, true);
    return bytes;
  }
  return varintField(3, value ?? 0);
}

/** Mostly in order; sometimes shuffled, a field repeated, or an unknown one put in. */
function mixed(random: Random, fields: readonly Uint8Array[]): Uint8Array {
  const result = [...fields];
  if (chance(random, 0.1) && result.length > 0) result.push(pick(random, fields));
  if (chance(random, 0.1))
    result.push(pick(random, [varintField(99, 5), fixed32Field(200, 1), bytesField(5000, new Uint8Array(3)), fixed64Field(77, 1n)]));
  if (chance(random, 0.25)) {
    for (let i = result.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [result[i], result[j]] = [result[j] as Uint8Array, result[i] as Uint8Array];
    }
  }
  return concat(result);
}

/** One to three changes: a byte flipped or replaced, a piece cut out, doubled or put in, the end cut off. */
export function damaged(random: Random, request: Uint8Array): Uint8Array {
  let bytes = request;
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) bytes = damagedOnce(random, bytes);
  return bytes;
}

const TELLING_BYTES = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x0b, 0x0c, 0x0e, 0x22, 0x4a, 0x30, 0x10];

function damagedOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = Math.floor(random() * (bytes.length + 1));
  const length = Math.floor(random() * 12);
  const copy = bytes.slice();
  switch (Math.floor(random() * 7)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      return copy;
    case 1:
      copy[at] = pick(random, TELLING_BYTES);
      return copy;
    case 2:
      return concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 3:
      return concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    case 4:
      return concat([bytes.subarray(0, at), Uint8Array.from({ length }, () => pick(random, TELLING_BYTES)), bytes.subarray(at)]);
    case 5:
      return bytes.slice(0, at);
    default:
      copy[at] = Math.floor(random() * 256);
      return copy;
  }
}

function chance(random: Random, probability: number): boolean {
  return random() < probability;
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

function upTo<T>(random: Random, most: number, make: () => T, least = 0): T[] {
  return Array.from({ length: least + Math.floor(random() * (most - least + 1)) }, make);
}
