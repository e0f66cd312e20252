/** Partitions that are read at uneven speed, and processes that die, give the counts and the verdict of one that reads all in order. */
import { describe, expect, it } from 'vitest';
import type { RolloutRequest } from '../../src/engine/rollouts.ts';
import { seeded } from '../evaluate/world.ts';
import { AVAILABILITY, scenarioConfig } from './live.ts';
import { Partitions, WAIT_MS } from './partitions.ts';
import { type Arrival, type Behaviour, WORLD_START, World } from './world.ts';

const STARTED_AT = WORLD_START + 30_000;
const ROLLOUT: RolloutRequest = {
  id: 'r1',
  service: 'checkout',
  baseline: { 'service.version': 'v1' },
  canary: { 'service.version': 'v2' },
  generation: 1,
  startedAt: STARTED_AT,
  deadline: WORLD_START + 7_200_000,
};
const ENDPOINTS = { 'POST /checkout': 2, 'GET /order/{id}': 5, 'GET /': 3 };
const PARTITIONS = 3;
const CONFIG = scenarioConfig({ objectives: [AVAILABILITY] });

interface Topic {
  readonly log: readonly (readonly Arrival[])[];
  readonly endSec: number;
}

/** `byPod`: all requests of a pod go to one partition, as with a key; else to any. */
function topic(behaviour: (second: number) => Behaviour, endSec: number, byPod: boolean): Topic {
  const log: Arrival[][] = Array.from({ length: PARTITIONS }, () => []);
  const random = seeded(5);
  const pods = { service: 'checkout', endpoints: ENDPOINTS, pods: 1 };
  const worlds = [0, 1, 2, 3, 4, 5].map((pod) => {
    const release = pod < 3 ? { version: 'v1', rate: 20 } : { version: 'v2', rate: 10, behaviour };
    return new World([{ ...pods, ...release, exportMs: [1000, 2000, 5000][pod % 3] as number }], pod + 1);
  });
  for (const [pod, world] of worlds.entries()) {
    for (const arrival of world.until(endSec)) log[byPod ? (pod * 2) % PARTITIONS : Math.floor(random() * PARTITIONS)]?.push(arrival);
  }
  for (const records of log) records.sort((a, b) => a.at - b.at);
  return { log, endSec };
}

/** What is to be the same: what was counted, and what was said of it. */
function outcome(partitions: Partitions, endSec: number) {
  const { engine } = partitions;
  const run = partitions.run();
  const [objective] = [...engine.objectives.all()];
  if (objective === undefined) throw new RangeError('no objective');
  const minutes = Array.from({ length: Math.floor(endSec / 60) - 2 }, (_, i) => {
    const { valid, bad } = engine.objectives.over(objective, WORLD_START + i * 60_000, WORLD_START + (i + 1) * 60_000);
    return [valid, bad];
  });
  const { judgements, exemplars, lagMs, history, ...rest } = run;
  // Whether the run was looked at before its first slot had passed is up to the steps.
  const said = { ...rest, history: history.filter(({ reason }) => reason !== 'no_canary') };
  return { minutes, late: engine.window.lateSpans, said, signals: [...new Set(partitions.signals.map(({ id }) => id))] };
}

interface Reading {
  /** How far each partition is read in this step; times in seconds. */
  readonly until: (step: number, endSec: number) => readonly number[] | null;
  /** Called after each step. */
  readonly after?: (partitions: Partitions, step: number) => void;
  /** Wall clock in seconds; that of the partition that is furthest unless given. */
  readonly wall?: (step: number) => number;
}

function judged({ log, endSec }: Topic, { until, after, wall }: Reading): Partitions {
  const partitions = new Partitions(CONFIG, log);
  let isStarted = false;
  for (let step = 0; ; step++) {
    const ends = until(step, endSec);
    if (ends === null) break;
    partitions.now = Math.max(partitions.now, WORLD_START + (wall?.(step) ?? Math.max(...ends)) * 1000);
    partitions.read(ends.map((end) => WORLD_START + end * 1000));
    if (!isStarted && partitions.time >= STARTED_AT) {
      partitions.engine.startRollout(ROLLOUT, STARTED_AT);
      partitions.checkpoint();
      isStarted = true;
    }
    after?.(partitions, step);
  }
  return partitions;
}

