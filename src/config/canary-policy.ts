/** Merges what a service, `Defaults` and the built-in defaults say about judging canaries into one policy. */
import { createHash } from 'node:crypto';
import type { CanaryPolicy, CheckName, CheckSetting, EndpointSetting, LatencyTolerance } from '../model/policy.ts';
import { CANARY_BASE, type CanarySection } from './canary-schema.ts';
import { limitsOf, tolerancesOf } from './criteria.ts';

/** Where a service promises nothing about failures: 99.9 %, what the burn rates of the SRE Workbook are written for. */
export const USUAL_BUDGET = 0.001;
/** A margin for health that nobody wrote is at least this many times the tolerance that somebody did: closer by, proof takes very long. */
const MARGIN = 2;
const MAX_ERROR_RATIO = 0.5;

type Quantile = 'p50' | 'p95' | 'p99';

/**
 * The first layer that has a value wins; `layers` go from the most special to the most general. `errorBudget` is the tightest of the service as a
 * whole, in (0, 1).
 */
export function canaryPolicy(
  layers: readonly (CanarySection | undefined)[],
  allSinks: readonly string[],
  errorBudget = USUAL_BUDGET,
): CanaryPolicy {
  const written = layers.filter((layer) => layer !== undefined).map((layer) => ({ ...layer, tolerances: tolerancesOf(layer) }));
  const sections: readonly CanarySection[] = [...written, CANARY_BASE];
  const first = <T>(pick: (section: CanarySection) => T | undefined): T => {
    for (const section of sections) {
      const value = pick(section);
      if (value !== undefined) return value;
    }
    throw new RangeError('the built-in defaults lack a value');
  };
  /** A margin as written; where nobody wrote one, the built-in one, beyond whatever is tolerated. */
  const margin = (tolerated: number, pick: (section: CanarySection) => number | undefined): number => {
    const isWritten = written.some((section) => pick(section) !== undefined);
    return isWritten ? first(pick) : Math.max(first(pick), MARGIN * tolerated);
  };
  const latency = (quantile: Quantile): LatencyTolerance => {
    const ratio = first((section) => section.tolerances?.[quantile]?.harm);
    const addMs = first((section) => section.tolerances?.[quantile]?.orAtLeast);
    return {
      ratio,
      addUs: addMs * 1000,
      passRatio: margin(ratio, (section) => section.tolerances?.[quantile]?.healthy),
      passAddUs: margin(addMs, (section) => section.tolerances?.[quantile]?.healthyAtLeast) * 1000,
    };
  };
  const addRatio = first((section) => section.tolerances?.errors?.harm);
  const check = (name: CheckName): CheckSetting => ({
    weight: written.find((section) => section.checks?.[name]?.weight !== undefined)?.checks?.[name]?.weight ?? 1,
    isCritical: written.find((section) => section.checks?.[name]?.critical !== undefined)?.checks?.[name]?.critical ?? false,
    isMuted: written.find((section) => section.checks?.[name]?.muted !== undefined)?.checks?.[name]?.muted ?? false,
  });
  const maxBurnRate = first((section) => section.maxBurnRate);
  // One layer speaks for all of it: half a matcher of one and half of another would mean something nobody wrote.
  const track = sections.find((section) => section.track !== undefined)?.track;
  const content: Omit<CanaryPolicy, 'id'> = {
    mode: first((section) => section.mode),
    track: track?.canary === undefined || track.baseline === undefined ? null : { canary: track.canary, baseline: track.baseline },
    trackBy: track?.by ?? null,
    alpha: first((section) => section.alpha),
    beta: first((section) => section.beta),
    warmupMs: first((section) => section.warmup),
    horizonMs: first((section) => section.decideWithin),
    minPassMs: first((section) => section.minPromote),
    minRequests: first((section) => section.minRequests),
    incidentWindowMs: first((section) => section.incidentWindow),
    latency: { p50: latency('p50'), p95: latency('p95'), p99: latency('p99') },
    errors: {
      oddsRatio: first((section) => section.tolerances?.errors?.oddsRatio),
      addRatio,
      passAddRatio: margin(addRatio, (section) => section.tolerances?.errors?.healthy),
    },
    checks: { p50: check('p50'), p95: check('p95'), p99: check('p99'), errors: check('errors') },
    // The first that matches counts, so what is more special comes first.
    endpoints: written.flatMap((section) => section.endpoints ?? []).map(endpointSetting),
    criteria: limitsOf(written),
    // Who mutes errors is not told of them by another name.
    maxErrorRatio:
      maxBurnRate === 0 || check('errors').isMuted ? null : Math.min(MAX_ERROR_RATIO, Number((maxBurnRate * errorBudget).toPrecision(12))),
    onSilence: first((section) => section.onSilence),
    baseline: first((section) => section.baseline),
    bakeMs: first((section) => section.bake),
    strictness: first((section) => section.strictness),
    freshnessMs: first((section) => section.freshness),
    coolDownMs: first((section) => section.coolDown),
    onInconclusive: first((section) => section.onInconclusive),
    signalTtlMs: first((section) => section.signalTtl),
    sinks: sections.find((section) => section.sinks !== undefined)?.sinks ?? allSinks,
  };
  return { id: contentHash(content), ...content };
}

function endpointSetting({ match, weight, critical, muted }: NonNullable<CanarySection['endpoints']>[number]): EndpointSetting {
  return { endpoint: match, weight: weight ?? 1, isCritical: critical ?? false, isMuted: muted ?? false };
}

/** Short sha256 over JSON with sorted keys: the same content has the same id, however it was written. */
export function contentHash(content: unknown): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex').slice(0, 16);
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(',')}}`;
}
