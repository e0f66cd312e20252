/** How many requests each endpoint got in each release of late: whether both get the same mixture, and how fast they come. */
import type { TrafficMixEvidence } from '../../model/judgement.ts';
import type { DurationMs } from '../../model/time.ts';

/** Counts reach back one to two of these. */
const EPOCH_MS = 600_000;
/** Requests of each release below which nothing is said of the mixture. */
const MIN_REQUESTS = 1000;
/** Distance beyond what chance explains from which routing may explain what differs. */
const MIX_LIMIT = 0.1;
/** Standard deviations that chance is allowed. */
const CHANCE_SDS = 3;
const LISTED = 5;

/** True when routing may explain what differs between the releases; not while the mixture is unknown. */
export function isConfounded(mix: TrafficMixEvidence | null): boolean {
  return mix !== null && mix.distance > mix.limit;
}

/** Requests in the last epoch and in the present one. */
interface Counts {
  baselineBefore: number;
  canaryBefore: number;
  baselineNow: number;
  canaryNow: number;
}

export interface RecentTrafficState {
  readonly epoch: number;
  readonly startedMs: DurationMs;
  readonly counts: readonly (readonly [name: string, ...number[]])[];
}

export class RecentTraffic {
  #epoch = 0;
  /** Watched time from which counts are held. */
  #startedMs = 0;
  readonly #byName = new Map<string, Counts>();

  /** One slot of an endpoint that is judged, at `atMs` of watched time. */
  count(endpoint: string, atMs: DurationMs, baselineRequests: number, canaryRequests: number): void {
    const epoch = Math.floor(atMs / EPOCH_MS);
    if (epoch > this.#epoch) this.#turnTo(epoch);
    let counts = this.#byName.get(endpoint);
    if (counts === undefined) {
      counts = { baselineBefore: 0, canaryBefore: 0, baselineNow: 0, canaryNow: 0 };
      this.#byName.set(endpoint, counts);
    }
    counts.baselineNow += baselineRequests;
    counts.canaryNow += canaryRequests;
  }

  /** Requests per second of late, at `atMs` of watched time; 0 before any. */
  rates(endpoint: string, atMs: DurationMs): { readonly baselineRate: number; readonly canaryRate: number } {
    const counts = this.#byName.get(endpoint);
    const seconds = (atMs - this.#startedMs) / 1000;
    if (counts === undefined || seconds <= 0) return { baselineRate: 0, canaryRate: 0 };
    return {
      baselineRate: (counts.baselineBefore + counts.baselineNow) / seconds,
      canaryRate: (counts.canaryBefore + counts.canaryNow) / seconds,
    };
  }

  /**
   * How far the mixtures of requests of the releases are apart; null while either has too few. Half the sum of the differences of shares, less what chance
   * makes of it: for independent requests each difference is about normal, half of them sum to sqrt(1/(2 pi)) sum(sd), and three standard deviations more
   * are allowed. Endpoints that the baseline does not serve are left out: a release may well bring new ones.
   */
  mix(): TrafficMixEvidence | null {
    const served = [...this.#byName].flatMap(([endpoint, counts]) => {
      const baseline = counts.baselineBefore + counts.baselineNow;
      return baseline === 0 ? [] : [{ endpoint, baseline, canary: counts.canaryBefore + counts.canaryNow }];
    });
    // By name, so that sums do not depend on the order of feeding.
    served.sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1));
    const baselineRequests = served.reduce((sum, { baseline }) => sum + baseline, 0);
    const canaryRequests = served.reduce((sum, { canary }) => sum + canary, 0);
    if (Math.min(baselineRequests, canaryRequests) < MIN_REQUESTS) return null;
    let distance = 0;
    let sds = 0;
    let variance = 0;
    const shares = served.map(({ endpoint, baseline, canary }) => {
      const baselineShare = baseline / baselineRequests;
      const canaryShare = canary / canaryRequests;
      const pooled = (baseline + canary) / (baselineRequests + canaryRequests);
      const spread = pooled * (1 - pooled) * (1 / baselineRequests + 1 / canaryRequests);
      distance += Math.abs(baselineShare - canaryShare) / 2;
      sds += Math.sqrt(spread);
      variance += spread;
      return { endpoint, baselineShare, canaryShare };
    });
    const chance = Math.sqrt(1 / (2 * Math.PI)) * sds + (CHANCE_SDS / 2) * Math.sqrt((1 - 2 / Math.PI) * variance);
    const apart = (share: (typeof shares)[number]) => Math.abs(share.baselineShare - share.canaryShare);
    shares.sort((a, b) => apart(b) - apart(a) || (a.endpoint < b.endpoint ? -1 : 1));
    return {
      kind: 'mix',
      distance: Math.max(0, distance - chance),
      limit: MIX_LIMIT,
      baselineRequests,
      canaryRequests,
      endpoints: shares.slice(0, LISTED),
    };
  }

  snapshot(): RecentTrafficState {
    return {
      epoch: this.#epoch,
      startedMs: this.#startedMs,
      counts: [...this.#byName].map(([name, c]) => [name, c.baselineBefore, c.canaryBefore, c.baselineNow, c.canaryNow]),
    };
  }

  static restore(state: RecentTrafficState): RecentTraffic {
    const restored = new RecentTraffic();
    restored.#epoch = state.epoch;
    restored.#startedMs = state.startedMs;
    for (const [name, baselineBefore = 0, canaryBefore = 0, baselineNow = 0, canaryNow = 0] of state.counts) {
      restored.#byName.set(name, { baselineBefore, canaryBefore, baselineNow, canaryNow });
    }
    return restored;
  }

  #turnTo(epoch: number): void {
    const isNext = epoch === this.#epoch + 1;
    for (const counts of this.#byName.values()) {
      counts.baselineBefore = isNext ? counts.baselineNow : 0;
      counts.canaryBefore = isNext ? counts.canaryNow : 0;
      counts.baselineNow = 0;
      counts.canaryNow = 0;
    }
    this.#startedMs = (isNext ? this.#epoch : epoch) * EPOCH_MS;
    this.#epoch = epoch;
  }
}
