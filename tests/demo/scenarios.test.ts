import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';
import { judgeStory, type Outcome, SCENARIO_NAMES, SCENARIOS, type ScenarioName, timetable } from './scenarios.ts';

const ROLLED_BACK: Outcome = { decision: 'rollback', wasRolledBack: true, firstBadAtMs: 1000, signalAtMs: 7000 };
const QUIET: Outcome = { decision: 'continue', wasRolledBack: false, firstBadAtMs: null, signalAtMs: null };

describe('a story', () => {
  it.each<[string, ScenarioName, Outcome, boolean]>([
    ['a bad release that was rolled back is right', 'both', ROLLED_BACK, true],
    ['a bad release that goes on is wrong', 'both', QUIET, false],
    ['a rollback decided upon but never delivered is wrong', 'both', { ...ROLLED_BACK, wasRolledBack: false, signalAtMs: null }, false],
    ['a rollback before the turn is wrong', 'errors', { ...ROLLED_BACK, firstBadAtMs: null }, false],
    ['a rollback before the first bad span is wrong', 'latency', { ...ROLLED_BACK, signalAtMs: 900 }, false],
    ['a healthy release that goes on is right', 'healthy', QUIET, true],
    ['a healthy release that is promoted is right', 'healthy', { ...QUIET, decision: 'promote' }, true],
    ['a healthy release that is rolled back is wrong', 'healthy', ROLLED_BACK, false],
    ['a healthy release that is held is wrong', 'healthy', { ...QUIET, decision: 'hold' }, false],
    ['a release without telemetry that is held is right', 'no-data', { ...QUIET, decision: 'hold' }, true],
    ['a release without telemetry that is promoted is wrong', 'no-data', { ...QUIET, decision: 'promote' }, false],
    ['a release without telemetry that is rolled back is wrong', 'no-data', ROLLED_BACK, false],
    ['no verdict is wrong', 'healthy', { ...QUIET, decision: null }, false],
  ])('%s', (_, name, outcome, isRight) => {
    expect(judgeStory(SCENARIOS[name], outcome).isRight).toBe(isRight);
  });

  it.each([25, 30, 45, 600])('of %d s leaves time between the turn and the end', (seconds) => {
    const times = timetable(seconds);
    expect(times.rolloutMs).toBeLessThan(times.turnMs);
    expect(times.endMs - times.turnMs).toBeGreaterThan(seconds * 500);
    expect(times.endMs).toBe(seconds * 1000);
  });
});

describe('the command line', () => {
  it('tells the story of both troubles for 45 s when nothing is asked for', () => {
    expect(parseOptions([])).toEqual({ kind: 'run', options: { scenario: 'both', seconds: 45, record: null, isOnKafka: false } });
  });

  it.each(SCENARIO_NAMES)('knows the story %s', (name) => {
    expect(parseOptions(['--scenario', name, '--seconds', '30', '--record', 'x.jsonl'])).toEqual({
      kind: 'run',
      options: { scenario: name, seconds: 30, record: 'x.jsonl', isOnKafka: false },
    });
  });

  it.each([
    [['--scenario', 'chaos']],
    [['--seconds', '24']],
    [['--seconds', 'many']],
    [['--record', '']],
    [['--record', 'x.jsonl', '--kafka']],
    [['--what']],
    [['more']],
  ])('refuses %j', (argv) => {
    expect(parseOptions(argv).kind).toBe('wrong');
  });
});
