/** Merges what a service, `Defaults` and the built-in defaults say about judging canaries into one policy. */
import { createHash } from 'node:crypto';
import type { CanaryPolicy, LatencyTolerance } from '../model/policy.ts';
import { CANARY_BASE, type CanarySection } from './canary-schema.ts';
import type { Finding, YamlPath } from './problem.ts';

const PLAIN = { weight: 1, isCritical: false, isMuted: false };

type Quantile = 'p50' | 'p95' | 'p99';

/** The first layer that has a value wins; `layers` go from the most special to the most general. */
export function canaryPolicy(layers: readonly (CanarySection | undefined)[], allSinks: readonly string[]): CanaryPolicy {
  const sections = [...layers, CANARY_BASE].filter((layer) => layer !== undefined);
  const first = <T>(pick: (section: CanarySection) => T | undefined): T => {
    for (const section of sections) {
      const value = pick(section);
      if (value !== undefined) return value;
    }
    throw new RangeError('the built-in defaults lack a value');
  };
  const latency = (quantile: Quantile): LatencyTolerance => ({
    ratio: first((section) => section.tolerances?.[quantile]?.harm),
    addUs: first((section) => section.tolerances?.[quantile]?.orAtLeast) * 1000,
    passRatio: first((section) => section.tolerances?.[quantile]?.healthy),
    passAddUs: first((section) => section.tolerances?.[quantile]?.healthyAtLeast) * 1000,
  });
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
      addRatio: first((section) => section.tolerances?.errors?.harm),
      passAddRatio: first((section) => section.tolerances?.errors?.healthy),
    },
    checks: { p50: PLAIN, p95: PLAIN, p99: PLAIN, errors: PLAIN },
    endpoints: [],
    criteria: [],
    maxErrorRatio: null,
    onSilence: 'hold',
    baseline: { kind: 'concurrent' },
    bakeMs: 0,
    strictness: 'fixed',
    freshnessMs: first((section) => section.freshness),
    coolDownMs: first((section) => section.coolDown),
    onInconclusive: first((section) => section.onInconclusive),
    signalTtlMs: first((section) => section.signalTtl),
    sinks: sections.find((section) => section.sinks !== undefined)?.sinks ?? allSinks,
  };
  return { id: contentHash(content), ...content };
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

/** What the parts of a policy, each fine by itself, make impossible together; the path is inside the canary section. */
export function policyContradictions(policy: CanaryPolicy): readonly { readonly path: YamlPath; readonly finding: Finding }[] {
  const found: { path: YamlPath; finding: Finding }[] = [];
  const refuse = (path: YamlPath, message: string, expected: string): number => found.push({ path, finding: { message, expected } });
  if (policy.minPassMs > policy.horizonMs) refuse(['minPromote'], 'a run would end before it could be promoted', 'at most `decideWithin`');
  if (policy.warmupMs >= policy.horizonMs) refuse(['warmup'], 'a run would end before it is warm', 'less than `decideWithin`');
  if (policy.incidentWindowMs * 2 > policy.horizonMs) {
    refuse(['incidentWindow'], 'proof of harm takes two such windows, longer than a run lasts', 'at most half of `decideWithin`');
  }
  for (const quantile of ['p50', 'p95', 'p99'] as const) {
    const { ratio, addUs, passRatio, passAddUs } = policy.latency[quantile];
    const path = ['tolerances', quantile];
    if (passRatio <= ratio)
      refuse(
        [...path, 'healthy'],
        'what counts as healthy is not beyond what is tolerated, so health can never be proven',
        'more than `harm`',
      );
    if (passAddUs < addUs)
      refuse([...path, 'healthyAtLeast'], 'tighter than what is tolerated, so health can never be proven', 'at least `orAtLeast`');
  }
  if (policy.errors.passAddRatio <= policy.errors.addRatio) {
    refuse(
      ['tolerances', 'errors', 'healthy'],
      'what counts as healthy is not beyond what is tolerated, so health can never be proven',
      'more than `harm`',
    );
  }
  return found;
}
