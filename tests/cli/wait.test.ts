/** `slipstream wait` against a real API: the verdict is the exit code, whatever happens on the way. */
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { AnalysisRun, RunState } from '../../src/model/rollout.ts';
import { harmedRun } from '../api/memory-service.ts';
import { OperatorStand } from './operator-stand.ts';
import { ran } from './streams.ts';

const stand = OperatorStand.forEach();

function runIn(state: RunState, id = 'ro-1'): AnalysisRun {
  return { ...harmedRun(id), state };
}

/** Says one state after the other, one for each time it is asked, and the last for ever; null: the rollout is not known yet. */
function says(...states: readonly (RunState | null)[]): { asked: number } {
  const count = { asked: 0 };
  stand.service.settled = () => {
    const state = states[Math.min(count.asked++, states.length - 1)];
    return state === null || state === undefined ? null : runIn(state);
  };
  return count;
}

describe('the exit code is the verdict', () => {
  it.each<[RunState, number, number]>([
    ['promoted', 0, 0],
    ['baking', 0, 0],
    ['rolled_back', 1, 1],
    ['held', 2, 0],
    ['superseded', 2, 0],
    ['expired', 2, 0],
    ['aborted', 2, 0],
  ])('of a rollout that is %s: %d, with --inconclusive-ok %d', async (state, usual, lenient) => {
    stand.service.put(runIn(state));
    const said = await stand.run('wait', 'ro-1');
    expect(said.code).toBe(usual);
    expect(said.stdout).toMatch(/^ro-1: (pass|fail|inconclusive): Roll back: .*\n$/);
    expect((await stand.run('wait', 'ro-1', '--inconclusive-ok')).code).toBe(lenient);
  });

  it('of one that is still judged when the time is up: 2', async () => {
    stand.service.put(runIn('running'));
    const { code, stdout } = await stand.run('wait', 'ro-1', '--timeout', '200ms');
    expect(code).toBe(2);
    expect(stdout).toMatch(/^ro-1: time is up: /);
    expect((await stand.run('wait', 'ro-1', '--timeout', '200ms', '--inconclusive-ok')).code).toBe(0);
  });

  it('and the run is there as data', async () => {
    stand.service.put(runIn('promoted'));
    const { stdout } = await stand.run('wait', 'ro-1', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ rollout: { id: 'ro-1' }, state: 'promoted' });
  });
});

describe('whatever keeps it from being asked exits with 3', () => {
  it.each<[string, string[], RegExp]>([
    ['nothing to wait for', ['wait'], /give the id of a rollout, or --service NAME and --canary/],
    ['a service without a canary', ['wait', '--service', 'shop'], /give the id of a rollout, or/],
    ['both ways to name it', ['wait', 'ro-1', '--service', 'shop'], /not both/],
    ['an empty id', ['wait', ''], /must not be empty/],
    ['an attribute that is none', ['wait', '--service', 'shop', '--canary', '1.5.0'], /attribute and its value/],
    ['a time without an end', ['wait', 'ro-1', '--timeout', 'long'], /must be a duration/],
    ['a mistyped option', ['wait', 'ro-1', '--time-out', '1m'], /unknown option/],
  ])('%s', async (_name, argv, message) => {
    const { code, stdout, stderr } = await stand.run(...argv);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(message);
  });

  it('a rollout that nobody announced, lenient or not', async () => {
    const { code, stderr } = await stand.run('wait', 'nobody', '--timeout', '100ms', '--inconclusive-ok');
    expect(code).toBe(3);
    expect(stderr).toMatch(/404 .*; asking again for/);
  });

  it('nobody who answers', async () => {
    await stand.stop();
    const { code, stderr } = await stand.run('wait', 'ro-1', '--timeout', '100ms');
    expect(code).toBe(3);
    expect(stderr).toMatch(/connection refused.*; asking again/);
  });

  it('somebody else who answers, at once', async () => {
    const other = createServer((_request, response) => response.end('{"state":"promoted"}')).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { code, stderr } = await ran(['wait', 'ro-1', '--url', `http://127.0.0.1:${port}`]);
    other.close();
    expect(code).toBe(3);
    expect(stderr).toMatch(/not that of a Slipstream/);
  });
});

describe('on the way', () => {
  it('each change of the verdict is one line', async () => {
    const count = says('pending', 'running', 'running', 'rolled_back');
    const { code, stderr } = await stand.run('wait', 'ro-1', '--timeout', '10s');
    expect([code, count.asked]).toEqual([1, 4]);
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/\d\d:\d\d:\d\d/, 'TIME')),
    ).toEqual([
      expect.stringMatching(/^slipstream: TIME.* pending: rollback, harm proven$/),
      expect.stringMatching(/^slipstream: TIME.* running: rollback, harm proven$/),
      expect.stringMatching(/^slipstream: TIME.* rolled back: rollback, harm proven$/),
    ]);
  });

  it('one that is announced later is waited for', async () => {
    const count = says(null, null, 'promoted');
    expect((await stand.run('wait', 'ro-1', '--timeout', '8s')).code).toBe(0);
    expect(count.asked).toBe(3);
  });

  it('a restart of the service is survived', async () => {
    says('running', 'promoted');
    const { port } = stand;
    const waiting = stand.run('wait', 'ro-1', '--timeout', '20s');
    await stand.stop();
    const restarted = new Promise((resolve) => setTimeout(resolve, 300)).then(() => stand.start(port));
    const { code, stdout } = await waiting;
    await restarted;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ro-1: pass: /);
  });

  it('the rollout is found by its service and canary', async () => {
    const other = harmedRun('ro-0');
    stand.service.put({ ...other, rollout: { ...other.rollout, canary: { 'service.version': '0.9' } }, state: 'rolled_back' });
    stand.service.put({
      ...other,
      rollout: { ...other.rollout, id: 'ro-9', canary: { 'service.version': '2.0', track: 'canary' } },
      state: 'promoted',
    });
    const argv = ['wait', '--service', other.rollout.service, '--timeout', '300ms', '--canary'];
    const { code, stderr } = await stand.run(...argv, 'service.version=2.0');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^slipstream: rollout ro-9\n/);
    expect((await stand.run(...argv, 'service.version=2.0', '--canary', 'track=canary')).code).toBe(0);
    const none = await stand.run(...argv, 'service.version=3.0');
    expect(none.code).toBe(3);
    expect(none.stderr).toContain('none of them has the canary service.version=3.0');
  });
});