const inOrder: Reading = { until: (step, endSec) => (step / 2 > endSec ? null : Array(PARTITIONS).fill(step / 2)) };

/** Each partition goes on by leaps of its own, none further ahead of the slowest than `leadSec`; the wall clock is not so far that it would be in doubt. */
function uneven(seed: number, leadSec: number): Reading {
  const random = seeded(seed);
  const at = Array(PARTITIONS).fill(0) as number[];
  return {
    wall: () => Math.min(...at) + 50,
    until: (_, endSec) => {
      const slowest = Math.min(...at);
      if (slowest >= endSec) return null;
      for (const i of at.keys()) {
        const limit = Math.min(endSec, slowest + leadSec);
        if (random() < 0.4) at[i] = Math.max(at[i] as number, Math.min(limit, (at[i] as number) + random() ** 3 * leadSec));
      }
      if (Math.max(...at) - slowest < 0.1) at[0] = Math.min(endSec, slowest + leadSec);
      const behind = at.indexOf(slowest);
      at[behind] = Math.min(endSec, slowest + 0.5 + random() * 3);
      return at;
    },
  };
}

describe.each([
  ['pods spread over partitions', false],
  ['a partition for each pod', true],
])('%s', (_, byPod) => {
  const CASES = [
    {
      what: 'a failing canary',
      behaviour: (second: number) => (second < 150 ? {} : { errorRatio: 0.06 }),
      endSec: 300,
      ends: 'rolled_back',
    },
    { what: 'a healthy canary', behaviour: () => ({}), endSec: 400, ends: 'running' },
  ];

  it.each(CASES)('$what is judged alike however unevenly they are read', ({ behaviour, endSec, ends }) => {
    const of = topic(behaviour, endSec, byPod);
    const plain = judged(of, inOrder);
    const expected = outcome(plain, endSec);
    expect([plain.run().state, expected.late]).toEqual([ends, 0]);
    expect(expected.minutes.every(([valid = 0]) => valid > 1000)).toBe(true);
    for (const [seed, leadSec] of [
      [1, 20],
      [2, 110],
      [3, 280],
    ] as const) {
      expect([leadSec, outcome(judged(of, uneven(seed, leadSec)), endSec)]).toEqual([leadSec, expected]);
    }
  });

  it.each(CASES)('$what is judged alike when the process dies again and again', ({ behaviour, endSec }) => {
    const of = topic(behaviour, endSec, byPod);
    const expected = outcome(judged(of, inOrder), endSec);
    const random = seeded(9);
    let lives = 0;
    // Steps that were not saved are read again: how far is up to the life that reads.
    const at = Array(PARTITIONS).fill(0) as number[];
    const dying = judged(of, {
      until: () => {
        if (Math.min(...at) >= endSec) return null;
        for (const i of at.keys()) at[i] = Math.min(endSec, Math.min((at[i] as number) + random() * 4, Math.min(...at) + 100));
        return at;
      },
      after: (partitions) => {
        if (random() < 0.2) partitions.checkpoint('bounded');
        if (random() > 0.06) return;
        partitions.crash();
        lives++;
      },
    });
    expect(lives).toBeGreaterThan(3);
    expect(outcome(dying, endSec)).toEqual(expected);
  });
});

it('a backlog of hours is counted to the last span, and no verdict is given before it is read', () => {
  const endSec = 300;
  const of = topic((second) => (second < 150 ? {} : { errorRatio: 0.06 }), endSec, false);
  const partitions = judged(of, { until: uneven(4, 60).until, wall: (step) => 7200 + step * 0.2 });
  expect(outcome(partitions, endSec).minutes).toEqual(outcome(judged(of, inOrder), endSec).minutes);
  expect(partitions.run()).toMatchObject({ state: 'running', verdict: { decision: 'hold', reason: 'input_lagging' } });
  expect(partitions.signals).toEqual([]);
});

