/**
 * Reads KeyValue messages of spans and resources.
 *
 *     KeyValue = 1 key string (0A) | 2 value AnyValue (12)
 *     AnyValue = 1 string (0A) | 2 bool (10) | 3 int64 varint (18) | 4 double (21) | 5 array (2A) | 6 kvlist (32) | 7 bytes (3A)
 *
 * The structure of every KeyValue is checked, its value is looked into only where some rule needs it. Of repeated keys or values in one
 * message the last counts, as protobuf says.
 */
import type { ByteWords } from './byte-words.ts';
import { utf8Cut } from './endpoint-name.ts';
import { MAX_IDENTITY_BYTES, type ResourceIdentities, type ResourceValues } from './resource-identity.ts';
import { type SpanFields, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT } from './span-fields.ts';
import type { WireReader } from './wire-reader.ts';

export const TAG_KEY = 0x0a;
export const TAG_VALUE = 0x12;
const TAG_STRING = 0x0a;
const TAG_BOOL = 0x10;
const TAG_INT = 0x18;
const TAG_DOUBLE = 0x21;
const TAG_ARRAY = 0x2a;
const TAG_KVLIST = 0x32;
const TAG_BYTES = 0x3a;

const VALUE_NONE = 0;
/** The smallest KeyValue in the usual form: two tags and two lengths. */
const MIN_USUAL_BYTES = 4;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class ProtobufAttributes {
  readonly #reader: WireReader;
  readonly #fields: SpanFields;
  readonly #words: ByteWords;
  /** Where the last KeyValue had its key. */
  #keyStart = 0;
  #keyEnd = 0;
  /** What the last AnyValue held. */
  #type = VALUE_NONE;
  #textStart = 0;
  #textEnd = 0;
  #number = 0;

  /** `words` are the names of the span attributes by slot of `fields`. */
  constructor(reader: WireReader, fields: SpanFields, words: ByteWords) {
    this.#reader = reader;
    this.#fields = fields;
    this.#words = words;
  }

  /** Reads one attribute of a span into its slot. */
  readSpanAttribute(start: number, end: number): void {
    const bytes = this.#reader.bytes;
    // Nearly every KeyValue is a short key, then a short value, and nothing else.
    if (end - start >= MIN_USUAL_BYTES && bytes[start] === TAG_KEY) {
      const keyEnd = start + 2 + (bytes[start + 1] as number);
      if (keyEnd + 2 <= end && bytes[keyEnd] === TAG_VALUE && (bytes[start + 1] as number) < 0x80) {
        const valueLength = bytes[keyEnd + 1] as number;
        if (valueLength < 0x80 && keyEnd + 2 + valueLength === end) {
          const slot = this.#words.findFast(bytes, this.#reader.view, start + 2, keyEnd);
          if (slot >= 0) this.#readSlot(slot, keyEnd + 2, end);
          return;
        }
      }
    }
    this.#readKey(start, end);
    const slot = this.#words.find(bytes, this.#keyStart, this.#keyEnd);
    if (slot < 0) return;
    this.#readValues(start, end);
    this.#keep(slot);
  }

  /** Reads one attribute of a resource into `values`, where `identities` asks for it and it has none yet. */
  readResourceAttribute(start: number, end: number, identities: ResourceIdentities, values: ResourceValues): void {
    this.#readKey(start, end);
    const position = identities.words.find(this.#reader.bytes, this.#keyStart, this.#keyEnd);
    if (position < 0) return;
    this.#readValues(start, end);
    if (this.#type !== VALUE_NONE) values[position] ||= this.#text();
  }

  #readSlot(slot: number, start: number, end: number): void {
    const bytes = this.#reader.bytes;
    const length = end - start;
    if (length >= 2 && bytes[start] === TAG_STRING && bytes[start + 1] === length - 2) {
      this.#fields.putText(slot, start + 2, end);
      return;
    }
    if (length === 3 && bytes[start] === TAG_INT && (bytes[start + 1] as number) >= 0x80 && (bytes[start + 2] as number) < 0x80) {
      this.#fields.putNumber(slot, VALUE_NUMBER, ((bytes[start + 1] as number) & 0x7f) | ((bytes[start + 2] as number) << 7));
      return;
    }
    this.#type = VALUE_NONE;
    this.#readValue(start, end);
    this.#keep(slot);
  }

  #keep(slot: number): void {
    if (this.#type === VALUE_TEXT) this.#fields.putText(slot, this.#textStart, this.#textEnd);
    else if (this.#type !== VALUE_NONE) this.#fields.putNumber(slot, this.#type, this.#number);
  }

  /** Checks a KeyValue's structure and finds its key. */
  #readKey(start: number, end: number): void {
    const reader = this.#reader;
    reader.pos = start;
    this.#keyStart = start;
    this.#keyEnd = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag === TAG_KEY) {
        const length = reader.length(end);
        this.#keyStart = reader.pos;
        this.#keyEnd = reader.pos + length;
        reader.pos += length;
      } else reader.skip(tag, end);
    }
  }

  /** Reads the values of a KeyValue whose structure is sound; they merge into one. */
  #readValues(start: number, end: number): void {
    const reader = this.#reader;
    reader.pos = start;
    this.#type = VALUE_NONE;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag === TAG_VALUE) {
        const length = reader.length(end);
        this.#readValue(reader.pos, reader.pos + length);
      } else reader.skip(tag, end);
    }
  }

  /** Reads an AnyValue on top of what an earlier one left. Arrays, maps and bytes are passed over by length and hold nothing. */
  #readValue(start: number, end: number): void {
    const reader = this.#reader;
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      switch (tag) {
        case TAG_STRING: {
          const length = reader.length(end);
          this.#type = VALUE_TEXT;
          this.#textStart = reader.pos;
          this.#textEnd = reader.pos + length;
          reader.pos += length;
          break;
        }
        case TAG_BOOL:
          this.#type = VALUE_BOOL;
          this.#number = reader.int64(end) === 0 ? 0 : 1;
          break;
        case TAG_INT:
          this.#type = VALUE_NUMBER;
          this.#number = reader.int64(end);
          break;
        case TAG_DOUBLE:
          reader.pass(8, end);
          this.#type = VALUE_NUMBER;
          this.#number = reader.view.getFloat64(reader.pos - 8, true);
          break;
        case TAG_ARRAY:
        case TAG_KVLIST:
        case TAG_BYTES:
          this.#type = VALUE_NONE;
          reader.skip(tag, end);
          break;
        default:
          reader.skip(tag, end);
      }
    }
  }

  #text(): string {
    if (this.#type === VALUE_BOOL) return this.#number === 1 ? 'true' : 'false';
    if (this.#type === VALUE_NUMBER) return String(this.#number);
    const start = this.#textStart;
    const end = this.#textEnd;
    const kept = end - start > MAX_IDENTITY_BYTES ? utf8Cut(this.#reader.bytes, start, start + MAX_IDENTITY_BYTES) : end;
    return decoder.decode(this.#reader.bytes.subarray(start, kept));
  }
}
