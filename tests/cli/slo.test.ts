/** `slipstream slo` against a real API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { MemoryService, NOW } from '../api/memory-service.ts';
import { rememberingTelemetry } from '../api/remembering-telemetry.ts';
import { KEPT } from '../model/slo-reports.ts';
import { ran } from './streams.ts';

const service = new MemoryService();
let api: Api;
let url = '';

beforeAll(async () => {
  api = createApi(service, { host: '127.0.0.1', port: 0, publicUrl: null, token: null }, rememberingTelemetry().telemetry, () => NOW);
  url = (await api.start()).address;
});

afterAll(() => api.stop());

describe('the list', () => {
  it('has a line per objective with every percentage beside its integers', async () => {
    const { code, stdout, stderr } = await ran(['slo', '--url', url]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^ID +OBJECTIVE +WINDOW +STATE +SLI +BUDGET LEFT +BURN 1H +FORECAST +COVERAGE +ALERT$/m);
    expect(stdout).toMatch(
      /^shop:POST \/checkout:availability +availability: 99% +28d rolling +breached +98\.98 % \(3,962 of 4,003\) +-2\.4 % \(-1 of 40\) +0 +kept again in 3 days +99\.901 % \(40,280 of 40,320 minutes\) +page \(frozen\)$/m,
    );
    expect(stdout).toMatch(/^shop:availability +availability: 99\.9% .* 88 % \(451 of 512\) +3\.75 +spent in 7 days .* -$/m);
    expect(stdout).toMatch(/^shop:latency +latency: p95 < 300ms +28d rolling +no data +- +- +- +- +- +-$/m);
    expect(stdout).toContain('shop: nothing counts now, because of weekly-db');
  });

  it('is data for programs', async () => {
    const json = JSON.parse((await ran(['slo', 'list', '--url', url, '-o', 'json'])).stdout);
    expect(json.objectives[1]).toEqual(KEPT);
  });

  it('exits with 3 only when asked to check, and something is breached', async () => {
    expect((await ran(['slo', '--check', '--url', url])).code).toBe(3);
    expect((await ran(['slo', '--url', url])).code).toBe(0);
    service.objectives = [KEPT];
    expect((await ran(['slo', '--check', '--url', url])).code).toBe(0);
    service.objectives = new MemoryService().objectives;
  });

  it('says so when there is none', async () => {
    service.objectives = [];
    expect(await ran(['slo', '--check', '--url', url])).toMatchObject({ code: 0, stdout: 'No objective is declared.\n' });
    service.objectives = new MemoryService().objectives;
  });

  it.each([
    ['slo', '--check'],
    ['slo', 'list'],
    ['slo', 'explain'],
  ])('fails for a service that has none: `%s %s`', async (...argv) => {
    const { code, stderr } = await ran([...argv, '--service', 'nobody', '--url', url]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'slipstream: no objective of nobody is declared there\n' });
  });

  it('of an unknown word is wrong usage', async () => {
    const { code, stderr } = await ran(['slo', 'lst', '--url', url]);
    expect(code).toBe(2);
    expect(stderr).toContain("slo has no command 'lst'; it has list, explain, try, add, import, export");
  });
});

describe('the explanation', () => {
  it('is of the worst one when none is named', async () => {
    const { code, stdout } = await ran(['slo', 'explain', '--url', url]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^shop:POST \/checkout:availability is breached: 41 of 4,003 requests were bad, 40\.03 may be\n/);
  });

  it.each([
    ['its id', 'shop:availability'],
    ['a part that only one has', 'latency'],
  ])('takes %s', async (_name, wanted) => {
    expect((await ran(['slo', 'explain', wanted, '--url', url])).stdout).toContain(`${wanted} is `);
  });

  it.each([
    ['several', 'shop', 'shop could mean 3 objectives: shop:POST /checkout:availability, shop:availability, shop:latency'],
    ['none', 'nowhere', 'no objective nowhere is declared; there are shop:POST'],
  ])('of %s fails and names what there is', async (_name, wanted, message) => {
    const { code, stderr } = await ran(['slo', 'explain', wanted, '--url', url]);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  it('is the same page from the API', async () => {
    const { stdout } = await ran(['slo', 'explain', 'shop:availability', '--url', url]);
    const answer = await fetch(`${url}/v1/slo/explanation?objective=${encodeURIComponent('shop:availability')}`);
    expect(await answer.text()).toBe(stdout);
    expect((await fetch(`${url}/v1/slo/explanation?objective=nothing`)).status).toBe(404);
  });
});

describe('trying an objective', () => {
  it('asks for it as it was said and shows the interval with what is in doubt', async () => {
    const { code, stdout, stderr } = await ran(['slo', 'try', 'shop', 'p95 < 300ms', '--endpoint', 'POST /checkout', '--url', url]);
    expect([code, stderr]).toEqual([0, '']);
    expect(service.askedWhatIf.at(-1)).toEqual({
      service: 'shop',
      endpoint: 'POST /checkout',
      sli: { kind: 'latency', thresholdNs: 300_000_000 },
      target: 0.95,
      text: 'latency: p95 < 300ms',
      windowMs: 7 * 86_400_000,
    });
    expect(stdout).toContain('shop POST /checkout: latency: p95 < 300ms over 7d cannot be told');
    expect(stdout).toContain('SLI        94 % to 96 % (940 to 960 good of 1,000), target 95 %');
    expect(stdout).toContain('budget     -20 % to 20 % left (40 to 60 bad, 50 allowed)');
    expect(stdout).toContain('the limit lies in the bucket 299 ms to 300.031 ms, whose 20 requests are in doubt');
    expect(stdout).toContain('there is data only from 2026-11-21 11:00:00 UTC on');
  });

  it.each([
    ['99.9%', 'availability', 0.999],
    ['availability: 99.95%', 'availability', 0.9995],
    ['errors < 0.1%', 'errorRate', 0.999],
    ['error rate < 1%', 'errorRate', 0.99],
    ['p99<1s', 'latency', 0.99],
    ['latency: p50 < 20ms', 'latency', 0.5],
  ])('reads %s', async (objective, kind, target) => {
    expect((await ran(['slo', 'try', 'shop', objective, '--url', url])).code).toBe(0);
    expect(service.askedWhatIf.at(-1)).toMatchObject({ sli: { kind }, target });
  });

  it('takes the endpoint in the objective, too', async () => {
    await ran(['slo', 'try', 'shop', '99.9% on POST /checkout', '--url', url]);
    expect(service.askedWhatIf.at(-1)).toMatchObject({ endpoint: 'POST /checkout', text: 'availability: 99.9%' });
  });

  it.each([
    ['p95 < 300', /400 \?objective: .*unit is missing.*did you mean `p95 < 300ms`/],
    ['99.9', /400 \?objective: .*99\.9%/],
    ['99%, p95 < 1s', /400 \?objective: 2 objectives are asked for; expected one at a time/],
    ['throughput > 10/s', /400 \?objective: what is stored does not tell of/],
    ['fast enough', /400 \?objective: /],
    ['< 0.1%', /400 \?objective: .*did you mean `errors < 0\.1%`/],
    ['speed < 3%', /400 \?objective: /],
    ['100%', /400 \?objective: .*no error budget/],
  ])('refuses %s and says what was expected', async (objective, message) => {
    const { code, stderr } = await ran(['slo', 'try', 'shop', objective, '--url', url]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  it('of a service that is not known fails', async () => {
    const { code, stderr } = await ran(['slo', 'try', 'nobody', '99%', '--url', url]);
    expect(code).toBe(1);
    expect(stderr).toContain('404 no request of this service and endpoint is stored');
  });
});
