/**
 * Reads an ExportTraceServiceRequest in OTLP's JSON: the protobuf JSON mapping, but ids in hex and enums as integers.
 *
 * Keys are lowerCamelCase; others, snake_case among them, are unknown and ignored. Missing and null are the default. What no rule needs is not
 * looked at. `JSON.parse` builds every value, so this costs many times what protobuf does.
 */
import { Malformation } from './decode-error.ts';
import { HexTraces } from './hex-traces.ts';
import { guardJsonDepth } from './json-depth.ts';
import {
  doubleAt,
  enumAt,
  hexAt,
  int64At,
  type JsonObject,
  listAt,
  objectAt,
  readNanoseconds,
  textAt,
  uint32At,
  wrongType,
} from './json-values.ts';
import { MAX_IDENTITY_BYTES, type ResourceEntry, type ResourceIdentities, type ResourceValues } from './resource-identity.ts';
import type { RowWriter } from './row-writer.ts';
import { END_HIGH, END_LOW, START_HIGH, START_LOW, VALUE_BOOL, VALUE_NUMBER } from './span-fields.ts';
import type { SpanSlots } from './span-slots.ts';

/** Levels from the request down to the AnyValue of an attribute of an event, the deepest there is. */
const SCHEMA_LEVELS = 12;
/** `kvlistValue`, `values`, its entry and its value: what one level of AnyValue nests. */
const LEVELS_PER_VALUE = 4;
/** Texts of a span are cut here: longer than any limit on names worth configuring. */
const MAX_TEXT_BYTES = 4096;
/** Texts of a span beside its attributes: name and trace state. */
const OWN_TEXTS = 2;

const decoder = new TextDecoder('utf-8', { fatal: true });
const lenientDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

export interface JsonRequestOptions {
  readonly writer: RowWriter;
  readonly identities: ResourceIdentities;
  readonly slots: SpanSlots;
  readonly attributesPerSpan: number;
  /** Nesting of AnyValue. */
  readonly depth: number;
}

/** Writes each span of a request to `writer`; throws a Malformation at the first thing that is wrong with what it reads. */
export class JsonRequest {
  readonly #writer: RowWriter;
  readonly #identities: ResourceIdentities;
  readonly #slots: SpanSlots;
  readonly #attributesPerSpan: number;
  readonly #maxLevels: number;
  /** Texts of the span in hand as UTF-8; the ranges of its fields point here. */
  readonly #scratch: Uint8Array;
  #used = 0;
  readonly #traces = new HexTraces();

  constructor(options: JsonRequestOptions) {
    this.#writer = options.writer;
    this.#identities = options.identities;
    this.#slots = options.slots;
    this.#attributesPerSpan = options.attributesPerSpan;
    this.#maxLevels = SCHEMA_LEVELS + LEVELS_PER_VALUE * options.depth;
    this.#scratch = new Uint8Array((options.slots.size + OWN_TEXTS) * MAX_TEXT_BYTES);
  }

  read(bytes: Uint8Array): void {
    guardJsonDepth(bytes, this.#maxLevels);
    const request = objectAt(parsed(bytes), 'request');
    if (request === null) throw wrongType('request', 'an object');
    this.#traces.clear();
    listAt(request.resourceSpans, 'resourceSpans').forEach((entry, i) => {
      const path = `resourceSpans[${i}]`;
      const resourceSpans = objectAt(entry, path);
      if (resourceSpans !== null) this.#readResourceSpans(resourceSpans, path);
    });
  }

  #readResourceSpans(resourceSpans: JsonObject, path: string): void {
    const resource = this.#readResource(objectAt(resourceSpans.resource, `${path}.resource`), `${path}.resource`);
    listAt(resourceSpans.scopeSpans, `${path}.scopeSpans`).forEach((entry, s) => {
      const scopePath = `${path}.scopeSpans[${s}]`;
      const scopeSpans = objectAt(entry, scopePath);
      if (scopeSpans === null) return;
      listAt(scopeSpans.spans, `${scopePath}.spans`).forEach((span, i) => {
        if (this.#writer.admits()) this.#readSpan(span, resource, `${scopePath}.spans[${i}]`);
      });
    });
  }

  #readResource(resource: JsonObject | null, path: string): ResourceEntry {
    const values: ResourceValues = [];
    listAt(resource?.attributes, `${path}.attributes`).forEach((entry, i) => {
      const attributePath = `${path}.attributes[${i}]`;
      const attribute = objectAt(entry, attributePath);
      const position = this.#identities.words.indexOf(textAt(attribute?.key, `${attributePath}.key`));
      if (position < 0) return;
      const value = scalarOf(objectAt(attribute?.value, `${attributePath}.value`), `${attributePath}.value`);
      if (value !== null) values[position] ||= typeof value === 'string' ? this.#cutText(value) : String(value);
    });
    return this.#identities.entryOf(values);
  }

