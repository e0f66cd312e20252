/** How punctual the spans of each service's releases are, in order of arrival. */
import { LATENESS_BINS, type ReleaseArrivals, type ServiceArrivals } from '../model/slot-deltas.ts';
import { SLOT_MS } from '../model/time.ts';

/** What the numbers of services and resources stand for. */
export interface ArrivalNames {
  serviceName(service: number): string;
  resourceKey(resource: number): string;
}

/** Grows with the services and releases, and with the releases heard between two calls of `take`; what is taken is counted anew. */
export class Arrivals {
  /** Since the last `take` the latest end time of some service has entered a slot it was not in before. */
  hasOpenedSlot = false;
  #maxEndMs = new Float64Array(16).fill(Number.NEGATIVE_INFINITY);
  /** End of the slot of the latest end time. */
  #slotEndMs = new Float64Array(16).fill(Number.NEGATIVE_INFINITY);
  /** By resource: its place in `#touched` and in `#lateness`; -1 when it was not heard since the last `take`. */
  #placeOf = new Int32Array(16).fill(-1);
  #touched: { readonly service: number; readonly resource: number }[] = [];
  #lateness = new Uint32Array(16 * LATENESS_BINS);

  /**
   * Counts the span that ended at `endsMs[span]`; as an argument a double costs an allocation. Lateness is that behind the service's latest span,
   * whichever release it is of, and counts for `resource`, a release of `service`.
   */
  add(service: number, resource: number, endsMs: Float64Array, span: number): void {
    const endMs = endsMs[span] as number;
    if (resource >= this.#placeOf.length) this.#growResources(resource);
    let place = this.#placeOf[resource] as number;
    if (place < 0) place = this.#touch(service, resource);
    const latest = this.#maxEndMs[service] as number;
    let bin = 0;
    if (endMs > latest) {
      this.#maxEndMs[service] = endMs;
      if (endMs >= (this.#slotEndMs[service] as number)) {
        this.#slotEndMs[service] = (Math.floor(endMs / SLOT_MS) + 1) * SLOT_MS;
        this.hasOpenedSlot = true;
      }
    } else {
      const seconds = (latest - endMs) / 1000;
      bin = seconds >= LATENESS_BINS - 1 ? LATENESS_BINS - 1 : seconds | 0;
    }
    const at = place * LATENESS_BINS + bin;
    this.#lateness[at] = (this.#lateness[at] as number) + 1;
  }

  /** One entry per service with spans since the last call. */
  take(names: ArrivalNames): ServiceArrivals[] {
    const releasesOf = new Map<number, ReleaseArrivals[]>();
    for (const [place, { service, resource }] of this.#touched.entries()) {
      this.#placeOf[resource] = -1;
      const bins = this.#lateness.subarray(place * LATENESS_BINS, (place + 1) * LATENESS_BINS);
      const lateness = bins.slice();
      bins.fill(0);
      const releases = releasesOf.get(service) ?? [];
      releasesOf.set(service, releases);
      const release = names.resourceKey(resource);
      // A release that lost its place and came back has a number of each of its lives.
      const known = releases.find((each) => each.release === release);
      if (known === undefined) releases.push({ release, lateness });
      else for (const [bin, count] of lateness.entries()) known.lateness[bin] = (known.lateness[bin] as number) + count;
    }
    this.#touched = [];
    this.hasOpenedSlot = false;
    return [...releasesOf].map(([service, releases]) => ({
      service: names.serviceName(service),
      maxEndMs: this.#maxEndMs[service] as number,
      releases,
    }));
  }

  #growServices(service: number): void {
    const capacity = Math.max(this.#maxEndMs.length * 2, service + 1);
    const grown = (times: Float64Array): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(capacity).fill(Number.NEGATIVE_INFINITY);
      larger.set(times);
      return larger;
    };
    this.#maxEndMs = grown(this.#maxEndMs);
    this.#slotEndMs = grown(this.#slotEndMs);
  }

  #touch(service: number, resource: number): number {
    if (service >= this.#maxEndMs.length) this.#growServices(service);
    const place = this.#touched.length;
    this.#placeOf[resource] = place;
    this.#touched.push({ service, resource });
    if ((place + 1) * LATENESS_BINS > this.#lateness.length) {
      const lateness = new Uint32Array(this.#lateness.length * 2);
      lateness.set(this.#lateness);
      this.#lateness = lateness;
    }
    return place;
  }

  #growResources(resource: number): void {
    const placeOf = new Int32Array(Math.max(this.#placeOf.length * 2, resource + 1)).fill(-1);
    placeOf.set(this.#placeOf);
    this.#placeOf = placeOf;
  }
}
