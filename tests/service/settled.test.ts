/** Waiting for a verdict: woken by what is decided, let go by time, by the caller, by the service, and bounded. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AnalysisRun, Decision, RunState } from '../../src/model/rollout.ts';
import { isSettled, MAX_WAITING, SettledRuns } from '../../src/service/settled.ts';
import { harmedRun } from '../api/memory-service.ts';
import { PipelineStand } from './pipeline-stand.ts';
import { HEALTHY, SICK } from './traffic.ts';

function runIn(state: RunState, decision: Decision = 'continue'): AnalysisRun {
  const run = harmedRun('r-1');
  return { ...run, state, verdict: { ...run.verdict, decision } };
}

let run: AnalysisRun | null;
let settled: SettledRuns;
const nobody = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
  run = runIn('running');
  settled = new SettledRuns((id) => (id === 'r-1' ? run : null));
});

afterEach(() => {
  vi.useRealTimers();
});

describe('what is settled', () => {
  it.each<[RunState, Decision, boolean]>([
    ['pending', 'continue', false],
    ['running', 'continue', false],
    ['running', 'hold', false],
    ['baking', 'promote', true],
    ['promoted', 'promote', true],
    ['rolled_back', 'rollback', true],
    ['held', 'hold', true],
    ['expired', 'hold', true],
    ['superseded', 'hold', true],
    ['aborted', 'hold', true],
  ])('a run that is %s and says %s: %s', (state, decision, expected) => {
    expect(isSettled(runIn(state, decision))).toBe(expected);
  });
});

describe('a caller that waits', () => {
  it.each([
    ['an unknown run', 'r-2', 1000],
    ['no time to wait', 'r-1', 0],
    ['a time that is no number', 'r-1', Number.NaN],
  ])('is answered at once: %s', async (_name, id, waitMs) => {
    expect(await settled.wait(id, waitMs, nobody)).toBe(id === 'r-1' ? run : null);
    expect(settled.waiting).toBe(0);
  });

  it('is answered at once when the run is settled already', async () => {
    run = runIn('rolled_back', 'rollback');
    expect(await settled.wait('r-1', 1000, nobody)).toBe(run);
  });

  it('is woken by the verdict and not by what changes before it', async () => {
    const waited = settled.wait('r-1', 60_000, nobody);
    run = runIn('running', 'hold');
    settled.look();
    expect(settled.waiting).toBe(1);
    run = runIn('promoted', 'promote');
    settled.look();
    expect(await waited).toBe(run);
    expect(settled.waiting).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gets the run as it stands when its time is over', async () => {
    const waited = settled.wait('r-1', 30_000, nobody);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(settled.waiting).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await waited).toBe(run);
    expect(settled.waiting).toBe(0);
  });

  it('gets nothing when the run is forgotten meanwhile', async () => {
    const waited = settled.wait('r-1', 30_000, nobody);
    run = null;
    settled.look();
    expect(await waited).toBeNull();
  });

  it('leaves nothing behind when it goes away', async () => {
    const client = new AbortController();
    const waited = settled.wait('r-1', 30_000, client.signal);
    client.abort();
    expect(await waited).toBe(run);
    expect([settled.waiting, vi.getTimerCount()]).toEqual([0, 0]);
    expect(await settled.wait('r-1', 30_000, client.signal)).toBe(run);
  });

  it('is let go when the service stops, and nobody waits after that', async () => {
    const waited = settled.wait('r-1', 30_000, nobody);
    settled.stop();
    expect(await waited).toBe(run);
    expect(await settled.wait('r-1', 30_000, nobody)).toBe(run);
    expect(settled.waiting).toBe(0);
  });
});

it('those beyond the limit are answered at once, and the place of one that is answered is free again', async () => {
  const clients = Array.from({ length: MAX_WAITING }, () => new AbortController());
  const waited = clients.map((client) => settled.wait('r-1', 30_000, client.signal));
  expect(settled.waiting).toBe(MAX_WAITING);
  expect(await settled.wait('r-1', 30_000, nobody)).toBe(run);
  clients[0]?.abort();
  const next = settled.wait('r-1', 30_000, nobody);
  expect(settled.waiting).toBe(MAX_WAITING);
  run = runIn('rolled_back', 'rollback');
  settled.look();
  expect(new Set(await Promise.all([...waited.slice(1), next]))).toEqual(new Set([run]));
  expect(settled.waiting).toBe(0);
});

it('a rollback that the pipeline decides wakes those who wait, and finds its signal journalled', async () => {
  const stand = new PipelineStand();
  const journalled: number[] = [];
  const waiting = new SettledRuns((id) => stand.stages.engine.rollouts.find(id)?.view() ?? null);
  stand.changed = () => {
    journalled.push(stand.delivered.length);
    waiting.look();
  };
  stand.pass(10, HEALTHY);
  stand.startRollout();
  const waited = waiting.wait('shop-1', 60_000, nobody);
  expect(waiting.waiting).toBe(1);
  stand.pass(25, SICK);
  expect(waiting.waiting).toBe(0);
  expect((await waited)?.state).toBe('rolled_back');
  expect(journalled.at(-1)).toBe(1);
});
