/** The name of an endpoint as ranges of bytes, reused from span to span. */
import { ENDPOINT_KINDS, type EndpointKind, type EndpointKindIndex } from '../model/series.ts';

const NOTHING = new Uint8Array(0);
export const SPACE = 0x20;
export const SLASH = 0x2f;

/** Position in ENDPOINT_KINDS. */
export function kindIndex(kind: EndpointKind): EndpointKindIndex {
  return ENDPOINT_KINDS.indexOf(kind) as EndpointKindIndex;
}

/** The name is `a`, then, where `b` is not empty, `separator` and `b`. */
export class EndpointName {
  kind: EndpointKindIndex = 0;
  a: Uint8Array = NOTHING;
  aStart = 0;
  aEnd = 0;
  separator = SPACE;
  b: Uint8Array = NOTHING;
  bStart = 0;
  bEnd = 0;

  /** Sets the first part and drops the second. */
  put(kind: EndpointKindIndex, bytes: Uint8Array, start: number, end: number): void {
    this.kind = kind;
    this.a = bytes;
    this.aStart = start;
    this.aEnd = end;
    this.b = bytes;
    this.bStart = 0;
    this.bEnd = 0;
  }

  /** Lets go of the bytes. */
  clear(): void {
    this.put(this.kind, NOTHING, 0, 0);
  }

  /** Adds the second part. */
  join(separator: number, bytes: Uint8Array, start: number, end: number): void {
    this.separator = separator;
    this.b = bytes;
    this.bStart = start;
    this.bEnd = end;
  }

  /** Cuts the whole name to `limit` bytes, between characters of UTF-8. */
  cut(limit: number): void {
    const length = this.aEnd - this.aStart;
    if (length > limit) this.aEnd = utf8Cut(this.a, this.aStart, this.aStart + limit);
    if (this.bEnd === this.bStart) return;
    const room = limit - length - 1;
    if (room <= 0) this.bEnd = this.bStart;
    else if (this.bEnd - this.bStart > room) this.bEnd = utf8Cut(this.b, this.bStart, this.bStart + room);
  }
}

/** Bytes of a UTF-8 character after the first. */
const MAX_CONTINUATION = 3;

/** The last end at or before `end` that does not split a character. `bytes[end]` exists; bytes that are no UTF-8 are cut at `end`. */
export function utf8Cut(bytes: Uint8Array, start: number, end: number): number {
  for (let cut = end; cut > start && cut >= end - MAX_CONTINUATION; cut--) {
    if (((bytes[cut] as number) & 0xc0) !== 0x80) return cut;
  }
  return end;
}