  #readSpan(entry: unknown, resource: ResourceEntry, path: string): void {
    const span = objectAt(entry, path) ?? {};
    const fields = this.#slots.fields;
    fields.clear();
    fields.bytes = this.#scratch;
    this.#used = 0;
    const traceId = hexAt(span.traceId, `${path}.traceId`);
    hexAt(span.spanId, `${path}.spanId`);
    fields.hasParent = /[^0]/.test(hexAt(span.parentSpanId, `${path}.parentSpanId`));
    fields.kind = enumAt(span.kind, `${path}.kind`);
    fields.flags = uint32At(span.flags, `${path}.flags`) | 0;
    const status = objectAt(span.status, `${path}.status`);
    fields.statusCode = enumAt(status?.code, `${path}.status.code`);
    readNanoseconds(span.startTimeUnixNano, fields.times, START_HIGH, START_LOW, `${path}.startTimeUnixNano`);
    readNanoseconds(span.endTimeUnixNano, fields.times, END_HIGH, END_LOW, `${path}.endTimeUnixNano`);
    const name = textAt(span.name, `${path}.name`);
    const traceState = textAt(span.traceState, `${path}.traceState`);
    const attributes = listAt(span.attributes, `${path}.attributes`);
    if (!this.#writer.wants(fields.kind)) return;
    fields.nameStart = this.#used;
    fields.nameEnd = this.#write(name);
    fields.traceStateStart = this.#used;
    fields.traceStateEnd = this.#write(traceState);
    const read = Math.min(attributes.length, this.#attributesPerSpan);
    for (let i = 0; i < read; i++) this.#readAttribute(attributes[i], `${path}.attributes[${i}]`);
    fields.traceAt = this.#traces.add(traceId);
    // After each, as the memory is another once it has grown.
    this.#writer.tracesAre(this.#traces.bytes);
    this.#writer.write(fields, resource);
  }

  #readAttribute(entry: unknown, path: string): void {
    const attribute = objectAt(entry, path);
    const slot = this.#slots.slotOf(textAt(attribute?.key, `${path}.key`));
    if (slot < 0) return;
    const value = scalarOf(objectAt(attribute?.value, `${path}.value`), `${path}.value`);
    const fields = this.#slots.fields;
    if (value === null || fields.has(slot)) return;
    if (typeof value === 'string') {
      const start = this.#used;
      fields.putText(slot, start, this.#write(value));
    } else fields.putNumber(slot, typeof value === 'boolean' ? VALUE_BOOL : VALUE_NUMBER, Number(value));
  }

  /** Appends a text to the scratch and returns its end. */
  #write(text: string): number {
    if (text.length > 0) this.#used += encoder.encodeInto(text, this.#scratch.subarray(this.#used, this.#used + MAX_TEXT_BYTES)).written;
    return this.#used;
  }

  #cutText(text: string): string {
    const { written } = encoder.encodeInto(text, this.#scratch.subarray(0, MAX_IDENTITY_BYTES));
    return lenientDecoder.decode(this.#scratch.subarray(0, written));
  }
}

/** A text, number or bool; null where the value is none of these, as for arrays, maps, bytes and values without a member. */
function scalarOf(value: JsonObject | null, path: string): string | number | boolean | null {
  if (value === null) return null;
  if (isSet(value.stringValue)) return textAt(value.stringValue, `${path}.stringValue`);
  if (isSet(value.intValue)) return int64At(value.intValue, `${path}.intValue`);
  if (isSet(value.boolValue)) {
    if (typeof value.boolValue !== 'boolean') throw wrongType(`${path}.boolValue`, 'true or false');
    return value.boolValue;
  }
  return isSet(value.doubleValue) ? doubleAt(value.doubleValue, `${path}.doubleValue`) : null;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function parsed(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new Malformation(0, 'the bytes are not UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Malformation(offsetIn(reason, text), 'the request is not JSON');
  }
}

/** V8 tells the position in characters, most of the time. */
function offsetIn(reason: string, text: string): number {
  const position = /at position (\d+)/.exec(reason)?.[1];
  if (position !== undefined) return encoder.encode(text.slice(0, Number(position))).length;
  return reason.includes('end of JSON input') ? encoder.encode(text).length : 0;
}
