/** What the API answers while the store refuses: nothing is called done that a crash would undo. */
import { expect, it } from 'vitest';
import { apiHandlers } from '../../src/service/api-handlers.ts';
import { PipelineStand } from './pipeline-stand.ts';

function handlersOf(stand: PipelineStand) {
  const { stages, store, telemetry, clock, pipeline } = stand;
  return apiHandlers({
    engine: stages.engine,
    store,
    telemetry,
    clock,
    version: 'test',
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
