/** Bytes of releases and series that do not change from flush to flush: made once for each object that tells of them. */
import { isOtherRelease, releaseKey } from '../model/release-key.ts';
import type { SeriesInfo } from '../model/series.ts';
import { endpointEntry, releaseEntry } from './series-entry.ts';

export interface SeriesBytes {
  /** Of the release: see `releaseKey`. */
  readonly key: string;
  readonly release: Uint8Array;
  readonly entry: Uint8Array;
}

const KNOWN = new WeakMap<SeriesInfo, SeriesBytes>();

/** `sibling`, if any: what was given for a series that is perhaps of the same release, so that the two share memory. */
export function seriesBytes(info: SeriesInfo, sibling?: SeriesBytes): SeriesBytes {
  const known = KNOWN.get(info);
  if (known !== undefined) return known;
  const key = releaseKey(info.service, info.release.attributes, isOtherRelease(info.release));
  const isOfSame = sibling !== undefined && sibling.key === key;
  const made = { ...(isOfSame ? sibling : { key, release: releaseEntry(info.release) }), entry: endpointEntry(info) };
  KNOWN.set(info, made);
  return made;
}