it('harm that is proven while counts are on their way leads to a rollback once they have come', () => {
  const endSec = 400;
  const of = topic((second) => (second < 150 ? {} : { errorRatio: 0.06 }), endSec, false);
  const proven = judged(of, inOrder).run().verdict.at - WORLD_START;
  expect(proven).toBeLessThan(300_000);
  const partitions = judged(of, {
    until: uneven(4, 60).until,
    wall: () => endSec,
    after: (each) => {
      const behind = WORLD_START + endSec * 1000 - each.time;
      if (behind > 60_000) expect(each.signals).toEqual([]);
      else expect([behind, each.run().state]).toEqual([behind, 'rolled_back']);
    },
  });
  expect(partitions.signals.map(({ action }) => action)).toEqual(['rollback']);
});

it('without a partition that stands still nothing is concluded from the rest, and what was to be said is said when it is back', () => {
  const endSec = 600;
  const of = topic((second) => (second < 200 ? {} : { errorRatio: 0.06 }), endSec, false);
  const partitions = new Partitions(CONFIG, of.log);
  partitions.engine.startRollout(ROLLOUT, WORLD_START);
  const at = (second: number): number => WORLD_START + second * 1000;
  const isDown = (second: number): boolean => second >= 210 && second < 450;
  for (let second = 1; second <= endSec; second++) {
    partitions.now = at(second);
    partitions.read([at(second), at(second), isDown(second) ? null : at(second)]);
    const { findings } = partitions.engine.views.gate('checkout', partitions.now);
    const isUnknown = findings.some(({ reason, answer }) => reason === 'stale_telemetry' && answer === 'unknown');
    if (second > 60) expect([second, isUnknown]).toEqual([second, second >= 270 && second < 450]);
    const waited = isDown(second) && second <= 209 + WAIT_MS / 1000;
    if (waited) expect(partitions.time).toBe(at(209));
    if (isDown(second) && !waited) {
      expect([second, partitions.time]).toEqual([second, at(second)]);
      expect(partitions.run().verdict).toMatchObject({ decision: 'hold', reason: 'input_lagging' });
    }
  }
  expect(partitions.run().state).toBe('rolled_back');
  expect(partitions.run().verdict.at).toBeGreaterThan(at(450));
});

it('runs that a bounded checkpoint left out catch up from the slots that were kept for them', () => {
  const endSec = 420;
  const services = ['checkout', 'payment'];
  const endpoints = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`GET /${i}`, 1]));
  const world = new World(
    services.flatMap((service) => ['v1', 'v2'].map((version) => ({ service, version, rate: 20, endpoints, pods: 1, exportMs: 1000 }))),
  );
  const log = [[...world.until(endSec)]];
  const config = scenarioConfig();
  const judgedTo = (crashAtSec: number | null) => {
    const partitions = new Partitions(config, log);
    for (let second = 1; second <= endSec; second++) {
      partitions.now = WORLD_START + second * 1000;
      partitions.read([partitions.now]);
      if (second === 60)
        for (const service of services) partitions.engine.startRollout({ ...ROLLOUT, id: service, service }, partitions.now);
      // Both do not fit into one, so each is saved every other time.
      if (second % 100 === 0) partitions.checkpoint('bounded');
      if (second === crashAtSec) partitions.crash();
    }
    return services.map((service) => {
      const { judgements, exemplars, lagMs, ...said } = partitions.run(service);
      return said;
    });
  };
  const expected = judgedTo(null);
  expect(expected.every(({ canaryRequests }) => canaryRequests > 6000)).toBe(true);
  expect(judgedTo(405)).toEqual(expected);
});

