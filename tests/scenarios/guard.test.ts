/** However strong the evidence: not too often, not too many at once, not back and forth, and never twice for one generation. */
import { describe, expect, it } from 'vitest';
import { objective } from '../support/policies.ts';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import { type Behaviour, type Pods, WORLD_START, World } from './world.ts';

const bad =
  (from: number) =>
  (second: number): Behaviour =>
    second < from ? {} : { errorRatio: 0.3 };

function pods(service: string, from: number): Pods[] {
  return [
    { service, version: 'v1', rate: 60 },
    { service, version: 'v2', rate: 30, behaviour: bad(from) },
  ];
}

const told = (live: Live) => live.signals.map(({ rolloutId, action }) => `${action} ${rolloutId}`);

describe('the breaker', () => {
  const NAMES = ['a', 'b', 'c', 'd', 'e'];
  const world = () => new World(NAMES.flatMap((service, i) => pods(service, 100 + i * 100)));

  it('holds the fourth rollback of an hour in a crash loop too, and one after it was reset leaves', () => {
    const live = new Live(scenarioConfig({ canary: { minPassMs: 600_000 } }));
    const stream = world();
    live.play(stream, 30);
    for (const name of NAMES) live.start({ id: `r-${name}`, service: name });
    live.play(stream, 380);
    expect(told(live)).toEqual(['rollback r-a', 'rollback r-b', 'rollback r-c']);
    for (let second = 382; second <= 402; second += 2) {
      live.play(stream, second);
      live.crash(100);
    }
    live.play(stream, 490);
    expect(live.run('r-d')).toMatchObject({ state: 'held', verdict: { decision: 'hold', reason: 'breaker_open' } });
    expect(told(live).slice(3)).toEqual(['hold r-d']);
    expect(live.engine.views.breaker(live.now)).toMatchObject({ isOpen: true, rollbacksLastHour: 3 });

    live.engine.controls.resetBreaker({ by: 'ana', reason: 'three unlucky releases', at: live.now });
    live.restart();
    live.play(stream, 560);
    expect(told(live).slice(4)).toEqual(['rollback r-e']);
  });
});

describe('a storm', () => {
  /** Fifty services turn bad between second 90 and 140; three go on well. */
  const BAD = Array.from({ length: 50 }, (_, n) => `s${n}`);
  const GOOD = ['good-0', 'good-1', 'good-2'];

  it('rolls back no more than two before it is seen for what it is; all others are held and told, and healthy ones promoted', () => {
    const live = new Live(scenarioConfig({ canary: { minPassMs: 60_000 } }));
    const release = (service: string, version: string, rate: number, behaviour: Pods['behaviour'] = () => ({})): Pods => ({
      service,
      version,
      rate,
      behaviour,
      pods: 2,
      exportMs: 2000,
    });
    const world = new World([
      ...BAD.flatMap((name, n) => [
        release(name, 'v1', 12),
        release(name, 'v2', 8, (second) => (second < 90 + n ? {} : { errorRatio: 0.5 })),
      ]),
      ...GOOD.flatMap((name) => [release(name, 'v1', 60), release(name, 'v2', 60)]),
    ]);
    live.play(world, 30);
    for (const service of [...BAD, ...GOOD]) live.start({ id: service, service });
    live.play(world, 200);
    live.crash(100);
    live.play(world, 320);

    const states = BAD.map((id) => [live.run(id).state, live.run(id).verdict.reason].join(' '));
    expect(states.filter((state) => state.startsWith('rolled_back'))).toHaveLength(2);
    expect(new Set(states.filter((state) => state.startsWith('held')))).toEqual(new Set(['held common_cause']));
    expect(states.filter((state) => state.startsWith('held'))).toHaveLength(48);
    expect(BAD.flatMap((id) => live.signalsOf(id))).toHaveLength(50);
    expect(GOOD.map((id) => live.run(id).state)).toEqual(['promoted', 'promoted', 'promoted']);
    expect(GOOD.flatMap((id) => live.signalsOf(id)).map(({ action }) => action)).toEqual(['promote', 'promote', 'promote']);
  });
});

