/** The rounds of the watchdog: what it counts, says once, keeps for status, and when it tells the world outside that all is well. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WatchdogPart } from '../../src/model/watchdog-view.ts';
import type { WatchdogCheck } from '../../src/service/watchdog/finding.ts';
import { Watchdog } from '../../src/service/watchdog/watchdog.ts';
import { ManualClock } from '../service/manual-clock.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';

const NOW = Date.UTC(2026, 4, 1, 12);

/** A watchdog over parts that are well unless `faults` says otherwise. */
function stand(parts: readonly WatchdogPart[], change: Partial<ConstructorParameters<typeof Watchdog>[0]> = {}) {
  const faults = new Map<WatchdogPart, string>();
  const telemetry = new MemoryTelemetry();
  const clock = new ManualClock(NOW);
  const beats: number[] = [];
  const heartbeat = {
    answer: null as string | null,
    send: async (at: number) => {
      beats.push(at);
      return heartbeat.answer;
    },
    close: async () => {},
  };
  const checks = parts.map((part): WatchdogCheck => ({ part, look: () => [{ part, fault: faults.get(part) ?? null }] }));
  const watchdog = new Watchdog({ checks, intervalMs: 30_000, heartbeat, telemetry, clock, member: null, ...change });
  return { watchdog, faults, telemetry, clock, beats, heartbeat };
}

const said = ({ lines }: MemoryTelemetry) => lines.map(({ level, fields, message }) => ({ level, message, ...fields }));

describe('a round', () => {
  it('in which all is well says so in metrics, in its view and outside, and not in the log', async () => {
    const { watchdog, telemetry, beats } = stand(['judging', 'state']);
    expect(watchdog.view).toEqual({ lastSuccessAt: null, faults: [] });
    expect(await watchdog.round()).toBe(true);
    expect(watchdog.view).toEqual({ lastSuccessAt: NOW, faults: [] });
    expect(telemetry.value('watchdog_last_success_timestamp_seconds')).toBe(NOW / 1000);
    expect(telemetry.value('watchdog_checks_total', { result: 'ok', part: 'judging' })).toBe(1);
    expect(telemetry.count('watchdog_seconds')).toBe(1);
    expect(beats).toEqual([NOW]);
    expect(telemetry.lines).toEqual([]);
  });

  it('that finds a fault is no success, and is told of once, until the part is well again', async () => {
    const { watchdog, faults, telemetry, clock, beats } = stand(['judging', 'state']);
    await watchdog.round();
    faults.set('judging', 'it has not moved for 12 s');
    clock.pass(30_000);
    expect(await watchdog.round()).toBe(false);
    faults.set('judging', 'it has not moved for 42 s');
    clock.pass(30_000);
    await watchdog.round();
    expect(watchdog.view).toEqual({
      lastSuccessAt: NOW,
      faults: [{ part: 'judging', fault: 'it has not moved for 42 s', since: NOW + 30_000, member: null }],
    });
    expect(telemetry.value('watchdog_checks_total', { result: 'failed', part: 'judging' })).toBe(2);
    expect(telemetry.value('watchdog_last_success_timestamp_seconds')).toBe(NOW / 1000);
    faults.clear();
    clock.pass(30_000);
    expect(await watchdog.round()).toBe(true);
    expect(beats).toEqual([NOW, NOW + 90_000]);
    expect(watchdog.view.faults).toEqual([]);
    expect(said(telemetry)).toEqual([
      { level: 'error', message: 'the watchdog finds a part that does not work', part: 'judging', fault: 'it has not moved for 12 s' },
      { level: 'info', message: 'the watchdog finds a part well again', part: 'judging', forMs: 60_000 },
    ]);
  });

  it('names parts in the order in which spans pass them, and the member whose they are', async () => {
    const { watchdog, faults } = stand(['delivery', 'decode', 'otlp_http'], { member: 'pod-3' });
    for (const part of ['delivery', 'decode', 'otlp_http'] as const) faults.set(part, 'broken');
    await watchdog.round();
    expect(watchdog.view.faults.map(({ part, member }) => [part, member])).toEqual([
      ['decode', 'pod-3'],
      ['otlp_http', 'pod-3'],
      ['delivery', 'pod-3'],
    ]);
  });

  it('keeps what was known of a part that could not be looked at', async () => {
    let findings: { part: WatchdogPart; fault: string | null }[] = [{ part: 'decide', fault: 'broken' }];
    const { watchdog } = stand([], { checks: [{ part: 'decide', look: () => findings }] });
    await watchdog.round();
    findings = [{ part: 'decode', fault: 'broken, too' }];
    await watchdog.round();
    expect(watchdog.view.faults.map(({ part }) => part)).toEqual(['decode', 'decide']);
  });

  it('goes on when looking at a part fails, and blames the part', async () => {
    const throwing: WatchdogCheck = {
      part: 'state',
      look: () => {
        throw new Error('no such table');
      },
    };
    const { watchdog, telemetry } = stand([], {
      checks: [throwing, { part: 'judging', look: () => Promise.resolve([{ part: 'judging', fault: null }]) }],
    });
    expect(await watchdog.round()).toBe(false);
    expect(watchdog.view.faults).toMatchObject([{ part: 'state', fault: 'looking failed: no such table' }]);
    expect(telemetry.value('watchdog_checks_total', { result: 'ok', part: 'judging' })).toBe(1);
  });

  it('that nobody outside hears of is a success all the same, and the heartbeat is at fault', async () => {
    const { watchdog, heartbeat } = stand(['judging']);
    heartbeat.answer = 'sending the heartbeat: ECONNREFUSED';
    expect(await watchdog.round()).toBe(true);
    expect(watchdog.view).toMatchObject({
      lastSuccessAt: NOW,
      faults: [{ part: 'heartbeat', fault: 'sending the heartbeat: ECONNREFUSED' }],
    });
    heartbeat.answer = null;
    await watchdog.round();
    expect(watchdog.view.faults).toEqual([]);
  });
});

describe('as time passes', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('the first round comes soon after the start, the others at their interval, none after the stop', async () => {
    const { watchdog, beats } = stand(['judging']);
    watchdog.start();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(beats).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(beats).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(beats).toHaveLength(3);
    await watchdog.stop();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(beats).toHaveLength(3);
  });

  it('a part that never answers is at fault after 5 s, and rounds do not pile up behind it', async () => {
    let looks = 0;
    const silent: WatchdogCheck = {
      part: 'otlp_grpc',
      look: () => {
        looks++;
        return new Promise(() => {});
      },
    };
    const { watchdog } = stand([], { checks: [silent], intervalMs: 1_000 });
    watchdog.start();
    await vi.advanceTimersByTimeAsync(5_500);
    expect(looks).toBe(1);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(looks).toBe(2);
    expect(watchdog.view.faults).toMatchObject([{ part: 'otlp_grpc', fault: 'no answer within 5000 ms' }]);
    await watchdog.stop();
  });

  it('what a round finds while all is stopped counts no more', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stopped: WatchdogCheck = {
      part: 'otlp_http',
      look: async () => {
        await promise;
        return [{ part: 'otlp_http', fault: 'it should listen, and does not' }];
      },
    };
    const { watchdog, telemetry } = stand([], { checks: [stopped] });
    const round = watchdog.round();
    await watchdog.stop();
    resolve();
    expect(await round).toBe(false);
    expect(telemetry.lines).toEqual([]);
  });
});