it('while nothing is known of its sources a process counts and does not judge', () => {
  const of = topic(() => ({}), 100, false);
  const partitions = new Partitions(CONFIG, of.log);
  partitions.engine.startRollout(ROLLOUT, WORLD_START);
  partitions.now = WORLD_START + 100_000;
  partitions.read([partitions.now, partitions.now, null]);
  expect(partitions.time).toBe(Number.NEGATIVE_INFINITY);
  expect(partitions.run().history).toEqual([]);
  const { findings } = partitions.engine.views.gate('checkout', partitions.now);
  expect(findings).toContainEqual(expect.objectContaining({ reason: 'stale_telemetry', answer: 'unknown' }));
  partitions.checkpoint();
  partitions.crash();
  partitions.read([null, null, partitions.now]);
  expect([partitions.time, partitions.run().verdict.decision]).toEqual([partitions.now, 'continue']);
  expect(partitions.run().baselineRequests).toBeGreaterThan(3000);
});

it('what came too late for a run is remembered over the death of its process', () => {
  const stragglers = { share: 0.05, fromMs: 10_000, toMs: 30_000 };
  const pods = { service: 'checkout', rate: 30, exportMs: 1000, stragglers };
  const log = [[...new World(['v1', 'v2'].map((version) => ({ ...pods, version }))).until(200)]];
  const judgedTo = (crashAtSec: number | null) => {
    const partitions = new Partitions(CONFIG, log);
    for (let second = 1; second <= 200; second++) {
      partitions.now = WORLD_START + second * 1000;
      partitions.read([partitions.now]);
      if (second === 10) partitions.engine.startRollout(ROLLOUT, partitions.now);
      if (second !== crashAtSec) continue;
      partitions.checkpoint('whole');
      partitions.crash();
    }
    const { judgements, exemplars, ...said } = partitions.run();
    return said;
  };
  const expected = judgedTo(null);
  expect(expected.lateRequests).toBeGreaterThan(20);
  for (const second of [31, 60, 120, 199]) expect([second, judgedTo(second)]).toEqual([second, expected]);
});

describe('what comes at one go after an outage', () => {
  const at = (second: number): number => WORLD_START + second * 1000;
  /** A process that was away for long, and then reads all that came meanwhile in one step. */
  function afterOutage(behaviour: (second: number) => Behaviour, awaySec: number): Partitions {
    const pods = { service: 'checkout', pods: 2 };
    const releases = [
      { ...pods, version: 'v1', rate: 40 },
      { ...pods, version: 'v2', rate: 40, behaviour },
    ];
    const partitions = new Partitions(CONFIG, [[...new World(releases, 3).until(60 + awaySec)]]);
    for (let second = 1; second <= 60; second++) {
      partitions.now = at(second);
      partitions.read([partitions.now]);
      if (second === 30) partitions.engine.startRollout(ROLLOUT, STARTED_AT);
    }
    partitions.checkpoint('whole');
    partitions.now = at(60 + awaySec);
    partitions.crash();
    partitions.read([partitions.now]);
    return partitions;
  }

  it('leads to a rollback that is still in time where harm was proven long ago', () => {
    const partitions = afterOutage((second) => (second < 150 ? {} : { errorRatio: 0.1 }), 800);
    expect(partitions.run().state).toBe('rolled_back');
    expect(partitions.signals.map(({ action }) => action)).toEqual(['rollback']);
    const [signal] = partitions.signals;
    expect(signal?.notAfter).toBeGreaterThan(partitions.now + 120_000);
  });

  it('promotes nothing for what was seen before harm began', () => {
    const healthy = afterOutage(() => ({}), 2400);
    expect(healthy.signals.map(({ action }) => action)).toEqual(['promote']);
    expect(healthy.signals[0]?.notAfter).toBeGreaterThan(healthy.now + 120_000);
    const partitions = afterOutage((second) => (second < 2000 ? {} : { errorRatio: 0.3 }), 2400);
    expect(partitions.run().state).toBe('rolled_back');
    expect(partitions.signals.map(({ action }) => action)).toEqual(['rollback']);
  });
});
