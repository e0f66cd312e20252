/** A small seeded world: pods of services that serve requests and export their spans in batches, out of step with one another. */
import type { EpochMs } from '../../src/model/time.ts';
import { poisson, seeded } from '../evaluate/world.ts';
import { requestBytes, resourceField, type ServedRequest } from './otlp-stream.ts';

/** Second 0 of every world; a multiple of an hour, so that windows of counts have exact edges. */
export const WORLD_START: EpochMs = 1_800_000_000_000;

export interface Behaviour {
  readonly errorRatio?: number;
  /** Multiplies latencies. */
  readonly slowdown?: number;
}

/** The pods of one release. Seconds count from WORLD_START. */
export interface Pods {
  readonly service: string;
  readonly version: string;
  /** Requests per second of all pods together. */
  readonly rate: number | ((second: number) => number);
  readonly pods?: number;
  /** How often each pod exports, from its very own phase on; every 1, 2 or 5 s, pod by pod, unless given. */
  readonly exportMs?: number;
  /** Endpoints and their shares of the requests. */
  readonly endpoints?: Readonly<Record<string, number>>;
  readonly behaviour?: (second: number, endpoint: string) => Behaviour;
  /** False: the agent is down, and what would have left in this second is lost. */
  readonly exports?: (second: number) => boolean;
  /** How far the clock of a pod is ahead. */
  readonly clockSkewMs?: (pod: number) => number;
  /** This share of the requests is exported so much later than the rest. */
  readonly stragglers?: { readonly share: number; readonly fromMs: number; readonly toMs: number };
  /** This share of the batches is sent a second time: the answer to the first was lost. */
  readonly resent?: number;
  readonly attributes?: Readonly<Record<string, string>>;
  /** The last word on a request: another one, or null for a span that is never recorded. */
  readonly recorded?: (request: ServedRequest, random: () => number) => ServedRequest | null;
}

/** One request's bytes as they reach the receiver. */
export interface Arrival {
  readonly at: EpochMs;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const ONE_ENDPOINT = { 'POST /checkout': 1 };
const BASE_ERROR_RATIO = 0.001;
const EXPORT_MS = [1000, 2000, 5000];
const MAX_TRANSIT_MS = 200;

/** Latencies in µs at 4,096 evenly spaced quantiles: most requests around 40 ms, a tail to seconds. */
const LATENCIES: Float64Array = (() => {
  const random = seeded(11);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const drawn = Float64Array.from({ length: 65_536 }, () => {
    const kind = random();
    const [median, sigma] = kind < 0.8 ? [40_000, 0.3] : kind < 0.98 ? [90_000, 0.5] : [300_000, 0.7];
    return median * Math.exp(sigma * normal());
  }).sort();
  return Float64Array.from({ length: 4096 }, (_, index) => drawn[index * 16 + 8] as number);
})();

/** The same pods and seed make the same arrivals, byte for byte, whatever the other pods do. */
export class World {
  readonly #exporters: Exporter[];
  #second = 0;
  #waiting: Arrival[] = [];

  constructor(pods: readonly Pods[], seed = 1) {
    this.#exporters = pods.flatMap((spec, group) =>
      Array.from({ length: spec.pods ?? 3 }, (_, pod) => new Exporter(spec, pod, seeded(seed * 1000 + group * 50 + pod))),
    );
  }

  get second(): number {
    return this.#second;
  }

  /** What arrives until `second`, in order of arrival. Continues where the last call ended. */
  *until(second: number): Generator<Arrival> {
    while (this.#second < second) {
      for (const exporter of this.#exporters) this.#waiting.push(...exporter.second(this.#second));
      this.#second++;
      const end = WORLD_START + this.#second * 1000;
      const due = this.#waiting.filter(({ at }) => at < end).sort((a, b) => a.at - b.at);
      this.#waiting = this.#waiting.filter(({ at }) => at >= end);
      yield* due;
    }
  }
}

class Exporter {
  readonly #spec: Pods;
  readonly #random: () => number;
  readonly #resource: Uint8Array;
  readonly #skewUs: number;
  readonly #everyMs: number;
  readonly #share: number;
  readonly #endpoints: readonly (readonly [name: string, upTo: number])[];
  #nextExportMs: number;
  #buffer: ServedRequest[] = [];

