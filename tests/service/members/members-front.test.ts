/** Two members with two partitions each: whichever is asked, the owner answers, and what is of all is answered whole or not at all. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlList, MemberStand, PARTITIONS, serviceIn } from './members-stand.ts';

let control: ControlList;
let a: MemberStand;
let b: MemberStand;

beforeEach(async () => {
  control = new ControlList();
  a = new MemberStand('a', control);
  b = new MemberStand('b', control);
  await Promise.all([a.start(), b.start()]);
  for (let partition = 0; partition < PARTITIONS; partition++) await (partition < 2 ? a : b).own(partition);
});

afterEach(() => Promise.all([a.stop(), b.stop()]));

const OF_A = serviceIn(0);
const OF_B = serviceIn(2);
const wish = (service: string, id: string, generation = 1) => ({
  ...{ id, service, generation },
  baseline: { 'service.version': '1' },
  canary: { 'service.version': '2' },
});
const HOLD = { mode: 'hold', by: 'ana', reason: 'database is being moved' };

describe('a rollout', () => {
  it('reaches the owner of its service, and is then known by every member', async () => {
    const started = await a.post('/v1/rollouts', wish(OF_B, 'ro-1'));
    expect([started.status, started.headers.get('location')]).toEqual([201, '/v1/rollouts/ro-1']);
    expect(b.cell(2).stand.stages.engine.rollouts.find('ro-1')).toBeDefined();
    expect((await a.post('/v1/rollouts', wish(OF_B, 'ro-1'))).status).toBe(200);
    for (const member of [a, b]) {
      expect((await member.ask('/v1/rollouts/ro-1')).json).toMatchObject({ rollout: { id: 'ro-1', service: OF_B } });
      expect((await member.ask('/v1/rollouts/ro-1/explanation')).text).toContain(OF_B);
      expect((await member.ask('/v1/verdict?rollout=ro-1')).json).toMatchObject({ rollout: 'ro-1' });
      expect((await member.ask('/v1/rollouts/nobody')).status).toBe(404);
    }
    expect((await a.ask('/v1/rollouts/ro-1', { method: 'DELETE' })).json).toMatchObject({ state: 'aborted' });
    expect(b.cell(2).stand.stages.engine.rollouts.find('ro-1')?.view().state).toBe('aborted');
  });

  it('is known to be unknown only when all partitions answered', async () => {
    b.cells.delete(3);
    const answer = await a.ask('/v1/rollouts/nobody');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    expect(answer.json.detail).toContain('1 of 4 partitions (3)');
  });

  it('of a member that is away is not answered for by others, and is again once the partition has moved', async () => {
    await a.post('/v1/rollouts', wish(OF_B, 'ro-1'));
    await b.stop();
    for (const ask of [a.post('/v1/rollouts', wish(OF_B, 'ro-1')), a.ask('/v1/rollouts/ro-1'), a.ask('/v1/rollouts')]) {
      const { status, headers } = await ask;
      expect([status, headers.get('retry-after')]).toEqual([503, '2']);
    }
    expect((await a.ask(`/v1/rollouts?service=${OF_A}`)).status).toBe(200);
    await b.move(2, a);
    await b.move(3, a);
    expect((await a.ask('/v1/rollouts/ro-1')).status).toBe(200);
    expect((await a.ask('/v1/rollouts')).json).toMatchObject({ total: 1 });
  });

  it('is answered for by nobody whose partition has just gone, also when the directory is old', async () => {
    b.cells.delete(2);
    expect((await a.post('/v1/rollouts', wish(OF_B, 'ro-1'))).status).toBe(503);
    expect((await a.ask(`/v1/gate?service=${OF_B}`)).status).toBe(503);
    expect((await b.ask(`/v1/gate?service=${OF_B}`)).status).toBe(503);
    expect((await a.ask(`/v1/status?service=${OF_B}`)).status).toBe(503);
  });

  it('that somebody waits for elsewhere is told as soon as it is over', async () => {
    await a.post('/v1/rollouts', wish(OF_B, 'ro-1'));
    const waiting = a.ask('/v1/rollouts/ro-1?wait=30s');
    const { settled } = b.cell(2);
    await expect.poll(() => settled.waiting).toBe(1);
    await b.ask('/v1/rollouts/ro-1', { method: 'DELETE' });
    expect((await waiting).json).toMatchObject({ state: 'aborted' });
  });

  it('is not begun twice under one name by one member for two services', async () => {
    expect((await a.post('/v1/rollouts', wish(serviceIn(0), 'ro-1'))).status).toBe(201);
    expect((await a.post('/v1/rollouts', wish(serviceIn(1), 'ro-1'))).status).toBe(422);
  });

  it('is begun only once it is durable', async () => {
    const cell = b.cell(2);
    cell.durable = () => Promise.reject(new Error('fenced'));
    expect((await a.post('/v1/rollouts', wish(OF_B, 'ro-1'))).status).toBe(503);
    cell.durable = () => Promise.resolve();
    expect((await a.post('/v1/rollouts', wish(OF_B, 'ro-1'))).status).toBe(200);
  });
});

it('the token of the caller goes with the request, and without it nothing is asked of another member', async () => {
  expect((await a.post('/v1/rollouts', wish(OF_B, 'ro-1'), 'another-token')).status).toBe(401);
  expect(a.telemetry.value('peer_requests_total')).toBe(0);
  const refused = await a.post('/v1/rollouts', { ...wish(OF_B, 'ro-1'), canary: 'two' });
  expect([refused.status, refused.headers.get('content-type')]).toEqual([400, 'application/problem+json']);
});

it('a request takes one hop at most, whatever the directories say', async () => {
  a.directory.take({ kind: 'owner', partition: 2, member: 'a', url: b.url, offset: 100 });
  b.directory.take({ kind: 'owner', partition: 2, member: 'a', url: a.url, offset: 100 });
  b.cells.delete(2);
  expect((await a.post('/v1/rollouts', wish(OF_B, 'ro-1'))).status).toBe(503);
  expect(b.telemetry.value('peer_requests_total')).toBe(0);
});

describe('what is of all', () => {
  it('lists the rollouts of all members, newest first', async () => {
    for (const [i, service] of [OF_A, OF_B].entries()) {
      const startedAt = new Date(Date.UTC(2026, 4, 1, 11, i)).toISOString();
      expect((await a.post('/v1/rollouts', { ...wish(service, `ro-${i}`), startedAt })).status).toBe(201);
    }
    for (const member of [a, b]) {
      const { rollouts, total } = (await member.ask('/v1/rollouts')).json;
      expect([total, rollouts.map(({ id }: { id: string }) => id)]).toEqual([2, ['ro-1', 'ro-0']]);
      expect((await member.ask('/v1/rollouts?limit=1')).json).toMatchObject({ total: 2, rollouts: [{ id: 'ro-1' }] });
      expect((await member.ask('/v1/rollouts', { method: 'HEAD' })).status).toBe(200);
      const { runs } = (await member.ask('/v1/status')).json;
      expect(runs).toHaveLength(2);
    }
  });

  it('reports each objective once, by the owner of its service alone', async () => {
    const { json } = await a.ask('/v1/slo');
    const own = (await b.cell(2).cell.handlers.slo({ service: null, objective: null })).objectives;
    expect(own.length).toBeGreaterThan(0);
    expect(json.objectives.map(({ id }: { id: string }) => id).sort()).toEqual(own.map(({ id }) => id).sort());
    const [{ id }] = own as [(typeof own)[number]];
    for (const member of [a, b]) expect((await member.ask(`/v1/slo/explanation?objective=${encodeURIComponent(id)}`)).status).toBe(200);
  });

  it('an override of everything is in force in every cell, shown once, and ended everywhere', async () => {
    expect((await a.post('/v1/overrides', HOLD)).status).toBe(201);
    const books = () => [...a.cells.values(), ...b.cells.values()].map(({ stand }) => stand.stages.engine.controls.book);
    expect(books().map((book) => book.modeOf('any', 'ro-1', Date.UTC(2026, 4, 1, 12)))).toEqual(Array(4).fill('hold'));
    const { overrides } = (await b.ask('/v1/overrides')).json;
    expect(overrides).toMatchObject([{ ...HOLD, isInForce: true }]);
    expect((await b.ask('/v1/overrides?by=ben', { method: 'DELETE' })).json).toMatchObject({ endedBy: 'ben' });
    expect(books().map((book) => book.modeOf('any', 'ro-1', Date.UTC(2026, 4, 1, 12)))).toEqual(Array(4).fill('rollback'));
    expect((await a.ask('/v1/overrides?by=ben', { method: 'DELETE' })).status).toBe(404);
  });

  it('an override that did not reach every cell says so, and holds where it did', async () => {
    await b.stop();
    const answer = await a.post('/v1/overrides', HOLD);
    expect(answer.status).toBe(503);
    expect(answer.json.detail).toContain('send the same again');
    expect(a.cell(0).stand.stages.engine.controls.book.modeOf('any', 'ro-1', Date.UTC(2026, 4, 1, 12))).toBe('hold');
  });

  it('an override of a service is in force with its owner alone', async () => {
    expect((await a.post('/v1/overrides', { ...HOLD, service: OF_B })).status).toBe(201);
    expect(b.cell(2).stand.stages.engine.controls.book.inForce(0)).toHaveLength(1);
    expect(a.cell(0).stand.stages.engine.controls.book.inForce(0)).toHaveLength(0);
    expect((await a.ask('/v1/overrides')).json.overrides).toHaveLength(1);
  });

  it('a reset of the breaker reaches every cell and every member', async () => {
    await a.permits.asked({ id: 's-1', service: OF_A, action: 'rollback', evidenceAt: Date.now() });
    expect((await b.ask('/v1/breaker')).json).toMatchObject({ rollbacksLastHour: 1 });
    expect((await b.post('/v1/breaker/reset', { by: 'ana', reason: 'looked at all of it' })).json).toMatchObject({ rollbacksLastHour: 0 });
    expect(a.permits.rollbacksLastHour()).toBe(0);
    expect(a.cell(0).stand.stages.engine.controls.book.resets()).toHaveLength(1);
  });

  it('is empty, and no error, for a member that has nothing yet', async () => {
    const c = new MemberStand('c', control);
    await c.start();
    expect((await c.ask('/v1/rollouts')).json).toEqual({ rollouts: [], total: 0 });
    expect((await c.ask('/v1/overrides')).json.overrides).toEqual([]);
    expect((await c.post('/v1/overrides', HOLD)).status).toBe(201);
    expect((await a.ask('/v1/overrides')).json.overrides).toHaveLength(1);
    await c.stop();
  });
});

describe('while the owner is away', () => {
  const CANARY = { name: 'podinfo', namespace: 'test', phase: 'Progressing', checksum: '85d557f47b' };
  const metadata = { token: 'a-token-of-members-nobody-may-see', service: OF_B };
  const monitor = (service: string) => ({
    ...{ deploymentId: 'd-1', newServerGroup: 'v2', oldServerGroup: 'v1' },
    parameters: { service, attribute: 'service.version' },
  });

  beforeEach(() => b.stop());

  it.each([
    ['pre-rollout', 200],
    ['rollout', 200],
    ['confirm-promotion', 503],
    ['rollback', 503],
  ])('the hook %s of Flagger answers %i: nothing is held against the canary, and nothing rolled back', async (hook, status) => {
    expect((await a.post(`/flagger/v1/${hook}`, { ...CANARY, metadata }, '')).status).toBe(status);
  });

  it('Spinnaker is told to wait, for three errors would roll back', async () => {
    for (const call of ['starting', 'evaluateHealth']) {
      const { status, json } = await a.post(`/spinnaker/v1/deployment/${call}`, monitor(OF_B));
      expect([status, json.nextStep.directive]).toEqual([200, 'wait']);
    }
  });

  it('a query in PromQL is refused rather than answered in part', async () => {
    const query = (text: string) => a.ask(`/api/v1/query?query=${encodeURIComponent(text)}`);
    expect((await query('sum(rate(slipstream_requests_total[5m]))')).json).toMatchObject({ status: 'error', errorType: 'execution' });
    expect((await query(`slipstream_objective_sli_ratio{service="${OF_B}"}`)).json).toMatchObject({ errorType: 'unavailable' });
    expect((await query('1 + 1')).json).toMatchObject({ status: 'success' });
    expect((await query('((')).json).toMatchObject({ errorType: 'bad_data' });
  });
});

it('hooks of Flagger reach the run of their revision whether or not they name the service', async () => {
  const CANARY = { name: 'podinfo', namespace: 'test', phase: 'Progressing', checksum: '85d557f47b' };
  const token = 'a-token-of-members-nobody-may-see';
  await a.post('/flagger/v1/pre-rollout', { ...CANARY, metadata: { token, service: OF_B } }, '');
  expect([...b.cell(2).stand.stages.engine.rollouts.all()]).toHaveLength(1);
  for (const member of [a, b]) {
    const said = await member.post('/flagger/v1/rollout', { ...CANARY, metadata: { token } }, '');
    expect([said.status, said.text]).toEqual([200, expect.stringContaining('podinfo.test: ')]);
  }
  const all = [a, b].flatMap(({ cells }) => [...cells.values()].flatMap(({ stand }) => [...stand.stages.engine.rollouts.all()]));
  expect(all).toHaveLength(1);
});

describe('metrics', () => {
  /** `shop` is of partition 0; its spans are of the stand's own time. */
  const query = (member: MemberStand, text: string) => {
    const time = String(a.cell(0).stand.clock.now() / 1000);
    return member.ask(`/api/v1/query?${new URLSearchParams({ query: text, time })}`);
  };

  beforeEach(() => a.cell(0).stand.pass(70, [{ release: '1', perSecond: 10, failEvery: 0 }]));

  it('of one service are answered by its owner, whoever is asked', async () => {
    const text = 'sum(increase(http_server_request_duration_seconds_count{service_name="shop"}[30s]))';
    const [own, other] = [await query(a, text), await query(b, text)];
    expect(own.json).toMatchObject({ status: 'success', data: { result: [{ value: [expect.anything(), '300'] }] } });
    expect(other.json).toEqual(own.json);
    expect((await query(b, 'sum(increase(http_server_request_duration_seconds_count[30s]))')).status).toBe(422);
  });

  it('tell the labels that any member has', async () => {
    const names = async (member: MemberStand) => (await member.ask('/api/v1/label/service_name/values')).json.data;
    expect(await names(b)).toEqual(['shop']);
    expect(await names(a)).toEqual(['shop']);
  });

  it('of all cells are put together by a member that has all', async () => {
    await b.move(2, a);
    await b.move(3, a);
    expect((await query(a, 'sum(increase(http_server_request_duration_seconds_count[30s]))')).json.data.result[0].value[1]).toBe('300');
  });
});
