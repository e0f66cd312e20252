/** Numbers the (service, release) pairs that resources name, within limits. */

import { MAX_PODS_IN_ALL, PodLanes, type PodNumbering } from '../model/pod-lanes.ts';
import { isOtherRelease, releaseKey } from '../model/release-key.ts';
import { OVERFLOW_ENDPOINT, type Release, type ResourceIdentity } from '../model/series.ts';

/** What stands for services, or releases of a service, beyond the limit. */
export const OVERFLOW_NAME = OVERFLOW_ENDPOINT;

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

export interface ServiceEntry {
  readonly name: string;
  readonly index: number;
  /** Endpoint series in use, overflow excluded. */
  inUse: number;
  /** Releases in use, `(other)` excluded. */
  releases: number;
}

export interface Resource {
  readonly id: number;
  readonly service: ServiceEntry;
  readonly release: Release;
  readonly key: string;
  /** Counts only in overflow: the service itself is `(other)`. */
  readonly isClosed: boolean;
  /** Its overflow series; -1 before the first. */
  overflow: number;
  readonly pods: PodLanes;
  /** Has given its place to a newer release. */
  isParked: boolean;
}

/** Per release the hashes of its pods, in order of appearance. */
export type SavedPods = readonly (readonly [key: string, pods: readonly number[]])[];

export interface ReleaseLimits {
  /** Services, and pairs of service and release. */
  readonly maxTotal: number;
  readonly maxReleasesPerService: number;
}

export class ReleaseTable {
  readonly services: ServiceEntry[] = [];
  readonly resources: Resource[] = [];
  readonly #limits: ReleaseLimits;
  readonly #numbering: PodNumbering;
  readonly #serviceByName = new Map<string, ServiceEntry>();
  readonly #podRoom = { left: MAX_PODS_IN_ALL, changes: 0 };
  readonly #resourceByKey = new Map<string, Resource>();

  constructor(limits: ReleaseLimits, numbering: PodNumbering = 'lanes') {
    this.#limits = limits;
    this.#numbering = numbering;
  }

  /** The pair's resource; beyond the limits `(other)` of the service, or service `(other)`. */
  intern(identity: ResourceIdentity): Resource {
    const key = releaseKey(identity.service, identity.releaseAttributes);
    return this.#resourceByKey.get(key) ?? this.#admit(identity.service, releaseOf(identity.releaseAttributes), key);
  }

  /** As `intern`, for a release that has its name already. */
  restore(service: string, release: Release): Resource {
    const key = releaseKey(service, release.attributes, isOtherRelease(release));
    return this.#resourceByKey.get(key) ?? this.#admit(service, release, key);
  }

  /** What a resource that had been parked counts in from now on. */
  revive(parked: Resource): Resource {
    const current = this.#resourceByKey.get(parked.key);
    if (current !== undefined) return current;
    if (!this.#hasRoomFor(parked.service)) return this.#otherRelease(parked.service);
    parked.isParked = false;
    parked.service.releases++;
    this.#resourceByKey.set(parked.key, parked);
    return parked;
  }

  /** Gives the place of `resource` to others. `(other)` keeps its own. */
  park(resource: Resource): void {
    if (resource.isParked || resource.isClosed || isOtherRelease(resource.release)) return;
    resource.isParked = true;
    resource.pods.forget();
    resource.service.releases--;
    this.#resourceByKey.delete(resource.key);
  }

  /** Grows with each pod that is remembered or forgotten. */
  get podChanges(): number {
    return this.#podRoom.changes;
  }

  /** Pods of the services' releases, for `restorePods`. */
  savedPods(services: ReadonlySet<string>): SavedPods {
    return this.resources
      .filter(({ service, isParked }) => !isParked && services.has(service.name))
      .map(({ key, pods }) => [key, pods.saved()]);
  }

  /** To be called once the releases of an earlier process are restored; pods of others are not taken back. */
  restorePods(saved: SavedPods): void {
    for (const [key, pods] of saved) this.#resourceByKey.get(key)?.pods.restore(pods);
  }

  serviceNamed(name: string): ServiceEntry | undefined {
    return this.#serviceByName.get(name);
  }

  #admit(serviceName: string, release: Release, key: string): Resource {
    const known = this.#serviceByName.get(serviceName);
    if (known === undefined && serviceName !== OVERFLOW_NAME && this.services.length >= this.#limits.maxTotal) return this.#otherService();
    const service = known ?? this.#addService(serviceName);
    if (isOtherRelease(release) || service.name === OVERFLOW_NAME || !this.#hasRoomFor(service)) return this.#otherRelease(service);
    service.releases++;
    return this.#add(service, release, key);
  }

  #hasRoomFor(service: ServiceEntry): boolean {
    return service.releases < this.#limits.maxReleasesPerService && this.#resourceByKey.size < this.#limits.maxTotal + this.services.length;
  }

  #otherRelease(service: ServiceEntry): Resource {
    const key = releaseKey(service.name, NO_ATTRIBUTES, true);
    const release = { name: OVERFLOW_NAME, attributes: NO_ATTRIBUTES };
    return this.#resourceByKey.get(key) ?? this.#add(service, release, key);
  }

  #otherService(): Resource {
    return this.#otherRelease(this.#serviceByName.get(OVERFLOW_NAME) ?? this.#addService(OVERFLOW_NAME));
  }

  #addService(name: string): ServiceEntry {
    const service = { name, index: this.services.length, inUse: 0, releases: 0 };
    this.services.push(service);
    this.#serviceByName.set(name, service);
    return service;
  }

  #add(service: ServiceEntry, release: Release, key: string): Resource {
    const isClosed = service.name === OVERFLOW_NAME;
    const pods = new PodLanes(this.#podRoom, this.#numbering);
    const resource = { id: this.resources.length, service, release, key, isClosed, pods, overflow: -1, isParked: false };
    this.resources.push(resource);
    this.#resourceByKey.set(key, resource);
    return resource;
  }
}

function releaseOf(attributes: ReadonlyMap<string, string>): Release {
  for (const value of attributes.values()) if (value !== '') return { name: value, attributes };
  return { name: 'unknown', attributes };
}
