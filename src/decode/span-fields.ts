/** What is read of one span, as ranges of bytes and numbers, reused from span to span and filled by both encodings. */
import { type ConceptSlots, MASKED_SLOTS } from './semconv-attributes.ts';

/** What an attribute slot holds. Arrays, maps, bytes, empty strings and empty values hold nothing: no rule can use them. */
export const VALUE_TEXT = 1;
/** An int or a double. */
export const VALUE_NUMBER = 2;
/** `numbers` is 0 or 1. */
export const VALUE_BOOL = 3;

/** Positions in `times`: the halves of the two u64 nanoseconds, each in [0, 2^32). */
export const START_HIGH = 0;
export const START_LOW = 1;
export const END_HIGH = 2;
export const END_LOW = 3;

const NOTHING = new Uint8Array(0);

/** The fields of the span that is being read. All ranges are in `bytes`. */
export class SpanFields {
  bytes: Uint8Array = NOTHING;
  /** Bit n is set when slot n, one of the conventions', is in use: what a span does not have costs one test. */
  present = 0;
  /** SpanKind number, Status code and flags as sent. */
  kind = 0;
  statusCode = 0;
  flags = 0;
  /** The span has a parent id that is not empty and not all zero. */
  hasParent = false;
  nameStart = 0;
  nameEnd = 0;
  traceStateStart = 0;
  traceStateEnd = 0;
  /** Offset of the trace id, in the batch's `traceBytes`; -1 when the span has none that is 16 bytes and not all zero. */
  traceAt = -1;
  readonly times = new Float64Array(4);
  /** Columns by slot; a slot is in use when its stamp is this span's. */
  readonly types: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly numbers: Float64Array;
  readonly #stamps: Int32Array;
  #stamp = 0;

  constructor(slots: number) {
    this.types = new Uint8Array(slots);
    this.starts = new Int32Array(slots);
    this.ends = new Int32Array(slots);
    this.numbers = new Float64Array(slots);
    this.#stamps = new Int32Array(slots);
  }

  /** Forgets the previous span. */
  clear(): void {
    this.present = 0;
    this.kind = 0;
    this.statusCode = 0;
    this.flags = 0;
    this.hasParent = false;
    this.nameStart = 0;
    this.nameEnd = 0;
    this.traceStateStart = 0;
    this.traceStateEnd = 0;
    this.traceAt = -1;
    const times = this.times;
    times[START_HIGH] = 0;
    times[START_LOW] = 0;
    times[END_HIGH] = 0;
    times[END_LOW] = 0;
    this.#stamp = (this.#stamp + 1) | 0;
    // After 2^32 spans the stamps of old ones would look new again.
    if (this.#stamp === 0) {
      this.#stamps.fill(0);
      this.#stamp = 1;
    }
  }

  /** True when the span has a usable value in `slot`. */
  has(slot: number): boolean {
    return this.#stamps[slot] === this.#stamp;
  }

  /** Slot of the newest name of a concept that has a usable value, or -1. */
  newest(concept: ConceptSlots): number {
    if ((this.present & concept.mask) === 0) return -1;
    for (let i = 0; i < concept.count; i++) if (this.#stamps[concept.first + i] === this.#stamp) return concept.first + i;
    return -1;
  }

  /** Slot of the newest name of a concept that has a text, or -1. */
  newestText(concept: ConceptSlots): number {
    const slot = this.newest(concept);
    return slot >= 0 && this.types[slot] === VALUE_TEXT ? slot : -1;
  }

  /** Keeps a text, unless it is empty or the slot has a value: of duplicate attributes the first counts. */
  putText(slot: number, start: number, end: number): void {
    if (start === end || this.#stamps[slot] === this.#stamp) return;
    this.#use(slot);
    this.types[slot] = VALUE_TEXT;
    this.starts[slot] = start;
    this.ends[slot] = end;
  }

  /** Keeps a number or a bool (VALUE_NUMBER, VALUE_BOOL), unless the slot has a value. */
  putNumber(slot: number, type: number, value: number): void {
    if (this.#stamps[slot] === this.#stamp) return;
    this.#use(slot);
    this.types[slot] = type;
    this.numbers[slot] = value;
  }

  #use(slot: number): void {
    this.#stamps[slot] = this.#stamp;
    if (slot < MASKED_SLOTS) this.present |= 1 << slot;
  }
}
