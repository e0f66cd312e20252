/** In the place of Kayenta: Orca, Argo Rollouts and standalone clients ask as their sources say, and read the answers their own way. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { configIdOf, serviceOf } from '../../src/api/kayenta/config-id.ts';
import { Secret } from '../../src/config/secret.ts';
import type { RunState } from '../../src/model/rollout.ts';
import { harmedRun, MemoryService, NOW } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

const TOKEN = 'correct-horse-battery-staple';
const CONFIG = { host: '127.0.0.1', port: 0, publicUrl: null, token: null };
const SECURED = { ...CONFIG, host: '0.0.0.0', token: new Secret(TOKEN) };
const HOUR_MS = 3_600_000;

let service: MemoryService;
let api: Api;
let at: number;

beforeEach(() => {
  service = new MemoryService();
  at = NOW;
  api = createApi(service, CONFIG, rememberingTelemetry().telemetry, () => at);
});

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return api.fetch(new Request(`http://localhost/kayenta${path}`, { ...init, headers: { host: 'localhost', ...init.headers } }));
}

function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return ask(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
}

const time = (ms: number): string => new Date(ms).toISOString();
const THRESHOLDS = { pass: 95, marginal: 75 };

/** As Orca's CanaryExecutionRequest is written: the interval lies in the past when it asks. */
function orcaBody(extendedScopeParams: Record<string, string | null> = {}, start = NOW - HOUR_MS, end = NOW, thresholds = THRESHOLDS) {
  const scopeOf = (scope: string) => ({ scope, location: 'eu', start: time(start), end: time(end), step: 60, extendedScopeParams });
  return { scopes: { default: { controlScope: scopeOf('1.4'), experimentScope: scopeOf('1.5') } }, thresholds, siteLocal: {} };
}

/** As the provider of Argo Rollouts writes it. */
function argoBody(thresholds = THRESHOLDS) {
  const scopeOf = (scope: string) => ({ scope, region: 'eu', step: 60, start: time(NOW), end: time(NOW + HOUR_MS) });
  return { scopes: { default: { controlScope: scopeOf('1.4'), experimentScope: scopeOf('1.5') } }, thresholds };
}

const ARGO_QUERY = '?application=shop&metricsAccountName=m&configurationAccountName=c&storageAccountName=s';
const ORCA_QUERY = '?application=shop&parentPipelineExecutionId=01HPIPELINE';

type CanaryAnswer = {
  complete: boolean;
  status: string;
  application: string;
  endTimeIso: string | null;
  result: null | {
    canaryDuration: string;
    judgeResult: {
      score: { score: number; classification: string; classificationReason: string };
      results: { name: string; classification: string; controlMetadata: { stats: { count: number } } }[];
    };
  };
};

async function executionOf(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  expect(response.status).toBe(200);
  return ((await response.json()) as { canaryExecutionId: string }).canaryExecutionId;
}

async function canary(id: string): Promise<CanaryAnswer> {
  const response = await ask(`/canary/${id}`);
  expect(response.status).toBe(200);
  return (await response.json()) as CanaryAnswer;
}

function become(state: RunState, judgedUpTo = NOW): void {
  const id = service.asked.at(-1)?.id ?? '';
  const run = service.run(id);
  if (run === null) throw new Error(`no run ${id}`);
  const harmed = harmedRun(id);
  service.put({
    ...harmed,
    rollout: run.rollout,
    state,
    verdict: { ...harmed.verdict, at: judgedUpTo, reason: state === 'aborted' ? 'aborted' : 'accumulating' },
  });
}

/** MonitorKayentaCanaryTask and, for the last interval, AggregateCanaryResultsTask of Orca. */
function orcaReads({ status, result }: CanaryAnswer, { pass, marginal }: typeof THRESHOLDS): string {
  if (status === 'running') return 'asks again';
  if (status !== 'succeeded' || result === null) return 'fails';
  const { score } = result.judgeResult.score;
  expect(Number.isInteger(score)).toBe(true);
  if (score <= marginal) return 'fails';
  return score < pass ? 'goes on, fails after the last interval' : 'passes';
}

/** Resume of the kayenta provider of Argo Rollouts. */
function argoReads({ complete, result }: CanaryAnswer, { pass, marginal }: typeof THRESHOLDS): string {
  if (!complete) return 'asks again';
  const score = Math.trunc(result?.judgeResult.score.score ?? Number.NaN);
  return score >= pass ? 'Successful' : score >= marginal ? 'Inconclusive' : score < marginal ? 'Failed' : 'Error';
}

