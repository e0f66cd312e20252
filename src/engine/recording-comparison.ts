/** Compares two recordings, service by service, with the statistics of a rollout: the older one is the baseline, the newer one the canary. */
import { distrust } from '../decide/trust.ts';
import { ALL_ENDPOINTS } from '../evaluate/canary/check-name.ts';
import { CanaryComparison } from '../evaluate/canary/comparison.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { Outcome, Reason } from '../model/judgement.ts';
import type { CanaryPolicy } from '../model/policy.ts';
import type {
  ComparedMetric,
  ComparedService,
  RecordedSpan,
  RecordingComparison,
  UncomparedEndpoint,
} from '../model/recorded-comparison.ts';
import { OVERFLOW_ENDPOINT } from '../model/series.ts';
import { SLOT_MS, slotStartMs } from '../model/time.ts';
import { SlotReading } from '../window/slot-reading.ts';
import { type ComparedArms, comparedMetrics } from './compared-metrics.ts';
import type { RecordedService, Recording } from './recording.ts';
import { RecordingTotals } from './recording-totals.ts';

/** Longer recordings are compared up to here: all of a day is more than any test needs. */
const MAX_SLOTS = 86_400;
/** What a longer baseline has left over primes the reference, so much of it at most: as in a run. */
const MAX_PRIME_SLOTS = 900;
/** Health must be proven on endpoints that carry more than this share of the requests of both recordings. */
const MOST_TRAFFIC = 0.5;

export interface ComparedRecordings {
  readonly baseline: Recording;
  readonly candidate: Recording;
  /** Tolerances of a service. Its times and guards are not asked: a recording has no warm-up, and is over when it ends. */
  readonly policyOf: (service: string) => CanaryPolicy;
  readonly layout: HistogramLayout;
  /** Only this service; null: all of either recording. */
  readonly service: string | null;
  /** Chance of calling any service of a candidate worse that is as good, (0, 0.5). */
  readonly alpha: number;
}

/**
 * The first second of a service in one recording is laid on its first second in the other; seconds that both have are compared, each request at most once. What
 * a longer baseline has left over only tells which latencies are slow, what a longer candidate has left over nothing. All releases of a recording count
 * as one.
 *
 * `alpha` is shared out evenly among the services that both recordings have, and within one over its endpoints as in a run, so it holds for all of them
 * together. Overall: fail when anything failed; else pass when health is proven on endpoints with more than half of all requests; else inconclusive.
 */
export function compareRecordings(recordings: ComparedRecordings): RecordingComparison {
  const { service: only } = recordings;
  const wanted = (each: RecordedService) => only === null || each.service === only;
  const baseline = new Map(recordings.baseline.services.filter(wanted).map((each) => [each.service, each]));
  const candidate = new Map(recordings.candidate.services.filter(wanted).map((each) => [each.service, each]));
  const names = [...new Set([...baseline.keys(), ...candidate.keys()])].sort();
  const common = names.filter((name) => baseline.has(name) && candidate.has(name)).length;
  const services = names.map((name): ComparedService => {
    const arms = { baseline: baseline.get(name), candidate: candidate.get(name) };
    if (arms.baseline !== undefined && arms.candidate !== undefined) {
      return comparedService(recordings, { baseline: arms.baseline, candidate: arms.candidate }, recordings.alpha / common);
    }
    return lonelyService(recordings, name, arms);
  });
  return { outcome: overall(services), services, alpha: recordings.alpha };
}

interface Pair<T> {
  readonly baseline: T;
  readonly candidate: T;
}

