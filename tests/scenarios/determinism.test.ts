/** The same requests give the same verdicts, whatever the timers do, live or in a replay. */
import { expect, it } from 'vitest';
import { ReplaySession } from '../../src/cli/replay-session.ts';
import type { Config } from '../../src/config/config.ts';
import type { RolloutRequest } from '../../src/engine/rollouts.ts';
import type { Verdict } from '../../src/model/rollout.ts';
import { Stages } from '../../src/service/stages.ts';
import { AVAILABILITY, Live, type ScenarioConfig, scenarioConfig } from './live.ts';
import { type Arrival, type Behaviour, WORLD_START, World } from './world.ts';

const START_SEC = 60;
const ROLLOUT: RolloutRequest = {
  id: 'r1',
  service: 'checkout',
  baseline: { 'service.version': 'v1' },
  canary: { 'service.version': 'v2' },
  generation: 1,
  startedAt: WORLD_START + START_SEC * 1000,
};
const ENDPOINTS = { 'POST /checkout': 2, 'GET /order/{id}': 5, 'GET /': 3 };

function recording(behaviour: (second: number) => Behaviour, untilSec: number): Arrival[] {
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 60, endpoints: ENDPOINTS, stragglers: { share: 0.003, fromMs: 3000, toMs: 20_000 } },
    { service: 'checkout', version: 'v2', rate: (second) => (second < START_SEC + 2 ? 0 : 30), endpoints: ENDPOINTS, behaviour },
    { service: 'search', version: 'v1', rate: 20 },
  ]);
  return [...world.until(untilSec)];
}

interface Said {
  readonly history: readonly Verdict[];
  readonly signals: readonly string[];
}

/** The two stages under a clock of one's own: `pause` is called before each request and may advance as often as it likes. */
function judged(config: ScenarioConfig, arrivals: readonly Arrival[], pause: (stages: Stages, from: number, to: number) => string[]): Said {
  const stages = new Stages({ config, source: 'test', epoch: 'one', hashSeed: 1 });
  const { ingest, engine } = stages;
  const signals: string[] = [];
  let before = WORLD_START;
  let isStarted = false;
  for (const { at, bytes } of arrivals) {
    signals.push(...pause(stages, before, at));
    if (!isStarted && at >= (ROLLOUT.startedAt ?? 0)) {
      engine.startRollout(ROLLOUT, at);
      isStarted = true;
    }
    ingest.consume('protobuf', bytes, at);
    if (ingest.flushDue()) {
      engine.merge(ingest.flush());
      for (const { signal } of engine.advance(at)) if (signal !== null) signals.push(signal.id);
    }
    before = at;
  }
  return { history: engine.rollouts.find('r1')?.view().history ?? [], signals };
}

const advanced = (stages: Stages, now: number) => stages.engine.advance(now).flatMap(({ signal }) => (signal === null ? [] : [signal.id]));

it.each([
  { what: 'a failing canary', behaviour: (second: number) => (second < 150 ? {} : { errorRatio: 0.05 }), until: 260, ends: 'rollback' },
  { what: 'a slow canary', behaviour: (second: number) => (second < 150 ? {} : { slowdown: 1.6 }), until: 300, ends: 'rollback' },
  { what: 'a healthy canary', behaviour: () => ({}), until: 1500, ends: 'promote' },
])('$what is judged alike, to the bit, whatever the timers do, and by a replay', ({ behaviour, until, ends }) => {
  const config = scenarioConfig({ objectives: [AVAILABILITY] });
  const arrivals = recording(behaviour, until);
  const plain = judged(config, arrivals, () => []);
  expect(plain.history.at(-1)?.decision).toBe(ends);
  expect(plain.signals).toHaveLength(1);

  const impatient = judged(config, arrivals, (stages, from, to) => [
    ...advanced(stages, from),
    ...advanced(stages, (from + to) / 2),
    ...advanced(stages, to),
  ]);
  expect(impatient).toEqual(plain);

  let turn = 0;
  const irregular = judged(config, arrivals, (stages, _, to) => (turn++ % 97 === 0 ? advanced(stages, to) : []));
  expect(irregular).toEqual(plain);

  const session = new ReplaySession(config as Config, [ROLLOUT as RolloutRequest & { startedAt: number }]);
  for (const { bytes } of arrivals) session.consume('protobuf', bytes);
  session.finish();
  expect(session.runs()[0]?.history).toEqual(plain.history);
  expect(session.verdicts.flatMap(({ signal }) => (signal === null ? [] : [signal.id]))).toEqual(plain.signals);
});