describe('an execution', () => {
  const OPEN = 'goes on, fails after the last interval';
  it.each<[RunState, string, string]>([
    ['pending', 'asks again', 'asks again'],
    ['running', 'asks again', 'asks again'],
    ['baking', 'passes', 'Successful'],
    ['promoted', 'passes', 'Successful'],
    ['rolled_back', 'fails', 'Failed'],
    ['held', OPEN, 'Inconclusive'],
    ['superseded', OPEN, 'Inconclusive'],
    ['expired', OPEN, 'Inconclusive'],
    ['aborted', 'fails', 'Inconclusive'],
  ])('of a run that is %s: Orca %s, Argo Rollouts says %s', async (state, orca, argo) => {
    for (const thresholds of [THRESHOLDS, { pass: 3, marginal: 1 }, { pass: 100, marginal: 98 }]) {
      const id = await executionOf(post(`/canary/shop${ARGO_QUERY}`, argoBody(thresholds)));
      become(state);
      const answer = await canary(id);
      expect([orcaReads(answer, thresholds), argoReads(answer, thresholds)]).toEqual([orca, argo]);
      // What was given once stays the same.
      expect(await canary(id)).toEqual(answer);
      become('running');
    }
  });

  it.each([
    [{ pass: 75, marginal: 75 }, 'marginal + 2'],
    [{ pass: 76, marginal: 75 }, 'marginal + 2'],
    [{ pass: 75, marginal: 0 }, 'at least 1'],
    [{ pass: 101, marginal: 75 }, 'at most 100'],
    [{ pass: 90.5, marginal: 75 }, 'whole numbers'],
  ])('is refused with thresholds %j, which leave no room for doubt', async (thresholds, reason) => {
    const answer = await post(`/canary/shop${ORCA_QUERY}`, { ...orcaBody(), thresholds });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining(reason), errors: [{ pointer: '/thresholds' }] });
    expect(service.asked).toEqual([]);
  });

  it('has the fields that Orca cannot read without, running and complete', async () => {
    const id = await executionOf(post(`/canary/shop${ORCA_QUERY}`, orcaBody()));
    const running = await canary(id);
    expect(running).toMatchObject({ complete: false, status: 'running', application: 'shop', result: null, endTimeIso: null });
    become('rolled_back');
    const done = await canary(id);
    expect(done).toMatchObject({ complete: true, status: 'succeeded', endTimeIso: time(NOW) });
    expect(done.result?.canaryDuration).toMatch(/^PT\d+S$/);
    expect(done.result?.judgeResult.score).toMatchObject({ score: 0, classification: 'Fail' });
    expect(done).toMatchObject({
      canaryExecutionRequest: { scopes: { default: { experimentScope: { scope: '1.5' } } }, thresholds: THRESHOLDS },
    });
  });

  it('counts requests where Orca looks for data points', async () => {
    const id = await executionOf(post(`/canary/shop${ORCA_QUERY}`, orcaBody()));
    become('rolled_back');
    const { result } = await canary(id);
    expect(result?.judgeResult.results).toMatchObject([
      { name: 'errors POST /checkout', classification: 'High', controlMetadata: { stats: { count: 15_203 } } },
    ]);
  });

  it('ends with its interval, in doubt, while the run goes on for the next one', async () => {
    const id = await executionOf(post(`/canary/shop${ORCA_QUERY}`, orcaBody()));
    become('running', NOW);
    expect((await canary(id)).complete).toBe(false);
    become('running', NOW + 10_000);
    expect(orcaReads(await canary(id), THRESHOLDS)).toBe('goes on, fails after the last interval');
    const next = await executionOf(post(`/canary/shop${ORCA_QUERY}`, orcaBody({}, NOW - HOUR_MS, NOW + HOUR_MS)));
    expect(service.asked).toHaveLength(1);
    expect((await canary(next)).complete).toBe(false);
    become('promoted');
    expect(orcaReads(await canary(next), THRESHOLDS)).toBe('passes');
  });

  it('ends with its interval when nothing of the service comes any more', async () => {
    const id = await executionOf(post(`/canary/shop${ORCA_QUERY}`, orcaBody()));
    become('running', NOW - HOUR_MS);
    at = NOW + 60_000;
    expect((await canary(id)).complete).toBe(false);
    at = NOW + 200_000;
    expect(argoReads(await canary(id), THRESHOLDS)).toBe('Inconclusive');
  });

  it('is answered by every replica and after every restart, from its id and the run alone', async () => {
    const id = await executionOf(post(`/canary/shop${ORCA_QUERY}`, orcaBody()));
    become('rolled_back');
    const before = await canary(id);
    api = createApi(service, CONFIG, rememberingTelemetry().telemetry, () => at);
    expect(await canary(id)).toEqual(before);
  });

  it('whose run was begun anew is neither good nor bad', async () => {
    const id = await executionOf(post(`/canary/shop${ARGO_QUERY}`, argoBody()));
    const run = service.run(service.asked[0]?.id ?? '');
    if (run === null) throw new Error('no run');
    service.put({ ...run, state: 'rolled_back', rollout: { ...run.rollout, generation: run.rollout.generation + 1 } });
    expect(argoReads(await canary(id), THRESHOLDS)).toBe('Inconclusive');
  });

  it.each(['', '/unknown', '/95.75.1.0.0123.run', `/95.75.1.0.${'0'.repeat(32)}.nobody`, '/..%2F..%2Fetc', '/0.0.0.0.0.0'])(
    '%j is not known',
    async (id) => {
      expect((await ask(`/canary${id}`)).status).toBe(404);
    },
  );
});

