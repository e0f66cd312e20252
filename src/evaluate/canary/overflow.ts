/** Requests of endpoints that are not judged: they are counted, and can neither harm nor help a canary. */
import type { ComparisonEvidence } from '../../model/judgement.ts';
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

/** Their numbers as a judgement shows them: failures of both releases, without any weight. */
export function uncomparedEvidence(endpoint: string, tally: Overflow): ComparisonEvidence {
  return {
    kind: 'comparison',
    endpoint,
    metric: 'errors',
    baselineEdgeUs: null,
    canaryEdgeUs: null,
    baseline: { bad: tally.baselineFailed, total: tally.baselineRequests },
    canary: { bad: tally.canaryFailed, total: tally.canaryRequests },
    logE: 0,
    weight: 0,
    share: 0,
    logSafe: null,
    phi: 1,
    incidentWindows: 0,
    level: 'request',
    oddsRatio: null,
    logNeeded: 0,
    onsetAt: null,
    trail: [],
    isCritical: false,
  };
}
