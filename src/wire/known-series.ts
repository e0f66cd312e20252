/** Gives the services, releases and series that records name numbers of our own; what is known is found by its bytes, without a string. */
import { NameTable } from '../model/name-table.ts';
import { MAX_PODS_IN_ALL, PodLanes } from '../model/pod-lanes.ts';
import { isOtherRelease, releaseKey } from '../model/release-key.ts';
import { OVERFLOW_ENDPOINT, type Release, type SeriesInfo } from '../model/series.ts';
import type { Span } from './parsed-record.ts';
import { RecordReader } from './record-reader.ts';
import { type EndpointEntry, endpointEntry, readEndpoint, readRelease, releaseEntry } from './series-entry.ts';

export interface KnownService {
  readonly index: number;
  readonly name: string;
  /** Series that take a place of its quota. */
  inUse: number;
}

export interface KnownRelease {
  readonly index: number;
  readonly service: KnownService;
  readonly release: Release;
  /** See `releaseKey`. */
  readonly key: string;
  readonly pods: PodLanes;
}

export interface SeriesLimits {
  /** Services, releases, and series that are looked up by their own names. */
  readonly maxTotal: number;
  /** Series of one service, overflow excluded. */
  maxSeriesOf(service: string): number;
}

const UTF8_TEXT = new TextDecoder('utf-8', { ignoreBOM: true });
const UTF8_BYTES = new TextEncoder();
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();
const OTHER: Release = { name: OVERFLOW_ENDPOINT, attributes: NO_ATTRIBUTES };

/**
 * Beyond the limits, series count in an overflow series of their release that has the same thresholds and rules, releases in release `(other)` of their
 * service, services in service `(other)`: objectives of whole services stay exact.
 */
export class KnownSeries {
  readonly infos: SeriesInfo[] = [];
  readonly releaseOf: KnownRelease[] = [];
  /** Grows with each pod that gets a lane or loses it. */
  readonly podRoom = { left: MAX_PODS_IN_ALL, changes: 0 };
  #announced: SeriesInfo[] = [];
  readonly #limits: SeriesLimits;
  readonly #seed: number;
  readonly #reader = new RecordReader();
  readonly #services: KnownService[] = [];
  readonly #serviceNumbers = new NameTable();
  readonly #releases: KnownRelease[] = [];
  readonly #releaseByKey = new Map<string, KnownRelease>();
  readonly #releaseNumbers = new NameTable();
  readonly #seriesNumbers = new NameTable();
  readonly #overflowNumbers = new Map<string, number>();

  constructor(limits: SeriesLimits, hashSeed: number) {
    this.#limits = limits;
    this.#seed = (hashSeed ^ 0x811c9dc5) | 0;
  }

  /** Takes back what an earlier process had given numbers. Where a series has several, the newest goes on. */
  restore(series: readonly SeriesInfo[]): void {
    for (const info of [...series].sort((x, y) => y.id - x.id)) {
      const service = this.#serviceNamed(info.service);
      const release = this.#releaseNamed(service, info.release);
      this.infos[info.id] = info;
      this.releaseOf[info.id] = release;
      const bytes = endpointEntry(info);
      const hash = this.#hash(release.index, bytes, 0, bytes.length);
      const isTaken = this.#seriesNumbers.find(hash, release.index, 0, bytes, bytes.length) >= 0;
      if (isTaken || !this.#hasRoom(service)) {
        if (info.kind === 'overflow') this.#noteOverflow(release, info);
        continue;
      }
      this.#place(hash, release, bytes, 0, bytes.length, info);
    }
  }

  service(bytes: Uint8Array, { start, end }: Span): KnownService {
    const hash = this.#hash(0, bytes, start, end);
    const known = this.#serviceNumbers.find(hash, 0, 0, bytes, end - start, start);
    if (known >= 0) return this.#services[known] as KnownService;
    return this.#serviceNamed(UTF8_TEXT.decode(bytes.subarray(start, end)));
  }

