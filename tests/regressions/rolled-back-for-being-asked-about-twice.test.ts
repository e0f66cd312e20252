/** Two deploy systems ask about the same releases: the one whose run was superseded waited until it gave up, and giving up is a rollback for Orca. */
import { beforeEach, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { executionId } from '../../src/api/kayenta/execution-id.ts';
import type { AnalysisRun, RunState } from '../../src/model/rollout.ts';
import { harmedRun, MemoryService, NOW } from '../api/memory-service.ts';
import { rememberingTelemetry } from '../api/remembering-telemetry.ts';

const DEPLOYMENT = { deploymentId: '01H', oldServerGroup: 'shop-v1', newServerGroup: 'shop-v2', parameters: { service: 'shop' } };
const HOOK = { name: 'shop', namespace: 'test', phase: 'Progressing', checksum: 'abc', metadata: {} };
const EXECUTION = executionId(
  { runId: 'canary~test~shop~abc', generation: 3, thresholds: { pass: 95, marginal: 75 }, end: null },
  { token: null },
);
const TARGET = { kind: 'Canary', namespace: 'test', name: 'shop', fence: 'abc' };
let service: MemoryService;
let api: Api;

beforeEach(() => {
  service = new MemoryService();
  api = createApi(service, { host: '127.0.0.1', port: 0, publicUrl: null, token: null }, rememberingTelemetry().telemetry, () => NOW);
});

function putRun(id: string, state: RunState, change: Partial<AnalysisRun['rollout']> = {}): void {
  const run = harmedRun(id);
  const decision = { rolled_back: 'rollback', promoted: 'promote' }[state as string] ?? 'hold';
  const verdict = { ...run.verdict, decision, reason: state === 'superseded' ? 'superseded' : 'accumulating' } as AnalysisRun['verdict'];
  service.put({ ...run, state, verdict, rollout: { ...run.rollout, ...change } });
}

async function ask(path: string, body?: object) {
  const headers = { host: 'localhost', 'content-type': 'application/json' };
  const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await api.fetch(new Request(`http://localhost${path}`, init));
  const text = await answer.text();
  return { status: answer.status, json: text.startsWith('{') ? JSON.parse(text) : null };
}

async function told() {
  const canary = (await ask(`/kayenta/canary/${EXECUTION}`)).json;
  const { baseline, canary: release } = harmedRun('r').rollout;
  return [
    (await ask('/spinnaker/v1/deployment/evaluateHealth', DEPLOYMENT)).json.nextStep.directive,
    (await ask('/spinnaker/v1/analyses/servergroup~none~shop-v2~01H')).json.status,
    canary.complete ? canary.result.judgeResult.score.score : 'running',
    (await ask('/flagger/v1/rollback', HOOK)).status,
    (await ask('/v1/verdict', { service: 'shop', baseline, canary: release, target: TARGET })).json.verdict,
  ];
}

it.each<[RunState, unknown[]]>([
  ['running', ['wait', 'RUNNING', 'running', 403, 'inconclusive']],
  ['rolled_back', ['abort', 'FAIL', 0, 200, 'fail']],
  ['promoted', ['continue', 'PASS', 100, 403, 'pass']],
])('a run that was superseded by one of the same releases says what that says: %s', async (state, expected) => {
  putRun('servergroup~none~shop-v2~01H', 'superseded');
  putRun('canary~test~shop~abc', 'superseded', { target: { ...TARGET, kind: 'Canary' } });
  putRun('other', state, { generation: 9 });
  expect(await told()).toEqual(expected);
  expect(service.asked).toEqual([]);
});

it('by one of other releases it stays undecided, whatever comes of those', async () => {
  putRun('servergroup~none~shop-v2~01H', 'superseded');
  putRun('canary~test~shop~abc', 'superseded', { target: { ...TARGET, kind: 'Canary' } });
  putRun('other', 'rolled_back', { generation: 9, canary: { 'service.version': '3' } });
  expect(await told()).toEqual(['wait', 'INCONCLUSIVE', 85, 403, 'inconclusive']);
});
