/** Which spans are SLI spans, by kind, flags and messaging operation. */
import { SPAN_KINDS, type SpanKind, type SpanRules } from '../model/span-rules.ts';
import { ByteWords } from './byte-words.ts';
import { slotsOf } from './semconv-attributes.ts';
import type { SpanFields } from './span-fields.ts';

/** Positions in SPAN_KINDS are the numbers on the wire. Source: opentelemetry-proto, trace.proto, SpanKind. */
const numberOf = (kind: SpanKind): number => SPAN_KINDS.indexOf(kind);
export const KIND_CLIENT = numberOf('client');
export const KIND_PRODUCER = numberOf('producer');
export const KIND_CONSUMER = numberOf('consumer');

/** Source: opentelemetry-proto, trace.proto, SpanFlags. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

const OPERATION_TYPE = slotsOf('messagingOperationType');
/**
 * Handling a message, as opposed to fetching it: `receive` spans were of kind CONSUMER before semantic conventions 1.28 and last as long as
 * the poll. Source: messaging-spans.md, "Operation types".
 */
const HANDLING_OPERATIONS = ['process', 'deliver'];

export class SpanSelection {
  readonly #wanted: Uint8Array;
  readonly #entryOnly: boolean;
  readonly #handling = new ByteWords(HANDLING_OPERATIONS);

  constructor(rules: Pick<SpanRules, 'kinds' | 'entryOnly'>) {
    this.#wanted = Uint8Array.from(SPAN_KINDS, (kind) => (rules.kinds.includes(kind) ? 1 : 0));
    this.#entryOnly = rules.entryOnly;
  }

  /** True when spans of the kind with this number are counted, so that their attributes must be read. Unknown numbers never are. */
  wants(kind: number): boolean {
    return kind >= 0 && kind < this.#wanted.length && this.#wanted[kind] === 1;
  }

  /**
   * False for a span below a local parent, and for a consumer that only fetches.
   *
   * Without HAS_IS_REMOTE nothing is known of the parent and the span counts. A consumer's span hangs below the local `receive` span by
   * convention, and calls (CLIENT, PRODUCER) always have a local parent: for those kinds the parent says nothing about double counting.
   */
  isEntry(fields: SpanFields): boolean {
    if (fields.kind === KIND_CONSUMER) return this.#isHandling(fields);
    if (!this.#entryOnly || fields.kind === KIND_CLIENT || fields.kind === KIND_PRODUCER) return true;
    return !fields.hasParent || (fields.flags & HAS_IS_REMOTE) === 0 || (fields.flags & IS_REMOTE) !== 0;
  }

  /** Older instrumentations leave the operation out; those spans count. */
  #isHandling(fields: SpanFields): boolean {
    const slot = fields.newestText(OPERATION_TYPE);
    return slot < 0 || this.#handling.find(fields.bytes, fields.starts[slot] as number, fields.ends[slot] as number) >= 0;
  }
}
