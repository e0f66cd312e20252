/** A series as JSON text and back: its attributes are a Map, which JSON does not know. */
import type { SeriesInfo } from '../model/series.ts';

/** Attributes as pairs, so that a key like `__proto__` is a key like any other. */
type SeriesJson = Omit<SeriesInfo, 'release'> & {
  readonly release: { readonly name: string; readonly attributes: readonly [string, string][] };
};

export function seriesToJson(series: SeriesInfo): string {
  const { id, service, release, endpoint, kind, thresholdsNs, rules } = series;
  const stored: SeriesJson = {
    id,
    service,
    release: { name: release.name, attributes: [...release.attributes] },
    endpoint,
    kind,
    thresholdsNs,
    rules,
  };
  return JSON.stringify(stored);
}

/** Text must come from `seriesToJson`, of this version or of one that knew no event rules. */
export function seriesFromJson(json: string): SeriesInfo {
  const stored = JSON.parse(json) as Omit<SeriesJson, 'rules'> & Partial<SeriesJson>;
  return { ...stored, rules: stored.rules ?? [], release: { name: stored.release.name, attributes: new Map(stored.release.attributes) } };
}
