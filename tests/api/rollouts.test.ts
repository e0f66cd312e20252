/** Starting, watching and aborting rollouts. */
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import type { ExplainedRunWire, RunWire } from '../../src/api/schemas.ts';
import { ERRORS, harmedRun, MemoryService, NOW } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

let service: MemoryService;
let api: Api;

beforeEach(() => {
  service = new MemoryService();
  api = createApi(service, { host: '127.0.0.1', port: 0, publicUrl: null, token: null }, rememberingTelemetry().telemetry, () => NOW);
});

const WISH = { service: 'shop', baseline: { 'service.version': '1' }, canary: { 'service.version': '2' }, generation: 1 };

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return api.fetch(new Request(`http://localhost${path}`, { ...init, headers: { host: 'localhost', ...init.headers } }));
}

function post(body: unknown): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask('/v1/rollouts', { method: 'POST', body: text, headers: { 'content-type': 'application/json' } });
}

async function runOf(answer: Response): Promise<RunWire> {
  return (await answer.json()) as RunWire;
}

describe('starting a rollout', () => {
  it('creates a run and names its address', async () => {
    const answer = await post({ ...WISH, id: 'checkout-42' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe('/v1/rollouts/checkout-42');
    const run = await runOf(answer);
    expect(run.rollout).toMatchObject({ id: 'checkout-42', service: 'shop', generation: 1, origin: 'api' });
    expect(run.explanation.verdict).toBe('Hold: no span of the canary is coming.');
    expect((await ask('/v1/rollouts/checkout-42')).status).toBe(200);
  });

  it('answers the same wish with the same run, whatever the order of its attributes', async () => {
    const canary = { 'service.version': '2', 'k8s.pod': 'x' };
    const first = await post({ ...WISH, canary });
    const again = await post({ ...WISH, canary: { 'k8s.pod': 'x', 'service.version': '2' } });
    expect([first.status, again.status]).toEqual([201, 200]);
    expect((await runOf(again)).rollout.id).toBe((await runOf(first)).rollout.id);
  });

  it('derives another id for another generation, canary or service', async () => {
    for (const wish of [WISH, { ...WISH, generation: 2 }, { ...WISH, canary: { 'service.version': '3' } }, { ...WISH, service: 'cart' }])
      await post(wish);
    const ids = service.asked.map((request) => request.id);
    expect(new Set(ids).size).toBe(4);
    for (const id of ids) expect(id).toMatch(/^ro-[0-9a-f]{24}$/);
  });

  it('refuses a generation older than the newest known one', async () => {
    await post({ ...WISH, generation: 5 });
    const answer = await post({ ...WISH, generation: 4 });
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({
      errors: [{ pointer: '/generation' }],
      detail: expect.stringContaining('generation 5 is known'),
    });
  });

  it.each([
    ['a duration counts from now', { deadline: '1h30m' }, { startedAt: null, deadline: NOW + 5_400_000 }],
    [
      'a duration counts from the start where there is one',
      { deadline: '10m', startedAt: '2026-11-21T11:55:00Z' },
      { startedAt: NOW - 300_000, deadline: NOW + 300_000 },
    ],
    ['a time is taken as it is', { deadline: '2026-11-21T15:00:00+01:00' }, { startedAt: null, deadline: NOW + 7_200_000 }],
    ['none is left to the policy', {}, { startedAt: null, deadline: null }],
  ])('deadline: %s', async (_name, extra, expected) => {
    expect((await post({ ...WISH, ...extra })).status).toBe(201);
    expect(service.asked[0]).toMatchObject(expected);
  });

  it.each([
    ['as it is given', { canaryShare: 0.25 }, { canaryShare: 0.25 }],
    ['as nothing when it is left out', {}, { canaryShare: null }],
  ])('a planned share is taken %s', async (_name, extra, expected) => {
    expect((await post({ ...WISH, ...extra })).status).toBe(201);
    expect(service.asked[0]).toMatchObject(expected);
  });

  it.each<[string, unknown, string]>([
    ['no service', { ...WISH, service: undefined }, '/service'],
    ['an unknown field', { ...WISH, canarry: {} }, '/canarry'],
    ['a generation of 0', { ...WISH, generation: 0 }, '/generation'],
    ['half a generation', { ...WISH, generation: 1.5 }, '/generation'],
    ['a generation in quotes', { ...WISH, generation: '1' }, '/generation'],
    ['an empty matcher', { ...WISH, canary: {} }, '/canary'],
    ['a matcher value that is no text', { ...WISH, canary: { 'a/b': 2 } }, '/canary/a~1b'],
    ['a canary that is the baseline', { ...WISH, canary: WISH.baseline }, '/canary'],
    ['an id that could be a path', { ...WISH, id: '../../etc' }, '/id'],
    ['a deadline in words', { ...WISH, deadline: 'soon' }, '/deadline'],
    ['a deadline in the past', { ...WISH, deadline: '2026-11-21T11:00:00Z' }, '/deadline'],
    ['a deadline of no length', { ...WISH, deadline: '0s' }, '/deadline'],
    ['a start in the future', { ...WISH, startedAt: '2026-11-21T13:00:00Z' }, '/startedAt'],
    ['no share at all', { ...WISH, canaryShare: 0 }, '/canaryShare'],
    ['a share in percent', { ...WISH, canaryShare: 25 }, '/canaryShare'],
    ['a list', [WISH], ''],
    [
      'a matcher of too many attributes',
      { ...WISH, canary: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`a${i}`, 'x'])) },
      '/canary',
    ],
  ])('refuses %s and names the field', async (_name, body, pointer) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    const problem = (await answer.json()) as { errors: { pointer: string }[] };
    expect(problem.errors.map((error) => error.pointer)).toContain(pointer);
    expect(service.asked).toEqual([]);
  });

  it.each(['', '{', 'null', '[[[', '"text"'])('refuses the body %j', async (body) => {
    expect((await post(body)).status).toBe(400);
  });

  it('survives a body of brackets only', async () => {
    expect((await post('['.repeat(1_000_000))).status).toBe(400);
    expect((await post(`{"service":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`)).status).toBe(400);
  });

  it.each(['__proto__', 'constructor', 'prototype'])('refuses the key %s, and lets it reach nothing', async (key) => {
    const inside = await post(`{"service":"shop","generation":1,"baseline":{"a":"1"},"canary":{"a":"2","${key}":"polluted"}}`);
    const outside = await post(`{"service":"shop","generation":1,"baseline":{"a":"1"},"canary":{"a":"2"},"${key}":{"polluted":"yes"}}`);
    expect([inside.status, outside.status]).toEqual([400, 400]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(service.asked).toEqual([]);
  });

  it('says when to come back while it cannot start runs', async () => {
    const answer = await post({ ...WISH, service: 'draining' });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('2');
  });

  it('passes on why a rollout cannot be judged', async () => {
    const answer = await post({ ...WISH, service: 'excluded' });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ errors: [{ pointer: '/service', detail: 'is excluded by the configuration' }] });
  });
});

