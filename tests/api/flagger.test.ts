/** Slipstream as Flagger asks it: over HTTP, hook by hook, in every state that a run can be in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { Secret } from '../../src/config/secret.ts';
import type { Reason } from '../../src/model/judgement.ts';
import type { AnalysisRun, Decision, RunState } from '../../src/model/rollout.ts';
import { facts } from '../decide/gate-facts.ts';
import { SHORT, SPENT } from './memory-gate.ts';
import { harmedRun, MemoryService, NOW } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

const TOKEN = 'a-token-of-the-api-nobody-may-see';
const RUN = 'canary~test~podinfo~85d557f47b';
const HOUR_MS = 3_600_000;
let service: MemoryService;
let api: Api;
let address: string;
let now: number;
let lines: ReturnType<typeof rememberingTelemetry>;

beforeEach(async () => {
  now = NOW;
  service = new MemoryService();
  lines = rememberingTelemetry();
  await listen();
});

afterEach(() => api.stop());

/** A process that knows nothing but what its store kept. */
async function listen(): Promise<void> {
  const config = { host: '127.0.0.1', port: 0, publicUrl: 'https://slo.example', token: new Secret(TOKEN) };
  api = createApi(service, config, lines.telemetry, () => now);
  address = (await api.start()).address;
}

interface Told {
  readonly status: number;
  readonly text: string;
}

