/** What the API answers while the store refuses: nothing is called done that a crash would undo. */
import { expect, it } from 'vitest';
import { apiHandlers } from '../../src/service/api-handlers.ts';
import { kayentaHandlers } from '../../src/service/kayenta-handlers.ts';
import { SettledRuns } from '../../src/service/settled.ts';
import { rollout } from './config.ts';
import { PipelineStand } from './pipeline-stand.ts';

function handlersOf(stand: PipelineStand) {
  const { stages, store, telemetry, clock, pipeline } = stand;
  return apiHandlers({
    engine: stages.engine,
    store,
    delivery: stand.delivery,
    telemetry,
    clock,
    version: 'test',
    kayenta: kayentaHandlers(stages),
    settled: new SettledRuns((id) => stages.engine.rollouts.find(id)?.view() ?? null),
    checkpoint: () => pipeline.checkpoint(),
    isDurable: () => pipeline.isDurable,
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: () => telemetry.metricsText(),
  });
}

it('an abort counts only once it is in the store, and may be asked for again', async () => {
  const stand = new PipelineStand();
  const handlers = handlersOf(stand);
  stand.startRollout();
  stand.pipeline.checkpoint();
  const states = () => stand.store.load({}).runs.map(({ json }) => JSON.parse(json).state);

  stand.store.refuses = 'for now';
  expect(await handlers.abort('shop-1')).toMatchObject({ outcome: 'unavailable' });
  expect(states()).toEqual(['pending']);
  stand.store.refuses = 'nothing';
  expect(await handlers.abort('shop-1')).toMatchObject({ outcome: 'over', run: { state: 'aborted' } });
  expect(states()).toEqual(['aborted']);
  expect(await handlers.abort('nobody')).toEqual({ outcome: 'unknown' });
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
