/**
 * Reads an ExportTraceServiceRequest (the same bytes as TracesData).
 *
 *     request       = 1 resource_spans (0A)*
 *     ResourceSpans = 1 resource (0A) { 1 attributes (0A)* } | 2 scope_spans (12)* | 3 schema_url
 *     ScopeSpans    = 1 scope | 2 spans (12)* | 3 schema_url
 *
 * Fields come in any order. What no rule needs is passed over by length, unread. Differences to a full protobuf decoder, on purpose: groups and
 * varints of more than 10 bytes are refused even in unknown fields; the content of unread messages (scopes, events, links, attributes of
 * spans that are not counted, values of other attributes) is not checked, so nesting needs no limit here; nor is UTF-8, so broken texts become
 * names as they are.
 */
import { ProtobufAttributes } from './protobuf-attributes.ts';
import { ProtobufSpan } from './protobuf-span.ts';
import type { ResourceEntry, ResourceIdentities, ResourceValues } from './resource-identity.ts';
import { ResourceMemo } from './resource-memo.ts';
import type { RowWriter } from './row-writer.ts';
import type { SpanSlots } from './span-slots.ts';
import { WireReader } from './wire-reader.ts';

export const TAG_RESOURCE_SPANS = 0x0a;
export const TAG_RESOURCE = 0x0a;
export const TAG_RESOURCE_ATTRIBUTE = 0x0a;
export const TAG_SCOPE_SPANS = 0x12;
export const TAG_SPAN = 0x12;

export interface ProtobufRequestOptions {
  readonly writer: RowWriter;
  readonly identities: ResourceIdentities;
  readonly slots: SpanSlots;
  readonly attributesPerSpan: number;
  readonly hashSeed: number;
}

/** Writes each span of a request to `writer`; throws a Malformation at the first thing that is wrong with what it reads. */
export class ProtobufRequest {
  readonly #reader = new WireReader();
  readonly #writer: RowWriter;
  readonly #identities: ResourceIdentities;
  readonly #slots: SpanSlots;
  readonly #memo: ResourceMemo;
  readonly #span: ProtobufSpan;
  readonly #attributes: ProtobufAttributes;

  constructor(options: ProtobufRequestOptions) {
    this.#writer = options.writer;
    this.#identities = options.identities;
    this.#slots = options.slots;
    this.#memo = new ResourceMemo(options.hashSeed);
    this.#span = new ProtobufSpan(this.#reader, options.slots.fields, options.attributesPerSpan);
    this.#attributes = new ProtobufAttributes(this.#reader, options.slots.fields, options.slots.words);
  }

  read(request: Uint8Array): void {
    const reader = this.#reader;
    reader.load(request);
    this.#slots.fields.bytes = request;
    this.#writer.tracesAre(request);
    const end = request.length;
    try {
      while (reader.pos < end) {
        const tag = reader.tag(end);
        if (tag === TAG_RESOURCE_SPANS) {
          const length = reader.length(end);
          const start = reader.pos;
          this.#readResourceSpans(start, start + length);
          reader.pos = start + length;
        } else reader.skip(tag, end);
      }
    } finally {
      reader.unload();
      this.#slots.fields.bytes = reader.bytes;
    }
  }

  #readResourceSpans(start: number, end: number): void {
    const reader = this.#reader;
    const entry = this.#readResource(start, end);
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag === TAG_SCOPE_SPANS) {
        const length = reader.length(end);
        const scopeStart = reader.pos;
        this.#readScopeSpans(scopeStart, scopeStart + length, entry);
        reader.pos = scopeStart + length;
      } else reader.skip(tag, end);
    }
  }

  /** Finds the resource, which may come after its spans; two of them merge, and the concatenation of messages is their merger. */
  #readResource(start: number, end: number): ResourceEntry {
    const reader = this.#reader;
    let resourceStart = start;
    let resourceEnd = start;
    let found = 0;
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag === TAG_RESOURCE) {
        const length = reader.length(end);
        resourceStart = reader.pos;
        resourceEnd = reader.pos + length;
        reader.pos += length;
        found++;
      } else reader.skip(tag, end);
    }
    if (found > 1) return this.#readRepeatedResource(start, end);
    const known = this.#memo.find(reader.bytes, reader.view, resourceStart, resourceEnd);
    if (known !== null) return known;
    const values: ResourceValues = [];
    this.#readResourceInto(resourceStart, resourceEnd, values);
    const entry = this.#identities.entryOf(values);
    this.#memo.add(reader.bytes, reader.view, resourceStart, resourceEnd, entry);
    return entry;
  }

  #readRepeatedResource(start: number, end: number): ResourceEntry {
    const reader = this.#reader;
    const values: ResourceValues = [];
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag === TAG_RESOURCE) {
        const length = reader.length(end);
        const resourceEnd = reader.pos + length;
        this.#readResourceInto(reader.pos, resourceEnd, values);
        reader.pos = resourceEnd;
      } else reader.skip(tag, end);
    }
    return this.#identities.entryOf(values);
  }

  #readResourceInto(start: number, end: number, values: ResourceValues): void {
    const reader = this.#reader;
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag === TAG_RESOURCE_ATTRIBUTE) {
        const length = reader.length(end);
        const attributeEnd = reader.pos + length;
        this.#attributes.readResourceAttribute(reader.pos, attributeEnd, this.#identities, values);
        reader.pos = attributeEnd;
      } else reader.skip(tag, end);
    }
  }

  #readScopeSpans(start: number, end: number, entry: ResourceEntry): void {
    const reader = this.#reader;
    const fields = this.#slots.fields;
    const span = this.#span;
    const writer = this.#writer;
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag !== TAG_SPAN) {
        reader.skip(tag, end);
        continue;
      }
      const length = reader.length(end);
      const spanStart = reader.pos;
      const spanEnd = spanStart + length;
      if (writer.admits()) {
        span.scan(spanStart, spanEnd);
        if (writer.wants(fields.kind)) {
          for (let i = 0; i < span.attributesEnd; i += 2) {
            this.#attributes.readSpanAttribute(span.attributes[i] as number, span.attributes[i + 1] as number);
          }
          writer.write(fields, entry);
        }
      }
      reader.pos = spanEnd;
    }
  }
}