  constructor(spec: Pods, pod: number, random: () => number) {
    this.#spec = spec;
    this.#random = random;
    this.#share = 1 / (spec.pods ?? 3);
    this.#skewUs = (spec.clockSkewMs?.(pod) ?? 0) * 1000;
    this.#everyMs = spec.exportMs ?? (EXPORT_MS[pod % EXPORT_MS.length] as number);
    this.#nextExportMs = Math.floor(random() * this.#everyMs);
    this.#resource = resourceField({
      'service.name': spec.service,
      'service.version': spec.version,
      'service.instance.id': `${spec.service}-${spec.version}-${pod}`,
      ...spec.attributes,
    });
    let upTo = 0;
    const weights = Object.entries(spec.endpoints ?? ONE_ENDPOINT);
    const sum = weights.reduce((total, [, weight]) => total + weight, 0);
    this.#endpoints = weights.map(([name, weight]) => {
      upTo += weight / sum;
      return [name, upTo];
    });
  }

  /** Serves one second and gives the exports that fall into it. */
  second(second: number): Arrival[] {
    const { rate, exports } = this.#spec;
    const perSecond = (typeof rate === 'number' ? rate : rate(second)) * this.#share;
    for (let left = perSecond > 0 ? poisson(this.#random, perSecond) : 0; left > 0; left--) this.#serve(second);
    const arrivals: Arrival[] = [];
    for (; this.#nextExportMs < (second + 1) * 1000; this.#nextExportMs += this.#everyMs) {
      const cutUs = (WORLD_START + this.#nextExportMs) * 1000 + this.#skewUs;
      const batch = this.#buffer.filter(({ endUs }) => endUs < cutUs);
      if (batch.length === 0) continue;
      this.#buffer = this.#buffer.filter(({ endUs }) => endUs >= cutUs);
      if (exports === undefined || exports(second)) this.#export(batch, arrivals);
    }
    return arrivals;
  }

  #serve(second: number): void {
    const { behaviour, recorded } = this.#spec;
    const random = this.#random;
    const drawn = random();
    const endpoint = (this.#endpoints.find(([, upTo]) => drawn < upTo) ?? this.#endpoints.at(-1))?.[0] ?? '';
    const { errorRatio = BASE_ERROR_RATIO, slowdown = 1 } = behaviour?.(second, endpoint) ?? {};
    const request: ServedRequest = {
      endUs: WORLD_START * 1000 + this.#skewUs + Math.floor((second + random()) * 1_000_000),
      durationUs: Math.round((LATENCIES[(random() * 4096) | 0] as number) * slowdown),
      endpoint,
      failed: random() < errorRatio,
    };
    const kept = recorded === undefined ? request : recorded(request, random);
    if (kept !== null) this.#buffer.push(kept);
  }

  #export(batch: readonly ServedRequest[], arrivals: Arrival[]): void {
    const random = this.#random;
    const { stragglers, resent } = this.#spec;
    const at = WORLD_START + this.#nextExportMs + random() * MAX_TRANSIT_MS;
    const punctual: ServedRequest[] = [];
    for (const request of batch) {
      if (stragglers === undefined || random() >= stragglers.share) punctual.push(request);
      else {
        const delayMs = stragglers.fromMs + random() * (stragglers.toMs - stragglers.fromMs);
        arrivals.push({ at: at + delayMs, bytes: requestBytes(this.#resource, [request]) });
      }
    }
    if (punctual.length === 0) return;
    const bytes = requestBytes(this.#resource, punctual);
    arrivals.push({ at, bytes });
    if (resent !== undefined && random() < resent) arrivals.push({ at: at + 1000 + random() * 2000, bytes });
  }
}