  release(service: KnownService, bytes: Uint8Array, { start, end }: Span): KnownRelease {
    const hash = this.#hash(service.index, bytes, start, end);
    const known = this.#releaseNumbers.find(hash, service.index, 0, bytes, end - start, start);
    if (known >= 0) return this.#releases[known] as KnownRelease;
    this.#reader.start(bytes.subarray(start, end));
    const release = readRelease(this.#reader);
    const found = this.#releaseNamed(service, release);
    // Another spelling of one that is known is found by its bytes from now on; what went to `(other)` may have room another time.
    const isOwn = isOtherRelease(found.release) === isOtherRelease(release);
    if (isOwn && this.#releaseNumbers.find(hash, service.index, 0, bytes, end - start, start) < 0) {
      this.#releaseNumbers.add(hash, service.index, 0, bytes, end - start, found.index, start);
    }
    return found;
  }

  /** Number of the series whose entry is that part of `bytes`. */
  series(release: KnownRelease, bytes: Uint8Array, { start, end }: Span): number {
    const hash = this.#hash(release.index, bytes, start, end);
    const known = this.#seriesNumbers.find(hash, release.index, 0, bytes, end - start, start);
    if (known >= 0) return known;
    this.#reader.start(bytes.subarray(start, end));
    const entry = readEndpoint(this.#reader);
    const isOfOthers = release.service.name === OVERFLOW_ENDPOINT;
    if (entry.kind === 'overflow' || isOfOthers || !this.#hasRoom(release.service)) {
      const id = this.#overflow(release, entry);
      const hasOwnName = entry.kind === 'overflow' && this.#seriesNumbers.size < this.#limits.maxTotal;
      if (hasOwnName) this.#seriesNumbers.add(hash, release.index, 0, bytes, end - start, id, start);
      return id;
    }
    const info = this.#create(release, entry);
    this.#place(hash, release, bytes, start, end, info);
    return info.id;
  }

  /** Series that got their numbers since the last call. */
  takeAnnounced(): SeriesInfo[] {
    const announced = this.#announced;
    this.#announced = [];
    return announced;
  }

  /** Gives the places of idle series to new ones, and lets releases go all of whose series are idle. */
  retireIdle(isIdle: (id: number) => boolean): void {
    const busy = new Set<KnownRelease>();
    for (let id = 0; id < this.infos.length; id++) {
      const release = this.releaseOf[id];
      if (release !== undefined && !isIdle(id)) busy.add(release);
    }
    this.#seriesNumbers.keep((id) => {
      const isKept = !isIdle(id);
      const { service } = this.releaseOf[id] as KnownRelease;
      if (!isKept && this.infos[id]?.kind !== 'overflow') service.inUse--;
      return isKept;
    });
    for (const [key, release] of this.#releaseByKey) {
      if (busy.has(release) || isOtherRelease(release.release)) continue;
      release.pods.forget();
      this.#releaseByKey.delete(key);
    }
    for (const [key, id] of this.#overflowNumbers) if (isIdle(id)) this.#overflowNumbers.delete(key);
    this.#releaseNumbers.keep((index) => this.#releaseByKey.get((this.#releases[index] as KnownRelease).key)?.index === index);
  }

  /** Releases in use by service. */
  releasesByService(): Map<string, KnownRelease[]> {
    const byService = new Map<string, KnownRelease[]>();
    for (const release of this.#releaseByKey.values()) {
      const siblings = byService.get(release.service.name);
      if (siblings === undefined) byService.set(release.service.name, [release]);
      else siblings.push(release);
    }
    return byService;
  }

  releaseWithKey(key: string): KnownRelease | undefined {
    return this.#releaseByKey.get(key);
  }

  #hasRoom(service: KnownService): boolean {
    return service.inUse < this.#limits.maxSeriesOf(service.name) && this.#seriesNumbers.size < this.#limits.maxTotal;
  }

  #serviceNamed(name: string): KnownService {
    const bytes = UTF8_BYTES.encode(name);
    const hash = this.#hash(0, bytes, 0, bytes.length);
    const known = this.#serviceNumbers.find(hash, 0, 0, bytes, bytes.length);
    if (known >= 0) return this.#services[known] as KnownService;
    if (this.#services.length >= this.#limits.maxTotal && name !== OVERFLOW_ENDPOINT) return this.#serviceNamed(OVERFLOW_ENDPOINT);
    const service = { index: this.#services.length, name, inUse: 0 };
    this.#services.push(service);
    this.#serviceNumbers.add(hash, 0, 0, bytes, bytes.length, service.index);
    return service;
  }

  #releaseNamed(service: KnownService, release: Release): KnownRelease {
    if (service.name === OVERFLOW_ENDPOINT && !isOtherRelease(release)) return this.#releaseNamed(service, OTHER);
    const key = releaseKey(service.name, release.attributes, isOtherRelease(release));
    const known = this.#releaseByKey.get(key);
    if (known !== undefined) return known;
    if (this.#releaseByKey.size >= this.#limits.maxTotal && !isOtherRelease(release)) return this.#releaseNamed(service, OTHER);
    const added = { index: this.#releases.length, service, release, key, pods: new PodLanes(this.podRoom) };
    this.#releases.push(added);
    this.#releaseByKey.set(key, added);
    const bytes = releaseEntry(release);
    this.#releaseNumbers.add(this.#hash(service.index, bytes, 0, bytes.length), service.index, 0, bytes, bytes.length, added.index);
    return added;
  }

  #overflow(release: KnownRelease, { thresholdsNs, rules }: EndpointEntry): number {
    const known = this.#overflowNumbers.get(overflowKey(release, thresholdsNs, rules));
    if (known !== undefined) return known;
    const info = this.#create(release, { kind: 'overflow', endpoint: OVERFLOW_ENDPOINT, thresholdsNs, rules });
    this.#noteOverflow(release, info);
    return info.id;
  }

  #noteOverflow(release: KnownRelease, { id, thresholdsNs, rules }: SeriesInfo): void {
    const key = overflowKey(release, thresholdsNs, rules);
    if (!this.#overflowNumbers.has(key)) this.#overflowNumbers.set(key, id);
  }

  #create(release: KnownRelease, entry: EndpointEntry): SeriesInfo {
    const { endpoint, kind, thresholdsNs, rules } = entry;
    const service = release.service.name;
    const info: SeriesInfo = { id: this.infos.length, service, release: release.release, endpoint, kind, thresholdsNs, rules };
    this.infos.push(info);
    this.releaseOf[info.id] = release;
    this.#announced.push(info);
    return info;
  }

  #place(hash: number, release: KnownRelease, bytes: Uint8Array, start: number, end: number, info: SeriesInfo): void {
    this.#seriesNumbers.add(hash, release.index, 0, bytes, end - start, info.id, start);
    if (info.kind === 'overflow') this.#noteOverflow(release, info);
    else release.service.inUse++;
  }

  /** FNV-1a, finished by murmur3's avalanche so that low bits are usable. */
  #hash(owner: number, bytes: Uint8Array, start: number, end: number): number {
    let hash = Math.imul(this.#seed ^ owner, 0x01000193);
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }
}

function overflowKey(release: KnownRelease, thresholdsNs: readonly number[], rules: readonly string[]): string {
  return JSON.stringify([release.index, thresholdsNs, rules]);
}
