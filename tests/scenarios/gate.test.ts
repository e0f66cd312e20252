/** The gate of a running service: what the stream, runs, rollbacks, alerts and people make of it, second by second and over a crash. */
import { describe, expect, it } from 'vitest';
import type { GateReason } from '../../src/model/gate-view.ts';
import { whole } from '../../src/model/number-text.ts';
import type { Tier } from '../../src/model/objective.ts';
import { objective } from '../support/policies.ts';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import { type Pods, WORLD_START, World } from './world.ts';

const HOUR = 3_600_000;
const FAST: Tier = { severity: 'page', longMs: HOUR, shortMs: 300_000, budgetShare: 0.02, burnRate: 14.4 };

/** Requests fail with this chance between the two seconds, and one in a thousand else. */
const pods = (errorRatio: number, from: number, to: number): Pods[] => [
  { service: 'checkout', version: 'v1', rate: 40, behaviour: (second) => (second >= from && second < to ? { errorRatio } : {}) },
];

function gateOf(live: Live, service = 'checkout') {
  return live.engine.views.gate(service, live.now);
}

function reasons(live: Live): GateReason[] {
  return gateOf(live).findings.map(({ reason }) => reason);
}

describe('a service that fails', () => {
  const alerts = { tiers: [FAST], basis: 'rate' as const, minBad: 10 };
  const burning = objective({ service: 'checkout', target: 0.99, alerts });

  it('closes its gate by what it has spent and by what burns, with the integers of the objective', () => {
    const live = new Live(scenarioConfig({ objectives: [burning] }));
    const world = new World(pods(0.8, 120, 180));
    live.play(world, 100);
    expect([gateOf(live).answer, reasons(live)]).toEqual(['allow', ['budget_left']]);
    live.play(world, 180);
    const { answer, findings } = gateOf(live);
    expect([answer, findings.map(({ reason }) => reason)]).toEqual(['refuse', ['budget_spent', 'objective_burns', 'incident_large']]);
    const [report] = live.engine.views.sloReport(live.now).objectives;
    const [bad, allowed] = [report?.counts.bad ?? Number.NaN, Math.floor(report?.allowedBad ?? Number.NaN)];
    expect(bad).toBeGreaterThan(allowed);
    expect(findings[0]?.text).toContain(`left (${whole(bad)} bad of ${whole(allowed)} allowed); the gate refuses below 0 %`);
    expect(findings[1]?.text).toMatch(/^availability burns its budget, page since .* bad of .* in 60 min/);
  });

  it('tells of the incident that spent most', () => {
    const live = new Live(scenarioConfig({ objectives: [burning] }));
    const world = new World(pods(0.8, 120, 180));
    live.play(world, 900);
    const large = gateOf(live).findings.find(({ reason }) => reason === 'incident_large');
    const [incident] = live.engine.views.sloReport(live.now).objectives[0]?.incidents ?? [];
    expect(incident?.bad).toBeGreaterThan(100);
    expect(large?.text).toMatch(new RegExp(`\\(${whole(incident?.bad ?? 0)} bad of \\d+ allowed then\\), more than 20 %`));
  });
});

describe('a service whose spans stop', () => {
  it('is unknown, neither better nor worse than before, until it is heard again', () => {
    const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
    const world = new World([{ service: 'checkout', version: 'v1', rate: 40, exports: (second) => second < 100 || second >= 300 }]);
    live.play(world, 200);
    expect(gateOf(live).answer).toBe('allow');
    live.play(world, 290);
    expect(gateOf(live).answer).toBe('unknown');
    expect(reasons(live)).toEqual(['stale_telemetry', 'budget_left']);
    live.play(world, 320);
    expect(gateOf(live).answer).toBe('allow');
  });

  it('stays refused when its budget was spent before', () => {
    const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
    live.play(new World(pods(0.4, 0, 60)), 60);
    live.idle(WORLD_START + 600_000);
    expect([gateOf(live).answer, reasons(live)]).toEqual(['refuse', ['budget_spent', 'stale_telemetry']]);
  });
});

