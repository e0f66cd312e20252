/** Spinnaker as its sources say it calls: the deployment monitor's three calls in any order, and webhook stages that poll. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import type { StartOutcome, StartRollout } from '../../src/api/handlers.ts';
import { startAnalysis } from '../../src/api/spinnaker/analysis-schemas.ts';
import { Secret } from '../../src/config/secret.ts';
import type { RunState } from '../../src/model/rollout.ts';
import { harmedRun, MemoryService, NOW } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

const TOKEN = 'correct-horse-battery-staple';
const CONFIG = { host: '127.0.0.1', port: 0, publicUrl: null, token: null };
const SECURED = { ...CONFIG, host: '0.0.0.0', publicUrl: 'https://slo.example', token: new Secret(TOKEN) };

let service: MemoryService;
let api: Api;

beforeEach(() => {
  service = new MemoryService();
  api = createApi(service, CONFIG, rememberingTelemetry().telemetry, () => NOW);
});

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return api.fetch(new Request(`http://localhost${path}`, { ...init, headers: { host: 'localhost', ...init.headers } }));
}

function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  // As Retrofit writes it.
  return ask(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
  });
}

/** All fields of Orca's RequestBase, and those of the call. */
const DEPLOYMENT = {
  application: 'shop',
  executionId: '01HEXECUTION',
  stageId: '01HSTAGE-1',
  deploymentId: '01HDEPLOYMENT',
  oldServerGroup: 'shop-main-v012',
  newServerGroup: 'shop-main-v013',
  account: 'prod',
  region: 'eu-west-1',
  cloudProvider: 'aws',
  parameters: { service: 'shop' },
};
const HEALTH = { ...DEPLOYMENT, stageId: '01HSTAGE-2', newInstances: [], currentProgress: 10 };
const RUN_ID = 'servergroup~prod.eu-west-1~shop-main-v013~01HDEPLOYMENT';

type Answer = { nextStep: { directive: string }; statusReason: { message: string; additionalData: { link: string | null }[] } };
const starting = (body: unknown = DEPLOYMENT) => post('/spinnaker/v1/deployment/starting', body);
const evaluate = (body: unknown = HEALTH) => post('/spinnaker/v1/deployment/evaluateHealth', body);
const completed = (body: unknown) => post('/spinnaker/v1/deployment/completed', body);
const answerOf = async (answer: Promise<Response>): Promise<Answer> => {
  const response = await answer;
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
};
const directive = async (answer: Promise<Response>): Promise<string> => (await answerOf(answer)).nextStep.directive;

function become(id: string, state: RunState): void {
  const run = service.run(id);
  if (run === null) throw new Error(`no run ${id}`);
  service.put({ ...harmedRun(id), rollout: run.rollout, state });
}

