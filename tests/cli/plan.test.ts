/** `slipstream plan` against a real API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { MemoryService, NOW } from '../api/memory-service.ts';
import { rememberingTelemetry } from '../api/remembering-telemetry.ts';
import { ran } from './streams.ts';

let api: Api;
let url = '';

beforeAll(async () => {
  api = createApi(
    new MemoryService(),
    { host: '127.0.0.1', port: 0, publicUrl: null, token: null },
    rememberingTelemetry().telemetry,
    () => NOW,
  );
  url = (await api.start()).address;
});

afterAll(() => api.stop());

const PLAN = ['plan', '--service', 'shop', '--share', '5%'];

describe('the plan', () => {
  it('says for each check what is found when, and what cannot be judged', async () => {
    const { code, stdout, stderr } = await ran([...PLAN, '--url', url]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('shop: a canary with 5 % of 40.0 requests/s, compared with 1, judged for 60 min\n');
    expect(stdout).toMatch(/^ENDPOINT +METRIC +EFFECT +NEEDS ABOUT +SMALLEST WITHIN 60 MIN +CAN BE JUDGED$/m);
    expect(stdout).toMatch(/^GET \/admin\\u\{1b\}\[2J +errors +errors \+ 1 % +never +none +no$/m);
    expect(stdout).toMatch(/^POST \/checkout +p99 +p99 × 1\.5 +40 min +p99 × 1\.42 +yes$/m);
    expect(stdout).toContain('1 of 2 checks cannot be judged in this time');
    expect(stdout).not.toContain('\u001b');
  });

  it('takes how long the run may last', async () => {
    expect((await ran([...PLAN, '--within', '2h', '--url', url])).stdout).toContain('judged for 2 h\n');
  });

  it('is data for programs', async () => {
    const json = JSON.parse((await ran([...PLAN, '--url', url, '-o', 'json'])).stdout);
    expect(json).toMatchObject({ service: 'shop', canaryShare: 0.05, withinMs: 3_600_000, checks: [{ isJudgeable: false }, {}] });
    expect(parse((await ran([...PLAN, '--url', url, '-o', 'yaml'])).stdout)).toEqual(json);
  });

  it('exits with 3 only when asked to check', async () => {
    expect((await ran([...PLAN, '--check', '--url', url])).code).toBe(3);
  });

  it.each([
    ['no share', ['plan', '--service', 'shop'], /required option '--share <percent>'/],
    ['no service', ['plan', '--share', '5%'], /required option '--service <name>'/],
    ['a share that could be a ratio or a percentage', ['plan', '--service', 'shop', '--share', '5'], /share of the traffic like 5%/],
    ['all of the traffic', ['plan', '--service', 'shop', '--share', '100%'], /more than 0% and less than 100%/],
  ])('with %s is wrong usage', async (_name, argv, message) => {
    const { code, stderr } = await ran([...argv, '--url', url]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  it.each([
    ['a service without traffic', ['--service', 'nobody'], /404 no span of this service came in the last 15 minutes/],
    ['a time that is none', ['--within', 'soon'], /400 \?within: must be a duration like 1h/],
  ])('for %s exits with 1 and says why', async (_name, argv, message) => {
    const { code, stderr } = await ran([...PLAN, ...argv, '--url', url]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });

  it('explains itself by examples', async () => {
    expect((await ran(['plan', '--help'])).stdout).toMatch(/^Examples:\n {2}slipstream plan --service checkout --share 5%/);
  });
});
