/** What a deploy may need, where the files do not say. */
import type { GatePolicy } from '../model/objective.ts';

export const USUAL_GATE: GatePolicy = {
  warnBelow: 0.25,
  refuseBelow: 0,
  onBurn: 'refuse',
  onCanary: 'refuse',
  onTrend: 'warn',
  warnIncidentAbove: 0.2,
  loadTestMaxAgeMs: null,
};
