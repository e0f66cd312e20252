/** Looking at signals, and saying what became of them, over HTTP. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { Secret } from '../../src/config/secret.ts';
import { MemoryService } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

const TOKEN = 'a-token-of-at-least-thirty-two-chars';

let service: MemoryService;
let api: Api;

beforeEach(() => {
  service = new MemoryService();
  const config = { host: '127.0.0.1', port: 0, publicUrl: null, token: new Secret(TOKEN) };
  api = createApi(service, config, rememberingTelemetry().telemetry, () => 0);
});

async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; body: unknown; retryAfter: string | null }> {
  const answer = await api.fetch(new Request(`http://localhost${path}`, { ...init, headers: { host: 'localhost', ...init.headers } }));
  return { status: answer.status, body: await answer.json(), retryAfter: answer.headers.get('retry-after') };
}

function tell(body: unknown, id = 'sig_1', token = TOKEN) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return ask(`/v1/signals/${id}/outcome`, { method: 'POST', body: JSON.stringify(body), headers });
}

const DONE = { outcome: 'done', by: 'pipeline 7' };

describe('a signal', () => {
  it('is shown with all that its delivery is waiting for', async () => {
    const { status, body } = await ask('/v1/signals/sig_1');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      signals: [
        {
          id: 'sig_1',
          sink: 'deployer',
          state: 'acknowledged',
          isOpen: false,
          escalatedAt: null,
          target: { kind: 'Rollout' },
          link: expect.any(String),
        },
      ],
    });
  });

  it('that nobody knows is not found', async () => {
    expect(await ask('/v1/signals/sig_0')).toMatchObject({ status: 404 });
  });
});

describe('what became of a signal', () => {
  it('is kept, for one sink or for all that wait, and may be said again', async () => {
    expect(await tell(DONE)).toMatchObject({ status: 200, body: { signals: [{ id: 'sig_1', state: 'confirmed' }] } });
    expect(await tell({ ...DONE, sink: 'deployer', detail: 'revision 6 serves' })).toMatchObject({ status: 200 });
    expect(service.reported).toEqual([
      { signalId: 'sig_1', sink: null, outcome: 'done', by: 'pipeline 7', detail: '' },
      { signalId: 'sig_1', sink: 'deployer', outcome: 'done', by: 'pipeline 7', detail: 'revision 6 serves' },
    ]);
  });

  it('cannot be changed once it is said', async () => {
    await tell(DONE);
    expect(await tell({ ...DONE, outcome: 'not_done' })).toMatchObject({ status: 409, body: { title: 'Over' } });
  });

  it('is not listened to for a sink that does not wait for it', async () => {
    expect(await tell({ ...DONE, sink: 'print' })).toMatchObject({ status: 409, body: { title: 'Not awaited' } });
  });

  it.each([
    ['without a token', 401, 'sig_1', 'wrong'],
    ['of a signal that nobody knows', 404, 'sig_0', TOKEN],
    ['that cannot be kept', 503, 'sig_full', TOKEN],
  ])('%s is answered with %i', async (_, status, id, token) => {
    const answer = await tell(DONE, id, token);
    expect(answer.status).toBe(status);
    expect(answer.retryAfter).toBe(status === 503 ? '5' : null);
    expect(service.reported).toEqual([]);
  });

  it.each([
    [{ by: 'ana' }, '/outcome'],
    [{ outcome: 'perhaps', by: 'ana' }, '/outcome'],
    [{ outcome: 'done' }, '/by'],
    [{ outcome: 'done', by: '   ' }, '/by'],
    [{ outcome: 'done', by: 'ana\nmallory' }, '/by'],
    [{ ...DONE, detail: 'x'.repeat(1_001) }, '/detail'],
    [{ ...DONE, extra: 1 }, '/extra'],
  ])('%j is refused and says where', async (body, pointer) => {
    const answer = await tell(body);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
    expect(service.reported).toEqual([]);
  });
});
