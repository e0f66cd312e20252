/** A run that is handed to another process goes on to the bit, whatever it is compared with, as it does in a replay. */
import { expect, it } from 'vitest';
import { ReplaySession } from '../../src/cli/replay-session.ts';
import type { Config } from '../../src/config/config.ts';
import type { RolloutRequest } from '../../src/engine/rollouts.ts';
import { Engine } from '../../src/engine.ts';
import { LEVEL_SECONDS } from '../../src/model/checkpoint.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import type { CanaryPolicy } from '../../src/model/policy.ts';
import { Stages } from '../../src/service/stages.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { AVAILABILITY, type ScenarioConfig, scenarioConfig } from './live.ts';
import { type Arrival, type Pods, WORLD_START, World } from './world.ts';

const START_SEC = 200;
const ROLLOUT = {
  id: 'r1',
  service: 'checkout',
  baseline: { 'service.version': 'v1' },
  canary: { 'service.version': 'v2' },
  generation: 1,
  startedAt: WORLD_START + START_SEC * 1000,
  canaryShare: 0.5,
} satisfies RolloutRequest;
const ENDPOINTS = { 'POST /checkout': 2, 'GET /': 3 };

/** v1 leaves at `leaves`, v2 comes at `comes` and turns slow at `slow`. */
function arrivals(comes: number, leaves: number, slow: number, until: number): Arrival[] {
  const pods: Pods = { service: 'checkout', version: 'v1', rate: 0, endpoints: ENDPOINTS };
  return [
    ...new World([
      { ...pods, rate: (second) => (second < leaves ? 40 : 0) },
      {
        ...pods,
        version: 'v2',
        rate: (second) => (second < comes ? 0 : 40),
        behaviour: (second) => (second < slow ? {} : { slowdown: 1.6 }),
      },
    ]).until(until),
  ];
}

/** Judges the stream; at each of `handovers` seconds another engine takes over from what the first has written. */
function judged(config: ScenarioConfig, stream: readonly Arrival[], handovers: readonly number[]) {
  const store = new MemoryStore();
  const { ingest, engine: first } = new Stages({ config, source: 'test', epoch: 'one', hashSeed: 1 });
  let engine = first;
  const signals: string[] = [];
  const waiting = [...handovers];
  let isStarted = false;
  for (const { at, bytes } of stream) {
    if (!isStarted && at >= ROLLOUT.startedAt) {
      engine.startRollout(ROLLOUT, at);
      isStarted = true;
    }
    ingest.consume('protobuf', bytes, at);
    if (!ingest.flushDue()) continue;
    engine.merge(ingest.flush());
    for (const { signal, fault } of engine.advance(at)) {
      expect(fault).toBeNull();
      if (signal !== null) signals.push(signal.id);
    }
    if (waiting[0] === undefined || at < WORLD_START + waiting[0] * 1000) continue;
    waiting.shift();
    store.checkpoint(engine.checkpoint(at), []);
    const slots = LEVEL_SECONDS.flatMap((level) => store.slots(level, 0, Number.MAX_SAFE_INTEGER));
    // Nothing was missed: it goes on with the very slot that is the next to be judged.
    const next = engine.rollouts.find('r1')?.view().verdict.at ?? at;
    engine = new Engine(config.policies, new HistogramLayout(config.histogram.digits, config.histogram.highestUs));
    engine.restore({ ...store.load({}), slots }, next);
  }
  const run = engine.rollouts.find('r1')?.view();
  return { history: run?.history, judgements: run?.judgements, trail: run?.trail, strictness: run?.strictness, signals };
}

it.each<{ what: string; policy: Partial<CanaryPolicy>; stream: [number, number, number, number]; handovers: number[]; ends: string }>([
  {
    what: 'a release compared with the one before it',
    policy: { baseline: { kind: 'previous', shiftMs: 0 } },
    stream: [310, 300, 420, 600],
    handovers: [290, 314, 360, 425, 440],
    ends: 'rollback',
  },
  {
    what: 'a bake after the baseline is gone',
    policy: { bakeMs: 1_800_000 },
    stream: [205, 900, 1100, 1400],
    handovers: [260, 850, 920, 1000, 1120, 1140],
    ends: 'rollback',
  },
  {
    what: 'a healthy bake',
    policy: { bakeMs: 300_000 },
    stream: [205, 900, 9999, 1500],
    handovers: [700, 950],
    ends: 'promote',
  },
  {
    what: 'a run with strictness and planned share',
    policy: { strictness: 'budget', onSilence: 'rollback' },
    stream: [205, 9999, 320, 500],
    handovers: [240, 325, 332],
    ends: 'rollback',
  },
])('$what', ({ policy, stream, handovers, ends }) => {
  const config = scenarioConfig({ objectives: [AVAILABILITY], canary: policy });
  const spans = arrivals(...stream);
  const whole = judged(config, spans, []);
  expect(whole.history?.at(-1)?.decision).toBe(ends);
  expect(judged(config, spans, handovers)).toEqual(whole);

  const session = new ReplaySession(config as Config, [ROLLOUT]);
  for (const { bytes } of spans) session.consume('protobuf', bytes);
  session.finish();
  expect(session.runs()[0]?.history).toEqual(whole.history);
  expect(session.verdicts.flatMap(({ signal }) => (signal === null ? [] : [signal.id]))).toEqual(whole.signals);
});
