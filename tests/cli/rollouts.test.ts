/** `slipstream rollouts` against a real API: list, show, start, share and abort. */
import { describe, expect, it } from 'vitest';
import { harmedRun } from '../api/memory-service.ts';
import { OperatorStand } from './operator-stand.ts';
import { ran } from './streams.ts';

const stand = OperatorStand.forEach();
const START = ['rollouts', 'start', '--service', 'shop', '--generation', '7'];
const RELEASES = ['--canary', 'service.version=1.5.0', '--baseline', 'service.version=1.4.2'];

describe('rollouts', () => {
  it('are listed with their verdicts, and shown one by one', async () => {
    expect((await stand.run('rollouts')).stdout).toBe('No rollout is known.\n');
    stand.service.put(harmedRun('ro-1'));
    const list = await stand.run('rollouts');
    expect(list.code).toBe(0);
    expect(list.stdout).toMatch(/^ROLLOUT +SERVICE +STARTED +STATE +VERDICT/);
    expect(list.stdout).toMatch(/^ro-1#\d+ +shop .* rollback +/m);
    expect(JSON.parse((await stand.run('rollouts', '-o', 'json')).stdout)).toMatchObject({ total: 1, rollouts: [{ id: 'ro-1' }] });
    expect((await stand.run('rollouts', '--service', 'cart')).stdout).toBe('No rollout is known.\n');

    const page = await stand.run('rollouts', 'ro-1');
    expect(page.stdout).toContain('ro-1');
    expect(page.stdout.split('\n').length).toBeGreaterThan(5);
    expect((await stand.run('rollouts', 'ro-2')).code).toBe(1);
  });

  it('are cut to as many as are wanted', async () => {
    for (let n = 0; n < 3; n++) stand.service.put(harmedRun(`ro-${n}`));
    expect((await stand.run('rollouts', '--limit', '1')).stdout).toContain('and 2 older; --limit shows more');
  });

  it('are started with all that is given', async () => {
    const argv = [
      ...START,
      ...RELEASES,
      '--canary',
      'track=canary',
      '--target',
      'rollout/web/shop@7c9f',
      '--deadline',
      '30m',
      '--share',
      '0.1',
    ];
    const { code, stdout } = await stand.run(...argv);
    expect(code).toBe(0);
    expect(stdout).toMatch(/#7 of shop: pending/);
    expect(stand.service.asked.at(-1)).toMatchObject({
      service: 'shop',
      generation: 7,
      canary: { 'service.version': '1.5.0', track: 'canary' },
      baseline: { 'service.version': '1.4.2' },
      target: { kind: 'Rollout', namespace: 'web', name: 'shop', fence: '7c9f' },
      canaryShare: 0.1,
    });
    expect(stand.service.asked.at(-1)?.deadline).not.toBeNull();
  });

  it('are told their share with what they were started with', async () => {
    await stand.run(...START, ...RELEASES, '--id', 'ro-7');
    expect((await stand.run('rollouts', 'share', 'ro-7', '0.3')).code).toBe(0);
    expect(stand.service.asked.at(-1)).toMatchObject({
      id: 'ro-7',
      service: 'shop',
      generation: 7,
      canary: { 'service.version': '1.5.0' },
      baseline: { 'service.version': '1.4.2' },
      canaryShare: 0.3,
    });
  });

  it('that are over are not told their share without a word', async () => {
    stand.service.put({ ...harmedRun('ro-1'), state: 'rolled_back' });
    expect((await stand.run('rollouts', 'share', 'ro-1', '0.3')).stderr).toBe(
      'slipstream: ro-1 is rolled back: its share is of no matter any more\n',
    );
  });

  it('are aborted', async () => {
    await stand.run(...START, ...RELEASES, '--id', 'ro-7');
    const { code, stdout } = await stand.run('rollouts', 'abort', 'ro-7');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ro-7#7 of shop: aborted/);
    expect(stand.service.run('ro-7')?.state).toBe('aborted');
    expect((await stand.run('rollouts', 'abort', 'ro-8')).code).toBe(1);
  });
});

describe('wrong usage exits with 2 and starts nothing', () => {
  it.each<[string, string[], RegExp]>([
    ['no canary', [...START, '--baseline', 'a=b'], /--canary/],
    ['a generation that is none', ['rollouts', 'start', '--service', 's', ...RELEASES, '--generation', '1.5'], /whole number from 1 on/],
    ['a share in per cent', [...START, ...RELEASES, '--share', '30'], /above 0 and at most 1/],
    ['an empty share', ['rollouts', 'share', 'ro-1', ''], /above 0 and at most 1/],
    ['a target without its fence', [...START, ...RELEASES, '--target', 'Rollout/web/shop'], /KIND\/NAMESPACE\/NAME@FENCE/],
    [
      'a target of an unknown kind',
      [...START, ...RELEASES, '--target', 'Pod/web/shop@1'],
      /one of Rollout, Deployment, Canary, ServerGroup/,
    ],
    ['an attribute without a value', [...START, ...RELEASES, '--canary', 'track='], /attribute and its value/],
  ])('%s', async (_name, argv, message) => {
    const { code, stdout, stderr } = await stand.run(...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stand.service.asked).toEqual([]);
  });

  it('changes need the token', async () => {
    const { code, stderr } = await ran([...START, ...RELEASES, '--url', stand.url]);
    expect(code).toBe(1);
    expect(stderr).toContain('it is taken from the environment variable SLIPSTREAM_API_TOKEN');
    expect(stand.service.asked).toEqual([]);
  });
});
