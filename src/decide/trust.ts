/** Says whether the telemetry behind a run can be believed: what cannot leads to hold, never to a rollback and never to a promotion. */
import type { InputDoubt, Reason } from '../model/judgement.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

/** How many of one release's spans came, and how many requests they stand for. */
export interface ArmTelemetry {
  readonly received: number;
  /** Sum of sampling weights of the received spans. */
  readonly weight: number;
  /** Of the last minutes: how many came, and how many of them too late to be judged. */
  readonly recent: { readonly received: number; readonly late: number };
}

/** Spans of one release on one endpoint, and those of them without a usable latency. */
export interface Timing {
  readonly received: number;
  readonly untimed: number;
}

export interface EndpointTiming {
  readonly baseline: Timing;
  readonly canary: Timing;
}

export interface Telemetry {
  readonly now: EpochMs;
  /** Newest event time of the service; null before the first span. */
  readonly newestAt: EpochMs | null;
  readonly freshnessMs: DurationMs;
  readonly baseline: ArmTelemetry;
  readonly canary: ArmTelemetry;
  readonly endpoints: Iterable<EndpointTiming>;
  /** The wall clock jumped and nothing it touched is settled yet. */
  readonly clockJumped: boolean;
  /** State could not be restored as it was. */
  readonly stateUnknown: boolean;
  /** Of spans on their way to us. */
  readonly inputDoubt: InputDoubt | null;
}

/** Below this many spans a share says nothing. */
const MIN_SPANS_FOR_SHARE = 100;
/** Statistics, "From spans to blocks": more than 1 % after their slot was judged, and the run is inconclusive. */
const MAX_LATE_SHARE = 0.01;
/**
 * Faults, case A5: latencies that one release lacks and the other has leave a comparison of the rest, which may be of the fast ones only. Streams lack
 * theirs in both. Up to this share of the canary's spans is let pass.
 */
const MAX_UNEVEN_SHARE = 0.01;
/** Standard deviations that chance is granted. */
const CHANCE_SD = 3;
/** Arms whose spans stand for clearly different numbers of requests were sampled by different rules. */
const MAX_WEIGHT_RATIO = 1.25;

/** The first reason not to trust, gravest first; null when there is none. Missing arms are no distrust: evaluation reports those. */
export function distrust(telemetry: Telemetry): Reason | null {
  const { baseline, canary, newestAt } = telemetry;
  if (telemetry.stateUnknown) return 'state_unknown';
  if (telemetry.clockJumped) return 'clock_jump';
  if (telemetry.inputDoubt !== null) return telemetry.inputDoubt;
  if (newestAt === null) return 'no_data';
  if (telemetry.now - newestAt > telemetry.freshnessMs) return 'stale_telemetry';
  if (isLate(baseline) || isLate(canary)) return 'late_telemetry';
  if (baseline.received > 0 && canary.received > 0) {
    const ratio = canary.weight / canary.received / (baseline.weight / baseline.received);
    if (ratio > MAX_WEIGHT_RATIO || ratio < 1 / MAX_WEIGHT_RATIO) return 'biased_sampling';
    if (unevenShare(telemetry.endpoints) > MAX_UNEVEN_SHARE) return 'data_quality';
  }
  return null;
}

/** True of the reasons that say the service is not heard: then the wall clock is all there is to go by. */
export function isSilence(reason: Reason | null): boolean {
  return reason === 'no_data' || reason === 'stale_telemetry';
}

function isLate({ recent }: ArmTelemetry): boolean {
  return recent.received >= MIN_SPANS_FOR_SHARE && recent.late / recent.received > MAX_LATE_SHARE;
}

/** Share of the canary's spans, in [0, 1], by which the releases differ in what has no latency, endpoint by endpoint and beyond chance. */
function unevenShare(endpoints: Iterable<EndpointTiming>): number {
  let spans = 0;
  let uneven = 0;
  for (const { baseline, canary } of endpoints) {
    spans += canary.received;
    if (baseline.untimed + canary.untimed === 0 || baseline.received === 0 || canary.received === 0) continue;
    const difference = Math.abs(canary.untimed / canary.received - baseline.untimed / baseline.received);
    const pooled = (canary.untimed + baseline.untimed) / (canary.received + baseline.received);
    const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / canary.received + 1 / baseline.received));
    uneven += Math.max(0, difference - CHANCE_SD * deviation) * canary.received;
  }
  return spans < MIN_SPANS_FOR_SHARE ? 0 : uneven / spans;
}
