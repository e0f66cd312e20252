/** Holding signals back over HTTP: what is asked, what is kept, and what is shown of the breaker. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { Secret } from '../../src/config/secret.ts';
import { NOW } from '../decide/gate-facts.ts';
import { MemoryService } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

const HOUR = 3_600_000;
const TOKEN = 'a-token-of-some-length';

let service: MemoryService;
let api: Api;

beforeEach(() => {
  service = new MemoryService();
  const config = { host: '127.0.0.1', port: 0, publicUrl: null, token: new Secret(TOKEN) };
  api = createApi(service, config, rememberingTelemetry().telemetry, () => NOW);
});

function ask(path: string, init: RequestInit = {}, token = TOKEN): Promise<Response> {
  const headers = { host: 'localhost', ...(token !== '' && { authorization: `Bearer ${token}` }), ...init.headers };
  return api.fetch(new Request(`http://localhost${path}`, { ...init, headers }));
}

function post(path: string, body: object, token = TOKEN): Promise<Response> {
  return ask(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }, token);
}

const WISH = { mode: 'hold', by: 'ana', reason: 'database is being moved' };

describe('an override', () => {
  it.each([
    ['everything', {}, ''],
    ['a service', { service: 'shop' }, '&service=shop'],
    ['a rollout', { rollout: 'ro-1' }, '&rollout=ro-1'],
  ])('of %s is in force until it is ended, and stays in the list', async (_what, scope, query) => {
    const entry = { service: null, rollout: null, ...scope, ...WISH, at: NOW, until: null, endedAt: null, endedBy: null, isInForce: true };
    const begun = await post('/v1/overrides', { ...WISH, ...scope });
    expect([begun.status, await begun.json()]).toEqual([201, entry]);
    expect(await (await ask('/v1/overrides')).json()).toEqual({ now: NOW, killSwitchSince: null, overrides: [entry] });
    expect(service.controls.book.modeOf('shop', 'ro-1', NOW)).toBe('hold');

    const ended = await ask(`/v1/overrides?by=ben${query}`, { method: 'DELETE' });
    expect([ended.status, await ended.json()]).toEqual([200, { ...entry, endedAt: NOW, endedBy: 'ben', isInForce: false }]);
    expect(service.controls.book.modeOf('shop', 'ro-1', NOW)).toBe('rollback');
    expect((await ask(`/v1/overrides?by=ben${query}`, { method: 'DELETE' })).status).toBe(404);
    expect(service.controlLog.lines.map(({ message }) => message)).toEqual([
      'an operator holds signals back',
      'an override of signals was ended',
    ]);
  });

  it('of one scope is not ended by the end of another', async () => {
    await post('/v1/overrides', { ...WISH, service: 'shop' });
    expect((await ask('/v1/overrides?by=ben', { method: 'DELETE' })).status).toBe(404);
    expect((await ask('/v1/overrides?by=ben&service=cart', { method: 'DELETE' })).status).toBe(404);
    expect(service.controls.book.inForce(NOW)).toHaveLength(1);
  });

  it('for a while ends by itself', async () => {
    const begun = await post('/v1/overrides', { ...WISH, for: '2h' });
    expect(await begun.json()).toMatchObject({ until: NOW + 2 * HOUR });
    expect(service.controls.book.modeOf('shop', 'r', NOW + 2 * HOUR - 1)).toBe('hold');
    expect(service.controls.book.modeOf('shop', 'r', NOW + 2 * HOUR)).toBe('rollback');
  });

  it.each<[string, object, string]>([
    ['a mode nobody knows', { ...WISH, mode: 'rollback' }, '/mode'],
    ['no mode', { by: 'ana', reason: 'database is being moved' }, '/mode'],
    ['a reason that says nothing', { ...WISH, reason: 'because' }, '/reason'],
    ['nobody', { ...WISH, by: ' ' }, '/by'],
    ['two scopes at once', { ...WISH, service: 'shop', rollout: 'r' }, '/rollout'],
    ['a typo that would mean everything', { ...WISH, servcie: 'shop' }, '/servcie'],
    ['too long a time', { ...WISH, for: '31d' }, '/for'],
  ])('with %s is refused', async (_what, body, pointer) => {
    const answer = await post('/v1/overrides', body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ pointer }] });
    expect(service.controls.book.overrides()).toEqual([]);
  });

  it('needs the token, and so do its end and a reset', async () => {
    expect((await post('/v1/overrides', WISH, '')).status).toBe(401);
    expect((await ask('/v1/overrides?by=ana', { method: 'DELETE' }, '')).status).toBe(401);
    expect((await post('/v1/breaker/reset', { by: 'ana', reason: 'looked at it all' }, '')).status).toBe(401);
    expect((await ask('/v1/overrides', {}, '')).status).toBe(200);
  });

  it('that is not durable is in force all the same, and whoever asked is told to ask again', async () => {
    service.isKept = false;
    const answer = await post('/v1/overrides', WISH);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(service.controls.book.modeOf('shop', 'r', NOW)).toBe('hold');
  });
});

describe('the breaker', () => {
  it('shows what it counts, who cools down and a common cause', async () => {
    for (const name of ['a', 'b', 'c']) {
      service.controls.harmProven(name, NOW - 1000, { commonCause: { services: 3, withinMs: 60_000 } });
      service.controls.rolledBack(name, NOW - 1000);
    }
    expect(await (await ask('/v1/breaker')).json()).toMatchObject({
      now: NOW,
      rollbacksLastHour: 3,
      maxRollbacksPerHour: 3,
      isOpen: true,
      coolDowns: [{ service: 'a' }, { service: 'b' }, { service: 'c' }],
      commonCause: { since: NOW - 1000, until: NOW + 59_000 },
      resets: [],
    });
  });

  it('is reset by somebody who has looked, and says who', async () => {
    for (const name of ['a', 'b', 'c']) service.controls.rolledBack(name, NOW - 1000);
    const reset = await post('/v1/breaker/reset', { by: 'ana', reason: 'three unlucky releases' });
    expect(reset.status).toBe(200);
    expect(await reset.json()).toMatchObject({
      rollbacksLastHour: 0,
      isOpen: false,
      coolDowns: [{ service: 'a' }, { service: 'b' }, { service: 'c' }],
      resets: [{ by: 'ana', reason: 'three unlucky releases', at: NOW }],
    });
  });
});