describe('a service of which nothing is to be known', () => {
  it.each([
    ['nobody declared or heard of', 'nobody', 'unknown', ['no_data', 'no_objectives']],
    ['that was heard and has no objectives', 'cart', 'warn', ['no_objectives']],
    ['that has objectives and was never heard', 'payment', 'unknown', ['no_data']],
  ])('%s', (_name, service, answer, expected) => {
    const live = new Live(scenarioConfig({ objectives: [AVAILABILITY, objective({ service: 'payment' })] }));
    live.play(new World([{ service: 'cart', version: 'v1', rate: 10 }]), 30);
    const said = gateOf(live, service);
    expect([said.answer, said.findings.map(({ reason }) => reason)]).toEqual([answer, expected]);
  });

  it('because state was lost, until evidence has built up again', () => {
    const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
    const world = new World(pods(0, 0, 0));
    live.play(world, 30);
    live.engine.markStateUnknown(live.now + 20_000);
    expect([gateOf(live).answer, reasons(live)]).toEqual(['unknown', ['state_unknown', 'budget_left']]);
    live.play(world, 60);
    expect(gateOf(live).answer).toBe('allow');
  });
});

describe('a rollout', () => {
  const both = (errorRatio: number): Pods[] => [
    { service: 'checkout', version: 'v1', rate: 60 },
    { service: 'checkout', version: 'v2', rate: 60, behaviour: () => ({ errorRatio }) },
  ];

  it('keeps the gate closed while it is judged, and for a cool-down after it was rolled back', () => {
    const lenient = objective({ service: 'checkout', target: 0.5 });
    const live = new Live(scenarioConfig({ objectives: [lenient], canary: { coolDownMs: 120_000 } }));
    const world = new World(both(0.2));
    live.play(world, 5);
    live.start();
    expect(gateOf(live)).toMatchObject({ answer: 'refuse', findings: [{ reason: 'rollout_in_flight', subject: 'r1' }, {}] });
    live.play(world, 60);
    expect(live.run().state).toBe('rolled_back');
    const [first] = gateOf(live).findings;
    expect(first).toMatchObject({ reason: 'rolled_back_lately', answer: 'refuse' });
    expect(first?.text).toContain('cools down for 2 min');
    const until = live.run().verdict.at + 120_000;
    live.play(world, Math.floor((until - WORLD_START) / 1000));
    expect(reasons(live)).toEqual(['budget_left']);
  });

  it('of another service does not matter', () => {
    const live = new Live(scenarioConfig({ objectives: [objective({ service: 'cart', target: 0.9 })] }));
    const world = new World([{ service: 'cart', version: 'v1', rate: 20 }, ...both(0)]);
    live.play(world, 20);
    live.start();
    expect(gateOf(live, 'cart').answer).toBe('allow');
  });
});

describe('what people told the gate', () => {
  const reason = 'fixes the checkout';

  it('holds over a crash: an override until it ends, a load test until a newer one, and the audit trail', () => {
    const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
    const world = new World(pods(0.4, 0, 30));
    live.play(world, 30);
    const override = { service: 'checkout', by: 'ana', reason, at: live.now, until: live.now + 60_000 };
    live.engine.gateBook.override(override);
    live.engine.gateBook.addLoadTest({ service: 'checkout', outcome: 'fail', candidate: 'v2', at: live.now, summary: 'slower' });
    live.play(world, 40);
    live.crash(5_000);
    expect(gateOf(live)).toMatchObject({ answer: 'warn', override });
    expect(reasons(live)).toEqual(['overridden', 'budget_spent', 'load_test_failed']);
    live.play(world, 89);
    expect(gateOf(live).answer).toBe('warn');
    live.play(world, 90);
    expect(gateOf(live)).toMatchObject({ answer: 'refuse', override: null });
    live.restart();
    expect(gateOf(live).answer).toBe('refuse');
    expect(live.engine.gateBook.overrides()).toEqual([{ ...override, endedAt: null, endedBy: null }]);
  });

  it('is written once, not with every checkpoint', () => {
    const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
    const written = () => live.engine.checkpoint(live.now).notes.filter(({ key }) => key === 'gate').length;
    live.engine.gateBook.override({ service: 'checkout', by: 'ana', reason, at: live.now, until: live.now + HOUR });
    expect([written(), written()]).toEqual([1, 0]);
  });
});
