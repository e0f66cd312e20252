/** Which latency limits an endpoint needs counters for. */
import { describe, expect, it } from 'vitest';
import type { Objective, Sli } from '../../src/model/objective.ts';
import { eventRulesFor, eventRulesOf, objectiveApplies, thresholdsFor } from '../../src/model/objective-binding.ts';
import type { EventRule } from '../../src/model/span-rules.ts';
import { policies, objective as someObjective } from '../support/policies.ts';

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

describe('event rules', () => {
  const rule = (key: string): EventRule => ({ key, where: null, bad: [{ result: [key] }] });
  const events = (endpoint: string | null, key: string) => objective(endpoint, { kind: 'events', rule: rule(key) });
  const objectives = [
    events('GET /a', 'declined'),
    objective(null, latency(1)),
    events(null, 'fraud'),
    events('GET /*', 'declined'),
    events('POST /*', 'lost'),
  ];

  it('of an endpoint are those of the objectives that apply, each once, in their order', () => {
    expect(eventRulesFor(policy(objectives), 'GET /a').map(({ key }) => key)).toEqual(['declined', 'fraud']);
    expect(eventRulesFor(policy(objectives), 'GET /b').map(({ key }) => key)).toEqual(['fraud', 'declined']);
    expect(eventRulesFor(policy([]), 'GET /a')).toEqual([]);
    expect(eventRulesFor(undefined, 'GET /a')).toEqual([]);
  });

  it('of a service are those of all its objectives, at most eight; a service without any is not there', () => {
    const many = Array.from({ length: 9 }, (_, i) => someObjective({ service: 'cart', sli: { kind: 'events', rule: rule(`${i}`) } }));
    const all = policies({ objectives: [...objectives, ...many, someObjective({ service: 'search' })] });
    const keys = [...eventRulesOf(all)].map(([service, rules]) => [service, rules.map(({ key }) => key)]);
    expect(keys).toEqual([
      ['checkout', ['declined', 'fraud', 'lost']],
      ['cart', ['0', '1', '2', '3', '4', '5', '6', '7']],
    ]);
  });
});