describe('what is compared', () => {
  it.each<[string, unknown, object]>([
    [
      'scopes are values of the first attribute that tells releases apart',
      orcaBody(),
      { baseline: { 'service.version': '1.4' }, canary: { 'service.version': '1.5' } },
    ],
    ['or of the one that is named', orcaBody({ attribute: 'k8s.replicaset.name' }), { canary: { 'k8s.replicaset.name': '1.5' } }],
    ['the past is looked at as far as it is kept', orcaBody(), { startedAt: NOW - 600_000, deadline: null }],
    ['a start to come is a start now', argoBody(), { startedAt: null }],
  ])('%s', async (_name, body, expected) => {
    await executionOf(post(`/canary/shop${ORCA_QUERY}`, body));
    expect(service.asked).toMatchObject([{ service: 'shop', origin: 'api', target: null, canaryShare: null, ...expected }]);
  });

  it('without a pipeline that asks again the end of the scope is the end of the run', async () => {
    await executionOf(post(`/canary/shop${ARGO_QUERY}`, argoBody()));
    expect(service.asked).toMatchObject([{ deadline: NOW + HOUR_MS }]);
  });

  const other = { ...orcaBody().scopes.default, experimentScope: { ...orcaBody().scopes.default.experimentScope, scope: '1.6' } };
  it.each<[string, unknown, string]>([
    ['two pairs of releases', { ...orcaBody(), scopes: { ...orcaBody().scopes, other } }, '/scopes/other'],
    [
      'a release with itself',
      { ...orcaBody(), scopes: { default: { controlScope: { scope: '1' }, experimentScope: { scope: '1' } } } },
      '/scopes/default',
    ],
    ['an attribute that is not tracked', orcaBody({ attribute: 'host.name' }), '/scopes/default/extendedScopeParams/attribute'],
    ['no scopes', { ...orcaBody(), scopes: {} }, '/scopes'],
    ['no thresholds', { ...orcaBody(), thresholds: undefined }, '/thresholds'],
    [
      'a time that is none',
      { ...orcaBody(), scopes: { default: { controlScope: { scope: '1' }, experimentScope: { scope: '2', end: 'soon' } } } },
      '/scopes/default',
    ],
  ])('%s is refused', async (_name, body, pointer) => {
    const answer = await post(`/canary/shop${ORCA_QUERY}`, body);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { errors: { pointer: string }[] }).errors.map((error) => error.pointer)).toContain(pointer);
    expect(service.asked).toEqual([]);
  });

  it('says when it cannot begin', async () => {
    expect((await post(`/canary/draining${ORCA_QUERY}`, orcaBody())).status).toBe(503);
    expect((await post(`/canary/excluded${ORCA_QUERY}`, orcaBody())).status).toBe(422);
    expect((await post(`/canary/~ZZ${ORCA_QUERY}`, orcaBody())).status).toBe(404);
  });
});

