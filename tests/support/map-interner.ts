/** A SeriesInterner with no quotas, made of maps, that remembers everything it was told. */
import {
  ENDPOINT_KINDS,
  type EndpointKind,
  type EndpointKindIndex,
  type ResourceIdentity,
  type SeriesInterner,
} from '../../src/model/series.ts';

export interface MapSeries {
  readonly resource: number;
  readonly identity: ResourceIdentity;
  readonly kind: EndpointKind;
  /** The name's bytes, one character each. */
  readonly name: string;
}

export class MapInterner implements SeriesInterner {
  readonly resources: ResourceIdentity[] = [];
  readonly list: MapSeries[] = [];
  readonly #ids = new Map<string, number>();

  /** By resource the pods it was asked about: the lane of each is its place, from 1. */
  readonly pods: string[][] = [];
  /** Each time it was asked about a resource, that and its pod. */
  readonly asked: string[] = [];
  readonly #resourceIds = new Map<string, number>();

  resource(identity: ResourceIdentity): number {
    const key = JSON.stringify([identity.service, ...identity.releaseAttributes]);
    const id = this.#resourceIds.get(key) ?? this.resources.push(identity) - 1;
    this.#resourceIds.set(key, id);
    return id;
  }

  lane(resource: number, instance: string): number {
    this.asked.push(`${resource} ${instance}`);
    if (instance === '') return 0;
    const pods = this.pods[resource] ?? [];
    this.pods[resource] = pods;
    if (!pods.includes(instance)) pods.push(instance);
    return pods.indexOf(instance) + 1;
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
    const tail = bEnd > bStart ? String.fromCharCode(separator) + latin1(b, bStart, bEnd) : '';
    const name = latin1(a, aStart, aEnd) + tail;
    const key = `${resource} ${kind} ${name}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id =
      this.list.push({
        resource,
        identity: this.resources[resource] as ResourceIdentity,
        kind: ENDPOINT_KINDS[kind] as EndpointKind,
        name,
      }) - 1;
    this.#ids.set(key, id);
    return id;
  }

  /** The name of a series as text. */
  nameOf(series: number): string {
    return Buffer.from(this.list[series]?.name ?? '', 'latin1').toString('utf8');
  }
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
