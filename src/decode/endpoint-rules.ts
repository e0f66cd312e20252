/**
 * Names the endpoint a span served: the first convention that applies, in the order of `nameEndpoint`.
 *
 * Source: semantic conventions 1.44, span names of http-spans.md, rpc-spans.md, messaging-spans.md, graphql-spans.md and faas-spans.md. Names
 * that a client makes up (`url.path`, `graphql.operation.name`, unknown HTTP methods) are never used.
 *
 * | kind      | applies with                                | name                                                      |
 * |-----------|---------------------------------------------|-----------------------------------------------------------|
 * | graphql   | `graphql.operation.type`                    | `graphql query`, `graphql` for a type that is none        |
 * | messaging | CONSUMER or PRODUCER, any messaging name    | `process orders`; template before name; `(temporary)`     |
 * | rpc       | `rpc.method`, `rpc.service`, or a system    | `pkg.Service/Method`, or as much of it as there is        |
 * | http      | method, route or status                     | `GET /users/{id}`; without a route the cleaned span name  |
 * | faas      | `faas.trigger`                              | `resize/pubsub`                                           |
 * | span      | anything else                               | the cleaned span name, `(unnamed)` where there is none    |
 */
import { ByteWords } from './byte-words.ts';
import { type EndpointName, kindIndex, SLASH, SPACE } from './endpoint-name.ts';
import { type Concept, slotsOf } from './semconv-attributes.ts';
import { type SpanFields, VALUE_BOOL, VALUE_TEXT } from './span-fields.ts';
import { KIND_CONSUMER, KIND_PRODUCER } from './span-kinds.ts';
import { writeSpanName } from './span-name.ts';
import { httpStatusOf } from './status-codes.ts';

const HTTP_METHOD = slotsOf('httpMethod');
const HTTP_ROUTE = slotsOf('httpRoute').first;
const HTTP_STATUS = slotsOf('httpStatus');
const PROTOCOL = slotsOf('protocol');
const RPC_SYSTEM = slotsOf('rpcSystem');
const RPC_SERVICE = slotsOf('rpcService').first;
const RPC_METHOD = slotsOf('rpcMethod').first;
const OPERATION_NAME = slotsOf('messagingOperationName').first;
const OPERATION_TYPE = slotsOf('messagingOperationType');
const DESTINATION_TEMPLATE = slotsOf('messagingTemplate').first;
const DESTINATION = slotsOf('messagingDestination');
const TEMPORARY = slotsOf('messagingTemporary');
const ANONYMOUS = slotsOf('messagingAnonymous').first;
const GRAPHQL_TYPE = slotsOf('graphqlType').first;
const FAAS_NAME = slotsOf('faasName').first;
const FAAS_TRIGGER = slotsOf('faasTrigger').first;

/** Bits of `SpanFields.present` that make a convention apply. */
const ANY_HTTP = maskOf('httpMethod', 'httpRoute', 'httpStatus');
const ANY_RPC = maskOf('rpcMethod', 'rpcService', 'rpcSystem');
const ANY_MESSAGING = maskOf(
  'messagingSystem',
  'messagingOperationName',
  'messagingOperationType',
  'messagingTemplate',
  'messagingDestination',
);
const ANY_GRAPHQL = maskOf('graphqlType');

const HTTP = kindIndex('http');
const RPC = kindIndex('rpc');
const MESSAGING = kindIndex('messaging');
const GRAPHQL = kindIndex('graphql');
const FAAS = kindIndex('faas');
const SPAN = kindIndex('span');

/** Source: http-spans.md, `http.request.method`: RFC 9110, PATCH of RFC 5789, QUERY of its draft; anything else is `_OTHER`. */
const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'];
const GRAPHQL_TYPES = ['query', 'mutation', 'subscription'];
/** Position in GRAPHQL_TYPES. */
const SUBSCRIPTION = 2;
/** Stands for a method the instrumentation does not know. */
const OTHER = ['_OTHER'];
const WEBSOCKET = ['websocket'];
const SWITCHING_PROTOCOLS = 101;

/** `HTTP CONNECT ` and a byte more: what is dropped from a cleaned name, and what shows that the rest has to be cut. */
const PREFIX_BYTES = 14;

