/** The watchdog's story: told well by the real stages at any time, and a stage that is made wrong on purpose is named. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../src/model/errors.ts';
import type { WatchdogPart } from '../../src/model/watchdog-view.ts';
import { type StoryStages, tellStory } from '../../src/service/watchdog/story.ts';
import { storyCheck } from '../../src/service/watchdog/story-check.ts';
import { STORY_SINK } from '../../src/service/watchdog/story-config.ts';
import type { StoryRole } from '../../src/service/watchdog/story-stages.ts';
import { ALL_RUN_ACTIONS, type Sink } from '../../src/sinks/sink.ts';
import { goodStages, withCarry, withEngine, withIngest } from './broken-stages.ts';

const NOW = Date.UTC(2026, 4, 1, 12);
const clock = { now: () => NOW };

const look = (stages: () => StoryStages, sink?: Sink) =>
  storyCheck({ stages, clock, publicUrl: 'https://slipstream.example.com', ...(sink !== undefined && { sink }) }).look();

const partsOf = async (role: StoryRole) => (await look(() => goodStages(role))).map(({ part }) => part);

describe('a bad and a healthy canary that are made up', () => {
  it.each<[StoryRole, readonly WatchdogPart[]]>([
    ['all', ['decode', 'aggregate', 'window', 'evaluate', 'decide', 'signal']],
    ['ingest', ['decode', 'aggregate', 'wire']],
    ['evaluate', ['decode', 'aggregate', 'wire', 'window', 'evaluate', 'decide', 'signal']],
  ])('pass all stages that role %s has, and none is at fault', async (role, parts) => {
    const findings = await look(() => goodStages(role));
    expect(findings.filter(({ fault }) => fault !== null)).toEqual([]);
    expect(await partsOf(role)).toEqual(parts);
  });

  it('come out the same at any time and with any precision of histograms', () => {
    const story = fc.record({
      kind: fc.constantFrom('bad', 'healthy'),
      role: fc.constantFrom<StoryRole>('all', 'evaluate'),
      digits: fc.constantFrom(1, 2, 3),
      // Slots are seconds in 32 bits.
      now: fc.integer({ min: Date.UTC(2001), max: Date.UTC(2038) }),
    });
    fc.assert(
      fc.property(story, ({ kind, role, digits, now }) => {
        const { findings, signal } = tellStory(kind as 'bad', goodStages(role, digits), now);
        expect(findings.filter(({ fault }) => fault !== null)).toEqual([]);
        expect(signal?.action).toBe(kind === 'bad' ? 'rollback' : 'promote');
      }),
      { numRuns: 25 },
    );
  });
});

describe('a stage that is wrong is named, and what is wrong with it', () => {
  it.each<[string, () => StoryStages, WatchdogPart, RegExp]>([
    [
      'refuses good requests',
      () => withIngest(() => ({ consume: () => ({ kind: 'malformed', message: 'field 7 at byte 3' }) })),
      'decode',
      /should be taken, and were malformed: field 7 at byte 3/,
    ],
    [
      'rejects a span',
      () => withIngest(({ consume }) => ({ consume: (...request) => ({ ...consume(...request), accepted: 39 }) as never })),
      'decode',
      /spans taken should be 40 and is 39/,
    ],
    [
      'forgets failures',
      () => withIngest(({ flush }) => ({ flush: (origin) => ({ ...flush(origin), failed: new Uint32Array(1_000) }) })),
      'aggregate',
      /bad canary: failed spans counted should be 10 and is 0/,
    ],
    [
      'sends records that nobody can read',
      () => withCarry(() => () => 'kind at byte 0: this is no record of ours'),
      'wire',
      /counts cannot be read: kind at byte 0/,
    ],
    ['loses counts on the way', () => withCarry(() => () => []), 'wire', /spans counted should be 40 and is 0/],
    [
      'drops every flush but the first as a repetition',
      () => withEngine(({ merge }) => ({ merge: (flush) => merge({ ...flush, origin: { ...flush.origin, sequence: 1 } }) })),
      'window',
      /requests in the window should be 600 and is 40/,
    ],
    [
      'throws',
      () =>
        withEngine(() => ({
          advance: () => {
            throw new RangeError('invalid typed array length');
          },
        })),
      'evaluate',
      /it failed: invalid typed array length/,
    ],
    ['never judges', () => withEngine(() => ({ advance: () => [] })), 'evaluate', /./],
    [
      'says nothing of what it decided',
      () => withEngine(({ advance }) => ({ advance: (...at) => advance(...at).map((decision) => ({ ...decision, signal: null })) })),
      'decide',
      /bad canary: what leaves should be rollback and is nothing/,
    ],
    [
      'lets no run begin',
      () => withEngine(() => ({ startRollout: () => ({ kind: 'full', limit: 0 }) })),
      'decide',
      /its run should start, and full was the answer/,
    ],
  ])('one that %s', async (_name, stages, part, fault) => {
    const findings = await look(stages);
    const wrong = findings.filter((finding) => finding.fault !== null);
    expect(wrong).toEqual([{ part, fault: expect.stringMatching(fault) }]);
  });

  it('one that rolls back a healthy canary, although it finds the bad one', async () => {
    const findings = await look(() =>
      withEngine(({ advance }) => ({
        advance: (...at) =>
          advance(...at).map((decision) =>
            decision.signal === null ? decision : { ...decision, signal: { ...decision.signal, action: 'rollback' as const } },
          ),
      })),
    );
    expect(findings).toContainEqual({ part: 'decide', fault: 'a made-up healthy canary: what leaves should be promote and is rollback' });
  });
});

describe('a signal that does not get so far as it should', () => {
  const sink = (change: Partial<Sink>): Sink => ({
    name: STORY_SINK,
    actions: ALL_RUN_ACTIONS,
    deliver: async () => 'dry_run',
    ...change,
  });

  it.each<[string, Sink, RegExp]>([
    ['is addressed to nobody', sink({ actions: new Set(['rolled_back']) }), /should go to its sink, and is addressed to none/],
    ['leaves for good', sink({ deliver: async () => 'acknowledged' }), /should go nowhere, and is acknowledged/],
    [
      'cannot be made a message of',
      sink({ deliver: () => Promise.reject(new PermanentError('invalid_sink', 'no secret to sign with')) }),
      /cannot be rendered: no secret to sign with/,
    ],
  ])('is told of when it %s', async (_name, broken, fault) => {
    const findings = await look(goodStages, broken);
    expect(findings.filter((finding) => finding.fault !== null)).toEqual([{ part: 'signal', fault: expect.stringMatching(fault) }]);
  });
});
