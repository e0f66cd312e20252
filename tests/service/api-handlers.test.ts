/** What the API answers while the store refuses: nothing is called done that a crash would undo. */
import { expect, it } from 'vitest';
import type { StartRollout } from '../../src/api/handlers.ts';
import { apiHandlers } from '../../src/service/api-handlers.ts';
import { kayentaHandlers } from '../../src/service/kayenta-handlers.ts';
import { SettledRuns } from '../../src/service/settled.ts';
import { rollout } from './config.ts';
import { PipelineStand } from './pipeline-stand.ts';

function handlersOf(stand: PipelineStand) {
  const { stages, store, telemetry, clock, judging } = stand;
  return apiHandlers({
    engine: stages.engine,
    store,
    delivery: stand.delivery,
    telemetry,
    clock,
    version: 'test',
    kayenta: kayentaHandlers(() => stages.releaseBy),
    settled: new SettledRuns((id) => stages.engine.rollouts.find(id)?.view() ?? null),
    ceiling: ({ service, id }) => stages.engine.controls.book.modeOf(service, id, clock.now()),
    checkpoint: () => judging.checkpoint(),
    isDurable: () => judging.isDurable,
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: () => telemetry.metricsText(),
  });
}

it('an abort counts only once it is in the store, and may be asked for again', async () => {
  const stand = new PipelineStand();
  const handlers = handlersOf(stand);
  stand.startRollout();
  stand.judging.checkpoint();
  const states = () => stand.store.load({}).runs.map(({ json }) => JSON.parse(json).state);

  stand.store.refuses = 'for now';
  expect(await handlers.abort('shop-1')).toMatchObject({ outcome: 'unavailable' });
  expect(states()).toEqual(['pending']);
  stand.store.refuses = 'nothing';
  expect(await handlers.abort('shop-1')).toMatchObject({ outcome: 'over', run: { state: 'aborted' } });
  expect(states()).toEqual(['aborted']);
  expect(await handlers.abort('nobody')).toEqual({ outcome: 'unknown' });
});

it('a name is of one service, and a generation of one pair of releases', async () => {
  const stand = new PipelineStand();
  const handlers = handlersOf(stand);
  const { id, service, baseline, canary } = rollout(0);
  const times = { startedAt: null, deadline: null, canaryShare: null };
  const wish = {
    id,
    service,
    generation: 1 as StartRollout['generation'],
    origin: 'api',
    target: null,
    baseline,
    canary,
    ...times,
  } as const;
  const next = { kind: 'next', atLeast: 1 } as const;
  await handlers.startRollout(wish);
  const others = { ...wish, canary: { 'service.version': '9' } };
  expect(await handlers.startRollout(others)).toMatchObject({ outcome: 'refused', field: '/generation' });
  for (const generation of [1, 2, next]) {
    expect(await handlers.startRollout({ ...wish, service: 'cart', generation })).toMatchObject({ outcome: 'refused', field: '/id' });
  }
  expect(await handlers.run(id)).toMatchObject({ state: 'pending', rollout: { service, canary } });
  expect(await handlers.startRollout({ ...others, generation: 2 })).toMatchObject({ outcome: 'created' });

  await handlers.abort(id);
  expect(await handlers.startRollout({ ...wish, service: 'cart', generation: 3 })).toMatchObject({ outcome: 'refused', field: '/id' });
  // As Flagger begins the rollout of a Canary anew whose metadata named a wrong service.
  expect(await handlers.startRollout({ ...wish, service: 'cart', generation: next })).toMatchObject({ outcome: 'created' });
});

it('runs are told in the order in which they were started, whatever times they were given', async () => {
  const stand = new PipelineStand();
  const handlers = handlersOf(stand);
  const { service, baseline, canary } = rollout(0);
  const rest = { service, origin: 'api', target: null, baseline, deadline: null, canaryShare: null } as const;
  const at = stand.clock.now();
  for (const [i, id] of ['c', 'a', 'b', 'c'].entries()) {
    const wish = { ...rest, id, canary: { ...canary, id }, generation: i + 1, startedAt: at - i * 1000 };
    expect(await handlers.startRollout(wish)).toMatchObject({ outcome: 'created' });
  }
  expect((await handlers.runs()).map((run) => run.rollout.id)).toEqual(['a', 'b', 'c']);
});

it('a share that is planned anew counts only once it is in the store; the same wish without a change asks nothing of it', async () => {
  const stand = new PipelineStand();
  const handlers = handlersOf(stand);
  const { id, service, generation, baseline, canary } = rollout(0);
  const wish = {
    id,
    service,
    generation,
    origin: 'api',
    target: null,
    baseline,
    canary,
    startedAt: null,
    deadline: null,
    canaryShare: 0.1,
  } as const;
  expect(await handlers.startRollout(wish)).toMatchObject({ outcome: 'created', run: { rollout: { canaryShare: 0.1 } } });
  const shares = () => stand.store.load({}).runs.map(({ json }) => JSON.parse(json).rollout.canaryShare);

  stand.store.refuses = 'for now';
  expect(await handlers.startRollout({ ...wish, canaryShare: 0.5 })).toMatchObject({ outcome: 'unavailable' });
  expect(shares()).toEqual([0.1]);
  stand.store.refuses = 'nothing';
  expect(await handlers.startRollout({ ...wish, canaryShare: 0.5 })).toMatchObject({ outcome: 'existing' });
  expect(shares()).toEqual([0.5]);
  expect(await handlers.startRollout({ ...wish, canaryShare: null })).toMatchObject({
    outcome: 'existing',
    run: { rollout: { canaryShare: 0.5 } },
  });
});
