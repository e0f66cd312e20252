/** Verdicts as pipelines ask for them: what is a pass, what is a fail, and that asking changes nothing that was decided. */
import { fc, it as property } from '@fast-check/vitest';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { score, type VerdictView } from '../../src/api/verdict-view.ts';
import { Secret } from '../../src/config/secret.ts';
import type { Reason } from '../../src/model/judgement.ts';
import type { PolicyMode } from '../../src/model/policy.ts';
import type { AnalysisRun, Decision, RunState } from '../../src/model/rollout.ts';
import { AVAILABILITY, ERRORS, harmedRun, MemoryService, NOW } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

const TOKEN = 'a-token-of-the-api-nobody-may-see';
let service: MemoryService;
let api: Api;

beforeEach(() => {
  service = new MemoryService();
  const config = { host: '127.0.0.1', port: 0, publicUrl: 'https://slo.example', token: new Secret(TOKEN) };
  api = createApi(service, config, rememberingTelemetry().telemetry, () => NOW);
});

const WISH = { service: 'shop', baseline: { 'service.version': '1' }, canary: { 'service.version': '2' } };

async function get(query: string): Promise<VerdictView> {
  const answer = await api.fetch(new Request(`http://localhost/v1/verdict?${query}`, { headers: { host: 'localhost' } }));
  expect(answer.status).toBe(200);
  return (await answer.json()) as VerdictView;
}

