/** Rollouts that nobody announced are found in the traffic. */
import { describe, expect, it } from 'vitest';
import type { AnalysisRun } from '../../src/model/rollout.ts';
import { Live, scenarioConfig } from './live.ts';
import { type Pods, WORLD_START, World } from './world.ts';

const BY_VERSION = { trackBy: 'service.version' };
const ENDPOINTS = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`GET /page/${i}`, 1]));
const pods = (version: string, rate: Pods['rate'], change: Partial<Pods> = {}): Pods => ({ service: 'checkout', version, rate, ...change });
const from = (second: number, rate: number) => (at: number) => (at < second ? 0 : rate);

function runs(live: Live): AnalysisRun[] {
  return [...live.engine.rollouts.all()].map((run) => run.view());
}

describe('by a version that was not there before', () => {
  it('nothing is discovered at start-up, when every release is new to us', () => {
    const live = new Live(scenarioConfig({ canary: BY_VERSION }));
    live.play(new World([pods('v1', 60), pods('v2', 30), pods('v0', 5, { service: 'search' })]), 300);
    expect(runs(live)).toEqual([]);
  });

  it("a run starts with the canary's first span, against the incumbent, and rolls back", () => {
    const live = new Live(scenarioConfig({ canary: BY_VERSION }));
    const world = new World([pods('v1', 60), pods('v0', 1), pods('v2', from(120, 20), { behaviour: () => ({ errorRatio: 0.2 }) })]);
    live.play(world, 119);
    expect(runs(live)).toEqual([]);
    live.play(world, 130);
    expect(runs(live)).toMatchObject([
      {
        rollout: { origin: 'policy', generation: 1, baseline: { 'service.version': 'v1' }, canary: { 'service.version': 'v2' } },
        state: 'running',
      },
    ]);
    const startedAt = runs(live)[0]?.rollout.startedAt ?? 0;
    expect(startedAt).toBeGreaterThanOrEqual(WORLD_START + 120_000);
    expect(startedAt).toBeLessThan(WORLD_START + 123_000);
    live.play(world, 180);
    expect(runs(live)).toMatchObject([{ state: 'rolled_back' }]);
    expect(live.signals).toHaveLength(1);

    // The same version goes on serving, also with an endpoint nobody saw before: it is not a new rollout.
    const more = new World([pods('v2', 5, { endpoints: { 'GET /new': 1 } })], 9);
    for (const arrival of more.until(3)) live.arrive({ ...arrival, at: live.now });
    live.play(world, 400);
    expect(runs(live)).toHaveLength(1);
    expect(live.signals).toHaveLength(1);
  });

  it('the incumbent is the release with most requests in all, however many endpoints they are spread over', () => {
    const live = new Live(scenarioConfig({ canary: BY_VERSION }));
    const world = new World([
      pods('v1', 60, { endpoints: ENDPOINTS }),
      pods('v0', 10),
      pods('v2', from(120, 20), { endpoints: ENDPOINTS }),
    ]);
    live.play(world, 130);
    expect(runs(live)).toMatchObject([{ rollout: { baseline: { 'service.version': 'v1' }, canary: { 'service.version': 'v2' } } }]);
  });

  it('after a restart the incumbent is still known as one', () => {
    const live = new Live(scenarioConfig({ canary: BY_VERSION }));
    const world = new World([pods('v1', 60), pods('v2', from(160, 20), { behaviour: () => ({ errorRatio: 0.2 }) })]);
    live.play(world, 120);
    live.restart();
    live.play(world, 159);
    expect(runs(live)).toEqual([]);
    live.play(world, 220);
    expect(runs(live)).toMatchObject([{ state: 'rolled_back', rollout: { baseline: { 'service.version': 'v1' } } }]);
  });

  it('a restart while a run is in flight starts no second one', () => {
    const live = new Live(scenarioConfig({ canary: BY_VERSION }));
    const world = new World([pods('v1', 60, { endpoints: ENDPOINTS }), pods('v2', from(100, 20), { endpoints: ENDPOINTS })]);
    live.play(world, 150);
    live.restart();
    live.play(world, 250);
    expect(runs(live)).toMatchObject([{ state: 'running' }]);
  });

  it('a third version supersedes the second', () => {
    const live = new Live(scenarioConfig({ canary: BY_VERSION }));
    const world = new World([pods('v1', 60), pods('v2', from(100, 20)), pods('v3', from(200, 20))]);
    live.play(world, 230);
    expect(runs(live).map(({ rollout, state }) => [rollout.canary['service.version'], rollout.baseline['service.version'], state])).toEqual(
      [
        ['v2', 'v1', 'superseded'],
        ['v3', 'v1', 'running'],
      ],
    );
  });

  it('a release that took over two minutes ago is the incumbent of the next one', () => {
    const live = new Live(scenarioConfig({ canary: BY_VERSION }));
    const world = new World([
      pods('v1', (at) => (at < 300 ? 60 : 0)),
      pods('v2', (at) => (at < 200 ? 0 : at < 300 ? 20 : 60)),
      pods('v3', from(420, 20)),
    ]);
    live.play(world, 440);
    expect(runs(live).at(-1)?.rollout).toMatchObject({ baseline: { 'service.version': 'v2' }, canary: { 'service.version': 'v3' } });
  });
});

describe('by the labels of a deploy system', () => {
  const TRACK = { track: { canary: { 'deployment.track': 'canary' }, baseline: { 'deployment.track': 'stable' } } };
  const spans = { releaseBy: ['service.version', 'deployment.track'] };
  const track = (name: string) => ({ attributes: { 'deployment.track': name } });

  it('each release in the canary role is a run of its own', () => {
    const live = new Live(scenarioConfig({ canary: TRACK }, spans));
    const world = new World([
      pods('v1', 60, track('stable')),
      pods('v2', (at) => (at >= 60 && at < 120 ? 30 : 0), { ...track('canary'), behaviour: () => ({ errorRatio: 0.3 }) }),
      pods('v3', from(300, 30), track('canary')),
    ]);
    live.play(world, 59);
    expect(runs(live)).toEqual([]);
    live.play(world, 290);
    expect(runs(live)).toMatchObject([
      { state: 'rolled_back', rollout: { canary: { 'service.version': 'v2', 'deployment.track': 'canary' } } },
    ]);
    live.play(world, 400);
    expect(runs(live)).toMatchObject([{ state: 'rolled_back' }, { state: 'running', rollout: { canary: { 'service.version': 'v3' } } }]);
    expect(live.signals).toHaveLength(1);
  });

  it('an endpoint that the canary serves only after its announced run was over is no new rollout', () => {
    const live = new Live(scenarioConfig({ canary: TRACK }, spans));
    const world = new World([
      pods('v1', 60, track('stable')),
      pods('v2', from(60, 30), { ...track('canary'), behaviour: () => ({ errorRatio: 0.3 }) }),
      pods('v2', from(125, 5), { ...track('canary'), endpoints: { 'GET /new': 1 } }),
    ]);
    live.play(world, 59);
    live.start();
    live.play(world, 120);
    expect(live.run().state).toBe('rolled_back');
    live.play(world, 150);
    expect(live.service('checkout').endpoints.map(({ endpoint }) => endpoint)).toContain('GET /new');
    expect(runs(live).map(({ rollout }) => rollout.id)).toEqual(['r1']);
    expect(live.engine.rollouts.isCurrent('r1', 1)).toBe(true);
  });
});
