/** Operators are told once why verdicts wait, and once that they do not any more. */
import { expect, it } from 'vitest';
import { SourceBook } from '../../src/engine/source-book.ts';
import { InputWatch } from '../../src/service/input-watch.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { ManualClock } from './manual-clock.ts';

it('a doubt that lasts is logged with the sources that are waited for, and its end, and both can be seen as metrics', () => {
  const clock = new ManualClock(1_800_000_000_000);
  const telemetry = new MemoryTelemetry();
  const book = new SourceBook({ waitMs: 120_000 });
  const watch = new InputWatch(book, { telemetry, clock });
  const pass = (seconds: number, isComplete: boolean): void => {
    for (let i = 0; i < seconds; i++) {
      clock.pass(1000);
      const progress = [{ source: 't/0', completeUntilMs: clock.now(), isClosed: false }];
      const other = isComplete ? [{ source: 't/1', completeUntilMs: clock.now(), isClosed: false }] : [];
      book.report({ member: 'm', progress: [...progress, ...other], expected: ['t/0', 't/1'], gaps: [] }, clock.now());
      watch.look();
      watch.showCounts();
    }
  };
  const lines = (level: string) => telemetry.lines.filter((line) => line.level === level).map(({ message }) => message);
  pass(10, true);
  expect([telemetry.value('stream_lag_seconds'), telemetry.value('sources_waited_for')]).toEqual([0, 0]);
  pass(70, false);
  expect([telemetry.value('stream_lag_seconds'), telemetry.value('sources_waited_for'), lines('warn')]).toEqual([70, 1, []]);
  pass(20, false);
  expect(lines('warn')).toEqual(['verdicts wait for spans that are not counted yet']);
  pass(60, false);
  expect([telemetry.value('sources_waited_for'), telemetry.value('sources_given_up')]).toEqual([0, 1]);
  pass(5, true);
  expect(lines('warn')).toHaveLength(1);
  expect(lines('info')).toEqual(['all spans up to now are counted again: verdicts are given']);
});
