/** The pipeline when the wall clock jumps, and when the store refuses what it is given. */
import { describe, expect, it } from 'vitest';
import { PipelineStand, type Recorded } from './pipeline-stand.ts';
import { HEALTHY, SICK } from './traffic.ts';

const NOTHING_RECORDED: Recorded = { changed: { runs: [], notes: [] }, signals: [], handedOver: Number.NaN };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('the pipeline', () => {
  it('rolls back a sick canary within seconds and hands over one journalled signal', () => {
    const stand = new PipelineStand();
    stand.pass(10, HEALTHY);
    stand.startRollout();
    stand.pass(25, SICK);
    expect(stand.run).toMatchObject({ state: 'rolled_back', verdict: { decision: 'rollback', reason: 'harm_proven' } });
    expect(stand.delivered).toMatchObject([{ state: 'pending', sink: 'print', signal: { id: stand.run.signalId, action: 'rollback' } }]);
    expect(stand.telemetry.value('spans_total', { disposition: 'counted' })).toBe(35 * 200);
  });
});

describe('a decision', () => {
  /** A stand whose run is about to be decided, with everything so far in the store. */
  function aboutToDecide(): PipelineStand {
    const stand = new PipelineStand();
    stand.pass(10, HEALTHY);
    stand.startRollout();
    stand.judging.checkpoint();
    stand.pass(25, SICK);
    return stand;
  }

  it('is durable with its signal, its run and the guard before the signal is handed over, and with nothing else', () => {
    const stand = aboutToDecide();
    expect(stand.store.recorded).toHaveLength(1);
    const [{ changed, signals, handedOver } = NOTHING_RECORDED] = stand.store.recorded;
    expect(handedOver).toBe(0);
    expect(signals.map(({ signal }) => signal.id)).toEqual([stand.run.signalId]);
    expect(changed.runs.map(({ json }) => JSON.parse(json).state)).toEqual(['rolled_back']);
    expect(changed.notes.map(({ key }) => key)).toEqual(['guard']);
    expect(JSON.parse(changed.notes[0]?.json ?? '').rollbacks).toHaveLength(1);
    expect(stand.delivered.map(({ signal }) => signal.id)).toEqual([stand.run.signalId]);
  });

  it('leaves to the next checkpoint what was counted, and the time up to which that is known', () => {
    const stand = aboutToDecide();
    const before = stand.store.load({}).at ?? 0;
    expect(before).toBeLessThan(stand.clock.now() - 20_000);
    stand.judging.checkpoint();
    const saved = stand.store.load({ 1: 0 });
    expect(saved.at).toBe(stand.clock.now());
    expect(saved.runs.map(({ json }) => JSON.parse(json).state)).toEqual(['rolled_back']);
    expect(stand.delivered).toHaveLength(1);
  });

  it('is neither forgotten nor decided anew after a crash before the next checkpoint', () => {
    const stand = aboutToDecide();
    const { signalId } = stand.run;
    const again = stand.crash();
    expect(again.run).toMatchObject({ state: 'rolled_back', signalId });
    again.pass(30, SICK);
    expect(again.delivered).toEqual([]);
    expect(again.store.journal.entries(10).map(({ signal }) => signal.id)).toEqual([signalId]);
    expect(again.stages.engine.controls.guard.rollbacks).toMatchObject([{ service: 'shop' }]);
  });

  it('that the store refuses is tried again with the next tick', () => {
    const stand = new PipelineStand();
    stand.pass(10, HEALTHY);
    stand.startRollout();
    stand.judging.checkpoint();
    stand.store.refuses = 'for now';
    stand.pass(25, SICK);
    expect(stand.delivered).toEqual([]);
    expect(stand.telemetry.lines.filter(({ message }) => message.startsWith('the store refuses'))).toHaveLength(1);
    stand.store.refuses = 'nothing';
    stand.pipeline.tick();
    expect(stand.delivered.map(({ signal }) => signal.id)).toEqual([stand.run.signalId]);
    expect(stand.judging.isDurable).toBe(true);
  });
});

