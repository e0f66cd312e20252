/** Gives every (service, release, endpoint) its number, within quotas, whatever names the senders make up. */
import { NameTable } from '../model/name-table.ts';
import type { PodNumbering } from '../model/pod-lanes.ts';
import {
  ENDPOINT_KINDS,
  type EndpointKindIndex,
  OVERFLOW_ENDPOINT,
  type ResourceIdentity,
  type SeriesInfo,
  type SeriesInterner,
} from '../model/series.ts';
import { type CountedRule, MAX_EVENT_RULES } from '../model/span-rules.ts';
import { endpointBytes, endpointText } from './endpoint-name.ts';
import { NameScratch } from './name-scratch.ts';
import { RefusedNames } from './refused-names.ts';
import { type ReleaseLimits, ReleaseTable, type Resource, type SavedPods, type ServiceEntry } from './release-table.ts';
import { SeriesColumns } from './series-columns.ts';

/** Position of `overflow` in ENDPOINT_KINDS. */
const OVERFLOW_KIND = ENDPOINT_KINDS.indexOf('overflow');
/** Bits of the slow mask of one span. */
const MAX_THRESHOLDS = 8;
/** Reserved endpoints may exceed a quota by this factor. */
const RESERVED_FACTOR = 2;

export interface SeriesTableOptions extends ReleaseLimits {
  /** Series quota of a service, overflow excluded. Asked anew for each new series, so it may change. */
  maxSeriesOf(service: string): number;
  /** Declared latency limits of an endpoint (or of OVERFLOW_ENDPOINT) in ns; fixed for a series when it is created. */
  thresholdsOf(service: string, endpoint: string): readonly number[];
  /** Event rules that objectives ask for there, each once, and their bits; fixed for a series when it is created. None when left out. */
  rulesOf?(service: string, endpoint: string): readonly CountedRule[];
  /** True for what an objective or a running analysis names: it is admitted up to twice the quota. */
  isReserved(service: string, endpoint: string, release: SeriesInfo['release']): boolean;
  /** Longer endpoint names are cut, 1 to 65535 bytes. */
  readonly nameBytes?: number;
  /** Any number that senders cannot know. */
  readonly hashSeed?: number;
}

/**
 * Series beyond a service's quota, or beyond `maxTotal` of all services, count in the overflow series of their release, which is created
 * with the release and so is always there. Two names are one series when service, release, kind and all bytes of the name are equal.
 * Memory is bounded by `maxTotal`, not by the number of names seen.
 */
export class SeriesTable implements SeriesInterner {
  readonly columns = new SeriesColumns();
  readonly pods: PodNumbering;
  readonly #options: SeriesTableOptions;
  readonly #releases: ReleaseTable;
  readonly #endpoints = new NameTable();
  readonly #refused = new RefusedNames();
  readonly #name: NameScratch;
  readonly #infos: SeriesInfo[] = [];
  readonly #resourceOf: Resource[] = [];
  #announced: SeriesInfo[] = [];
  #nextId = 0;

  /** `lanes`: pods are numbered for who judges here; `seats`: for who judges elsewhere, and numbers the pods of all members anew. */
  constructor(options: SeriesTableOptions, pods: PodNumbering = 'lanes') {
    this.pods = pods;
    this.#options = options;
    this.#releases = new ReleaseTable(options, pods);
    this.#name = new NameScratch(options.nameBytes ?? 256, options.hashSeed ?? 0);
  }

  /** Series that take a place of a quota now. */
  get size(): number {
    return this.#endpoints.size;
  }

  /** Ids given so far; all are below this. */
  get idEnd(): number {
    return this.#nextId;
  }

  /** Memory of names and lookup tables. */
  get tableBytes(): number {
    return this.#endpoints.bytes;
  }

  resource(identity: ResourceIdentity): number {
    const resource = this.#releases.intern(identity);
    if (resource.overflow < 0) resource.overflow = this.#create(resource, OVERFLOW_ENDPOINT, OVERFLOW_KIND);
    return resource.id;
  }

  /** In order of appearance; by the name itself once more pods came than a release remembers. 0 for a resource never given. With seats: the seat. */
  lane(resource: number, instance: string): number {
    return this.#releases.resources[resource]?.pods.laneOf(instance) ?? 0;
  }