/** As Flagger posts it; `change` may replace any field. */
async function tell(hook: string, change: Record<string, unknown> = {}, metadata: Record<string, string> = {}): Promise<Told> {
  const given = {
    token: TOKEN,
    ...(hook.startsWith('event') && { eventMessage: 'Synced', eventType: 'Normal', timestamp: '1' }),
    ...metadata,
  };
  const body = { name: 'podinfo', namespace: 'test', phase: 'Progressing', checksum: '85d557f47b', metadata: given, ...change };
  const answer = await fetch(`${address}/flagger/v1/${hook}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
}

const statusOf = async (...args: Parameters<typeof tell>): Promise<number> => (await tell(...args)).status;

function runThat(state: RunState, decision: Decision, reason: Reason, change: Partial<AnalysisRun> = {}): AnalysisRun {
  const run = harmedRun(RUN, 'podinfo');
  const verdict = { ...run.verdict, decision, reason, logWealth: -1 };
  return { ...run, state, verdict, canaryRequests: 800, baselineRequests: 8000, rollout: { ...run.rollout, generation: 1 }, ...change };
}

const HOOKS = ['rollback', 'pre-rollout', 'rollout', 'confirm-traffic-increase', 'confirm-promotion'] as const;

describe('every hook in every state of the run', () => {
  it.each<[string, AnalysisRun | null, readonly number[]]>([
    ['no run yet', null, [403, 200, 200, 403, 403]],
    ['pending', runThat('pending', 'continue', 'no_canary', { canaryRequests: 0, baselineRequests: 0 }), [403, 200, 200, 403, 403]],
    ['the primary heard, the canary not', runThat('running', 'hold', 'no_canary', { canaryRequests: 0 }), [403, 200, 200, 200, 403]],
    ['too few samples', runThat('running', 'continue', 'too_few_samples', { canaryRequests: 9 }), [403, 200, 200, 403, 403]],
    ['warming up', runThat('running', 'continue', 'warming_up'), [403, 200, 200, 403, 403]],
    ['nothing against it', runThat('running', 'continue', 'accumulating'), [403, 200, 200, 200, 403]],
    ['telemetry not to be trusted', runThat('running', 'hold', 'stale_telemetry'), [403, 200, 200, 403, 403]],
    ['a canary gone silent', runThat('running', 'hold', 'no_canary'), [403, 200, 200, 403, 403]],
    ['a shared failure', runThat('running', 'hold', 'shared_failure'), [403, 200, 200, 403, 403]],
    ['rolled back', runThat('rolled_back', 'rollback', 'harm_proven'), [200, 403, 403, 403, 403]],
    ['promoted', runThat('promoted', 'promote', 'health_proven'), [403, 200, 200, 200, 200]],
    ['baking', runThat('baking', 'promote', 'baking'), [403, 200, 200, 200, 200]],
    ['held', runThat('held', 'hold', 'breaker_open'), [403, 200, 200, 403, 403]],
    ['forbidden by an operator', runThat('held', 'hold', 'overridden'), [403, 200, 200, 403, 403]],
    ['expired', runThat('expired', 'hold', 'deadline_passed'), [403, 200, 200, 403, 403]],
    ['superseded', runThat('superseded', 'hold', 'superseded'), [403, 200, 200, 403, 403]],
    ['aborted', runThat('aborted', 'hold', 'aborted'), [403, 200, 200, 403, 403]],
  ])('%s', async (_name, run, expected) => {
    if (run !== null) service.put(run);
    const told = [];
    for (const hook of HOOKS) told.push(await statusOf(hook));
    expect(told).toEqual(expected);
  });

  it.each(['held', 'promoted', 'running'] as const)('a policy that only observes stands in the way of nothing: %s', async (state) => {
    service.mode = 'observe';
    service.put(runThat(state, state === 'promoted' ? 'promote' : 'hold', state === 'held' ? 'observe_only' : 'accumulating'));
    const told = [];
    for (const hook of HOOKS) told.push(await statusOf(hook));
    expect(told).toEqual([403, 200, 200, 200, 200]);
  });

  it.each(['Initialized', 'Succeeded', 'Failed', 'Waiting', 'Promoting', 'Finalising', 'progressing', ''])(
    'hooks of a rollout begin and allow nothing in phase %s',
    async (phase) => {
      service.put(runThat('rolled_back', 'rollback', 'harm_proven'));
      for (const hook of HOOKS) expect(await statusOf(hook, { phase })).toBe(403);
      expect(service.asked).toEqual([]);
    },
  );

  it('a hook that is pointed at the address of another is told no where a yes would roll back', async () => {
    for (const hook of ['confirm-rollout', 'post-rollout']) expect(await statusOf(hook)).toBe(403);
    expect(await statusOf('event', { metadata: { token: TOKEN } })).toBe(403);
  });

  it.each([
    ['gate', 'confirm-traffic-increase'],
    ['events', 'event'],
  ])('%s is %s by another name', async (alias, hook) => {
    service.put(runThat('held', 'hold', 'cool_down'));
    expect(await tell(alias)).toEqual(await tell(hook));
  });
});

describe('a rollback', () => {
  it.each<[string, Record<string, unknown>]>([
    ['another revision', { checksum: '85d557f47c' }],
    ['another Canary', { name: 'other' }],
    ['another namespace', { namespace: 'prod' }],
    ['another phase', { phase: 'Succeeded' }],
  ])('is of this name, namespace and revision alone: %s', async (_name, change) => {
    service.put(runThat('rolled_back', 'rollback', 'harm_proven'));
    expect(await statusOf('rollback')).toBe(200);
    expect(await statusOf('rollback', change)).toBe(403);
  });

  it('is said again until Flagger has done it, while it waits for promotion too, and why', async () => {
    service.put(runThat('rolled_back', 'rollback', 'harm_proven'));
    for (let i = 0; i < 3; i++) expect(await statusOf('rollback')).toBe(200);
    const { text } = await tell('rollback', { phase: 'WaitingPromotion' });
    expect(text).toBe(
      'podinfo.test: Roll back: the canary is proven worse than the baseline. Why: https://slo.example/v1/rollouts/canary~test~podinfo~85d557f47b/explanation\n',
    );
  });

  it('is still said after a restart of ours, and begins no other run', async () => {
    service.put(runThat('rolled_back', 'rollback', 'harm_proven'));
    expect(await statusOf('rollback')).toBe(200);
    await api.stop();
    await listen();
    expect(await statusOf('rollback')).toBe(200);
    expect(service.asked).toEqual([]);
  });
});

describe('the run of a Canary', () => {
  it.each(HOOKS)('begins with %s when that comes first, once', async (hook) => {
    await tell(hook);
    await tell(hook);
    expect(service.asked).toMatchObject([
      {
        id: RUN,
        service: 'podinfo',
        generation: { kind: 'next', atLeast: 1 },
        origin: 'api',
        target: { kind: 'Canary', namespace: 'test', name: 'podinfo', fence: '85d557f47b' },
        canary: { 'k8s.deployment.name': 'podinfo' },
        baseline: { 'k8s.deployment.name': 'podinfo-primary' },
      },
    ]);
  });

  it('compares what the metadata says', async () => {
    await tell('rollback', {}, { service: 'shop', attribute: 'service.version', canary: '2', baseline: '1' });
    expect(service.asked).toMatchObject([{ service: 'shop', canary: { 'service.version': '2' }, baseline: { 'service.version': '1' } }]);
  });

  it.each([
    ['the same release twice', { canary: 'podinfo-primary' }, 'metadata.canary: selects the same release as metadata.baseline'],
    ['no service', { service: '' }, 'metadata.service: must be 1 to 1024 characters'],
    ['a service that is excluded', { service: 'excluded' }, 'service: is excluded by the configuration'],
  ])('cannot be judged: %s', async (_name, metadata, why) => {
    const { status, text } = await tell('rollout', {}, metadata);
    expect(status).toBe(403);
    expect(text).toContain(why);
  });

  it('is a new one when the same revision is rolled out again after Flagger said that it was over', async () => {
    service.put(runThat('rolled_back', 'rollback', 'harm_proven'));
    expect(await statusOf('rollback')).toBe(200);
    expect(await statusOf('post-rollout', { phase: 'Failed' })).toBe(200);
    expect(await statusOf('rollback')).toBe(403);
    expect(service.asked).toMatchObject([{ id: RUN, generation: { kind: 'next', atLeast: 2 } }]);
    expect(await statusOf('rollback')).toBe(403);
    expect(service.asked).toHaveLength(1);
  });

  it('is a new one, and an old pass promotes nothing, when Flagger came back to a revision', async () => {
    service.put(runThat('promoted', 'promote', 'health_proven'));
    expect(await statusOf('confirm-promotion')).toBe(200);
    await tell('rollback', { checksum: 'another' });
    expect(await statusOf('confirm-promotion')).toBe(403);
    expect(service.asked.map(({ id }) => id)).toEqual(['canary~test~podinfo~another', RUN]);
  });

  it.each(['promoted', 'rolled_back'] as const)(
    'is a new one after a restart too, when another revision came in between: %s',
    async (state) => {
      await tell('rollout');
      service.put(
        runThat(state, state === 'promoted' ? 'promote' : 'rollback', 'harm_proven', { rollout: service.run(RUN)?.rollout as never }),
      );
      await tell('rollout', { checksum: 'b' });
      await api.stop();
      await listen();
      expect([await statusOf('rollback'), await statusOf('confirm-promotion')]).toEqual([403, 403]);
      expect(service.asked).toHaveLength(3);
    },
  );

  it('keeps its verdict when Flagger says late that the revision before is over', async () => {
    await tell('rollout', { checksum: 'a' });
    await tell('rollout');
    service.put(runThat('rolled_back', 'rollback', 'harm_proven', { rollout: service.run(RUN)?.rollout as never }));
    await tell('post-rollout', { checksum: 'a', phase: 'Succeeded' });
    expect(await statusOf('rollback')).toBe(200);
    expect(service.asked).toHaveLength(2);
  });

  it('is a new one when what is known of it is from long ago, after a restart too', async () => {
    service.put(runThat('rolled_back', 'rollback', 'harm_proven'));
    expect(await statusOf('rollback')).toBe(200);
    now += HOUR_MS - 1;
    expect(await statusOf('rollback')).toBe(200);
    now += HOUR_MS;
    expect(await statusOf('rollback')).toBe(200);
    now += HOUR_MS + 1;
    expect(await statusOf('rollback')).toBe(403);
    service.put(runThat('rolled_back', 'rollback', 'harm_proven'));
    await api.stop();
    await listen();
    expect(await statusOf('rollback')).toBe(403);
  });

  it('ends with the rollout', async () => {
    await tell('rollback');
    expect(await statusOf('post-rollout', { phase: 'Succeeded' })).toBe(200);
    expect(service.run(RUN)?.state).toBe('aborted');
  });

  it('ends when Flagger asks whether another may begin', async () => {
    await tell('rollback');
    expect(await statusOf('confirm-rollout', { phase: 'Failed' })).toBe(200);
    expect(service.run(RUN)?.state).toBe('aborted');
    expect(service.asked).toHaveLength(1);
  });

  it('is not begun by an event, which may carry the checksum of the revision before', async () => {
    expect(await statusOf('event', {}, { eventMessage: 'New revision detected! Scaling up podinfo.test' })).toBe(200);
    expect(service.asked).toEqual([]);
  });

  it('gets the share that Flagger says it gave the canary', async () => {
    await tell('rollback');
    await tell('event', {}, { eventMessage: 'Advance podinfo.test canary weight 10' });
    expect(service.asked.at(-1)).toMatchObject({ id: RUN, generation: 1, canaryShare: 0.1 });
    for (const eventMessage of [
      'Advance other.test canary weight 20',
      'Advance podinfo.test canary weight 0',
      'Advance podinfo.test canary weight 400',
    ])
      expect(await statusOf('event', {}, { eventMessage })).toBe(200);
    expect(service.asked).toHaveLength(2);
  });
});

describe('the gate', () => {
  const judged = (canaryRequests: number, change: Partial<AnalysisRun> = {}) =>
    service.put(runThat('running', 'continue', 'accumulating', { canaryRequests, ...change }));

  it('lets one step through for each look at enough requests', async () => {
    const told: [number, number][] = [];
    for (const requests of [60, 60, 109, 110, 120, 160]) {
      judged(requests);
      told.push([requests, await statusOf('gate')]);
    }
    expect(told).toEqual([
      [60, 200],
      [60, 403],
      [109, 403],
      [110, 200],
      [120, 403],
      [160, 200],
    ]);
  });

  it('lets the first step through once and waits for its traffic, but again when Flagger is still at weight 0', async () => {
    service.put(runThat('running', 'hold', 'no_canary', { canaryRequests: 0 }));
    expect(await statusOf('gate')).toBe(200);
    expect(await tell('gate')).toMatchObject({ status: 403, text: expect.stringContaining('no request of the canary has come since') });
    await tell('pre-rollout');
    expect(await statusOf('gate')).toBe(200);
  });

  it.each([
    [0.49, 200],
    [0.5, 403],
    [0.9, 403],
    [Number.NEGATIVE_INFINITY, 200],
  ])('with evidence of harm at %d of what a rollback needs answers %d', async (share, status) => {
    const { verdict } = runThat('running', 'continue', 'accumulating');
    judged(500, { verdict: { ...verdict, logWealth: share * verdict.logLimit } });
    expect(await statusOf('gate')).toBe(status);
  });
});

describe('the deploy gate', () => {
  it('holds a rollout back with its reasons', async () => {
    service.gateFacts = SPENT;
    const { status, text } = await tell('confirm-rollout', { phase: 'Succeeded' });
    expect(status).toBe(403);
    expect(text).toMatch(/^podinfo\.test: The deploy gate refuses: ./);
  });

  it.each([
    ['allow', facts(), 'podinfo'],
    ['warn', SHORT, 'podinfo'],
    ['unknown', facts(), 'nobody'],
  ])('that says %s lets it go', async (answer, known, of) => {
    service.gateFacts = known;
    const { status, text } = await tell('confirm-rollout', { phase: 'Waiting' }, { service: of });
    expect([status, text]).toEqual([200, expect.stringContaining(`The deploy gate says ${answer}: `)]);
  });
});

describe('our own trouble', () => {
  it.each([
    ['rollback', 503],
    ['gate', 503],
    ['confirm-promotion', 503],
    ['rollout', 200],
    ['pre-rollout', 200],
  ])('neither rolls back nor promotes, and is no failed check: %s answers %d', async (hook, status) => {
    expect(await statusOf(hook, {}, { service: 'draining' })).toBe(status);
  });
});

describe('who may ask', () => {
  const ALL = [...HOOKS, 'gate', 'confirm-rollout', 'post-rollout', 'event', 'events'];

  it.each(ALL)('%s needs the token, and nobody sees it', async (hook) => {
    service.put(runThat('rolled_back', 'rollback', 'harm_proven'));
    for (const metadata of [{ token: 'guessed' }, {}, undefined, null]) {
      const { status, text } = await tell(hook, { metadata });
      expect([status, text]).toEqual([403, 'podinfo.test: metadata.token: must be the token of the API of Slipstream.\n']);
    }
    await tell(hook);
    expect(JSON.stringify([lines, service.asked])).not.toContain(TOKEN);
    expect(service.run(RUN)?.state).toBe('rolled_back');
  });

  it.each<[string, RequestInit, number]>([
    ['an unknown address', {}, 404],
    ['no JSON', { body: 'rollback' }, 400],
    ['no checksum', { body: '{"name":"podinfo","namespace":"test","phase":"Progressing"}' }, 400],
    ['a name that is a path', { body: '{"name":"../x","namespace":"test","phase":"Progressing","checksum":"1"}' }, 400],
    ['another type', { headers: { 'content-type': 'text/plain' } }, 415],
    ['too much', { body: `"${'x'.repeat(1_100_000)}"` }, 413],
    ['another method', { method: 'GET' }, 405],
    ['a page of another site', { headers: { 'content-type': 'application/json', 'sec-fetch-site': 'cross-site' } }, 403],
  ])('%s is never told yes', async (name, change, status) => {
    const path = name === 'an unknown address' ? 'rollbacks' : 'rollback';
    const init: RequestInit = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}', ...change };
    if (init.method === 'GET') delete init.body;
    expect((await fetch(`${address}/flagger/v1/${path}`, init)).status).toBe(status);
  });

  it('fields that newer versions add are let pass', async () => {
    expect(await statusOf('rollout', { buildId: 7, metadata: { token: TOKEN, more: 'x' } })).toBe(200);
  });
});

describe('the Canary that is shipped', () => {
  interface Hook {
    readonly type: string;
    readonly url: string;
    readonly metadata: Record<string, string>;
  }
  const file = join(import.meta.dirname, '../../config/flagger/canary.yaml');
  const hooks = parse(readFileSync(file, 'utf8')).spec.analysis.webhooks as readonly Hook[];

  it('points each hook at the address of its type, and none at one whose outage Flagger would count as a failed check', () => {
    for (const { type, url } of hooks) expect(new URL(url).pathname).toBe(`/flagger/v1/${type}`);
    expect(hooks.map(({ type }) => type)).toEqual([
      'confirm-rollout',
      'rollback',
      'confirm-traffic-increase',
      'confirm-promotion',
      'post-rollout',
      'event',
    ]);
  });

  it('says what every hook asks for', async () => {
    for (const { type, metadata } of hooks) {
      const phase = type === 'confirm-rollout' ? 'Initialized' : type === 'post-rollout' ? 'Failed' : 'Progressing';
      const { text } = await tell(type, { phase }, { ...metadata, token: TOKEN });
      expect(text).toMatch(/^podinfo\.test: /);
      expect(text).not.toContain('metadata');
    }
    expect(service.asked).toMatchObject([{ service: 'podinfo', canary: { 'k8s.deployment.name': 'podinfo' } }]);
  });
});