function comparedService(recordings: ComparedRecordings, services: Pair<RecordedService>, alpha: number): ComparedService {
  const { layout } = recordings;
  const { baseline, candidate } = services;
  const slots = Math.min(baseline.to - baseline.from, candidate.to - candidate.from, MAX_SLOTS);
  const policy = policyForRecordings(recordings.policyOf(baseline.service), alpha, slots);
  const comparison = new CanaryComparison(policy, layout, baseline.from);
  const names = [...new Set([...baseline.endpoints.keys(), ...candidate.endpoints.keys()])].sort();
  const uncompared: UncomparedEndpoint[] = [];
  const arms: ComparedArms[] = [];
  const expected: { endpoint: string; baselineRequests: number }[] = [];
  for (const endpoint of names) {
    const series = { baseline: baseline.endpoints.get(endpoint) ?? [], candidate: candidate.endpoints.get(endpoint) ?? [] };
    const baselineRequests = recordings.baseline.requests(series.baseline, baseline.from, baseline.from + slots);
    const candidateRequests = recordings.candidate.requests(series.candidate, candidate.from, candidate.from + slots);
    const reason =
      endpoint === OVERFLOW_ENDPOINT ? 'overflow' : candidateRequests === 0 ? 'no_canary' : baselineRequests === 0 ? 'no_baseline' : null;
    if (reason === null) {
      expected.push({ endpoint, baselineRequests });
      arms.push({ endpoint, series, baseline: new RecordingTotals(layout), candidate: new RecordingTotals(layout) });
    } else if (baselineRequests + candidateRequests > 0) uncompared.push({ endpoint, reason, baselineRequests, candidateRequests });
  }
  // The busiest first: there is an end to how many are judged.
  expected.sort((a, b) => b.baselineRequests - a.baselineRequests);
  for (const { endpoint, baselineRequests } of expected) comparison.expect(endpoint, baselineRequests);
  const reading = { baseline: new SlotReading(), candidate: new SlotReading() };
  prime(comparison, recordings.baseline, baseline, slots, arms, reading.baseline);
  for (let second = 0; second < slots; second++) {
    const slot = baseline.from + second;
    for (const arm of arms) {
      recordings.baseline.read(arm.series.baseline, slot, reading.baseline);
      recordings.candidate.read(arm.series.candidate, candidate.from + second, reading.candidate);
      arm.baseline.add(reading.baseline);
      arm.candidate.add(reading.candidate);
      comparison.feed(arm.endpoint, slot, reading.baseline, reading.candidate);
    }
    comparison.endSlot(slot);
  }
  const said = comparison.judge();
  const doubt = distrusted(arms);
  const { metrics, unjudged } = comparedMetrics({ said, arms, policy, layout, seconds: slots, doubt });
  const lists = { metrics, uncompared: [...uncompared, ...unjudged] };
  const isProven = said.outcome === 'fail' && doubt === null;
  const [outcome, reason]: readonly [Outcome, Reason] = isProven
    ? ['fail', 'harm_proven']
    : doubt !== null
      ? ['inconclusive', doubt]
      : isHealthy([lists]) && said.logWealth <= 0
        ? ['pass', 'health_proven']
        : ['inconclusive', metrics.length === 0 ? 'no_data' : 'horizon_reached'];
  return {
    service: baseline.service,
    outcome,
    reason,
    ...lists,
    comparedMs: slots * SLOT_MS,
    baseline: spanOf(baseline),
    candidate: spanOf(candidate),
    isMixedDifferently: said.judgements.some(({ reason: why }) => why === 'confounded'),
  };
}

/** A recording is over when it ends and has no warm-up; what asks the canary alone, or for how long, has no place in it. */
function policyForRecordings(policy: CanaryPolicy, alpha: number, slots: number): CanaryPolicy {
  return { ...policy, alpha, warmupMs: 0, minPassMs: 0, horizonMs: slots * SLOT_MS, maxErrorRatio: null, criteria: [] };
}

/** Gives the comparison what the baseline has left over, as if it had come right before. */
function prime(
  comparison: CanaryComparison,
  recording: Recording,
  { from, to }: RecordedService,
  slots: number,
  arms: readonly ComparedArms[],
  reading: SlotReading,
): void {
  const first = from + slots;
  const last = Math.min(to, first + MAX_PRIME_SLOTS);
  for (const { endpoint, series } of arms) {
    for (let slot = first; slot < last; slot++) {
      recording.read(series.baseline, slot, reading);
      if (reading.size > 0) comparison.prime(endpoint, slotStartMs(from - (last - slot) + 1), reading);
    }
  }
}

