/** Tells a release of a service from all others, in this process and the next. */
import { OVERFLOW_ENDPOINT, type Release } from './series.ts';

/** JSON of the parts: no value can imitate another's border. Order of attributes does not matter. `isOther`: what stands for releases beyond the limit. */
export function releaseKey(service: string, attributes: ReadonlyMap<string, string>, isOther = false): string {
  const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify(isOther ? [service] : [service, sorted]);
}

/** True for what stands for releases beyond the limit; a release that merely calls itself so has attributes. */
export function isOtherRelease(release: Release): boolean {
  return release.name === OVERFLOW_ENDPOINT && release.attributes.size === 0;
}
