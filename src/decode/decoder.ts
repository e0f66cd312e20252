/** OTLP request bytes in, columns out. */
import type { ObservationBatch } from '../model/observation-batch.ts';
import type { SeriesInterner } from '../model/series.ts';
import type { SpanRules } from '../model/span-rules.ts';
import type { EpochMs } from '../model/time.ts';
import { type DecodeError, Malformation } from './decode-error.ts';
import { eventAttributes } from './event-rules.ts';
import { excludeAttributes } from './exclude-rules.ts';
import { JsonRequest } from './json-request.ts';
import { type FaultScope, locateFault } from './protobuf-fault.ts';
import { ProtobufRequest } from './protobuf-request.ts';
import { ResourceIdentities } from './resource-identity.ts';
import { RowWriter } from './row-writer.ts';
import { SpanSlots } from './span-slots.ts';

/** Reads ExportTraceServiceRequests. Holds the memory it works in, so it is made once and decodes one request at a time. */
export class SpanDecoder {
  readonly #faultScope: FaultScope;
  readonly #writer: RowWriter;
  readonly #protobuf: ProtobufRequest;
  readonly #json: JsonRequest;

  /** `hashSeed`: any integer that senders cannot know; it changes no outcome. */
  constructor(rules: SpanRules, interner: SeriesInterner, hashSeed = 0) {
    this.#writer = new RowWriter(rules, interner);
    const slots = new SpanSlots([...excludeAttributes(rules.exclude), ...eventAttributes(rules.events)]);
    const identities = new ResourceIdentities(rules, (attribute) => slots.slotOf(attribute));
    const shared = { writer: this.#writer, identities, slots, attributesPerSpan: rules.limits.attributesPerSpan };
    this.#faultScope = {
      limits: rules.limits,
      isWantedKind: (kind) => this.#writer.isWanted(kind),
      spanWords: slots.words,
      resourceWords: identities.words,
    };
    this.#protobuf = new ProtobufRequest({ ...shared, hashSeed });
    this.#json = new JsonRequest({ ...shared, depth: rules.limits.depth });
  }

  /** Rows of the last request whose resource had no `service.name`, or only the SDK's `unknown_service`: worth a warning to the sender. */
  get missingServiceName(): number {
    return this.#writer.nameless;
  }

  /**
   * Replaces what `batch` holds by the request's spans, in their order, and their dispositions. A malformed request leaves it empty and says why;
   * nothing of it is to be counted, though series it names may have been interned. Never throws because of `bytes`, which nothing but the batch's
   * `traceBytes` keeps.
   */
  decode(encoding: 'protobuf' | 'json', bytes: Uint8Array, now: EpochMs, batch: ObservationBatch): DecodeError | null {
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#writer.begin(batch, now);
    try {
      if (encoding === 'protobuf') this.#protobuf.read(plain);
      else this.#json.read(plain);
      return null;
    } catch (thrown) {
      this.#writer.begin(batch, now);
      if (!(thrown instanceof Malformation)) throw thrown;
      const located = encoding === 'protobuf' ? locateFault(plain, this.#faultScope) : null;
      const { offset, field, message } = located ?? thrown;
      return { offset, field, message };
    } finally {
      this.#writer.end();
    }
  }
}
