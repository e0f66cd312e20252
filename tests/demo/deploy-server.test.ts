import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageOf } from '../../src/sinks/message.ts';
import { type DeployEvent, type DeployServer, startDeployServer } from './deploy-server.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr';

let server: DeployServer;
let events: DeployEvent[];
let judged: number[];

beforeEach(async () => {
  events = [];
  judged = [];
  server = await startDeployServer({
    service: 'checkout',
    secret: SECRET,
    tell: (event) => void events.push(event),
    judge: async (generation) => {
      judged.push(generation);
      return `run-${generation}`;
    },
  });
});

afterEach(() => server.stop());

/** The body that Slipstream would send. */
function body(generation = 1): string {
  const now = Date.now();
  return messageOf(
    {
      id: 'sig_1',
      rolloutId: 'ro_1',
      generation,
      policyId: 'p1',
      service: 'checkout',
      action: 'rollback',
      reason: 'harm_proven',
      summary: 'Roll back.',
      evidenceDigest: 'abc',
      evidenceAt: now,
      notAfter: now + 60_000,
      target: null,
      link: null,
      sinks: ['deploy'],
    },
    now,
  ).body;
}

async function deliver(text: string, { id = 'sig_1', secret = SECRET, at = new Date(), signed = text } = {}): Promise<Response> {
  return fetch(`${server.url}/webhooks/slipstream`, {
    method: 'POST',
    body: text,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, at, signed),
    },
  });
}

async function roll(): Promise<Response> {
  return fetch(`${server.url}/rollouts`, { method: 'POST', body: JSON.stringify({ canaryWeight: 0.5, decideWithinMs: 60_000 }) });
}

async function weights(): Promise<unknown> {
  return (await fetch(`${server.url}/weights`)).json();
}

describe('the deploy server', () => {
  it('starts a rollout, has it judged, and gives the canary its share', async () => {
    expect(await (await roll()).json()).toEqual({ generation: 1, runId: 'run-1' });
    expect(judged).toEqual([1]);
    expect(await weights()).toEqual({ generation: 1, canaryWeight: 0.5 });
  });

  it('moves traffic back on a signed rollback', async () => {
    await roll();
    const response = await deliver(body());
    expect([response.status, await response.json()]).toEqual([200, { effect: 'moved_back', canaryWeight: 0 }]);
    expect(await weights()).toEqual({ generation: 1, canaryWeight: 0 });
    expect(events.at(-1)).toMatchObject({ kind: 'signal', effect: 'moved_back', messageId: 'sig_1' });
  });

  it('answers a redelivery with success and changes nothing', async () => {
    await roll();
    await deliver(body());
    server.state.canaryWeight = 0.3;
    expect((await deliver(body())).status).toBe(200);
    expect(await weights()).toEqual({ generation: 1, canaryWeight: 0.3 });
  });

  it('refuses a signal for an older generation with 409', async () => {
    await roll();
    await roll();
    expect((await deliver(body(1))).status).toBe(409);
    expect(await weights()).toEqual({ generation: 2, canaryWeight: 0.5 });
  });

  it.each([
    ['another secret', () => deliver(body(), { secret: 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' })],
    ['a changed body', () => deliver(body().replace('"rollback"', '"promote"'), { signed: body() })],
    ['a timestamp of an hour ago', () => deliver(body(), { at: new Date(Date.now() - 3_600_000) })],
    ['no signature', () => fetch(`${server.url}/webhooks/slipstream`, { method: 'POST', body: body() })],
  ])('refuses %s with 401 and moves nothing', async (_, send) => {
    await roll();
    expect((await send()).status).toBe(401);
    expect(await weights()).toEqual({ generation: 1, canaryWeight: 0.5 });
    expect(events.at(-1)?.kind).toBe('signal_refused');
  });

  it('refuses a signed body that is no signal with 422', async () => {
    await roll();
    expect((await deliver('{"type":"ping"}')).status).toBe(422);
  });

  it('refuses a body of more than 64 KiB with 413', async () => {
    expect((await deliver('x'.repeat(64 * 1024 + 1))).status).toBe(413);
  });

  it('refuses a rollout that asks for more than all traffic with 400', async () => {
    const response = await fetch(`${server.url}/rollouts`, { method: 'POST', body: '{"canaryWeight":2,"decideWithinMs":1}' });
    expect(response.status).toBe(400);
    expect(judged).toEqual([]);
  });
});
