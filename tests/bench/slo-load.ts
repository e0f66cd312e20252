/** A thousand objectives with 30 days of requests behind them, as finely as the past is still told. */
import { AlertBook } from '../../src/engine/alert-book.ts';
import { ObjectiveFeed } from '../../src/engine/objective-feed.ts';
import type { SavedState } from '../../src/model/checkpoint.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import type { Objective } from '../../src/model/objective.ts';
import type { Policies } from '../../src/model/policy.ts';
import { googleTiers } from '../../src/model/tier.ts';
import type { EpochMs } from '../../src/model/time.ts';
import type { SqliteStore } from '../../src/store/sqlite-store.ts';
import { objective, policies } from '../support/policies.ts';
import { Stream } from '../window/stream.ts';

const SERVICES = 100;
const ENDPOINTS = 10;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WINDOW_MS = 30 * DAY_MS;
const LIMIT_NS = 100e6;
const END_MS = 1_800_000_000_000;
/** Of the requests of an endpoint in an hour. */
const FAILED_EVERY = 37;
/** How far back to each step: a request in every slot of every level. */
const STEPS: readonly (readonly [backMs: number, stepMs: number])[] = [
  [WINDOW_MS, HOUR_MS],
  [3 * DAY_MS, 10 * MINUTE_MS],
  [6 * HOUR_MS, MINUTE_MS],
  [15 * MINUTE_MS, 10_000],
];
/** Of all burn rates of the Workbook, long and short. */
const WINDOWS_MS = [60, 5, 360, 30, 1440, 120, 4320, 360].map((minutes) => minutes * MINUTE_MS);

export class SloLoad {
  readonly layout = new HistogramLayout();
  readonly objectives: readonly Objective[];
  readonly policies: Policies;
  readonly feed: ObjectiveFeed;
  readonly alerts: AlertBook;
  readonly #stream: Stream;
  #now: EpochMs = END_MS;

  constructor() {
    this.objectives = Array.from({ length: SERVICES * ENDPOINTS }, (_, i) => {
      const of = { service: `service-${i % SERVICES}`, endpoint: `/endpoint/${Math.floor(i / SERVICES)}`, windowMs: WINDOW_MS };
      const alerts = { tiers: googleTiers(WINDOW_MS), basis: 'both', minBad: 10 } as const;
      if (i % 2 === 0) return objective({ ...of, name: 'available', alerts });
      return objective({ ...of, name: 'fast', alerts, sli: { kind: 'latency', thresholdNs: LIMIT_NS } });
    });
    this.policies = policies({ objectives: this.objectives });
    this.feed = new ObjectiveFeed(this.policies, this.layout);
    this.alerts = new AlertBook(this.policies);
    this.#stream = new Stream({ layout: this.layout, thresholdsNs: [LIMIT_NS] });
    for (let service = 0; service < SERVICES; service++) this.#stream.endpoints(ENDPOINTS, `service-${service}`);
  }

  /** Thirty days of requests. */
  fill(): void {
    for (const [i, [backMs, stepMs]] of STEPS.entries()) {
      const untilMs = STEPS[i + 1]?.[0] ?? 0;
      for (let ms = END_MS - backMs; ms < END_MS - untilMs; ms += stepMs) this.#request(ms);
    }
  }

  /** A second later, with a request of each endpoint. */
  second(): void {
    this.#now += 1000;
    this.#request(this.#now);
  }

  /** Every window that an objective and its tiers look at. */
  readAll(): number {
    let bad = 0;
    for (const one of this.objectives) {
      bad += this.feed.total(one, this.#now).bad;
      for (const windowMs of WINDOWS_MS) bad += this.feed.over(one, this.#now - windowMs, this.#now).bad;
    }
    return bad;
  }

  lookAtAlerts(): void {
    this.alerts.advance(this.feed, this.#now, () => ({ state: 'ok', heardAt: this.#now }));
  }

  save(store: SqliteStore): void {
    store.checkpoint({ at: this.#now, series: [], slots: [], runs: [], retain: [], retainCounts: [], ...this.feed.checkpoint() });
  }

  /** As after a restart. */
  restored(saved: SavedState): ObjectiveFeed {
    const feed = new ObjectiveFeed(this.policies, this.layout);
    feed.restore(saved, this.#now);
    return feed;
  }

  #request(at: EpochMs): void {
    const series = Array.from({ length: SERVICES * (ENDPOINTS + 1) }, (_, id) => id).filter((id) => id % (ENDPOINTS + 1) !== 0);
    const deltas = this.#stream.flush(
      series.map((id) => {
        const isBad = (id * 7 + Math.floor(at / HOUR_MS)) % FAILED_EVERY === 0;
        return { series: id, endMs: at, durationUs: isBad ? 200_000 : 20_000, failed: isBad };
      }),
    );
    for (const info of deltas.announced) this.feed.bind(info);
    this.feed.add(deltas, 0);
    this.feed.advance(Math.floor(at / 1000) - 60);
  }
}
