/** Finds rollouts in the traffic itself, for policies that say how a canary is told from its baseline. */
import type { CanaryPolicy } from '../model/policy.ts';
import type { ReleaseMatcher, SeriesInfo } from '../model/series.ts';
import { releaseMatches } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';

/** A value of the tracked attribute is new only when an older release has been there this long: at our own start all are new to us. */
const INCUMBENT_MS = 60_000;

/** When each release of a service was first seen, and how much it sends. */
export interface SeenRelease {
  readonly attributes: ReadonlyMap<string, string>;
  readonly firstAt: EpochMs;
  readonly recentRequests: number;
}

/** The releases to compare when `info` is the first series of a canary, or null when it is none. */
export function discovered(
  info: SeriesInfo,
  firstAt: EpochMs,
  policy: CanaryPolicy,
  seen: readonly SeenRelease[],
): { readonly baseline: ReleaseMatcher; readonly canary: ReleaseMatcher } | null {
  if (policy.track !== null) {
    return releaseMatches(policy.track.canary, info.release) ? trackedPair(policy.track, info) : null;
  }
  if (policy.trackBy === null) return null;
  const by = policy.trackBy;
  const value = info.release.attributes.get(by);
  if (value === undefined || seen.some((other) => other.attributes.get(by) === value && other.firstAt < firstAt)) return null;
  const incumbent = seen
    .filter((other) => other.firstAt <= firstAt - INCUMBENT_MS && other.recentRequests > 0 && (other.attributes.get(by) ?? value) !== value)
    .reduce<SeenRelease | null>((most, other) => (most === null || other.recentRequests > most.recentRequests ? other : most), null);
  const incumbentValue = incumbent?.attributes.get(by);
  return incumbentValue === undefined ? null : { baseline: { [by]: incumbentValue }, canary: { [by]: value } };
}

/** A role such as `deployment.track: canary` outlives many releases, so the run is of this very release: role and version together. */
function trackedPair(track: NonNullable<CanaryPolicy['track']>, info: SeriesInfo): { baseline: ReleaseMatcher; canary: ReleaseMatcher } {
  return { baseline: track.baseline, canary: { ...Object.fromEntries(info.release.attributes), ...track.canary } };
}
