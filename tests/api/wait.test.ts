/** Long polls over HTTP: answered when there is a verdict, and let go when the caller hangs up. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import type { AnalysisRun } from '../../src/model/rollout.ts';
import { SettledRuns } from '../../src/service/settled.ts';
import { harmedRun, MemoryService } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

/** Waits as the service does. */
class WaitingService extends MemoryService {
  readonly waiters = new SettledRuns((id) => this.run(id));

  override settled(id: string, waitMs: number, abort: AbortSignal): Promise<AnalysisRun | null> {
    return this.waiters.wait(id, waitMs, abort);
  }
}

let service: WaitingService;
let api: Api;
let address: string;

beforeEach(async () => {
  service = new WaitingService();
  const config = { host: '127.0.0.1', port: 0, publicUrl: null, token: null };
  api = createApi(service, config, rememberingTelemetry().telemetry);
  address = (await api.start()).address;
  service.put({
    ...harmedRun('r-1'),
    state: 'running',
    verdict: { ...harmedRun('r-1').verdict, decision: 'continue', reason: 'accumulating' },
  });
});

afterEach(async () => {
  service.waiters.stop();
  await api.stop();
});

const waiting = (count: number) => expect.poll(() => service.waiters.waiting).toBe(count);

it.each(['/v1/rollouts/r-1?wait=60s', '/v1/verdict?rollout=r-1&wait=60s'])('GET %s is answered by the verdict', async (path) => {
  const answer = fetch(address + path);
  await waiting(1);
  service.put(harmedRun('r-1'));
  service.waiters.look();
  expect(await (await answer).json()).toMatchObject({ state: 'rolled_back' });
});

it('POST /v1/verdict waits for the run it started', async () => {
  const body = { service: 'cart', baseline: { v: '1' }, canary: { v: '2' }, wait: '60s' };
  const headers = { 'content-type': 'application/json' };
  const answer = fetch(`${address}/v1/verdict`, { method: 'POST', headers, body: JSON.stringify(body) });
  await waiting(1);
  const [wish] = service.asked;
  const run: AnalysisRun = harmedRun(wish?.id ?? '', 'cart');
  service.put({ ...run, rollout: { ...run.rollout, generation: 1 } });
  service.waiters.look();
  expect(await (await answer).json()).toMatchObject({ verdict: 'fail', score: 0, rollout: wish?.id });
});

it('a caller that hangs up leaves nothing behind', async () => {
  const client = new AbortController();
  const answer = fetch(`${address}/v1/rollouts/r-1?wait=60s`, { signal: client.signal });
  await waiting(1);
  client.abort();
  await expect(answer).rejects.toThrow('abort');
  await waiting(0);
});

it('a stop answers those who wait with the run as it stands', async () => {
  const answer = fetch(`${address}/v1/verdict?rollout=r-1&wait=60s`);
  await waiting(1);
  service.waiters.stop();
  expect(await (await answer).json()).toMatchObject({ verdict: 'inconclusive', state: 'running' });
});

it.each(['1h', '61s', 'soon', '-1s', '99999999999999999999w'])('?wait=%s is refused', async (wait) => {
  expect((await fetch(`${address}/v1/rollouts/r-1?wait=${wait}`)).status).toBe(400);
});

/** The later generation is another rollout, and what is proven of it must not roll back the one that was asked about. */
it.each(['GET', 'POST'])('%s of a verdict is not answered by a later generation that began meanwhile', async (method) => {
  const before = harmedRun('r-1', 'cart');
  const open = { ...before, state: 'running', verdict: { ...before.verdict, decision: 'continue', reason: 'accumulating' } } as const;
  service.put(open);
  const { canary, baseline } = before.rollout;
  const body = JSON.stringify({ id: 'r-1', service: 'cart', baseline, canary, generation: 3, wait: '60s' });
  const answer = fetch(
    method === 'GET' ? `${address}/v1/verdict?rollout=r-1&wait=60s` : `${address}/v1/verdict`,
    method === 'GET' ? {} : { method, headers: { 'content-type': 'application/json' }, body },
  );
  await waiting(1);
  service.put({ ...before, rollout: { ...before.rollout, generation: 4 } });
  service.waiters.look();
  expect(await (await answer).json()).toMatchObject({ verdict: 'inconclusive', reason: 'superseded' });
});
