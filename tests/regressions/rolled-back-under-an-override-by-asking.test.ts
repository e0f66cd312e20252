/** An operator or the kill switch forbids rollbacks after one was decided: deploy systems that ask were told of it all the same. */
import { beforeEach, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { executionId } from '../../src/api/kayenta/execution-id.ts';
import type { PolicyMode } from '../../src/model/policy.ts';
import type { AnalysisRun } from '../../src/model/rollout.ts';
import { harmedRun, MemoryService, NOW } from '../api/memory-service.ts';
import { rememberingTelemetry } from '../api/remembering-telemetry.ts';

const DEPLOYMENT = { deploymentId: '01H', oldServerGroup: 'shop-v1', newServerGroup: 'shop-v2', parameters: { service: 'shop' } };
const HOOK = { name: 'shop', namespace: 'test', phase: 'Progressing', checksum: 'abc', metadata: {} };
const EXECUTION = executionId({ runId: 'r-1', generation: 3, thresholds: { pass: 95, marginal: 75 }, end: null }, { token: null });
let service: MemoryService;
let api: Api;

beforeEach(() => {
  service = new MemoryService();
  api = createApi(service, { host: '127.0.0.1', port: 0, publicUrl: null, token: null }, rememberingTelemetry().telemetry, () => NOW);
  for (const id of ['r-1', 'canary~test~shop~abc', 'servergroup~none~shop-v2~01H']) service.put(harmedRun(id));
});

async function ask(path: string, body?: object): Promise<{ readonly status: number; readonly text: string }> {
  const headers = { host: 'localhost', 'content-type': 'application/json' };
  const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await api.fetch(new Request(`http://localhost${path}`, init));
  return { status: answer.status, text: await answer.text() };
}

async function told() {
  const json = async (...args: Parameters<typeof ask>) => JSON.parse((await ask(...args)).text);
  const canary = await json(`/kayenta/canary/${EXECUTION}`);
  return {
    verdict: (await json('/v1/verdict?rollout=r-1')).verdict,
    flaggerRollback: (await ask('/flagger/v1/rollback', HOOK)).status,
    flaggerRollout: (await ask('/flagger/v1/rollout', HOOK)).status,
    flaggerGate: (await ask('/flagger/v1/gate', HOOK)).status,
    monitorStarting: (await json('/spinnaker/v1/deployment/starting', DEPLOYMENT)).nextStep.directive,
    monitor: (await json('/spinnaker/v1/deployment/evaluateHealth', DEPLOYMENT)).nextStep.directive,
    stage: (await json('/spinnaker/v1/analyses/r-1')).status,
    kayenta: canary.complete ? canary.result.judgeResult.score.score : 'running',
  };
}

const DECIDED = {
  ...{ verdict: 'fail', flaggerRollback: 200, flaggerRollout: 403, flaggerGate: 403 },
  ...{ monitorStarting: 'abort', monitor: 'abort', stage: 'FAIL', kayenta: 0 },
};
const PUT_OFF = {
  ...{ verdict: 'inconclusive', flaggerRollback: 403, flaggerRollout: 200, flaggerGate: 403 },
  ...{ monitorStarting: 'continue', monitor: 'wait', stage: 'RUNNING', kayenta: 'running' },
};

it.each<PolicyMode>(['hold', 'observe'])('is told by nobody under an override to %s, and by all once it is lifted', async (ceiling) => {
  expect(await told()).toEqual(DECIDED);
  service.ceiling = ceiling;
  expect(await told()).toEqual(PUT_OFF);
  expect(await ask('/v1/verdict?rollout=r-1')).toMatchObject({ text: expect.stringContaining('an operator forbade rollbacks') });
  service.ceiling = 'rollback';
  expect(await told()).toEqual(DECIDED);
});

it('stays what it is for people', async () => {
  service.ceiling = 'observe';
  expect(JSON.parse((await ask('/v1/rollouts/r-1')).text)).toMatchObject({ state: 'rolled_back', verdict: { decision: 'rollback' } });
});

it('leaves what may leave: promotions under an override of rollbacks', async () => {
  const run: AnalysisRun = harmedRun('r-2');
  service.put({ ...run, state: 'promoted', verdict: { ...run.verdict, decision: 'promote', reason: 'health_proven' } });
  service.ceiling = 'hold';
  expect(JSON.parse((await ask('/v1/verdict?rollout=r-2')).text).verdict).toBe('pass');
  service.ceiling = 'observe';
  expect(JSON.parse((await ask('/v1/verdict?rollout=r-2')).text).verdict).toBe('inconclusive');
});