describe('a monitored deployment', () => {
  it('starts a run of the server group, fenced by the deployment', async () => {
    expect(await directive(starting())).toBe('continue');
    expect(service.asked).toEqual([
      {
        id: RUN_ID,
        service: 'shop',
        generation: { kind: 'next', atLeast: 1 },
        origin: 'api',
        target: { kind: 'ServerGroup', namespace: 'prod.eu-west-1', name: 'shop-main-v013', fence: '01HDEPLOYMENT' },
        baseline: { 'k8s.replicaset.name': 'shop-main-v012' },
        canary: { 'k8s.replicaset.name': 'shop-main-v013' },
        startedAt: null,
        deadline: null,
        canaryShare: null,
      },
    ]);
  });

  it('takes releases from the parameters, and names of Kubernetes without their kind', async () => {
    const parameters = { service: 'shop', attribute: 'service.version', baseline: '1.4', canary: '1.5' };
    await starting({ ...DEPLOYMENT, newServerGroup: 'replicaSet shop-v013', parameters });
    expect(service.asked[0]).toMatchObject({
      target: { name: 'shop-v013' },
      baseline: { 'service.version': '1.4' },
      canary: { 'service.version': '1.5' },
    });
  });

  it('has exactly the fields that Orca reads, which refuses others', async () => {
    await starting();
    const answer = await answerOf(evaluate());
    expect(Object.keys(answer).sort()).toEqual(['nextStep', 'statusReason']);
    expect(answer.nextStep).toEqual({ directive: 'wait', percent: 0, instanceCount: 0 });
    expect(Object.keys(answer.statusReason).sort()).toEqual(['additionalData', 'logSummary', 'message']);
    for (const entry of answer.statusReason.additionalData) expect(Object.keys(entry).sort()).toEqual(['key', 'link', 'text']);
  });

  it.each<[RunState, string]>([
    ['pending', 'wait'],
    ['running', 'wait'],
    ['baking', 'continue'],
    ['promoted', 'continue'],
    ['rolled_back', 'abort'],
    ['held', 'wait'],
    ['superseded', 'wait'],
    ['expired', 'wait'],
    ['aborted', 'wait'],
  ])('that is %s is told to %s', async (state, expected) => {
    await starting();
    become(RUN_ID, state);
    expect(await directive(evaluate())).toBe(expected);
    // The same step is asked for again every minute.
    expect(await directive(evaluate())).toBe(expected);
  });

  it('may ask for all the rest at once on proof of health, which never hastens an abort', async () => {
    const body = { ...HEALTH, parameters: { service: 'shop', onPass: 'complete' } };
    await starting();
    become(RUN_ID, 'promoted');
    expect(await directive(evaluate(body))).toBe('complete');
    become(RUN_ID, 'rolled_back');
    expect(await directive(evaluate(body))).toBe('abort');
  });

  /** Orca waits no longer than `maxAnalysisMinutes` and then, as it is shipped, rolls back. */
  it.each<RunState>(['pending', 'running', 'held', 'expired', 'promoted'])(
    'goes on under a policy that only observes: %s',
    async (state) => {
      service.mode = 'observe';
      const run = harmedRun(RUN_ID);
      service.put({ ...run, state, verdict: { ...run.verdict, decision: 'hold', reason: 'observe_only' } });
      expect((await answerOf(evaluate())).nextStep.directive).toBe('continue');
      expect((await answerOf(starting())).nextStep.directive).toBe('continue');
    },
  );

  it('is told its verdict though its attribute tells no releases apart any more: a refusal would roll it back', async () => {
    await starting();
    service.releaseBy = () => ['service.version'];
    expect((await answerOf(evaluate())).nextStep.directive).toBe('wait');
    expect((await completed({ ...DEPLOYMENT, status: 'success' })).status).toBe(200);
    expect((await starting({ ...DEPLOYMENT, deploymentId: '02H' })).status).toBe(400);
  });

  it('plans the share of each step in the run there is', async () => {
    await starting();
    await evaluate();
    const before = service.asked.length;
    await evaluate({ ...HEALTH, stageId: '01HSTAGE-3', currentProgress: 50 });
    expect(service.asked.slice(before)).toMatchObject([{ id: RUN_ID, generation: 1, canaryShare: 0.5 }]);
  });

  it('that is started twice is one run, also when it was decided meanwhile', async () => {
    await starting();
    expect(await directive(starting())).toBe('continue');
    become(RUN_ID, 'rolled_back');
    expect(await directive(starting())).toBe('abort');
    expect(service.asked).toHaveLength(1);
  });

  it('that we do not know any more is begun again by its next question', async () => {
    expect(await directive(evaluate())).toBe('wait');
    expect(service.asked).toMatchObject([{ id: RUN_ID, canaryShare: 0.1 }]);
  });

  it('that we do not know ends no judging of a newer one', async () => {
    await starting({ ...DEPLOYMENT, newServerGroup: 'shop-main-v014', deploymentId: '01HNEWER' });
    const answer = await answerOf(evaluate());
    expect(answer.nextStep.directive).toBe('wait');
    expect(answer.statusReason.message).toContain('servergroup~prod.eu-west-1~shop-main-v014~01HNEWER');
    expect(service.asked).toHaveLength(1);
  });

  it('without an old server group has nothing to be compared with and goes on', async () => {
    const first = { oldServerGroup: null };
    expect(await directive(starting({ ...DEPLOYMENT, ...first }))).toBe('continue');
    expect(await directive(evaluate({ ...HEALTH, ...first }))).toBe('continue');
    expect(service.asked).toEqual([]);
    await starting({ ...DEPLOYMENT, ...first, parameters: { service: 'shop', baseline: 'shop-main-v011' } });
    expect(service.asked).toHaveLength(1);
  });

  it('is told to wait while we cannot begin: errors of ours would roll it back', async () => {
    const parameters = { service: 'draining' };
    expect(await directive(starting({ ...DEPLOYMENT, parameters }))).toBe('wait');
    expect(await directive(evaluate({ ...HEALTH, parameters }))).toBe('wait');
  });

  it('ends its run when it is completed, once and for all', async () => {
    await starting();
    const body = { ...DEPLOYMENT, stageId: '01HSTAGE-9', status: 'success', rollback: 'not_performed' };
    expect(await (await completed(body)).json()).toEqual({ state: 'aborted' });
    expect((await completed(body)).status).toBe(200);
    expect(await (await completed({ ...body, deploymentId: '01HUNKNOWN' })).json()).toEqual({ state: null });
  });

  it.each([
    ['success', 'not_performed', 'baking'],
    ['failure', 'success', 'aborted'],
    ['failure', 'not_performed', 'aborted'],
  ])('completed with %s and rollback %s leaves a bake %s', async (status, rollback, state) => {
    await starting();
    become(RUN_ID, 'baking');
    service.endRollout = (id) => ({ outcome: 'over', run: service.run(id) ?? harmedRun(id) });
    await completed({ ...DEPLOYMENT, status, rollback });
    expect(service.run(RUN_ID)?.state).toBe(state);
  });

  it.each([
    ['success', 'done'],
    ['failure', 'not_done'],
    ['not_performed', 'not_done'],
  ])('that ended with rollback %s tells that the rollback we asked for is %s', async (rollback, outcome) => {
    const told: object[] = [];
    service.reportOutcome = async (said) => {
      told.push(said);
      return { outcome: 'unknown' };
    };
    service.endRollout = (id) => ({ outcome: 'over', run: service.run(id) ?? harmedRun(id) });
    await starting();
    await completed({ ...DEPLOYMENT, status: 'failure', rollback });
    expect(told).toEqual([]);
    become(RUN_ID, 'rolled_back');
    expect((await completed({ ...DEPLOYMENT, status: 'failure', rollback })).status).toBe(200);
    expect(told).toEqual([{ signalId: 'sig_1', sink: null, outcome, by: 'spinnaker', detail: `rollback: ${rollback}` }]);
  });

  it.each<[string, unknown, string]>([
    ['no service', { ...DEPLOYMENT, parameters: {} }, '/parameters/service'],
    ['no parameters', { ...DEPLOYMENT, parameters: null }, '/parameters'],
    ['no deployment', { ...DEPLOYMENT, deploymentId: null }, '/deploymentId'],
    ['a deployment that could be a path', { ...DEPLOYMENT, deploymentId: '../etc' }, '/deploymentId'],
    ['no new server group', { ...DEPLOYMENT, newServerGroup: null }, '/newServerGroup'],
    [
      'an attribute that tells no releases apart',
      { ...DEPLOYMENT, parameters: { service: 'shop', attribute: 'host.name' } },
      '/parameters/attribute',
    ],
  ])('is refused with %s, by name', async (_name, body, pointer) => {
    const answer = await starting(body);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { errors: { pointer: string }[] }).errors.map((error) => error.pointer)).toContain(pointer);
    expect(service.asked).toEqual([]);
  });

  it('may be of any names: what a name of a rollout cannot hold is replaced', async () => {
    await starting({ ...DEPLOYMENT, account: 'my~acc/ünt', region: null, newServerGroup: 'a b\u202ec~d' });
    expect(service.asked[0]?.id).toBe('servergroup~my-acc-nt~b-c-d~01HDEPLOYMENT');
  });

  describe('where a token is asked for', () => {
    beforeEach(() => {
      api = createApi(service, SECURED, rememberingTelemetry().telemetry, () => NOW);
    });
    const withToken = (token: unknown) => ({ ...DEPLOYMENT, parameters: { service: 'shop', token } });

    it.each<[string, unknown, Record<string, string>, number]>([
      ['is refused without one', DEPLOYMENT, {}, 401],
      ['is refused with a wrong one', withToken('wrong'), {}, 401],
      ['may give it as a parameter', withToken(TOKEN), {}, 200],
      ['may give it as bearer', DEPLOYMENT, { authorization: `Bearer ${TOKEN}` }, 200],
      ['may give it as a password', DEPLOYMENT, { authorization: `Basic ${btoa(`orca:${TOKEN}`)}` }, 200],
      ['is not let in by a parameter when the header is wrong', withToken(TOKEN), { authorization: 'Bearer wrong' }, 401],
      ['is not let in from pages of other sites', withToken(TOKEN), { 'sec-fetch-site': 'cross-site' }, 403],
    ])('%s', async (_name, body, headers, status) => {
      for (const call of ['starting', 'evaluateHealth', 'completed']) {
        const answer = await post(`/spinnaker/v1/deployment/${call}`, body, headers);
        expect(answer.status).toBe(status);
        expect(await answer.text()).not.toContain(TOKEN);
      }
      if (status !== 200) expect(service.asked).toEqual([]);
    });

    it('links to the page that explains it', async () => {
      const answer = await answerOf(starting(withToken(TOKEN)));
      expect(answer.statusReason.additionalData.map(({ link }) => link)).toContain(
        `https://slo.example/v1/rollouts/${encodeURIComponent(RUN_ID)}/explanation`,
      );
    });
  });
});