describe('a jump of the wall clock', () => {
  it.each([
    ['an hour ahead', HOUR_MS],
    ['a day ahead', DAY_MS],
    ['an hour back', -HOUR_MS],
    ['a day back', -DAY_MS],
  ])(
    '%s, with the senders right: verdicts are frozen, nothing is concluded from it, and the run goes on when the clock is right again',
    (_, jumpMs) => {
      const stand = new PipelineStand();
      stand.startRollout();
      stand.pass(20, HEALTHY);
      const before = stand.counts;
      stand.clock.jump(jumpMs);
      stand.pass(5, SICK, jumpMs);
      expect(stand.run).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'clock_jump' } });
      stand.clock.jump(-jumpMs);
      stand.pass(50, HEALTHY);
      expect(stand.run).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'clock_jump' } });
      expect(stand.counts.valid).toBeGreaterThanOrEqual(before.valid + 50 * 200 - 400);
      stand.pass(30, SICK);
      expect(stand.run).toMatchObject({ state: 'rolled_back', verdict: { reason: 'harm_proven' } });
      expect(stand.telemetry.lines.filter(({ message }) => message.startsWith('the wall clock jumped'))).toHaveLength(2);
    },
  );

  it('with the senders jumping along: the run goes on with the new time', () => {
    const stand = new PipelineStand();
    stand.startRollout();
    stand.pass(20, HEALTHY);
    stand.clock.jump(60_000);
    stand.pass(5, SICK);
    expect(stand.run.verdict).toMatchObject({ decision: 'hold', reason: 'clock_jump' });
    stand.pass(60, HEALTHY);
    stand.pass(30, SICK);
    expect(stand.run).toMatchObject({ state: 'rolled_back', verdict: { reason: 'harm_proven' } });
  });

  it('neither loses nor invents a request behind an objective', () => {
    const stand = new PipelineStand();
    stand.pass(20, HEALTHY);
    stand.clock.jump(90_000);
    stand.pipeline.tick();
    stand.clock.jump(-90_000);
    stand.pass(20, HEALTHY);
    stand.pass(2, []);
    expect(stand.counts).toEqual({ valid: 8_000, good: 8_000 });
    expect(stand.telemetry.value('late_spans_total')).toBe(0);
  });

  it('is noticed before anything is judged by the new time, even between two ticks', () => {
    const stand = new PipelineStand();
    stand.pass(10, HEALTHY);
    stand.startRollout();
    stand.pass(5, HEALTHY);
    stand.clock.jump(2 * HOUR_MS);
    stand.pass(1, SICK, 2 * HOUR_MS);
    expect(stand.run.history.map(({ reason }) => reason)).not.toContain('stale_telemetry');
    expect(stand.run.state).toBe('running');
  });
});

describe('a store that refuses', () => {
  it('lets no signal leave until it is journalled, and recovers by itself', () => {
    const stand = new PipelineStand();
    stand.pass(10, HEALTHY);
    stand.startRollout();
    stand.store.refuses = 'for now';
    stand.pass(25, SICK);
    expect(stand.run.state).toBe('rolled_back');
    expect(stand.delivered).toEqual([]);
    expect(stand.judging.isDurable).toBe(false);
    expect(stand.telemetry.value('checkpoint_failures_total')).toBeGreaterThan(0);
    expect(stand.judging.checkpoint()).toBe(false);
    stand.store.refuses = 'nothing';
    expect(stand.judging.checkpoint()).toBe(true);
    expect(stand.judging.isDurable).toBe(true);
    expect(stand.delivered.map(({ signal }) => signal.id)).toEqual([stand.run.signalId]);
    stand.judging.checkpoint();
    expect(stand.delivered).toHaveLength(1);
  });

  it('gets with a signal the state from which it follows, so that a crash right after cannot undo the rollback', () => {
    const stand = new PipelineStand();
    stand.pass(10, HEALTHY);
    stand.startRollout();
    stand.store.refuses = 'for now';
    stand.judging.checkpoint();
    stand.pass(25, SICK);
    stand.store.refuses = 'nothing';
    stand.judging.checkpoint();
    const saved = stand.store.load({});
    expect(stand.delivered).toHaveLength(1);
    expect(saved.runs.map(({ json }) => JSON.parse(json).state)).toEqual(['rolled_back']);
    expect(JSON.parse(saved.notes.find(({ key }) => key === 'guard')?.json ?? '').rollbacks).toHaveLength(1);
  });

  it('for good is given up what it will never take, counted, and the signals leave with the next checkpoint', () => {
    const stand = new PipelineStand();
    stand.pass(10, HEALTHY);
    stand.startRollout();
    stand.store.refuses = 'for good';
    stand.pass(25, SICK);
    expect(stand.delivered).toEqual([]);
    stand.store.refuses = 'nothing';
    expect(stand.judging.checkpoint()).toBe(true);
    expect(stand.delivered.map(({ signal }) => signal.id)).toEqual([stand.run.signalId]);
  });
});

describe('a process that stood still', () => {
  it.each([20_000, 70_000, 600_000])(
    'for %i ms takes what the senders kept for it, loses no request behind an objective, and goes on with the run',
    (pauseMs) => {
      const stand = new PipelineStand();
      stand.startRollout();
      stand.pass(20, HEALTHY);
      const from = stand.clock.now();
      stand.clock.pass(pauseMs);
      stand.pipeline.tick();
      stand.send(from, from + pauseMs, HEALTHY);
      expect(stand.run).toMatchObject({ state: 'running', lateRequests: 0 });
      stand.pass(5, HEALTHY);
      stand.pass(30, SICK);
      expect(stand.run).toMatchObject({ state: 'rolled_back', lateRequests: 0 });
      stand.pass(2, []);
      expect(stand.counts.valid).toBe(55 * 200 + pauseMs / 5);
      expect(stand.telemetry.value('late_spans_total')).toBe(0);
    },
  );
});