describe('configurations', () => {
  it('are the services there are, found by name and application as Orca and Argo Rollouts look for them', async () => {
    const configs = (await (await ask('/canaryConfig?application=web&configurationAccountName=s')).json()) as {
      id: string;
      name: string;
      applications: string[];
    }[];
    expect(configs).toMatchObject([{ id: 'shop', name: 'shop', applications: ['web', 'shop'] }]);
    expect(await (await ask('/canaryConfig')).json()).toMatchObject([{ applications: ['shop'] }]);
  });

  it.each(['shop', 'team/shop', 'a b~c%2F', 'größe', '日本'])('%j has an id that can stand in a path as it is', (name) => {
    expect(configIdOf(name)).toMatch(/^[A-Za-z0-9._~-]+$/);
    expect(serviceOf(configIdOf(name))).toBe(name);
  });

  it.each(['', 'a/b', '~', '~FF', '~2f', 'a'.repeat(3000)])('%j is no id', (id) => {
    expect(serviceOf(id)).toBeNull();
  });

  it('need accounts, of which there is one', async () => {
    expect(await (await ask('/credentials')).json()).toMatchObject([{ name: 'slipstream', type: 'slipstream' }]);
  });
});

describe('cancelling', () => {
  const cancel = (id: string, headers: Record<string, string> = {}) =>
    // Orca sends an empty text as JSON.
    ask(`/pipelines/${id}/cancel`, { method: 'PUT', body: '""', headers: { 'content-type': 'application/json', ...headers } });

  it('ends the run, twice as once', async () => {
    const id = await executionOf(post(`/canary/shop${ORCA_QUERY}`, orcaBody()));
    for (let time = 0; time < 2; time++) expect(await (await cancel(id)).json()).toEqual({ state: 'aborted' });
    expect((await canary(id)).status).toBe('canceled');
  });

  it('may whoever was given the id, and nobody with a made up one', async () => {
    api = createApi(service, SECURED, rememberingTelemetry().telemetry, () => at);
    const id = await executionOf(post(`/canary/shop${ORCA_QUERY}`, orcaBody({ token: TOKEN })));
    const forged = id.replace(/\.[0-9a-f]{32}\./, `.${'0'.repeat(32)}.`);
    expect((await cancel(forged)).status).toBe(401);
    expect((await cancel('unknown')).status).toBe(401);
    expect((await cancel(forged, { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    expect((await cancel(id)).status).toBe(200);
  });
});

describe('where a token is asked for', () => {
  beforeEach(() => {
    api = createApi(service, SECURED, rememberingTelemetry().telemetry, () => at);
  });

  it.each<[string, Record<string, string | null>, Record<string, string>, number]>([
    ['nobody starts without it', {}, {}, 401],
    ['nor with a wrong one', { token: 'wrong' }, {}, 401],
    ['Orca gives it among the parameters of a scope', { token: TOKEN }, {}, 200],
    ['Argo Rollouts gives it in the address', {}, { authorization: `Basic ${btoa(`slipstream:${TOKEN}`)}` }, 200],
    ['others give it as bearer', {}, { authorization: `Bearer ${TOKEN}` }, 200],
    ['pages of other sites are refused', { token: TOKEN }, { 'sec-fetch-site': 'cross-site' }, 403],
  ])('%s', async (_name, params, headers, status) => {
    const answer = await post(`/canary/shop${ORCA_QUERY}`, orcaBody(params), headers);
    expect(answer.status).toBe(status);
    const text = await answer.text();
    expect(text).not.toContain(TOKEN);
    if (status !== 200) return expect(service.asked).toEqual([]);
    const { canaryExecutionId } = JSON.parse(text) as { canaryExecutionId: string };
    expect(JSON.stringify(await canary(canaryExecutionId))).not.toContain(TOKEN);
  });

  it('none starts at all on an address others can reach while no token is configured', async () => {
    api = createApi(service, { ...SECURED, token: null }, rememberingTelemetry().telemetry, () => at);
    const id = await post(`/canary/shop${ORCA_QUERY}`, orcaBody({ token: TOKEN }));
    expect(id.status).toBe(403);
  });
});

describe('a Kayenta that stands alone', () => {
  const REQUEST = {
    scopes: [
      { scopeName: 'default', controlScope: '1.4', experimentScope: '1.5', controlLocation: 'eu', experimentLocation: 'eu', step: 60 },
    ],
    thresholds: THRESHOLDS,
    lifetimeDurationMins: 30,
    beginAfterMins: 5,
    siteLocal: {},
  };
  type Standalone = {
    complete: boolean;
    executionStatus: string;
    canaryAnalysisExecutionResult: null | { didPassThresholds: boolean; canaryScores: number[] };
  };
  const idOf = async (answer: Response): Promise<string> =>
    ((await answer.json()) as { canaryAnalysisExecutionId: string }).canaryAnalysisExecutionId;

  it.each<[string, string, unknown]>([
    [
      'by a configuration of its own',
      '/standalone_canary_analysis?user=ana',
      { canaryConfig: { name: 'shop', metrics: [] }, executionRequest: REQUEST },
    ],
    ['by one of the list', '/standalone_canary_analysis/shop?user=ana', REQUEST],
  ])('analyses a service %s', async (_name, path, body) => {
    const id = await idOf(await post(path, body));
    expect(service.asked).toMatchObject([{ service: 'shop', canary: { 'service.version': '1.5' }, deadline: NOW + 35 * 60_000 }]);
    const running = (await (await ask(`/standalone_canary_analysis/${id}`)).json()) as Standalone;
    expect(running).toMatchObject({ complete: false, executionStatus: 'RUNNING', canaryAnalysisExecutionResult: null });
  });

  it.each<[RunState, boolean, number]>([
    ['promoted', true, 100],
    ['rolled_back', false, 0],
    ['expired', false, 85],
  ])('%s passes: %s, with a score of %i', async (state, didPassThresholds, score) => {
    const id = await idOf(await post('/standalone_canary_analysis/shop', REQUEST));
    become(state);
    const done = (await (await ask(`/standalone_canary_analysis/${id}`)).json()) as Standalone;
    expect(done).toMatchObject({
      complete: true,
      executionStatus: 'SUCCEEDED',
      canaryAnalysisExecutionResult: { didPassThresholds, canaryScores: [score] },
    });
  });
});

describe('the remote judge', () => {
  const BAD = [11, 15, 12, 16, 13, 14];
  const GOOD = [4, 1, 6, 3, 5, 2];
  const request = (experiment: readonly (number | string | null)[], canary: object | null = { direction: 'increase', critical: true }) => ({
    canaryConfig: {
      name: 'shop',
      judge: { name: 'RemoteJudge-v1.0', judgeConfigurations: {} },
      metrics: [
        { name: 'errors', query: { type: 'prometheus' }, groups: ['Errors'], analysisConfigurations: { canary }, scopeName: 'default' },
      ],
      classifier: { groupWeights: { Errors: 100 } },
    },
    scoreThresholds: THRESHOLDS,
    metricSetPairList: [
      {
        name: 'errors',
        id: 'id-1',
        tags: { zone: 'a' },
        values: { control: GOOD, experiment },
        scopes: { control: { stepMillis: 60_000 } },
        attributes: {},
      },
    ],
  });
  const judged = async (body: unknown) => (await (await post('/judge', body)).json()) as { results: object[]; score: object };

  it.each<[string, readonly (number | string | null)[], object | null, string, number]>([
    ['worse', BAD, { direction: 'increase' }, 'High', 0],
    ['the same', [1, 2, 3, 4, 5, 6], null, 'Pass', 100],
    ['nothing, as Kayenta writes it', ['NaN', 'NaN', null], {}, 'Nodata', 85],
    ['nothing that had to be there', [], { mustHaveData: true }, 'NodataFailMetric', 0],
  ])('%s', async (_name, experiment, canaryOptions, classification, score) => {
    const answer = await judged(request(experiment, canaryOptions));
    expect(answer).toMatchObject({
      results: [{ name: 'errors', id: 'id-1', tags: { zone: 'a' }, groups: ['Errors'], classification }],
      score: { score },
    });
  });

  it('needs no token: it changes nothing', async () => {
    api = createApi(service, SECURED, rememberingTelemetry().telemetry, () => at);
    expect((await post('/judge', request(BAD))).status).toBe(200);
    expect(service.asked).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      'a metric without a rule, which may have been critical',
      { metricSetPairList: [{ ...request(BAD).metricSetPairList[0], name: 'latency' }] },
      '/metricSetPairList/0/name',
    ],
    ['thresholds without room for doubt', { scoreThresholds: { pass: 75, marginal: 75 } }, '/scoreThresholds'],
    ['no metrics', { metricSetPairList: undefined }, '/metricSetPairList'],
  ])('refuses %s', async (_name, change, pointer) => {
    const answer = await post('/judge', { ...request(BAD), ...change });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { errors: { pointer: string }[] }).errors.map((error) => error.pointer)).toContain(pointer);
  });
});