describe('a webhook stage', () => {
  const STAGE = { service: 'shop', attribute: 'service.version', baseline: '1.4', canary: '1.5', execution: '01HEXECUTION' };
  type Shown = { id: string; status: string; message: string; statusUrl: string };
  const start = (body: unknown = STAGE) => post('/spinnaker/v1/analyses', body);
  const shown = async (answer: Response): Promise<Shown> => (await answer.json()) as Shown;

  it('gets an address that it can ask as it is', async () => {
    const created = await start();
    expect(created.status).toBe(201);
    const url = new URL(created.headers.get('location') ?? '');
    expect(url.origin).toBe('http://localhost');
    expect(await shown(await ask(url.pathname))).toEqual({
      id: url.pathname.split('/').at(-1),
      status: 'RUNNING',
      message: 'Hold: no span of the canary is coming.',
      statusUrl: url.href,
    });
    expect(service.asked[0]).toMatchObject({ baseline: { 'service.version': '1.4' }, canary: { 'service.version': '1.5' }, target: null });
  });

  it.each<[RunState, string]>([
    ['pending', 'RUNNING'],
    ['running', 'RUNNING'],
    ['baking', 'PASS'],
    ['promoted', 'PASS'],
    ['rolled_back', 'FAIL'],
    ['held', 'INCONCLUSIVE'],
    ['superseded', 'INCONCLUSIVE'],
    ['expired', 'INCONCLUSIVE'],
    ['aborted', 'INCONCLUSIVE'],
  ])('of a run that is %s is %s', async (state, status) => {
    const { id } = await shown(await start());
    become(id, state);
    expect((await shown(await ask(`/spinnaker/v1/analyses/${id}`))).status).toBe(status);
  });

  it('sent twice by one execution is one analysis, also when it is over', async () => {
    const { id } = await shown(await start());
    become(id, 'rolled_back');
    const again = await start();
    expect([again.status, await shown(again)]).toMatchObject([200, { id, status: 'FAIL' }]);
    expect(service.asked).toHaveLength(1);
  });

  it('of another execution is another one', async () => {
    const ids = [await start(), await start({ ...STAGE, execution: 'other' }), await start({ ...STAGE, execution: undefined })].map(shown);
    expect(new Set((await Promise.all(ids)).map(({ id }) => id)).size).toBe(3);
  });

  it('may name releases by attributes of its own', async () => {
    await start({ ...STAGE, baseline: { 'service.version': '1.4', region: 'eu' }, canary: { 'service.version': '1.5', region: 'eu' } });
    expect(service.asked[0]?.canary).toEqual({ 'service.version': '1.5', region: 'eu' });
  });

  it.each(['DELETE', 'POST'])('is cancelled by %s, twice as once', async (method) => {
    const { id } = await shown(await start());
    const path = `/spinnaker/v1/analyses/${id}${method === 'POST' ? '/cancel' : ''}`;
    for (let time = 0; time < 2; time++) expect((await shown(await ask(path, { method }))).status).toBe('INCONCLUSIVE');
  });

  it.each<[string, string, number]>([
    ['GET', '/spinnaker/v1/analyses/unknown', 404],
    ['DELETE', '/spinnaker/v1/analyses/unknown', 404],
    ['POST', '/spinnaker/v1/analyses/unknown/cancel', 404],
    ['GET', '/spinnaker/v1/analyses/..%2F..%2Fetc', 404],
    ['PUT', '/spinnaker/v1/analyses/unknown', 405],
  ])('%s %s is answered with %i', async (method, path, status) => {
    expect((await ask(path, { method })).status).toBe(status);
  });

  it.each<[string, unknown, number]>([
    ['the same release twice', { ...STAGE, canary: '1.4' }, 400],
    ['a field that is not known', { ...STAGE, canaryy: 1 }, 400],
    ['no canary', { ...STAGE, canary: undefined }, 400],
    ['a service that is not judged', { ...STAGE, service: 'excluded' }, 422],
    ['a service that cannot be judged just now, which Orca tries again', { ...STAGE, service: 'draining' }, 503],
  ])('with %s is answered with its own status', async (_name, body, status) => {
    expect((await start(body)).status).toBe(status);
  });

  it('needs the token in its header', async () => {
    api = createApi(service, SECURED, rememberingTelemetry().telemetry, () => NOW);
    expect((await start()).status).toBe(401);
    const created = await post('/spinnaker/v1/analyses', STAGE, { authorization: `Bearer ${TOKEN}` });
    expect(created.headers.get('location')).toMatch(/^https:\/\/slo\.example\/spinnaker\/v1\/analyses\/spin-/);
    const { id } = await shown(created);
    expect((await ask(`/spinnaker/v1/analyses/${id}`, { method: 'DELETE' })).status).toBe(401);
    expect((await ask(`/spinnaker/v1/analyses/${id}`)).status).toBe(200);
  });

  it('as the example has it is what is taken', () => {
    const stage = JSON.parse(readFileSync(join(import.meta.dirname, '../../config/spinnaker/webhook-stage.json'), 'utf8'));
    expect(startAnalysis.safeParse(stage.payload).success).toBe(true);
    expect([stage.successStatuses, stage.terminalStatuses, stage.canceledStatuses]).toEqual(['PASS', 'FAIL', 'INCONCLUSIVE']);
  });
});

it('a rollout that is refused for good is an error by name', async () => {
  const refused = (request: StartRollout): StartOutcome => ({ outcome: 'stale_generation', newest: request.service.length });
  service.startRollout = refused;
  expect(await directive(starting())).toBe('wait');
  service.startRollout = () => ({ outcome: 'refused', field: '/service', detail: 'is excluded' });
  expect((await starting()).status).toBe(422);
});
