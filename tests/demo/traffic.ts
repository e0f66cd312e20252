/** Who asks the shop for what and how long it takes: requests as plain data, before they become spans. */
import { interval, logNormal, seededRandom } from './random.ts';

/** An endpoint of the shop that the gateway sends traffic to. */
export interface Route {
  readonly service: 'frontend' | 'checkout';
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Requests per second over all releases. */
  readonly perSecond: number;
  readonly medianMs: number;
  /** Standard deviation of the logarithm of the latency. */
  readonly sigma: number;
  /** Share of requests that fail while all is well, [0, 1]. */
  readonly errorRatio: number;
}

export const ROUTES: readonly Route[] = [
  { service: 'frontend', method: 'GET', path: '/', perSecond: 40, medianMs: 18, sigma: 0.4, errorRatio: 0.001 },
  { service: 'frontend', method: 'GET', path: '/product/{id}', perSecond: 50, medianMs: 24, sigma: 0.4, errorRatio: 0.001 },
  { service: 'frontend', method: 'POST', path: '/cart', perSecond: 20, medianMs: 31, sigma: 0.35, errorRatio: 0.001 },
  { service: 'checkout', method: 'POST', path: '/checkout', perSecond: 200, medianMs: 80, sigma: 0.35, errorRatio: 0.002 },
  { service: 'checkout', method: 'GET', path: '/order/{id}', perSecond: 240, medianMs: 22, sigma: 0.4, errorRatio: 0.002 },
];

/** What is wrong with a release. */
export interface Behaviour {
  /** Multiplies the latency of `POST /checkout`. */
  readonly latencyFactor: number;
  /** Additional share of failing `GET /order/{id}` requests, [0, 1]. */
  readonly errorRatio: number;
  /** False: the release works, but its telemetry never leaves. */
  readonly sendsSpans: boolean;
}

export const HEALTHY: Behaviour = { latencyFactor: 1, errorRatio: 0, sendsSpans: true };

/** A request that the shop has answered or will have, at `endMs`. */
export interface PlannedRequest {
  readonly route: Route;
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
  /** Wrong because of the release's behaviour and not by the shop's ordinary bad luck. */
  readonly bad: boolean;
  /** 0 to 9999: the order or product asked for. */
  readonly item: number;
}

/** Requests as they arrive at one release: a Poisson stream per route, of which the release gets its share. */
export class Traffic {
  readonly #random: () => number;
  readonly #nextMs: number[];

  constructor(seed: number, startMs: number) {
    this.#random = seededRandom(seed);
    this.#nextMs = ROUTES.map((route) => startMs + interval(this.#random, route.perSecond / 1000));
  }

  /**
   * Requests that arrive before `untilMs` and after those of the previous call. `shares` is the part of each service's traffic that this
   * release gets, [0, 1]; a missing service gets none.
   */
  arrivals(untilMs: number, shares: Readonly<Partial<Record<Route['service'], number>>>, behaviour: Behaviour): PlannedRequest[] {
    const planned: PlannedRequest[] = [];
    ROUTES.forEach((route, index) => {
      const share = shares[route.service] ?? 0;
      let at = this.#nextMs[index] ?? untilMs;
      while (at < untilMs) {
        if (this.#random() < share) planned.push(this.#request(route, at, behaviour));
        at += interval(this.#random, route.perSecond / 1000);
      }
      this.#nextMs[index] = at;
    });
    return planned;
  }

  #request(route: Route, startMs: number, behaviour: Behaviour): PlannedRequest {
    const isCheckout = route.path === '/checkout';
    const isOrder = route.path === '/order/{id}';
    const slowBy = isCheckout ? behaviour.latencyFactor : 1;
    const broken = isOrder && this.#random() < behaviour.errorRatio;
    const failed = broken || this.#random() < route.errorRatio;
    return {
      route,
      startMs,
      endMs: startMs + logNormal(this.#random, route.medianMs, route.sigma) * slowBy,
      failed,
      bad: broken || slowBy > 1,
      item: Math.floor(this.#random() * 10_000),
    };
  }
}