function post(body: object, token = TOKEN): Promise<Response> {
  const headers = { host: 'localhost', 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return api.fetch(new Request('http://localhost/v1/verdict', { method: 'POST', body: JSON.stringify(body), headers }));
}

async function asked(body: object): Promise<VerdictView> {
  const answer = await post(body);
  expect(answer.status).toBe(200);
  return (await answer.json()) as VerdictView;
}

function runThat(state: RunState, decision: Decision, reason: Reason, change: Partial<AnalysisRun['rollout']> = {}): AnalysisRun {
  const run = harmedRun('r-1');
  return { ...run, state, verdict: { ...run.verdict, decision, reason }, rollout: { ...run.rollout, ...change } };
}

describe('what a run says to those who ask', () => {
  it.each<[RunState, Decision, Reason, PolicyMode, VerdictView['verdict'], Decision, Reason]>([
    ['pending', 'continue', 'no_canary', 'rollback', 'inconclusive', 'continue', 'no_canary'],
    ['running', 'continue', 'accumulating', 'rollback', 'inconclusive', 'continue', 'accumulating'],
    ['running', 'hold', 'stale_telemetry', 'rollback', 'inconclusive', 'hold', 'stale_telemetry'],
    ['rolled_back', 'rollback', 'harm_proven', 'rollback', 'fail', 'rollback', 'harm_proven'],
    ['promoted', 'promote', 'health_proven', 'rollback', 'pass', 'promote', 'health_proven'],
    ['baking', 'promote', 'baking', 'rollback', 'pass', 'promote', 'baking'],
    ['promoted', 'promote', 'health_proven', 'hold', 'pass', 'promote', 'health_proven'],
    ['held', 'hold', 'harm_proven', 'hold', 'inconclusive', 'hold', 'harm_proven'],
    ['held', 'hold', 'cool_down', 'rollback', 'inconclusive', 'hold', 'cool_down'],
    ['held', 'hold', 'overridden', 'rollback', 'inconclusive', 'hold', 'overridden'],
    ['expired', 'hold', 'deadline_passed', 'rollback', 'inconclusive', 'hold', 'deadline_passed'],
    ['superseded', 'hold', 'superseded', 'rollback', 'inconclusive', 'hold', 'superseded'],
    ['aborted', 'hold', 'rollout_over', 'rollback', 'inconclusive', 'hold', 'rollout_over'],
    ['held', 'hold', 'observe_only', 'observe', 'inconclusive', 'hold', 'observe_only'],
    ['promoted', 'promote', 'health_proven', 'observe', 'inconclusive', 'hold', 'observe_only'],
    ['running', 'continue', 'accumulating', 'observe', 'inconclusive', 'hold', 'observe_only'],
  ])('%s with %s for %s under %s is %s: %s for %s', async (state, decision, reason, mode, verdict, toDo, because) => {
    service.mode = mode;
    service.put(runThat(state, decision, reason));
    expect(await get('rollout=r-1')).toMatchObject({ verdict, decision: toDo, reason: because, rollout: 'r-1', generation: 3, state });
  });

  it('shows nothing of what was found under a policy that only observes, but to people', async () => {
    service.mode = 'observe';
    service.put(runThat('held', 'hold', 'observe_only'));
    const view = await get('rollout=r-1');
    expect(view).toMatchObject({ score: 0.5, checks: [] });
    expect(view.text).toBe('The policy only observes, so nothing is asked of the deploy system; for people: harm was proven.');
  });

  it('has the check that weighs most first, and the page that explains it', async () => {
    const run = runThat('rolled_back', 'rollback', 'harm_proven');
    const nasty = { ...AVAILABILITY, check: `errors GET /\u001b[2J${'x'.repeat(900)}`, outcome: 'fail' } as const;
    service.put({ ...run, judgements: [AVAILABILITY, nasty, nasty, nasty, nasty, nasty, ERRORS] });
    const { checks, link, score: value } = await get('rollout=r-1');
    expect(checks.map(({ outcome }) => outcome)).toEqual(['fail', 'fail', 'fail', 'fail', 'fail']);
    expect(checks[0]).toMatchObject({ check: ERRORS.check, reason: 'harm_proven' });
    expect(JSON.stringify(checks)).not.toContain('\u001b');
    expect(checks[1]?.check.length).toBeLessThanOrEqual(300);
    expect([link, value]).toEqual(['https://slo.example/v1/rollouts/r-1/explanation', 0]);
  });

  it('never carries a number that JSON has not', async () => {
    const run = runThat('running', 'continue', 'accumulating');
    const verdict = { ...run.verdict, logWealth: Number.NaN, logLimit: Number.NaN };
    service.put({ ...run, verdict });
    expect((await get('rollout=r-1')).score).toBe(0.5);
  });
});

describe('the score', () => {
  it.each([
    [Number.NEGATIVE_INFINITY, 0.5],
    [-3, 0.5],
    [0, 0.5],
    [0.2, 0.4],
    [0.5, 0.2],
    [0.8, 0.1],
    [1, 0.1],
    [9, 0.1],
  ])('of evidence at %d of what is needed is %d', (share, expected) => {
    expect(score('inconclusive', { logWealth: share * 5, logLimit: 5 })).toBe(expected);
  });

  property.prop([fc.double(), fc.double({ min: 0, noNaN: true })])('never rises with more evidence of harm', (logWealth, more) => {
    const logLimit = Math.log(100);
    const [before, after] = [logWealth, logWealth + more].map((wealth) => score('inconclusive', { logWealth: wealth, logLimit })) as [
      number,
      number,
    ];
    if (!Number.isNaN(logWealth + more) && !Number.isNaN(logWealth)) expect(after).toBeLessThanOrEqual(before);
    for (const value of [before, after]) expect(value > 0 && value < 1).toBe(true);
  });
});

describe('asking without changing', () => {
  it('finds the newest run by a value of its canary', async () => {
    service.put(runThat('rolled_back', 'rollback', 'harm_proven', { id: 'other', baseline: { 'service.version': '0' } }));
    service.put(runThat('superseded', 'hold', 'superseded', { id: 'old' }));
    // Started last, though its deploy system dates it back.
    service.put(runThat('promoted', 'promote', 'health_proven', { id: 'new', startedAt: NOW - 60_000 }));
    expect((await get('service=shop&canary=2')).rollout).toBe('new');
    expect((await get('service=shop&canary=2&baseline=0')).rollout).toBe('other');
    expect(await get('service=shop&canary=7')).toMatchObject({ verdict: 'inconclusive', decision: 'hold', rollout: null, state: null });
    expect(service.asked).toEqual([]);
  });

  it.each([
    'rollout=nobody',
    '',
    'service=shop',
    'canary=2',
    'rollout=r-1&service=shop&canary=2',
    'rollout=r-1&wait=2h',
    'rollout=r-1&generation=0',
    'service=shop&canary=2&generation=1',
    'rollout=r-1&x=1',
  ])('refuses ?%s', async (query) => {
    const answer = await api.fetch(new Request(`http://localhost/v1/verdict?${query}`, { headers: { host: 'localhost' } }));
    expect(answer.status).toBe(query === 'rollout=nobody' ? 404 : 400);
  });

  it('has the verdict of one generation for whoever names it', async () => {
    service.put(runThat('rolled_back', 'rollback', 'harm_proven', { generation: 4 }));
    expect(await get('rollout=r-1&generation=4')).toMatchObject({ verdict: 'fail', generation: 4 });
    expect(await get('rollout=r-1&generation=3')).toMatchObject({ verdict: 'inconclusive', reason: 'superseded', rollout: null });
  });

  it('takes no old pass for a proof of what was rolled out since; an old fail stays', async () => {
    service.put(runThat('rolled_back', 'rollback', 'harm_proven', { id: 'failed', generation: 3 }));
    service.put(runThat('promoted', 'promote', 'health_proven', { id: 'passed', generation: 3 }));
    service.put(runThat('running', 'continue', 'accumulating', { id: 'policy', generation: 9, origin: 'policy' }));
    expect((await get('rollout=passed')).verdict).toBe('pass');
    // Numbers need not grow from one name to another.
    service.put(runThat('running', 'continue', 'accumulating', { id: 'newer', generation: 3 }));
    expect(await get('rollout=passed')).toMatchObject({ verdict: 'inconclusive', reason: 'superseded' });
    expect((await get('rollout=failed')).verdict).toBe('fail');
  });

  it('takes no fail of long ago for a proof against what came back since', async () => {
    const long = runThat('rolled_back', 'rollback', 'harm_proven', { id: 'failed' });
    service.put({ ...long, verdict: { ...long.verdict, at: NOW - 16 * 60_000 } });
    expect((await get('rollout=failed')).verdict).toBe('fail');
    service.put(runThat('promoted', 'promote', 'health_proven', { id: 'newer', canary: { 'service.version': '3' } }));
    expect(await get('service=shop&canary=2')).toMatchObject({ verdict: 'inconclusive', reason: 'superseded', rollout: 'failed' });
  });
});

describe('asking for a verdict that nobody has asked for yet', () => {
  it('starts one run, however often it is asked and in whatever order attributes come', async () => {
    const two = { ...WISH, canary: { 'service.version': '2', pod: 'x' } };
    const first = await asked(two);
    expect(first).toMatchObject({ verdict: 'inconclusive', state: 'pending', generation: 1, canaryRequests: 0 });
    const again = await Promise.all(
      Array.from({ length: 20 }, () => asked({ ...WISH, canary: { pod: 'x', 'service.version': '2' }, wait: '1s' })),
    );
    expect(new Set(again.map(({ rollout }) => rollout))).toEqual(new Set([first.rollout]));
    expect(service.asked).toHaveLength(1);
    expect(service.asked[0]?.generation).toEqual({ kind: 'next', atLeast: 1 });
  });

  it('stays a fail until a new generation', async () => {
    const { rollout } = await asked(WISH);
    service.put(runThat('rolled_back', 'rollback', 'harm_proven', { id: rollout ?? '', generation: 1 }));
    expect((await asked(WISH)).verdict).toBe('fail');
    expect(service.asked).toHaveLength(1);
    expect(await asked({ ...WISH, generation: 2 })).toMatchObject({ verdict: 'inconclusive', state: 'pending', generation: 2, rollout });
  });

  describe('of releases that come back after others', () => {
    const target = { kind: 'Rollout', namespace: 'shop', name: 'checkout', fence: '7c9f' } as const;
    const ID = 'rollout~shop~checkout~7c9f';
    const others = (state: RunState, decision: Decision) =>
      service.put(runThat(state, decision, 'accumulating', { id: 'others', generation: 8, canary: { 'service.version': '3' } }));

    it.each<[RunState, Decision]>([
      ['rolled_back', 'rollback'],
      ['promoted', 'promote'],
      ['superseded', 'promote'],
      ['expired', 'hold'],
    ])('judges them anew, once, when they were %s with %s before', async (state, decision) => {
      service.put(runThat(state, decision, 'harm_proven', { id: ID, target }));
      others('baking', 'promote');
      for (let i = 0; i < 3; i++) {
        expect(await asked({ ...WISH, target })).toMatchObject({ verdict: 'inconclusive', state: 'pending', rollout: ID });
      }
      expect(service.asked).toHaveLength(1);
    });

    it('says what it said while another is in flight, which it must not call off', async () => {
      service.put(runThat('rolled_back', 'rollback', 'harm_proven', { id: ID, target }));
      others('running', 'continue');
      expect((await asked({ ...WISH, target })).verdict).toBe('fail');
      expect(service.asked).toEqual([]);
    });

    it('never begins anew what was superseded before it had an answer: whoever waits for that still asks', async () => {
      service.put(runThat('superseded', 'hold', 'superseded', { id: ID, target }));
      others('promoted', 'promote');
      expect(await asked({ ...WISH, target })).toMatchObject({ verdict: 'inconclusive', reason: 'superseded' });
      expect(service.asked).toEqual([]);
    });
  });

  it('says of a generation that is over that it was superseded, rather than fail the asking', async () => {
    await asked({ ...WISH, generation: 5 });
    expect(await asked({ ...WISH, generation: 4 })).toMatchObject({ verdict: 'inconclusive', reason: 'superseded', rollout: null });
  });

  it('joins a run of the same releases that the traffic or the cluster told of', async () => {
    service.put(runThat('running', 'continue', 'accumulating', { id: 'found', origin: 'policy' }));
    expect((await asked(WISH)).rollout).toBe('found');
    expect(service.asked).toEqual([]);
  });

  it('goes on with the newer run of the same releases when that took the place of its own', async () => {
    const { rollout } = await asked(WISH);
    service.put(runThat('superseded', 'hold', 'superseded', { id: rollout ?? '', generation: 1 }));
    service.put(runThat('rolled_back', 'rollback', 'harm_proven', { id: 'watched', origin: 'watch', startedAt: NOW - 60_000 }));
    expect(await asked(WISH)).toMatchObject({ verdict: 'fail', rollout: 'watched' });
    expect(service.asked).toHaveLength(1);
  });

  describe('under a name that another rollout has', () => {
    it('is refused when that is of another service, whose verdict says nothing', async () => {
      service.put(runThat('rolled_back', 'rollback', 'harm_proven', { id: 'v2', service: 'cart' }));
      const answer = await post({ ...WISH, id: 'v2' });
      expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([
        422,
        '/id: names a rollout of another service: cart',
      ]);
      expect(service.asked).toEqual([]);
    });

    it('judges the releases that are asked about, not those before them', async () => {
      service.put(runThat('rolled_back', 'rollback', 'harm_proven', { id: 'shop' }));
      const next = { ...WISH, id: 'shop', canary: { 'service.version': '3' } };
      expect(await asked(next)).toMatchObject({ verdict: 'inconclusive', state: 'pending', generation: 4 });
      expect(await asked(next)).toMatchObject({ verdict: 'inconclusive', generation: 4 });
      expect(service.asked).toHaveLength(1);
    });

    it('calls off no rollout that is being judged', async () => {
      service.put(runThat('running', 'continue', 'accumulating', { id: 'shop' }));
      expect(await asked({ ...WISH, id: 'shop', canary: { 'service.version': '3' } })).toMatchObject({
        verdict: 'inconclusive',
        reason: 'superseded',
      });
      expect(service.asked).toEqual([]);
    });

    it('joins the run of an object, in whatever attributes that names its releases', async () => {
      const target = { kind: 'Rollout', namespace: 'shop', name: 'checkout', fence: '7c9f' } as const;
      service.put(
        runThat('rolled_back', 'rollback', 'harm_proven', { id: 'rollout~shop~checkout~7c9f', target, canary: { hash: '7c9f' } }),
      );
      expect((await asked({ ...WISH, target })).verdict).toBe('fail');
      expect(service.asked).toEqual([]);
    });
  });

  it('names the run of an object as all others do', async () => {
    const target = { kind: 'Rollout', namespace: 'shop', name: 'checkout', fence: '7c9f' };
    expect((await asked({ ...WISH, target })).rollout).toBe('rollout~shop~checkout~7c9f');
    expect((await asked({ ...WISH, id: 'mine' })).rollout).toBe('mine');
  });

  it('passes a planned share on to a run in flight', async () => {
    const { rollout } = await asked(WISH);
    await asked({ ...WISH, canaryShare: 0.2 });
    expect(service.asked.at(-1)).toMatchObject({ id: rollout, generation: 1, canaryShare: 0.2 });
    service.put(runThat('rolled_back', 'rollback', 'harm_proven', { id: rollout ?? '' }));
    await asked({ ...WISH, canaryShare: 0.5 });
    expect(service.asked).toHaveLength(2);
  });

  it.each<[string, object, number]>([
    ['no canary', { service: 'shop', baseline: WISH.baseline }, 400],
    ['a canary that is the baseline', { ...WISH, canary: WISH.baseline }, 400],
    ['an unknown field', { ...WISH, canarry: {} }, 400],
    ['a wait of an hour', { ...WISH, wait: '1h' }, 400],
    ['a deadline in the past', { ...WISH, deadline: '2020-01-01T00:00:00Z' }, 400],
    ['a service that cannot be judged', { ...WISH, service: 'excluded' }, 422],
    ['a service that is draining', { ...WISH, service: 'draining' }, 503],
  ])('refuses %s', async (_name, body, status) => {
    expect((await post(body)).status).toBe(status);
  });

  it('needs the token', async () => {
    expect((await post(WISH, 'another')).status).toBe(401);
    expect(service.asked).toEqual([]);
  });
});
