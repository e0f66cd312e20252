/** Asking the gate, overriding it and telling it of load tests over HTTP. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { Secret } from '../../src/config/secret.ts';
import { NOW } from '../decide/gate-facts.ts';
import { SPENT } from './memory-gate.ts';
import { MemoryService } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

const HOUR = 3_600_000;

let service: MemoryService;
let api: Api;

beforeEach(() => {
  service = new MemoryService();
  service.gateFacts = SPENT;
  api = createApi(service, { host: '127.0.0.1', port: 0, publicUrl: null, token: null }, rememberingTelemetry().telemetry, () => NOW);
});

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return api.fetch(new Request(`http://localhost${path}`, { ...init, headers: { host: 'localhost', ...init.headers } }));
}

function post(path: string, body: object): Promise<Response> {
  return ask(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
}

async function gateOf(name = 'shop'): Promise<Record<string, unknown>> {
  const answer = await ask(`/v1/gate?service=${name}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
}

const WISH = { service: 'shop', by: 'ana', reason: 'fixes the checkout', for: '2h' };

describe('the gate', () => {
  it('answers 200 whatever it says, with reasons in words and numbers', async () => {
    expect(await gateOf()).toEqual({
      service: 'shop',
      now: NOW,
      answer: 'refuse',
      findings: [
        {
          reason: 'budget_spent',
          answer: 'refuse',
          subject: 'shop:availability',
          text: 'budget of availability: -12 % left (56 bad of 50 allowed); the gate refuses below 0 %',
        },
      ],
      override: null,
    });
    expect(await gateOf('nobody')).toMatchObject({ answer: 'unknown' });
  });

  it('asks for a service', async () => {
    const answer = await ask('/v1/gate');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ pointer: '?service' }] });
  });
});

describe('an override', () => {
  it('is in force at once, for as long as was asked, and is told in the answer and the audit trail', async () => {
    const given = await post('/v1/gate/overrides', { ...WISH, reason: '  fixes the checkout ' });
    expect(given.status).toBe(201);
    const override = { service: 'shop', by: 'ana', reason: 'fixes the checkout', at: NOW, until: NOW + 2 * HOUR };
    expect(await given.json()).toEqual({ ...override, endedAt: null, endedBy: null, isInForce: true });
    const said = await gateOf();
    expect(said).toMatchObject({ answer: 'warn', override });
    expect((said.findings as { reason: string }[]).map(({ reason }) => reason)).toEqual(['overridden', 'budget_spent']);
    expect(await gateOf('cart')).toMatchObject({ answer: 'refuse', override: null });
    expect(await (await ask('/v1/gate/overrides')).json()).toMatchObject({ now: NOW, overrides: [{ ...override, isInForce: true }] });
    expect(await (await ask('/v1/gate/overrides?service=cart')).json()).toEqual({ now: NOW, overrides: [] });
  });

  it('is ended on request, which stays in the audit trail', async () => {
    await post('/v1/gate/overrides', WISH);
    const ended = await ask('/v1/gate/overrides?service=shop&by=ben', { method: 'DELETE' });
    expect([ended.status, await ended.json()]).toMatchObject([200, { by: 'ana', endedBy: 'ben', endedAt: NOW, isInForce: false }]);
    expect(await gateOf()).toMatchObject({ answer: 'refuse', override: null });
    expect((await ask('/v1/gate/overrides?service=shop&by=ben', { method: 'DELETE' })).status).toBe(404);
    expect(await (await ask('/v1/gate/overrides')).json()).toMatchObject({ overrides: [{ endedBy: 'ben' }] });
  });

  it.each<[string, object, string, RegExp]>([
    ['without a reason', { reason: undefined }, '/reason', /missing/],
    ['for a reason of blanks', { reason: '            ' }, '/reason', /at least 8 characters/],
    ['for a reason too short to be one', { reason: 'because' }, '/reason', /at least 8 characters/],
    ['for a reason too long to be read', { reason: 'x'.repeat(501) }, '/reason', /at most 500/],
    ['for a reason that forges a line', { reason: 'all is well\nby ben' }, '/reason', /one line/],
    ['by nobody', { by: '' }, '/by', /must not be empty/],
    ['for ever', { for: '8d' }, '/for', /1s to 7d/],
    ['for no time', { for: '0s' }, '/for', /1s to 7d/],
    ['for a while', { for: 'a while' }, '/for', /1s to 7d/],
    ['with a typo', { untill: 'tomorrow' }, '/untill', /not a known field/],
  ])('%s is refused and changes nothing', async (_name, change, pointer, detail) => {
    const answer = await post('/v1/gate/overrides', { ...WISH, ...change });
    expect(answer.status).toBe(400);
    const { errors } = (await answer.json()) as { errors: { pointer: string; detail: string }[] };
    expect(errors.map((error) => error.pointer)).toEqual([pointer]);
    expect(errors[0]?.detail).toMatch(detail);
    expect(service.gateBook.overrides()).toEqual([]);
  });

  it('needs the token where there is one; asking the gate does not', async () => {
    const token = new Secret('a-token-of-some-length');
    api = createApi(service, { host: '127.0.0.1', port: 0, publicUrl: null, token }, rememberingTelemetry().telemetry, () => NOW);
    expect((await post('/v1/gate/overrides', WISH)).status).toBe(401);
    expect((await post('/v1/gate/load-tests', { service: 'shop', outcome: 'pass', candidate: '2' })).status).toBe(401);
    expect((await ask('/v1/gate/overrides?service=shop&by=ben', { method: 'DELETE' })).status).toBe(401);
    expect(service.gateBook.overrides()).toEqual([]);
    expect(await gateOf()).toMatchObject({ answer: 'refuse' });
  });

  it('is logged with who and why, and when it was ended by whom', async () => {
    await post('/v1/gate/overrides', WISH);
    await ask('/v1/gate/overrides?service=shop&by=ben', { method: 'DELETE' });
    expect(service.gateLog.lines).toMatchObject([
      {
        level: 'warn',
        message: 'the deploy gate is overridden',
        fields: { service: 'shop', by: 'ana', reason: 'fixes the checkout', until: '2026-11-21T14:00:00.000Z' },
      },
      { level: 'warn', message: 'an override of the deploy gate was ended', fields: { by: 'ben', givenBy: 'ana' } },
    ]);
  });

  it('is not called in force while the store refuses', async () => {
    service.isKept = false;
    const answer = await post('/v1/gate/overrides', WISH);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect((await ask('/v1/gate/overrides?service=shop&by=ben', { method: 'DELETE' })).status).toBe(503);
    // It is ended in memory, but not for good yet.
    expect((await ask('/v1/gate/overrides?service=shop&by=ben', { method: 'DELETE' })).status).toBe(503);
    service.isKept = true;
    expect((await ask('/v1/gate/overrides?service=shop&by=ben', { method: 'DELETE' })).status).toBe(404);
  });
});

describe('a load test', () => {
  const TEST = { service: 'shop', outcome: 'fail', candidate: '1.5.0', summary: 'p95 of POST /checkout +34 %' };

  it('is of now unless it says when, and the newest counts', async () => {
    const kept = await post('/v1/gate/load-tests', TEST);
    expect([kept.status, await kept.json()]).toEqual([201, { ...TEST, at: NOW }]);
    await post('/v1/gate/load-tests', { ...TEST, candidate: '1.4.9', outcome: 'pass', at: '2026-11-21T10:00:00Z' });
    const { findings } = (await gateOf()) as { findings: { reason: string; text: string }[] };
    expect(findings.find(({ reason }) => reason === 'load_test_failed')?.text).toBe(
      'load test of 1.5.0 failed at 2026-11-21 12:00:00 UTC: p95 of POST /checkout +34 %',
    );
  });

  it.each<[string, object, string]>([
    ['of tomorrow', { at: '2026-11-22T12:00:00Z' }, '/at'],
    ['of no time', { at: 'yesterday' }, '/at'],
    ['of an outcome nobody knows', { outcome: 'good' }, '/outcome'],
    ['of nothing', { candidate: '' }, '/candidate'],
    ['of two lines', { summary: 'a\nb' }, '/summary'],
  ])('%s is refused', async (_name, change, pointer) => {
    const answer = await post('/v1/gate/load-tests', { ...TEST, ...change });
    expect([answer.status, await answer.json()]).toMatchObject([400, { errors: [{ pointer }] }]);
    expect(service.gateBook.loadTestsOf('shop')).toEqual([]);
  });
});