  /** Pods of the series' release by number, from 1 on; of those beyond, lanes are by name. Null: numbers are lanes, which several pods may share. */
  podsOf(id: number): readonly number[] | null {
    return this.pods === 'lanes' ? null : (this.#resourceOf[id]?.pods.saved() ?? []);
  }

  /** Grows with each pod that gets a lane or loses it. */
  get podChanges(): number {
    return this.#releases.podChanges;
  }

  /** Lanes of the services' pods, for `restorePods`. */
  savedPods(services: ReadonlySet<string>): SavedPods {
    return this.#releases.savedPods(services);
  }

  /** After `restore`, before any other call: pods go on in the lanes that they had. */
  restorePods(saved: SavedPods): void {
    this.#releases.restorePods(saved);
  }

  series(
    resource: number,
    kind: EndpointKindIndex,
    a: Uint8Array,
    aStart: number,
    aEnd: number,
    separator: number,
    b: Uint8Array,
    bStart: number,
    bEnd: number,
  ): number {
    const name = this.#name;
    name.join(a, aStart, aEnd, separator, b, bStart, bEnd);
    const hash = name.hash(resource, kind);
    const known = this.#endpoints.find(hash, resource, kind, name.bytes, name.length);
    return known >= 0 ? known : this.#admit(resource, kind, hash);
  }

  /** What an id stands for. Throws RangeError for an id never given. */
  info(id: number): SeriesInfo {
    const info = this.#infos[id];
    if (info === undefined) throw new RangeError(`no series ${id}`);
    return info;
  }

  /** Dense number of the series' service; -1 for an id restored without one. */
  serviceIndexOf(id: number): number {
    return this.columns.service[id] ?? -1;
  }

  serviceName(index: number): string {
    return this.#releases.services[index]?.name ?? '';
  }

  /** What tells a (service, release) from all others, in this process and the next; empty for a number never given. */
  resourceKey(resource: number): string {
    return this.#releases.resources[resource]?.key ?? '';
  }

  /** Places of the service's quota that are taken. */
  seriesInUse(service: string): number {
    return this.#releases.serviceNamed(service)?.inUse ?? 0;
  }

  /** Series created since the last call. */
  takeAnnounced(): SeriesInfo[] {
    // What is reserved may have changed since: refused names are asked about again once per flush.
    this.#refused.clear();
    const announced = this.#announced;
    this.#announced = [];
    return announced;
  }

  /**
   * Takes back the series of an earlier process, before any other call. A series whose thresholds or event rules are declared differently
   * now, or that finds no place within its quota, stays readable but counts nothing new.
   */
  restore(series: readonly SeriesInfo[]): void {
    const newestFirst = [...series].sort((x, y) => y.id - x.id);
    for (const info of newestFirst) {
      const resource = this.#releases.restore(info.service, info.release);
      this.#infos[info.id] = info;
      this.#resourceOf[info.id] = resource;
      this.#nextId = Math.max(this.#nextId, info.id + 1);
      const rules = this.#rules(info.service, info.endpoint);
      const isSame =
        same(
          info.rules,
          rules.map(({ key }) => key),
        ) && same(info.thresholdsNs, this.#thresholds(info.service, info.endpoint));
      this.columns.set(info.id, resource, info.kind === 'overflow', info.thresholdsNs, isSame ? rules.map(({ bit }) => bit) : []);
      if (!isSame) continue;
      if (info.kind === 'overflow') {
        if (resource.overflow < 0) resource.overflow = info.id;
        continue;
      }
      const name = endpointBytes(info.endpoint);
      const kind = ENDPOINT_KINDS.indexOf(info.kind);
      this.#name.join(name, 0, name.length, 0, name, 0, 0);
      const hash = this.#name.hash(resource.id, kind);
      const isTaken = this.#endpoints.find(hash, resource.id, kind, this.#name.bytes, this.#name.length) >= 0;
      if (isTaken || resource.isClosed || !this.#hasRoom(resource.service, RESERVED_FACTOR)) continue;
      this.#place(resource, kind, hash, info.id);
    }
  }

  /** After a change of its thresholds or event rules: spans of `service` get new series ids from now on. Old ids stay readable. */
  retire(service: string): void {
    const entry = this.#releases.serviceNamed(service);
    if (entry === undefined) return;
    this.#endpoints.keep((id) => this.#resourceOf[id]?.service !== entry);
    entry.inUse = 0;
    for (const resource of this.#releases.resources) {
      if (resource.service === entry && resource.overflow >= 0) {
        resource.overflow = this.#create(resource, OVERFLOW_ENDPOINT, OVERFLOW_KIND);
      }
    }
  }

  /**
   * Gives the places of idle series, and of releases all of whose series are idle, to new ones. Should spans of them come after all, they
   * get new ids. Call it now and then; it costs a pass over all series in use.
   */
  retireIdle(isIdle: (id: number) => boolean): void {
    const busy = new Set<Resource>();
    this.#endpoints.keep((id) => {
      const resource = this.#resourceOf[id] as Resource;
      if (isIdle(id)) {
        resource.service.inUse--;
        return false;
      }
      busy.add(resource);
      return true;
    });
    for (const resource of this.#releases.resources) {
      if (!busy.has(resource) && resource.overflow >= 0 && isIdle(resource.overflow)) this.#releases.park(resource);
    }
  }

  #admit(resourceId: number, kind: number, hash: number): number {
    let resource = this.#releases.resources[resourceId];
    if (resource === undefined) throw new RangeError(`no resource ${resourceId}`);
    if (resource.isParked) {
      resource = this.#releases.revive(resource);
      if (resource.overflow < 0) resource.overflow = this.#create(resource, OVERFLOW_ENDPOINT, OVERFLOW_KIND);
      if (resource.id !== resourceId) return this.#rehashed(resource, kind);
    }
    if (resource.isClosed || kind === OVERFLOW_KIND) return resource.overflow;
    const name = this.#name;
    if (this.#hasRoom(resource.service, 1)) return this.#admitted(resource, endpointText(name.bytes, name.length), kind, hash);
    if (!this.#hasRoom(resource.service, RESERVED_FACTOR)) return resource.overflow;
    if (this.#refused.has(hash, resourceId, kind, name.bytes, name.length)) return resource.overflow;
    const endpoint = endpointText(name.bytes, name.length);
    if (this.#options.isReserved(resource.service.name, endpoint, resource.release)) return this.#admitted(resource, endpoint, kind, hash);
    this.#refused.add(hash, resourceId, kind, name.bytes, name.length);
    return resource.overflow;
  }

  /** Looks the scratch's name up under another resource. */
  #rehashed(resource: Resource, kind: number): number {
    const hash = this.#name.hash(resource.id, kind);
    const known = this.#endpoints.find(hash, resource.id, kind, this.#name.bytes, this.#name.length);
    return known >= 0 ? known : this.#admit(resource.id, kind, hash);
  }

  #hasRoom(service: ServiceEntry, factor: number): boolean {
    return service.inUse < factor * this.#options.maxSeriesOf(service.name) && this.#endpoints.size < factor * this.#options.maxTotal;
  }

  #admitted(resource: Resource, endpoint: string, kind: number, hash: number): number {
    const id = this.#create(resource, endpoint, kind);
    this.#place(resource, kind, hash, id);
    return id;
  }

  #place(resource: Resource, kind: number, hash: number, id: number): void {
    this.#endpoints.add(hash, resource.id, kind, this.#name.bytes, this.#name.length, id);
    resource.service.inUse++;
  }

  #create(resource: Resource, endpoint: string, kind: number): number {
    const id = this.#nextId++;
    const service = resource.service.name;
    const rules = this.#rules(service, endpoint);
    const info: SeriesInfo = {
      id,
      service,
      release: resource.release,
      endpoint,
      kind: ENDPOINT_KINDS[kind] ?? 'span',
      thresholdsNs: this.#thresholds(service, endpoint),
      rules: rules.map(({ key }) => key),
    };
    this.#infos[id] = info;
    this.#resourceOf[id] = resource;
    const bits = rules.map(({ bit }) => bit);
    this.columns.set(id, resource, kind === OVERFLOW_KIND, info.thresholdsNs, bits);
    this.#announced.push(info);
    return id;
  }

  #thresholds(service: string, endpoint: string): readonly number[] {
    return [...new Set(this.#options.thresholdsOf(service, endpoint))].sort((x, y) => x - y).slice(0, MAX_THRESHOLDS);
  }

  #rules(service: string, endpoint: string): readonly CountedRule[] {
    return this.#options.rulesOf?.(service, endpoint).slice(0, MAX_EVENT_RULES) ?? [];
  }
}

function same<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