/** Why the spans cannot be believed as they are: sampled by different rules, or without latencies on one side; null when they can. */
function distrusted(arms: readonly ComparedArms[]): Reason | null {
  const recent = { received: 0, late: 0 };
  const side = (of: 'baseline' | 'candidate') => ({
    received: arms.reduce((sum, arm) => sum + arm[of].requests, 0),
    weight: arms.reduce((sum, arm) => sum + arm[of].weight, 0),
    recent,
  });
  const timing = ({ requests, timed }: RecordingTotals) => ({ received: requests, untimed: requests - timed });
  const endpoints = arms.map(({ baseline, candidate }) => ({ baseline: timing(baseline), canary: timing(candidate) }));
  const telemetry = {
    baseline: side('baseline'),
    canary: side('candidate'),
    endpoints,
    clockJumped: false,
    stateUnknown: false,
    inputDoubt: null,
  };
  return distrust({ ...telemetry, now: 0, newestAt: 0, freshnessMs: Number.POSITIVE_INFINITY });
}

/** A service that only one of the recordings has. */
function lonelyService(
  { baseline, candidate }: ComparedRecordings,
  service: string,
  arms: Partial<Pair<RecordedService | undefined>>,
): ComparedService {
  const reason: UncomparedEndpoint['reason'] & Reason = arms.candidate === undefined ? 'no_canary' : 'no_baseline';
  const counted = (recording: Recording, of: RecordedService | undefined, endpoint: string): number =>
    of === undefined ? 0 : recording.requests(of.endpoints.get(endpoint) ?? [], of.from, of.to);
  const present = arms.baseline ?? arms.candidate;
  return {
    service,
    outcome: 'inconclusive',
    reason,
    metrics: [],
    uncompared: [...(present?.endpoints.keys() ?? [])]
      .sort()
      .map((endpoint) => ({
        endpoint,
        reason,
        baselineRequests: counted(baseline, arms.baseline, endpoint),
        candidateRequests: counted(candidate, arms.candidate, endpoint),
      }))
      .filter(({ baselineRequests, candidateRequests }) => baselineRequests + candidateRequests > 0),
    comparedMs: 0,
    baseline: spanOf(arms.baseline),
    candidate: spanOf(arms.candidate),
    isMixedDifferently: false,
  };
}

function spanOf(service: RecordedService | undefined): RecordedSpan {
  if (service === undefined) return { from: null, lengthMs: 0, requests: 0 };
  return { from: slotStartMs(service.from), lengthMs: (service.to - service.from) * SLOT_MS, requests: service.requests };
}

type Lists = Pick<ComparedService, 'metrics' | 'uncompared'>;

function overall(services: readonly ComparedService[]): Outcome {
  if (services.some(({ outcome }) => outcome === 'fail')) return 'fail';
  return isHealthy(services) ? 'pass' : 'inconclusive';
}

/** Health is proven, in every metric that is judged, on endpoints with more than half of the requests; what is muted is not asked about. */
function isHealthy(services: readonly Lists[]): boolean {
  let all = 0;
  let healthy = 0;
  for (const { metrics, uncompared } of services) {
    for (const { reason, baselineRequests, candidateRequests } of uncompared) {
      if (reason !== 'muted') all += baselineRequests + candidateRequests;
    }
    const byEndpoint = new Map<string, ComparedMetric[]>();
    for (const metric of metrics) byEndpoint.set(metric.endpoint, [...(byEndpoint.get(metric.endpoint) ?? []), metric]);
    byEndpoint.delete(ALL_ENDPOINTS);
    for (const rows of byEndpoint.values()) {
      const [first] = rows;
      const requests = (first?.baseline.requests ?? 0) + (first?.candidate.requests ?? 0);
      all += requests;
      if (rows.every(({ outcome }) => outcome === 'pass')) healthy += requests;
    }
  }
  return healthy > MOST_TRAFFIC * all;
}
