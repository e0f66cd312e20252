/** The spans of one recording, counted by second: any order of them gives the same, however late one comes. */
import { PermanentError } from '../model/errors.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { SeriesInfo } from '../model/series.ts';
import { cellLanes, type SlotDeltas } from '../model/slot-deltas.ts';
import type { SlotIndex } from '../model/time.ts';
import { BlockSum } from '../window/block-sum.ts';
import { BlockWriter } from '../window/block-writer.ts';
import type { SlotBlock } from '../window/slot-block.ts';
import type { SlotReading } from '../window/slot-reading.ts';

/** Blocks of one second that are kept apart before they are added up. */
const MAX_PIECES = 16;
/** A silence this long parts what belongs together from what strayed in: a request of yesterday, a clock that was wrong. */
const SILENCE_SLOTS = 600;
/** What the counts of one recording may take; a request takes about two bytes. */
const MAX_BYTES = 2 ** 30;

/** One service of a recording; the numbers of an endpoint's series are those of all its releases. */
export interface RecordedService {
  readonly service: string;
  readonly endpoints: ReadonlyMap<string, readonly number[]>;
  readonly requests: number;
  /** The busiest stretch without a long silence, [from, to). */
  readonly from: SlotIndex;
  readonly to: SlotIndex;
}

interface Growing {
  readonly endpoints: Map<string, number[]>;
  /** Requests by second. */
  readonly seconds: Map<SlotIndex, number>;
  readonly releases: Set<string>;
}

export class Recording {
  readonly layout: HistogramLayout;
  readonly #writer: BlockWriter;
  readonly #sum: BlockSum;
  readonly #slots = new Map<SlotIndex, SlotBlock[]>();
  readonly #services = new Map<string, Growing>();
  readonly #serviceOf: (Growing | undefined)[] = [];
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(layout: HistogramLayout, maxBytes = MAX_BYTES) {
    this.layout = layout;
    this.#writer = new BlockWriter(layout);
    this.#sum = new BlockSum(layout, cellLanes(layout.size));
    this.#maxBytes = maxBytes;
  }

  /** Adds a flush, each once. Throws PermanentError `recording_too_long` when there are more seconds and endpoints than can be kept. */
  add(deltas: SlotDeltas): void {
    for (const info of deltas.announced) this.#announce(info);
    for (let from = 0; from < deltas.size; ) {
      const slot = deltas.slot[from] as number;
      let to = from;
      for (; to < deltas.size && deltas.slot[to] === slot; to++) {
        const seconds = this.#serviceOf[deltas.series[to] as number]?.seconds;
        seconds?.set(slot, (seconds.get(slot) ?? 0) + (deltas.count[to] as number));
      }
      this.#keep(slot, this.#writer.fromDeltas(deltas, from, to));
      from = to;
    }
  }

  /** Services with requests, ascending by name. */
  get services(): readonly RecordedService[] {
    return [...this.#services]
      .filter(([, { seconds }]) => seconds.size > 0)
      .map(([service, { endpoints, seconds }]) => ({ service, endpoints, ...busiestStretch(seconds) }))
      .sort((a, b) => (a.service < b.service ? -1 : 1));
  }

  /** Names of the releases of a service, ascending. */
  releases(service: string): readonly string[] {
    return [...(this.#services.get(service)?.releases ?? [])].sort();
  }

  /** What some series had in one second. */
  read(series: readonly number[], slot: SlotIndex, into: SlotReading): void {
    for (const block of this.#slots.get(slot) ?? []) this.#sum.add(block, series);
    this.#sum.takeReading(into);
  }

  /** Requests of some series in seconds [from, to). */
  requests(series: readonly number[], from: SlotIndex, to: SlotIndex): number {
    for (let slot = from; slot < to; slot++) for (const block of this.#slots.get(slot) ?? []) this.#sum.add(block, series, true);
    return this.#sum.takeCounts().spans;
  }

  #announce({ id, service: name, endpoint, release }: SeriesInfo): void {
    const service = this.#services.get(name) ?? {
      endpoints: new Map<string, number[]>(),
      seconds: new Map<SlotIndex, number>(),
      releases: new Set(),
    };
    this.#services.set(name, service);
    this.#serviceOf[id] = service;
    service.releases.add(release.name);
    const series = service.endpoints.get(endpoint);
    if (series === undefined) service.endpoints.set(endpoint, [id]);
    else series.push(id);
  }

  #keep(slot: SlotIndex, block: SlotBlock): void {
    const blocks = this.#slots.get(slot) ?? [];
    this.#slots.set(slot, blocks);
    blocks.push(block);
    this.#bytes += block.byteLength;
    if (blocks.length >= MAX_PIECES) {
      const merged = this.#writer.merge(blocks);
      for (const piece of blocks) this.#bytes -= piece.byteLength;
      this.#bytes += merged.byteLength;
      this.#slots.set(slot, [merged]);
    }
    if (this.#bytes > this.#maxBytes) {
      throw new PermanentError('recording_too_long', `counting a recording: more than ${this.#maxBytes} bytes of counts; record less time`);
    }
  }
}

/** The stretch with most requests; of equals the first. `seconds` is not empty. */
function busiestStretch(seconds: ReadonlyMap<SlotIndex, number>): { requests: number; from: SlotIndex; to: SlotIndex } {
  const ascending = [...seconds.keys()].sort((a, b) => a - b);
  let requests = 0;
  let best = { inside: 0, from: 0, to: 0 };
  let current = { inside: 0, from: ascending[0] as SlotIndex, to: ascending[0] as SlotIndex };
  for (const slot of ascending) {
    if (slot - current.to >= SILENCE_SLOTS) current = { inside: 0, from: slot, to: slot };
    const inside = seconds.get(slot) as number;
    requests += inside;
    current = { inside: current.inside + inside, from: current.from, to: slot + 1 };
    if (current.inside > best.inside) best = current;
  }
  return { requests, from: best.from, to: best.to };
}