describe('watching rollouts', () => {
  it('shows verdict and evidence of a run, in numbers and in words', async () => {
    service.put(harmedRun('r-1'));
    const run = await runOf(await ask('/v1/rollouts/r-1'));
    expect(run.verdict.decision).toBe('rollback');
    expect(run.explanation.verdict).toContain('at most 1 of 100 rollouts');
    expect(run.explanation.judgements[0]).toContain('canary 41 of 812 bad');
    expect(run.explanation.judgements).toHaveLength(run.judgements.length);
  });

  it('explains a run on one page, the same as text and inside the run', async () => {
    service.put(harmedRun('r-1'));
    const answer = await ask('/v1/rollouts/r-1/explanation');
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const page = await answer.text();
    expect(page).toContain('Roll back: the canary is proven worse than the baseline.\n');
    expect(page).toContain('canary    41 of 812 bad (5 %)\n');
    expect(page.endsWith('\n')).toBe(true);
    const run = (await (await ask('/v1/rollouts/r-1')).json()) as ExplainedRunWire;
    expect(`${run.explanation.page}\n`).toBe(page);
    expect(page.startsWith(run.explanation.verdict.slice(0, 56))).toBe(true);
  });

  it('serves the evidence so that its digest can be checked', async () => {
    service.put(harmedRun('r-1'));
    const run = await runOf(await ask('/v1/rollouts/r-1'));
    const digest = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');
    expect(digest(run.judgements)).toBe(digest(harmedRun('r-1').judgements));
    expect(digest(run.judgements)).not.toBe(digest([ERRORS]));
  });

  it('writes numbers that are not finite as null', async () => {
    await post({ ...WISH, id: 'fresh' });
    const text = await (await ask('/v1/rollouts/fresh')).text();
    expect(text).not.toMatch(/NaN|Infinity/);
    expect(JSON.parse(text)).toMatchObject({ lagMs: null, verdict: { logWealth: null } });
  });

  it('lists the newest first, of one service when asked', async () => {
    await post({ ...WISH, id: 'old', startedAt: '2026-11-21T10:00:00Z' });
    await post({ ...WISH, id: 'new', generation: 2 });
    await post({ ...WISH, id: 'other', service: 'cart' });
    const list = async (path: string) => (await (await ask(path)).json()) as { rollouts: { id: string }[]; total: number };
    const ids = async (path: string) => (await list(path)).rollouts.map((run) => run.id);
    expect(await ids('/v1/rollouts?service=shop')).toEqual(['new', 'old']);
    expect(await ids('/v1/rollouts?service=shop&limit=1')).toEqual(['new']);
    expect((await list('/v1/rollouts?limit=1')).total).toBe(3);
  });

  it('answers 404 for an unknown run', async () => {
    expect((await ask('/v1/rollouts/nobody')).status).toBe(404);
    expect((await ask('/v1/rollouts/nobody', { method: 'DELETE' })).status).toBe(404);
    expect((await ask('/v1/rollouts/..%2F..%2Fetc')).status).toBe(404);
  });
});

describe('aborting a rollout', () => {
  it('that cannot be made durable is answered with when to ask again', async () => {
    await post({ ...WISH, id: 'r-2', service: 'draining-later' });
    const answer = await ask('/v1/rollouts/r-2', { method: 'DELETE' });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(await answer.json()).toMatchObject({ status: 503, title: 'Unavailable' });
  });

  it('ends the run, and again changes nothing', async () => {
    await post({ ...WISH, id: 'r-1' });
    for (let time = 0; time < 2; time++) {
      const answer = await ask('/v1/rollouts/r-1', { method: 'DELETE' });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ state: 'aborted', verdict: { reason: 'aborted' } });
    }
  });
});
