/** Runs are told while they are in flight, and for an hour after. */
import { expect, it } from 'vitest';
import { scrapedCell } from '../../src/service/scraped-cell.ts';
import { World } from '../engine/objective-world.ts';

const AT = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

function runsIn(world: World, now: number) {
  const told = [...scrapedCell(world.engine, now)];
  return told.filter(({ metric }) => metric === 'analysis_run_info').map(({ labels }) => labels);
}

function begun(service: string, generation: number) {
  const releases = { baseline: { 'service.version': '1' }, canary: { 'service.version': '2', track: 'canary' } };
  return { service, ...releases, generation, startedAt: AT };
}

it('a run is told by what it says, and is gone an hour after its end', () => {
  const world = new World([]);
  const outcome = world.engine.startRollout({ id: 'shop-1', ...begun('shop', 1) }, AT);
  expect(outcome.kind).toBe('started');
  expect(runsIn(world, AT)).toEqual([
    expect.objectContaining({
      service: 'shop',
      run: 'shop-1',
      release: 'service.version=2, track=canary',
      state: 'pending',
      decision: 'continue',
    }),
  ]);
  world.engine.abortRollout('shop-1');
  expect(runsIn(world, AT + HOUR_MS - 1)).toMatchObject([{ run: 'shop-1', state: 'aborted', decision: 'hold', reason: 'aborted' }]);
  expect(runsIn(world, AT + HOUR_MS + 1)).toEqual([]);
});

it('of many that are over the newest 50 are told', () => {
  const world = new World([]);
  for (let i = 0; i < 60; i++) {
    world.engine.startRollout({ id: `run-${i}`, ...begun(`service-${i}`, 1) }, AT);
    world.engine.abortRollout(`run-${i}`);
  }
  world.engine.startRollout({ id: 'shop-1', ...begun('shop', 1) }, AT);
  const runs = runsIn(world, AT).map(({ run }) => run);
  expect(runs).toHaveLength(51);
  expect(runs).toContain('shop-1');
  expect(runs).not.toContain('run-9');
});

it('traffic is told of each service, requests without a latency too', () => {
  const world = new World([]);
  const [series = -1] = world.stream.endpoints(1);
  world.stream.add([
    { series, endMs: AT, durationUs: 20_000 },
    { series, endMs: AT, durationUs: 0, timed: false, failed: true },
  ]);
  world.engine.merge(world.stream.flush());
  const told = new Map([...scrapedCell(world.engine, AT)].map((scraped) => [scraped.metric, scraped]));
  expect(told.get('service_requests_total')).toMatchObject({ labels: { service: 'shop' }, value: 2 });
  expect(told.get('service_request_failures_total')).toMatchObject({ value: 1 });
  expect(told.get('service_request_duration_seconds')).toMatchObject({ counts: expect.objectContaining({ 2: 1 }) });
});