describe('a common cause', () => {
  const NAMES = ['a', 'b', 'c'];
  const world = () => new World(NAMES.flatMap((service, i) => pods(service, 90 + i * 5)));
  const begin = (live: Live, stream: World) => {
    live.play(stream, 30);
    for (const name of NAMES) live.start({ id: `r-${name}`, service: name });
  };

  it('shows in services that are only observed too', () => {
    const config = scenarioConfig({ objectives: NAMES.map((service) => objective({ service })) });
    const observed = new Map(
      [...config.policies.services].map(([name, policy]) => {
        const canary = policy.canary === null || name === 'c' ? policy.canary : { ...policy.canary, mode: 'observe' as const };
        return [name, { ...policy, canary }];
      }),
    );
    const live = new Live({ ...config, policies: { ...config.policies, services: observed } });
    const stream = world();
    begin(live, stream);
    live.play(stream, 150);
    expect(NAMES.map((name) => live.run(`r-${name}`).verdict.reason)).toEqual(['observe_only', 'observe_only', 'common_cause']);
    expect(told(live)).toEqual(['hold r-c']);
  });

  it('that shows while an operator holds everything back holds those that were put off too, and is told', () => {
    const live = new Live(scenarioConfig());
    const stream = new World([...pods('a', 60), ...pods('b', 85), ...pods('c', 90)]);
    begin(live, stream);
    live.engine.controls.book.switchedAt = live.now;
    live.play(stream, 82);
    expect(live.run('r-a').verdict.reason).toBe('overridden');
    live.play(stream, 130);
    expect(NAMES.map((name) => live.run(`r-${name}`).verdict.reason)).toEqual(['common_cause', 'common_cause', 'common_cause']);
    live.engine.controls.book.switchedAt = null;
    live.restart();
    live.play(stream, 150);
    expect(told(live).sort()).toEqual(['hold r-a', 'hold r-b', 'hold r-c']);
  });

  it('is none when the same services turn bad one after the other', () => {
    const live = new Live(scenarioConfig());
    const stream = new World(NAMES.flatMap((service, i) => pods(service, 90 + i * 80)));
    begin(live, stream);
    live.play(stream, 320);
    expect(told(live)).toEqual(['rollback r-a', 'rollback r-b', 'rollback r-c']);
  });
});

it('what was rolled back to is not rolled back itself while the service cools down, and is afterwards', () => {
  const live = new Live(scenarioConfig({ canary: { coolDownMs: 200_000 } }));
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 60, behaviour: (second) => (second < 160 ? {} : { errorRatio: 0.3 }) },
    { service: 'checkout', version: 'v2', rate: 60, behaviour: (second) => (second < 90 || second >= 150 ? {} : { errorRatio: 0.3 }) },
  ]);
  live.play(world, 30);
  live.start();
  live.play(world, 150);
  expect(told(live)).toEqual(['rollback r1']);
  const back = { baseline: { 'service.version': 'v2' }, canary: { 'service.version': 'v1' } };
  live.start({ ...back, id: 'r2', generation: 2 });
  live.play(world, 260);
  expect(live.run('r2')).toMatchObject({ state: 'held', verdict: { reason: 'cool_down' } });
  expect(told(live)).toEqual(['rollback r1', 'hold r2']);

  live.play(world, 330);
  live.start({ ...back, id: 'r3', generation: 3 });
  live.play(world, 420);
  expect(told(live).slice(2)).toEqual(['rollback r3']);
});

describe('a metric that flaps', () => {
  const wave = (second: number): Behaviour => (second >= 90 && Math.floor(second / 15) % 2 === 0 ? { errorRatio: 0.05 } : {});

  it('of the canary alone is rolled back once, and never again for this generation', () => {
    const live = new Live(scenarioConfig({ objectives: [AVAILABILITY] }));
    const world = new World([
      { service: 'checkout', version: 'v1', rate: 60 },
      { service: 'checkout', version: 'v2', rate: 30, behaviour: wave },
    ]);
    live.play(world, 30);
    live.start();
    live.play(world, 900);
    expect(told(live)).toEqual(['rollback r1']);
    expect(live.start().kind).toBe('exists');
    live.restart();
    live.play(world, 1000);
    expect(told(live)).toEqual(['rollback r1']);
    expect(live.run().history.length).toBeLessThan(20);
  });

  it('of both releases alike rolls nothing back', () => {
    const live = new Live(scenarioConfig());
    const world = new World([
      { service: 'checkout', version: 'v1', rate: 60, behaviour: wave },
      { service: 'checkout', version: 'v2', rate: 30, behaviour: wave },
    ]);
    live.play(world, 30);
    live.start({ deadline: WORLD_START + 900_000 });
    live.play(world, 920);
    expect(told(live).filter((signal) => signal.startsWith('rollback'))).toEqual([]);
  });
});
