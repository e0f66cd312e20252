/** Requests of endpoints that are not judged: they are counted, and can neither harm nor help a canary. */
import type { ArmSlot } from './arm-slot.ts';

export interface Overflow {
  readonly baselineRequests: number;
  readonly baselineFailed: number;
  readonly canaryRequests: number;
  readonly canaryFailed: number;
}

export const NO_OVERFLOW: Overflow = { baselineRequests: 0, baselineFailed: 0, canaryRequests: 0, canaryFailed: 0 };

/** Adds one slot of one such endpoint. */
export function overflowing(so: Overflow, baseline: ArmSlot, canary: ArmSlot): Overflow {
  return {
    baselineRequests: so.baselineRequests + baseline.requests,
    baselineFailed: so.baselineFailed + baseline.failed,
    canaryRequests: so.canaryRequests + canary.requests,
    canaryFailed: so.canaryFailed + canary.failed,
  };
}
