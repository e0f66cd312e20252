/** Opens the slots for a query: what memory holds is taken as it is now, what the store keeps is read piece by piece by whoever has it. */
import type { MetricScanRequest } from '../model/metric-scan.ts';
import type { Policies } from '../model/policy.ts';
import type { SeriesInfo } from '../model/series.ts';
import { type EpochMs, SLOT_MS, slotStartMs } from '../model/time.ts';
import type { SlidingWindow } from '../window/sliding-window.ts';
import type { AlertBook } from './alert-book.ts';
import type { StoredPiece } from './long-window.ts';
import { type GaugeSample, objectiveSamples } from './metric-objectives.ts';
import { MetricScan } from './metric-scan.ts';
import { type HeldSlot, SlotGrid } from './metric-slots.ts';
import type { ObjectiveFeed } from './objective-feed.ts';
import { retention } from './retention.ts';

/** A service that was silent for this long is complete up to so long ago, whatever it was last heard of. */
const SILENT_MS = 60_000;

export interface OpenScans {
  /** One for each request, in order; each is told of all slots, oldest first: those of `pieces`, then `held`. */
  readonly scans: readonly MetricScan[];
  readonly pieces: readonly StoredPiece[];
  readonly held: readonly HeldSlot[];
}

export interface MetricEngine {
  readonly window: SlidingWindow;
  readonly objectives: ObjectiveFeed;
  readonly alerts: { readonly book: Pick<AlertBook, 'view'> };
}

export class MetricView {
  readonly #now: EpochMs;
  readonly #engine: MetricEngine;
  readonly #book: { all(): readonly SeriesInfo[] };
  readonly #policies: Policies;

  constructor(now: EpochMs, engine: MetricEngine, book: { all(): readonly SeriesInfo[] }, policies: Policies) {
    this.#now = now;
    this.#engine = engine;
    this.#book = book;
    this.#policies = policies;
  }

  /** All that have been announced. */
  series(): readonly SeriesInfo[] {
    return this.#book.all();
  }

  /** Every gauge at `at`. */
  gauges(at: EpochMs): GaugeSample[] {
    const { objectives: feed, alerts, window } = this.#engine;
    return [...objectiveSamples(at, this.#now, { feed, alerts: alerts.book, window })];
  }

  scans(requests: readonly MetricScanRequest[]): OpenScans {
    const { window } = this.#engine;
    const grid = new SlotGrid(window.newestSlot, window.detailFrom);
    const { retain } = retention(window, this.#policies);
    const keptFrom = retain.find(({ level }) => level === 3600)?.slotsFromSec ?? Number.NEGATIVE_INFINITY;
    const parts = {
      layout: window.layout,
      grid,
      keptFromMs: keptFrom * SLOT_MS,
      completeTo: (service: string) => completeTo(service, this.#now, window),
    };
    const scans = requests.map((request) => new MetricScan(request, parts));
    const edges = scans.map((scan) => scan.edges).filter(({ fromSec, toSec }) => fromSec < toSec);
    if (edges.length === 0) return { scans, pieces: [], held: [] };
    const fromSec = Math.min(...edges.map((edge) => edge.fromSec));
    const toSec = Math.max(...edges.map((edge) => edge.toSec));
    const memoryFrom = Math.max(fromSec, grid.memoryFromSec);
    const held = memoryFrom < toSec ? [...window.heldBlocks(slotStartMs(memoryFrom), slotStartMs(toSec))] : [];
    return { scans, pieces: grid.pieces({ fromSec: Math.max(fromSec, keptFrom), toSec }), held };
  }
}

/** As the decision watermark has it, which asking must not move: the newest end time less the usual lateness. -Infinity for a service never heard. */
function completeTo(service: string, now: EpochMs, window: SlidingWindow): EpochMs {
  const newestAt = window.newestAt(service);
  if (newestAt === null) return Number.NEGATIVE_INFINITY;
  return Math.min(now, Math.max(newestAt - window.lagMs(service), now - SILENT_MS));
}
