/** Gives each span attribute that some rule asks for its slot. */
import { ByteWords } from './byte-words.ts';
import { SEMCONV_ATTRIBUTES } from './semconv-attributes.ts';
import { SpanFields } from './span-fields.ts';

/** The fields of the span in hand and the names of their slots: those of the conventions first, then what exclusions and event rules ask for. */
export class SpanSlots {
  readonly words: ByteWords;
  readonly fields: SpanFields;
  /** Number of slots. */
  readonly size: number;

  constructor(extraAttributes: readonly string[]) {
    const names = [...new Set([...SEMCONV_ATTRIBUTES, ...extraAttributes])];
    this.words = new ByteWords(names);
    this.fields = new SpanFields(names.length);
    this.size = names.length;
  }

  /** Slot of an attribute, or -1. */
  slotOf(attribute: string): number {
    return this.words.indexOf(attribute);
  }
}
