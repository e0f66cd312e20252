/** Which latency limits an endpoint needs counters for. */
import { describe, expect, it } from 'vitest';
import type { Objective, Sli } from '../../src/model/objective.ts';
import { objectiveApplies, thresholdsFor } from '../../src/model/objective-binding.ts';
import { objective as someObjective } from '../support/policies.ts';

function objective(endpoint: string | null, sli: Sli): Objective {
  return someObjective({ service: 'checkout', endpoint, sli, target: 0.95 });
}

const latency = (thresholdNs: number): Sli => ({ kind: 'latency', thresholdNs });
const policy = (objectives: readonly Objective[]) => ({ objectives });

describe('objectives of an endpoint', () => {
  it('are those of the service and those whose pattern matches', () => {
    expect(objectiveApplies(objective(null, latency(1)), 'GET /a')).toBe(true);
    expect(objectiveApplies(objective('GET /*', latency(1)), 'GET /a')).toBe(true);
    expect(objectiveApplies(objective('POST /*', latency(1)), 'GET /a')).toBe(false);
  });

  it('ask for ascending, distinct limits', () => {
    const objectives = [
      objective(null, latency(9e8)),
      objective('GET /*', latency(2e8)),
      objective('GET /a', latency(9e8)),
      objective('POST /*', latency(1e8)),
    ];
    expect(thresholdsFor(policy(objectives), 'GET /a')).toEqual([2e8, 9e8]);
  });

  it('ask for no limits when there is no policy, or no latency objective', () => {
    expect(thresholdsFor(undefined, 'GET /a')).toEqual([]);
    expect(thresholdsFor(policy([objective(null, { kind: 'availability' })]), 'GET /a')).toEqual([]);
  });
});