const encoder = new TextEncoder();
const LITERAL_HTTP = encoder.encode('HTTP');
const LITERAL_RPC = encoder.encode('RPC');
const LITERAL_HANDLE = encoder.encode('process');
const LITERAL_GRAPHQL = encoder.encode('graphql');
const LITERAL_TEMPORARY = encoder.encode('(temporary)');
const LITERAL_ANONYMOUS = encoder.encode('(anonymous)');
const LITERAL_UNNAMED = encoder.encode('(unnamed)');

export class EndpointRules {
  readonly #methods = new ByteWords(HTTP_METHODS);
  readonly #graphqlTypes = new ByteWords(GRAPHQL_TYPES);
  readonly #other = new ByteWords(OTHER);
  readonly #websocket = new ByteWords(WEBSOCKET);
  readonly #nameBytes: number;
  readonly #cleaned: Uint8Array;

  /** Names are cut to `nameBytes`. */
  constructor(nameBytes: number) {
    this.#nameBytes = nameBytes;
    this.#cleaned = new Uint8Array(nameBytes + PREFIX_BYTES);
  }

  /** Fills `name`; what it refers to is good until the next span. */
  nameEndpoint(fields: SpanFields, name: EndpointName): void {
    const { present, kind } = fields;
    if ((present & ANY_GRAPHQL) !== 0) this.#graphql(fields, name);
    else if ((present & ANY_MESSAGING) !== 0 && (kind === KIND_CONSUMER || kind === KIND_PRODUCER)) this.#messaging(fields, name);
    else if ((present & ANY_RPC) !== 0) this.#rpc(fields, name);
    else if ((present & ANY_HTTP) !== 0) this.#http(fields, name);
    else if (isText(fields, FAAS_TRIGGER)) this.#faas(fields, name);
    else this.#spanName(fields, name);
    name.cut(this.#nameBytes);
  }

  /** True when the span lasts as long as its connection: a switched protocol, a websocket, a GraphQL subscription. */
  isStream(fields: SpanFields): boolean {
    if (httpStatusOf(fields, fields.newest(HTTP_STATUS)) === SWITCHING_PROTOCOLS) return true;
    const protocol = fields.newestText(PROTOCOL);
    if (protocol >= 0 && find(this.#websocket, fields, protocol) >= 0) return true;
    return isText(fields, GRAPHQL_TYPE) && find(this.#graphqlTypes, fields, GRAPHQL_TYPE) === SUBSCRIPTION;
  }

  #graphql(fields: SpanFields, name: EndpointName): void {
    name.put(GRAPHQL, LITERAL_GRAPHQL, 0, LITERAL_GRAPHQL.length);
    if (isText(fields, GRAPHQL_TYPE) && find(this.#graphqlTypes, fields, GRAPHQL_TYPE) >= 0) joinText(fields, GRAPHQL_TYPE, name, SPACE);
  }

  #messaging(fields: SpanFields, name: EndpointName): void {
    const operation = isText(fields, OPERATION_NAME) ? OPERATION_NAME : fields.newestText(OPERATION_TYPE);
    if (operation >= 0) putText(fields, operation, name, MESSAGING);
    else name.put(MESSAGING, LITERAL_HANDLE, 0, LITERAL_HANDLE.length);
    const destination = isText(fields, DESTINATION_TEMPLATE) ? DESTINATION_TEMPLATE : fields.newestText(DESTINATION);
    if (destination === DESTINATION_TEMPLATE) joinText(fields, destination, name, SPACE);
    else if (isTrue(fields, fields.newest(TEMPORARY))) name.join(SPACE, LITERAL_TEMPORARY, 0, LITERAL_TEMPORARY.length);
    else if (isTrue(fields, ANONYMOUS)) name.join(SPACE, LITERAL_ANONYMOUS, 0, LITERAL_ANONYMOUS.length);
    else if (destination >= 0) joinText(fields, destination, name, SPACE);
  }

  /** `rpc.method` is fully qualified in the new conventions and bare in the old ones, where `rpc.service` has the rest. */
  #rpc(fields: SpanFields, name: EndpointName): void {
    const method = isText(fields, RPC_METHOD) && find(this.#other, fields, RPC_METHOD) < 0 ? RPC_METHOD : -1;
    const hasService = isText(fields, RPC_SERVICE);
    if (method >= 0 && (!hasService || isQualified(fields, method))) {
      putText(fields, method, name, RPC);
      // Some write the path of the HTTP/2 request.
      if (name.aEnd - name.aStart > 1 && name.a[name.aStart] === SLASH) name.aStart++;
    } else if (hasService) {
      putText(fields, RPC_SERVICE, name, RPC);
      if (method >= 0) joinText(fields, method, name, SLASH);
    } else {
      const system = fields.newestText(RPC_SYSTEM);
      if (system >= 0) putText(fields, system, name, RPC);
      else name.put(RPC, LITERAL_RPC, 0, LITERAL_RPC.length);
    }
  }

  #http(fields: SpanFields, name: EndpointName): void {
    const slot = fields.newestText(HTTP_METHOD);
    const known = slot >= 0 && find(this.#methods, fields, slot) >= 0;
    if (known) putText(fields, slot, name, HTTP);
    else name.put(HTTP, LITERAL_HTTP, 0, LITERAL_HTTP.length);
    if (isText(fields, HTTP_ROUTE)) joinText(fields, HTTP_ROUTE, name, SPACE);
    else this.#httpSpanName(fields, name);
  }

  /** `GET /a/1`, `/a/1`, `GET`, `HTTP GET`, `Cart.show` become `GET /a/{id}` (twice), `GET` (twice), `GET Cart.show`. */
  #httpSpanName(fields: SpanFields, name: EndpointName): void {
    const cleaned = this.#cleaned;
    const length = writeSpanName(fields.bytes, fields.nameStart, fields.nameEnd, cleaned);
    let start = afterWord(cleaned, 0, length, LITERAL_HTTP, 0, LITERAL_HTTP.length);
    start = afterWord(cleaned, start, length, name.a, name.aStart, name.aEnd);
    if (start < length) name.join(SPACE, cleaned, start, length);
  }

  #faas(fields: SpanFields, name: EndpointName): void {
    if (isText(fields, FAAS_NAME)) {
      putText(fields, FAAS_NAME, name, FAAS);
      joinText(fields, FAAS_TRIGGER, name, SLASH);
    } else putText(fields, FAAS_TRIGGER, name, FAAS);
  }

  #spanName(fields: SpanFields, name: EndpointName): void {
    const length = writeSpanName(fields.bytes, fields.nameStart, fields.nameEnd, this.#cleaned);
    if (length > 0) name.put(SPAN, this.#cleaned, 0, length);
    else name.put(SPAN, LITERAL_UNNAMED, 0, LITERAL_UNNAMED.length);
  }
}

function maskOf(...concepts: readonly Concept[]): number {
  return concepts.reduce((mask, concept) => mask | slotsOf(concept).mask, 0);
}

function isText(fields: SpanFields, slot: number): boolean {
  return fields.has(slot) && fields.types[slot] === VALUE_TEXT;
}

function isTrue(fields: SpanFields, slot: number): boolean {
  return slot >= 0 && fields.has(slot) && fields.types[slot] === VALUE_BOOL && fields.numbers[slot] === 1;
}

function isQualified(fields: SpanFields, slot: number): boolean {
  const end = fields.ends[slot] as number;
  for (let pos = fields.starts[slot] as number; pos < end; pos++) if (fields.bytes[pos] === SLASH) return true;
  return false;
}

function find(words: ByteWords, fields: SpanFields, slot: number): number {
  return words.find(fields.bytes, fields.starts[slot] as number, fields.ends[slot] as number);
}

function putText(fields: SpanFields, slot: number, name: EndpointName, kind: EndpointName['kind']): void {
  name.put(kind, fields.bytes, fields.starts[slot] as number, fields.ends[slot] as number);
}

function joinText(fields: SpanFields, slot: number, name: EndpointName, separator: number): void {
  name.join(separator, fields.bytes, fields.starts[slot] as number, fields.ends[slot] as number);
}

/** Where `bytes` goes on after the word and a space, or ends after it; `start` where the word is not there. */
function afterWord(bytes: Uint8Array, start: number, end: number, word: Uint8Array, wordStart: number, wordEnd: number): number {
  const length = wordEnd - wordStart;
  if (end - start < length) return start;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== word[wordStart + i]) return start;
  if (end - start === length) return end;
  return bytes[start + length] === SPACE ? start + length + 1 : start;
}
