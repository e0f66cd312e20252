/** Finds rollouts in the traffic itself, for policies that say how a canary is told from its baseline. */
import type { CanaryPolicy } from '../model/policy.ts';
import type { ReleaseMatcher, SeriesInfo } from '../model/series.ts';
import { releaseMatches } from '../model/series.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

/** A value of the tracked attribute is new only when an older release has been there this long: at our own start all are new to us. */
const INCUMBENT_MS = 60_000;

/** Recent traffic by which the incumbent is told: the last minute, for it may itself be new; where that was silent, ten. */
const INCUMBENT_WINDOWS_MS: readonly DurationMs[] = [60_000, 600_000];

/** A series with spans, and the begin of the first slot that had some; -Infinity when that was in an earlier life of this process. */
export interface SeenSeries {
  readonly id: number;
  readonly attributes: ReadonlyMap<string, string>;
  readonly firstAt: EpochMs;
}

export interface Appearance {
  /** The series that appears, and when. */
  readonly info: SeriesInfo;
  readonly firstAt: EpochMs;
  readonly policy: Pick<CanaryPolicy, 'track' | 'trackBy'>;
  /** All series of the service with spans, this one included. */
  readonly seen: Iterable<SeenSeries>;
  /** Requests of these series in the time before `firstAt`. Asked for rarely: a flood of new endpoints must not cost a sum each. */
  requestsOf(series: readonly number[], windowMs: DurationMs): number;
}

interface SeenRelease {
  firstAt: EpochMs;
  readonly series: number[];
}

/** The releases to compare when a series is the first of a canary, or null when it is none. */
export function discovered(appearance: Appearance): { readonly baseline: ReleaseMatcher; readonly canary: ReleaseMatcher } | null {
  const { info, firstAt, policy } = appearance;
  if (policy.track !== null) {
    const isFirst = releaseMatches(policy.track.canary, info.release) && !isOlder(info, firstAt, appearance.seen);
    return isFirst ? trackedPair(policy.track, info) : null;
  }
  if (policy.trackBy === null) return null;
  const by = policy.trackBy;
  const value = info.release.attributes.get(by);
  if (value === undefined) return null;
  const releases = releasesBy(by, appearance.seen);
  if ((releases.get(value)?.firstAt ?? firstAt) < firstAt) return null;
  releases.delete(value);
  for (const [other, release] of releases) if (release.firstAt > firstAt - INCUMBENT_MS) releases.delete(other);
  const incumbent = busiest(releases, appearance);
  return incumbent === null ? null : { baseline: { [by]: incumbent }, canary: { [by]: value } };
}

/** True when the release was heard before: a new endpoint of it is no new rollout, whoever started the one it was part of. */
function isOlder({ release }: SeriesInfo, firstAt: EpochMs, seen: Iterable<SeenSeries>): boolean {
  const all = Object.fromEntries(release.attributes);
  for (const other of seen) {
    if (other.firstAt < firstAt && releaseMatches(all, { ...release, attributes: other.attributes })) return true;
  }
  return false;
}

function releasesBy(attribute: string, seen: Iterable<SeenSeries>): Map<string, SeenRelease> {
  const releases = new Map<string, SeenRelease>();
  for (const { id, attributes, firstAt } of seen) {
    const value = attributes.get(attribute);
    if (value === undefined) continue;
    const release = releases.get(value) ?? { firstAt, series: [] };
    release.firstAt = Math.min(release.firstAt, firstAt);
    release.series.push(id);
    releases.set(value, release);
  }
  return releases;
}

/** The release with most recent requests; null when none had any. */
function busiest(releases: ReadonlyMap<string, SeenRelease>, { requestsOf }: Pick<Appearance, 'requestsOf'>): string | null {
  for (const windowMs of INCUMBENT_WINDOWS_MS) {
    let most = 0;
    let incumbent: string | null = null;
    for (const [value, { series }] of releases) {
      const requests = requestsOf(series, windowMs);
      if (requests <= most) continue;
      most = requests;
      incumbent = value;
    }
    if (incumbent !== null) return incumbent;
  }
  return null;
}

/** A role such as `deployment.track: canary` outlives many releases, so the run is of this very release: role and version together. */
function trackedPair(track: NonNullable<CanaryPolicy['track']>, info: SeriesInfo): { baseline: ReleaseMatcher; canary: ReleaseMatcher } {
  return { baseline: track.baseline, canary: { ...Object.fromEntries(info.release.attributes), ...track.canary } };
}
