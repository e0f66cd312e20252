/**
 * Reads one Span message.
 *
 *     Span = 1 trace_id (0A) | 2 span_id (12) | 3 trace_state (1A) | 4 parent_span_id (22) | 5 name (2A) | 6 kind (30)
 *          | 7 start_time_unix_nano fixed64 (39) | 8 end_time_unix_nano fixed64 (41) | 9 attributes (4A)* | 10 dropped (50) | 11 events (5A)*
 *          | 12 dropped (60) | 13 links (6A)* | 14 dropped (70) | 15 status (7A) { 2 message (12) | 3 code (18) } | 16 flags fixed32 (85 01)
 *
 * Events, links and ids are passed over by length; where the trace id is, is noted.
 */
import { TRACE_BYTES } from '../model/slot-deltas.ts';
import type { SpanFields } from './span-fields.ts';
import { END_HIGH, END_LOW, START_HIGH, START_LOW } from './span-fields.ts';
import { WIRE_BYTES, type WireReader } from './wire-reader.ts';

const TAG_TRACE_ID = 0x0a;
export const TAG_TRACE_STATE = 0x1a;
export const TAG_PARENT = 0x22;
export const TAG_NAME = 0x2a;
export const TAG_KIND = 0x30;
export const TAG_START = 0x39;
export const TAG_END = 0x41;
export const TAG_ATTRIBUTE = 0x4a;
export const TAG_STATUS = 0x7a;
export const TAG_FLAGS = 0x85;
export const TAG_STATUS_CODE = 0x18;

/** Scans a span's own fields and notes where its attributes are, because its kind, which says whether they are needed, may come later. */
export class ProtobufSpan {
  /** Start and end of each attribute, alternating. */
  readonly attributes: Int32Array;
  /** Entries of `attributes` in use. */
  attributesEnd = 0;
  readonly #reader: WireReader;
  readonly #fields: SpanFields;

  /** Attributes beyond `attributesPerSpan` are not noted. */
  constructor(reader: WireReader, fields: SpanFields, attributesPerSpan: number) {
    this.#reader = reader;
    this.#fields = fields;
    this.attributes = new Int32Array(attributesPerSpan * 2);
  }

  /** Fills the fields, but for the attributes. */
  scan(start: number, end: number): void {
    const reader = this.#reader;
    const bytes = reader.bytes;
    const fields = this.#fields;
    const attributes = this.attributes;
    fields.clear();
    let noted = 0;
    let pos = start;
    while (pos < end) {
      let tag = bytes[pos] as number;
      if (tag < 0x80 && tag > 7) pos++;
      else {
        reader.pos = pos;
        tag = reader.tag(end);
        pos = reader.pos;
      }
      if ((tag & 7) === WIRE_BYTES) {
        let length = pos < end ? (bytes[pos] as number) : 0x80;
        if (length < 0x80 && length < end - pos) pos++;
        else {
          reader.pos = pos;
          length = reader.length(end);
          pos = reader.pos;
        }
        const valueEnd = pos + length;
        switch (tag) {
          case TAG_ATTRIBUTE:
            if (noted < attributes.length) {
              attributes[noted] = pos;
              attributes[noted + 1] = valueEnd;
              noted += 2;
            }
            break;
          case TAG_NAME:
            fields.nameStart = pos;
            fields.nameEnd = valueEnd;
            break;
          case TAG_TRACE_ID:
            fields.traceAt = length === TRACE_BYTES && (bytes[pos] !== 0 || isId(bytes, pos, valueEnd)) ? pos : -1;
            break;
          case TAG_PARENT:
            fields.hasParent = isId(bytes, pos, valueEnd);
            break;
          case TAG_TRACE_STATE:
            fields.traceStateStart = pos;
            fields.traceStateEnd = valueEnd;
            break;
          case TAG_STATUS:
            this.#readStatus(pos, valueEnd);
            break;
        }
        pos = valueEnd;
        continue;
      }
      reader.pos = pos;
      this.#readNumber(tag, end);
      pos = reader.pos;
    }
    this.attributesEnd = noted;
  }

  #readNumber(tag: number, end: number): void {
    const reader = this.#reader;
    const fields = this.#fields;
    const at = reader.pos;
    switch (tag) {
      case TAG_KIND:
        fields.kind = reader.low32(end);
        return;
      case TAG_START:
        reader.pass(8, end);
        fields.times[START_LOW] = reader.view.getUint32(at, true);
        fields.times[START_HIGH] = reader.view.getUint32(at + 4, true);
        return;
      case TAG_END:
        reader.pass(8, end);
        fields.times[END_LOW] = reader.view.getUint32(at, true);
        fields.times[END_HIGH] = reader.view.getUint32(at + 4, true);
        return;
      case TAG_FLAGS:
        reader.pass(4, end);
        fields.flags = reader.view.getInt32(at, true);
        return;
      default:
        reader.skip(tag, end);
    }
  }

  #readStatus(start: number, end: number): void {
    const reader = this.#reader;
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag === TAG_STATUS_CODE) this.#fields.statusCode = reader.low32(end);
      else reader.skip(tag, end);
    }
  }
}

/** An id of only zeros is no id. Source: W3C Trace Context, "parent-id". */
function isId(bytes: Uint8Array, start: number, end: number): boolean {
  for (let pos = start; pos < end; pos++) if (bytes[pos] !== 0) return true;
  return false;
}
