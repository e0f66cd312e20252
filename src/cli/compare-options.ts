/** Tolerances and chances as `slipstream compare` takes them, and the policy they make. */
import { InvalidArgumentError } from 'commander';
import { CANARY_BASE } from '../config/canary-schema.ts';
import { Complaint, parsePercent, ratioOfPercent } from '../config/quantity.ts';
import type { CanaryPolicy, LatencyTolerance } from '../model/policy.ts';

/** What is tolerated where nobody says; as with rollouts, about three times what healthy pods differ by. */
export const USUAL_FAIL_ABOVE = 0.1;
/** A margin for health is at least this many times what is tolerated: closer by, proof takes very long. */
const MARGIN = 2;
/** More is no tolerance. */
const MAX_FAIL_ABOVE = 10;

/** `10%` → 0.1, more than 0 % and at most 1000 %. */
export function failAbove(text: string): number {
  const ratio = ratioOf(text);
  if (!(ratio > 0 && ratio <= MAX_FAIL_ABOVE))
    throw new InvalidArgumentError('It must be a percentage like 10%, more than 0% and at most 1000%.');
  return ratio;
}

/** `0.1pp` → 0.001, more than 0 and less than 50 percentage points. */
export function errorsAbove(text: string): number {
  const ratio = text.endsWith('pp') ? ratioOf(`${text.slice(0, -2)}%`) : Number.NaN;
  if (!(ratio > 0 && ratio < 0.5))
    throw new InvalidArgumentError('It must be percentage points like 0.1pp, more than 0pp and less than 50pp.');
  return ratio;
}

/** `1%` → 0.01, more than 0 % and less than 50 %. */
export function chance(text: string): number {
  const ratio = ratioOf(text);
  if (!(ratio > 0 && ratio < 0.5)) throw new InvalidArgumentError('It must be a chance like 1%, more than 0% and less than 50%.');
  return ratio;
}

function ratioOf(text: string): number {
  // Files write increases with their sign.
  const digits = parsePercent(text.replace(/^\+/, ''));
  return digits instanceof Complaint ? Number.NaN : ratioOfPercent(digits);
}

export interface Tolerances {
  /** Relative, of every quantile; undefined: as the policy has it. */
  readonly failAbove?: number | undefined;
  /** As additional error probability; undefined: as the policy has it. */
  readonly errorsAbove?: number | undefined;
}

/**
 * What is asked for is meant as it is written: no absolute addition forgives more, and no odds. Margins for health are then the built-in ones, beyond whatever
 * is tolerated.
 */
export function withTolerances(policy: CanaryPolicy, { failAbove: ratio, errorsAbove: addRatio }: Tolerances): CanaryPolicy {
  const { latency, errors } = policy;
  const margin = (usual: number | undefined, tolerated: number) => Math.max(usual ?? 0, MARGIN * tolerated);
  const tolerated = (quantile: 'p50' | 'p95' | 'p99'): LatencyTolerance =>
    ratio === undefined
      ? latency[quantile]
      : { ratio, addUs: 0, passRatio: margin(CANARY_BASE.tolerances?.[quantile]?.healthy, ratio), passAddUs: 0 };
  return {
    ...policy,
    latency: { p50: tolerated('p50'), p95: tolerated('p95'), p99: tolerated('p99') },
    errors:
      addRatio === undefined ? errors : { oddsRatio: 1, addRatio, passAddRatio: margin(CANARY_BASE.tolerances?.errors?.healthy, addRatio) },
  };
}
