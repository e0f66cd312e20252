/** `slipstream override` against a real API: what is forbidden, shown, ended, and how the breaker is reset. */
import { describe, expect, it } from 'vitest';
import { NOW } from '../api/memory-service.ts';
import { OperatorStand } from './operator-stand.ts';
import { ran } from './streams.ts';

const stand = OperatorStand.forEach();
const HOUR = 3_600_000;
const WHY = ['--reason', 'database is being moved', '--by', 'ana'];

describe('an override', () => {
  it.each([
    ['everything', [], 'everything'],
    ['a service', ['--service', 'shop'], 'service shop'],
    ['a rollout', ['--rollout', 'ro-1'], 'rollout ro-1'],
  ])('of %s is begun, listed and ended', async (_what, scope, text) => {
    const begun = await stand.run('override', '--mode', 'hold', ...WHY, ...scope, '--for', '2h');
    expect([begun.code, begun.stdout, begun.stderr]).toEqual([0, `${text}: no rollback leaves until 2026-11-21 14:00:00 UTC\n`, '']);
    expect(stand.service.controls.book.modeOf('shop', 'ro-1', NOW)).toBe('hold');

    const list = await stand.run('override', 'list');
    expect(list.code).toBe(0);
    expect(list.stdout).toContain('Breaker: closed; 0 of at most 3 rollbacks in the last hour.');
    expect(list.stdout).toMatch(new RegExp(`^${text} +hold +in force +ana .* database is being moved$`, 'm'));

    const ended = await stand.run('override', 'end', ...scope, '--by', 'ben');
    expect([ended.code, ended.stdout]).toEqual([0, `${text}: the override by ana is ended\n`]);
    expect(stand.service.controls.book.modeOf('shop', 'ro-1', NOW)).toBe('rollback');
    expect((await stand.run('override', 'list')).stdout).toMatch(new RegExp(`^${text} +hold +over +ana .* by ben +database`, 'm'));
    expect((await stand.run('override', 'end', ...scope, '--by', 'ben')).code).toBe(1);
  });

  it('without an end says so, and -o json has all of it', async () => {
    const { code, stdout } = await stand.run('override', '--mode', 'observe', ...WHY);
    expect([code, stdout]).toEqual([0, 'everything: nothing leaves until this is ended\n']);
    const json = JSON.parse((await stand.run('override', 'list', '-o', 'json')).stdout);
    expect(json).toMatchObject({
      killSwitchSince: null,
      overrides: [{ service: null, rollout: null, mode: 'observe', by: 'ana', until: null, isInForce: true }],
      breaker: { isOpen: false },
    });
  });

  it.each<[string, string[], number, RegExp]>([
    ['no mode', ['override', ...WHY], 2, /give --mode, --reason and --by/],
    ['no reason', ['override', '--mode', 'hold', '--by', 'ana'], 2, /give --mode, --reason and --by/],
    ['a mode nobody knows', ['override', '--mode', 'stop', ...WHY], 2, /Allowed choices are observe, hold/],
    ['two scopes', ['override', '--mode', 'hold', ...WHY, '--service', 'a', '--rollout', 'b'], 2, /not both/],
    ['an empty service, which would mean everything', ['override', '--mode', 'hold', ...WHY, '--service', ''], 2, /must not be empty/],
    ['an end by nobody', ['override', 'end'], 2, /required option '--by/],
    ['too long a time', ['override', '--mode', 'hold', ...WHY, '--for', '31d'], 1, /\/for: must be a duration of 1s to 30d/],
  ])('with %s is refused', async (_name, argv, code, message) => {
    const said = await stand.run(...argv);
    expect([said.code, said.stdout]).toEqual([code, '']);
    expect(said.stderr).toMatch(message);
    expect(stand.service.controls.book.overrides()).toEqual([]);
  });

  it('needs the token, and says where it is looked for', async () => {
    const { code, stderr } = await ran(['override', '--mode', 'hold', ...WHY, '--url', stand.url]);
    expect(code).toBe(1);
    expect(stderr).toContain('it is taken from the environment variable SLIPSTREAM_API_TOKEN');
  });
});

it('the kill switch file, a common cause and services that cool down are shown', async () => {
  const { controls } = stand.service;
  controls.book.switchedAt = NOW - HOUR;
  for (const name of ['a', 'b', 'c']) {
    controls.harmProven(name, NOW - 1000, { commonCause: { services: 3, withinMs: 60_000 } });
    controls.rolledBack(name, NOW - 1000);
  }
  const { stdout } = await stand.run('override', 'list');
  expect(stdout).toContain('The kill switch file is there since 2026-11-21 11:00:00 UTC: no rollback leaves.');
  expect(stdout).toContain('Breaker: open, no rollback leaves; 3 of at most 3 rollbacks in the last hour.');
  expect(stdout).toContain('Common cause: 3 services turned bad within 60 s since 2026-11-21 11:59:59 UTC; rollbacks are held.');
  expect(stdout).toContain('Cooling down: c until 2026-11-21 12:29:59 UTC.');

  const reset = await stand.run('override', 'reset-breaker', '--reason', 'three unlucky releases', '--by', 'ana');
  expect([reset.code, reset.stdout]).toEqual([0, 'the breaker is reset: 3 rollbacks may leave in the next hour\n']);
  expect(controls.book.resets()).toEqual([{ by: 'ana', reason: 'three unlucky releases', at: NOW }]);
  const after = await stand.run('override', 'list');
  expect(after.stdout).toContain('Breaker: closed; 0 of at most 3');
  expect(after.stdout).not.toContain('Common cause');
  expect(after.stdout).toContain('Cooling down: c');
});
