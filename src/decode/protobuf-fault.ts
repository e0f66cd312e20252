/** Finds the first thing wrong with a refused protobuf request, and its path: a second, slow pass in the order of the bytes. */
import type { SpanRules } from '../model/span-rules.ts';
import type { ByteWords } from './byte-words.ts';
import { type DecodeError, Malformation } from './decode-error.ts';
import { TAG_KEY, TAG_VALUE } from './protobuf-attributes.ts';
import { TAG_RESOURCE, TAG_RESOURCE_ATTRIBUTE, TAG_RESOURCE_SPANS, TAG_SCOPE_SPANS, TAG_SPAN } from './protobuf-request.ts';
import {
  TAG_ATTRIBUTE,
  TAG_END,
  TAG_FLAGS,
  TAG_KIND,
  TAG_NAME,
  TAG_PARENT,
  TAG_START,
  TAG_STATUS,
  TAG_STATUS_CODE,
  TAG_TRACE_STATE,
} from './protobuf-span.ts';
import { WIRE_BYTES, WireReader } from './wire-reader.ts';

/** What the first pass reads. */
export interface FaultScope {
  readonly limits: SpanRules['limits'];
  isWantedKind(kind: number): boolean;
  readonly spanWords: ByteWords;
  readonly resourceWords: ByteWords;
}

/** Names of the fields by tag; `[]` marks repeated ones. */
type FieldNames = ReadonlyMap<number, string>;
type Visit = (tag: number, start: number, end: number) => void;

const REQUEST: FieldNames = new Map([[TAG_RESOURCE_SPANS, 'resourceSpans[]']]);
const RESOURCE_SPANS: FieldNames = new Map([
  [TAG_RESOURCE, 'resource'],
  [TAG_SCOPE_SPANS, 'scopeSpans[]'],
]);
const RESOURCE: FieldNames = new Map([[TAG_RESOURCE_ATTRIBUTE, 'attributes[]']]);
const SCOPE_SPANS: FieldNames = new Map([[TAG_SPAN, 'spans[]']]);
const SPAN: FieldNames = new Map([
  [TAG_TRACE_STATE, 'traceState'],
  [TAG_PARENT, 'parentSpanId'],
  [TAG_NAME, 'name'],
  [TAG_KIND, 'kind'],
  [TAG_START, 'startTimeUnixNano'],
  [TAG_END, 'endTimeUnixNano'],
  [TAG_ATTRIBUTE, 'attributes[]'],
  [TAG_STATUS, 'status'],
  [TAG_FLAGS, 'flags'],
]);
const STATUS: FieldNames = new Map([[TAG_STATUS_CODE, 'code']]);
const KEY_VALUE: FieldNames = new Map([
  [TAG_KEY, 'key'],
  [TAG_VALUE, 'value'],
]);
const ANY_VALUE: FieldNames = new Map();

/** The fault with the lowest offset among what the first pass reads; null where there is none. */
export function locateFault(request: Uint8Array, scope: FaultScope): DecodeError | null {
  const search = new FaultSearch(request, scope);
  try {
    search.searchRequest(request.length);
    return null;
  } catch (thrown) {
    if (!(thrown instanceof Malformation)) throw thrown;
    return { offset: thrown.offset, field: search.path, message: thrown.message };
  }
}

class FaultSearch {
  readonly #reader = new WireReader();
  readonly #scope: FaultScope;
  readonly #path: string[] = [];
  #spans = 0;

  constructor(request: Uint8Array, scope: FaultScope) {
    this.#reader.load(request);
    this.#scope = scope;
  }

  get path(): string {
    return this.#path.join('.') || 'request';
  }

  searchRequest(end: number): void {
    this.#walk(0, end, REQUEST, (_, start, spansEnd) => this.#searchResourceSpans(start, spansEnd));
  }

  #searchResourceSpans(start: number, end: number): void {
    this.#walk(start, end, RESOURCE_SPANS, (tag, fieldStart, fieldEnd) => {
      if (tag === TAG_RESOURCE) this.#searchResource(fieldStart, fieldEnd);
      else this.#walk(fieldStart, fieldEnd, SCOPE_SPANS, (_, spanStart, spanEnd) => this.#searchSpan(spanStart, spanEnd));
    });
  }

  #searchResource(start: number, end: number): void {
    const words = this.#scope.resourceWords;
    this.#walk(start, end, RESOURCE, (_, attributeStart, attributeEnd) => this.#searchAttribute(attributeStart, attributeEnd, words));
  }

  #searchSpan(start: number, end: number): void {
    if (this.#spans++ >= this.#scope.limits.spansPerRequest) return;
    const isWanted = this.#scope.isWantedKind(this.#kindOf(start, end));
    let attributes = 0;
    this.#walk(start, end, SPAN, (tag, fieldStart, fieldEnd) => {
      if (tag === TAG_STATUS) this.#walk(fieldStart, fieldEnd, STATUS, ignore);
      if (tag !== TAG_ATTRIBUTE || !isWanted || attributes++ >= this.#scope.limits.attributesPerSpan) return;
      this.#searchAttribute(fieldStart, fieldEnd, this.#scope.spanWords);
    });
  }

  #searchAttribute(start: number, end: number, words: ByteWords): void {
    const isRead = this.#isReadKey(start, end, words);
    this.#walk(start, end, KEY_VALUE, (tag, fieldStart, fieldEnd) => {
      if (tag === TAG_VALUE && isRead) this.#walk(fieldStart, fieldEnd, ANY_VALUE, ignore);
    });
  }

  /** Goes through the fields of a message and leaves the path at the field that is at fault. */
  #walk(start: number, end: number, names: FieldNames, visit: Visit): void {
    const reader = this.#reader;
    const counts = new Map<number, number>();
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      const name = names.get(tag);
      if (name === undefined) {
        reader.skip(tag, end);
        continue;
      }
      const index = counts.get(tag) ?? 0;
      counts.set(tag, index + 1);
      this.#path.push(name.replace('[]', `[${index}]`));
      if ((tag & 7) === WIRE_BYTES) {
        const length = reader.length(end);
        const fieldStart = reader.pos;
        visit(tag, fieldStart, fieldStart + length);
        reader.pos = fieldStart + length;
      } else reader.skip(tag, end);
      this.#path.pop();
    }
  }

  /** The last kind that can be read; the span itself may be broken behind it. */
  #kindOf(start: number, end: number): number {
    let kind = 0;
    this.#glance(start, end, (tag) => {
      if (tag !== TAG_KIND) return false;
      kind = this.#reader.low32(end);
      return true;
    });
    return kind;
  }

  #isReadKey(start: number, end: number, words: ByteWords): boolean {
    let isRead = false;
    this.#glance(start, end, (tag) => {
      if (tag !== TAG_KEY) return false;
      const length = this.#reader.length(end);
      const keyStart = this.#reader.pos;
      isRead = words.find(this.#reader.bytes, keyStart, keyStart + length) >= 0;
      this.#reader.pos += length;
      return true;
    });
    return isRead;
  }

  /** Goes through a message as far as it is sound; `take` reads a field's value or leaves it. */
  #glance(start: number, end: number, take: (tag: number) => boolean): void {
    const reader = this.#reader;
    reader.pos = start;
    try {
      while (reader.pos < end) {
        const tag = reader.tag(end);
        if (!take(tag)) reader.skip(tag, end);
      }
    } catch (thrown) {
      if (!(thrown instanceof Malformation)) throw thrown;
    }
    reader.pos = start;
  }
}

function ignore(): void {}