it('the running service, with its ticks, pauses and checkpoints, says the same at the same event time', () => {
  const config = scenarioConfig({ objectives: [AVAILABILITY] });
  const arrivals = recording((second) => (second < 150 ? {} : { errorRatio: 0.05 }), 260);
  const plain = judged(config, arrivals, () => []);
  const live = new Live(config);
  let isStarted = false;
  for (const arrival of arrivals) {
    if (!isStarted && arrival.at >= (ROLLOUT.startedAt ?? 0)) {
      live.idle(arrival.at);
      live.start(ROLLOUT);
      isStarted = true;
    }
    live.arrive(arrival);
  }
  expect(live.run().history).toEqual(plain.history);
  expect(live.signals.map(({ id }) => id)).toEqual(plain.signals);
});

it('a replay of a recording with a gap ends with the verdict, event time and evidence of the live run', () => {
  const config = scenarioConfig({ objectives: [AVAILABILITY] });
  const outsideGap = (second: number) => second < 150 || second >= 330;
  const pods = { service: 'checkout', endpoints: ENDPOINTS, exports: outsideGap };
  const behaviour = (second: number) => (second < 380 ? {} : { errorRatio: 0.1 });
  const arrivals = [
    ...new World([
      { ...pods, version: 'v1', rate: 60 },
      { ...pods, version: 'v2', rate: (second) => (second < START_SEC + 2 ? 0 : 30), behaviour },
    ]).until(480),
  ];
  const live = new Live(config);
  live.idle(ROLLOUT.startedAt ?? 0);
  for (const arrival of arrivals) {
    if (arrival.at >= (ROLLOUT.startedAt ?? 0)) live.start(ROLLOUT);
    live.arrive({ ...arrival, at: Math.max(arrival.at, live.now) });
  }
  const session = new ReplaySession(config as Config, [ROLLOUT as RolloutRequest & { startedAt: number }]);
  for (const { bytes } of arrivals) session.consume('protobuf', bytes);
  session.finish();
  expect(live.run().history.map(({ reason }) => reason)).toContain('stale_telemetry');
  expect(live.run()).toMatchObject({ state: 'rolled_back' });
  expect(session.runs()[0]).toMatchObject({ state: 'rolled_back', signalId: live.run().signalId, verdict: live.run().verdict });
});

it('the requests of one moment may come in another order', () => {
  const config = scenarioConfig();
  const arrivals = recording((second) => (second < 150 ? {} : { errorRatio: 0.05 }), 260);
  const plain = judged(config, arrivals, () => []);
  // Swaps neighbours that arrived within 20 ms, as two connections would.
  const swapped = [...arrivals];
  for (let i = 1; i < swapped.length; i += 2) {
    const [a, b] = [swapped[i - 1] as Arrival, swapped[i] as Arrival];
    if (b.at - a.at < 20)
      [swapped[i - 1], swapped[i]] = [
        { ...b, at: a.at },
        { ...a, at: b.at },
      ];
  }
  const other = judged(config, swapped, () => []);
  expect(other.signals).toEqual(plain.signals);
  const [one, two] = [plain.history.at(-1), other.history.at(-1)];
  expect(two?.decision).toBe('rollback');
  expect(Math.abs((one?.at ?? 0) - (two?.at ?? 0))).toBeLessThanOrEqual(2000);
});
