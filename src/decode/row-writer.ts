/** Turns the fields of one span into a row, or into the disposition that keeps it out: the same for both encodings. */
import { FLAG_FAILED, FLAG_NO_LATENCY, type ObservationBatch } from '../model/observation-batch.ts';
import type { SeriesInterner } from '../model/series.ts';
import type { SpanRules } from '../model/span-rules.ts';
import type { EpochMs } from '../model/time.ts';
import { EndpointName } from './endpoint-name.ts';
import { EndpointRules } from './endpoint-rules.ts';
import { BAD_SHIFT, eventMasks } from './event-rules.ts';
import { isExcluded } from './exclude-rules.ts';
import { FAILED, FailureRules, IGNORED } from './failure-rules.ts';
import type { ResourceEntry } from './resource-identity.ts';
import { samplingWeight } from './sampling-weight.ts';
import type { SpanFields } from './span-fields.ts';
import { SpanSelection } from './span-kinds.ts';
import { dispositionIndex, durationNsOf, endMsOf, TimeRules } from './span-time.ts';

const VALID_MASK = (1 << BAD_SHIFT) - 1;

const COUNTED = dispositionIndex('counted');
const NOT_ENTRY = dispositionIndex('not_entry');
const EXCLUDED = dispositionIndex('excluded');
const OVER_LIMIT = dispositionIndex('over_limit');
const NEGATIVE_DURATION = dispositionIndex('negative_duration');
const ABSURD_DURATION = dispositionIndex('absurd_duration');

/**
 * The order of judgement: `over_limit`, `not_entry` (kind, parent, messaging operation), `excluded` (rules, ignored statuses), then time.
 * The first that applies is the span's disposition, so an excluded span is never reported as rejected.
 */
export class RowWriter {
  readonly #selection: SpanSelection;
  readonly #time: TimeRules;
  readonly #failure: FailureRules;
  readonly #endpoints: EndpointRules;
  readonly #name = new EndpointName();
  readonly #interner: SeriesInterner;
  readonly #spanLimit: number;
  #batch: ObservationBatch | null = null;
  #spans = 0;
  #nameless = 0;

  constructor(rules: SpanRules, interner: SeriesInterner) {
    this.#selection = new SpanSelection(rules);
    this.#time = new TimeRules(rules);
    this.#failure = new FailureRules(rules.statusTreatment);
    this.#endpoints = new EndpointRules(rules.limits.nameBytes);
    this.#interner = interner;
    this.#spanLimit = rules.limits.spansPerRequest;
  }

  /** Rows of the request that belong to a service without a name of its own. */
  get nameless(): number {
    return this.#nameless;
  }

  /** Starts a request: `batch` is cleared and gets what follows. */
  begin(batch: ObservationBatch, now: EpochMs): void {
    batch.clear();
    this.#batch = batch;
    this.#time.now = now;
    this.#spans = 0;
    this.#nameless = 0;
  }

  /** Says where `SpanFields.traceAt` points to. */
  tracesAre(bytes: Uint8Array): void {
    (this.#batch as ObservationBatch).traceBytes = bytes;
  }

  /** Ends a request: keeps nothing of its bytes, which may be many. */
  end(): void {
    this.#batch = null;
    this.#name.clear();
  }

  /** Counts one more span of the request; false when it is beyond the limit and must not be read. */
  admits(): boolean {
    if (this.#spans < this.#spanLimit) {
      this.#spans++;
      return true;
    }
    this.#settle(OVER_LIMIT);
    return false;
  }

  /** False, and settled, when spans of this kind are not counted, so that their attributes need not be read. */
  wants(kind: number): boolean {
    if (this.#selection.wants(kind)) return true;
    this.#settle(NOT_ENTRY);
    return false;
  }

  /** True when spans of this kind are counted. */
  isWanted(kind: number): boolean {
    return this.#selection.wants(kind);
  }

  /** Writes a span that was admitted and is wanted. */
  write(fields: SpanFields, resource: ResourceEntry): void {
    if (!this.#selection.isEntry(fields)) {
      this.#settle(NOT_ENTRY);
      return;
    }
    if (isExcluded(resource.excludes, fields)) {
      this.#settle(EXCLUDED);
      return;
    }
    const outcome = this.#failure.outcomeOf(fields);
    if (outcome === IGNORED) {
      this.#settle(EXCLUDED);
      return;
    }
    const disposition = this.#time.dispositionOf(fields.times);
    if (disposition !== COUNTED) {
      this.#settle(disposition);
      if (disposition !== NEGATIVE_DURATION && disposition !== ABSURD_DURATION) return;
    }
    this.#settle(COUNTED);
    if (resource.nameless) this.#nameless++;
    const timed = disposition === COUNTED && !this.#endpoints.isStream(fields);
    // Before the lane is read: it is looked up with the series.
    const series = this.#seriesOf(fields, resource);
    const batch = this.#batch as ObservationBatch;
    const row = batch.next();
    batch.series[row] = series;
    batch.endMs[row] = endMsOf(fields.times);
    batch.durationNs[row] = timed ? durationNsOf(fields.times) : 0;
    batch.flags[row] = (outcome === FAILED ? FLAG_FAILED : 0) | (timed ? 0 : FLAG_NO_LATENCY);
    batch.lane[row] = resource.lane;
    const masks = resource.events === null ? 0 : eventMasks(resource.events, fields);
    batch.validMask[row] = masks & VALID_MASK;
    batch.badMask[row] = masks >>> BAD_SHIFT;
    batch.traceAt[row] = fields.traceAt;
    batch.weight[row] =
      fields.traceStateEnd > fields.traceStateStart ? samplingWeight(fields.bytes, fields.traceStateStart, fields.traceStateEnd) : 1;
  }

  #seriesOf(fields: SpanFields, resource: ResourceEntry): number {
    if (resource.id < 0) this.#intern(resource);
    const name = this.#name;
    this.#endpoints.nameEndpoint(fields, name);
    return this.#interner.series(resource.id, name.kind, name.a, name.aStart, name.aEnd, name.separator, name.b, name.bStart, name.bEnd);
  }

  /** Once per resource, so kept out of what runs for every span. */
  #intern(resource: ResourceEntry): void {
    resource.id = this.#interner.resource(resource.identity);
    resource.lane = this.#interner.lane(resource.id, resource.instance);
  }

  #settle(disposition: number): void {
    const dispositions = (this.#batch as ObservationBatch).dispositions;
    dispositions[disposition] = (dispositions[disposition] as number) + 1;
  }
}
