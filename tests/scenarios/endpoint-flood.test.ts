/** A flood of endpoint names harms neither counts nor verdicts nor memory. */
import { expect, it } from 'vitest';
import { seeded } from '../evaluate/world.ts';
import { AVAILABILITY, Live, scenarioConfig } from './live.ts';
import { requestBytes, resourceField, type ServedRequest } from './otlp-stream.ts';
import { type Arrival, WORLD_START, World } from './world.ts';

const FLOOD_SECONDS = 100;
const NAMES_PER_SECOND = 2000;
const QUOTA = 400;
const BAD_SEC = 60;
const PLACEHOLDER = 'abcdefghijkl';

/** Requests of one second in which each span has an endpoint of its own. */
function* flood(random: () => number): Generator<Arrival> {
  const resource = resourceField({ 'service.name': 'flood', 'service.version': 'v1' });
  for (let second = 0; second < FLOOD_SECONDS; second++) {
    const served: ServedRequest[] = Array.from({ length: NAMES_PER_SECOND }, (_, i) => ({
      endUs: (WORLD_START + second * 1000) * 1000 + i * 400,
      durationUs: 20_000,
      endpoint: `GET /${PLACEHOLDER}`,
      failed: i % 2 === 0,
    }));
    const bytes = requestBytes(resource, served);
    const text = Buffer.from(bytes.buffer);
    let name = '';
    let found = 0;
    for (let at = text.indexOf(PLACEHOLDER); at >= 0; at = text.indexOf(PLACEHOLDER, at + PLACEHOLDER.length)) {
      // A span carries the name twice, as its own and as its route.
      if (found++ % 2 === 0) name = random().toString(36).slice(2).padEnd(12, '0').slice(0, 12);
      text.write(name, at, 'latin1');
    }
    yield { at: WORLD_START + second * 1000 + 900, bytes };
  }
}

it.each([
  { what: 'no rule that finds releases', canary: {} },
  { what: 'a rule that finds releases by version', canary: { trackBy: 'service.version' } },
])(
  '200,000 random endpoint names of one service, under $what, leave the counts of another exact and its canary is rolled back',
  ({ canary }) => {
    const live = new Live(scenarioConfig({ objectives: [AVAILABILITY], maxSeries: QUOTA, canary }));
    const told = { valid: 0, bad: 0 };
    const recorded = (request: ServedRequest) => {
      told.valid++;
      told.bad += request.failed ? 1 : 0;
      return request;
    };
    const until = (end: number, rate: number) => (second: number) => (second < end ? rate : 0);
    const world = new World([
      { service: 'checkout', version: 'v1', rate: until(90, 60), recorded },
      {
        service: 'checkout',
        version: 'v2',
        rate: until(90, 30),
        recorded,
        behaviour: (second) => (second < BAD_SEC ? {} : { errorRatio: 0.3 }),
      },
    ]);
    const rssBefore = process.memoryUsage.rss();
    live.start();
    let bytesHalfway = 0;
    for (const arrival of flood(seeded(5))) {
      for (const own of world.until((arrival.at - WORLD_START + 100) / 1000)) live.arrive(own);
      live.arrive({ ...arrival, at: Math.max(arrival.at, live.now) });
      if (world.second === FLOOD_SECONDS / 2) bytesHalfway = live.stages.ingest.table.tableBytes;
    }
    live.idle(live.now + 3000);
    expect(live.run()).toMatchObject({ state: 'rolled_back' });
    expect(live.run().verdict.at).toBeLessThan(WORLD_START + (BAD_SEC + 12) * 1000);
    expect(live.signals).toHaveLength(1);

    expect(live.service('checkout').objectives[0]?.judgement.evidence).toMatchObject({ valid: told.valid, good: told.valid - told.bad });
    const flooded = live.service('flood');
    expect(flooded.seriesInUse).toBe(QUOTA);
    expect(flooded.endpoints.reduce((sum, { requests }) => sum + requests, 0)).toBe(FLOOD_SECONDS * NAMES_PER_SECOND);
    expect(live.stages.ingest.overflowSpans).toBe(FLOOD_SECONDS * NAMES_PER_SECOND - QUOTA);
    expect(live.stages.ingest.table.tableBytes).toBe(bytesHalfway);
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(200 * 2 ** 20);
  },
);

it('a release that comes with hundreds of endpoints at once starts one run, and is judged on all of them', () => {
  const endpoints = Object.fromEntries(Array.from({ length: 450 }, (_, i) => [`GET /${i}`, 1]));
  const live = new Live(scenarioConfig({ maxSeries: 5000, canary: { trackBy: 'service.version' } }));
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 300, endpoints },
    { service: 'checkout', version: 'v2', rate: (second) => (second < 80 ? 0 : 300), endpoints },
  ]);
  live.play(world, 120);
  const runs = [...live.engine.rollouts.all()].map((run) => run.view());
  expect(runs).toMatchObject([{ state: 'running' }]);
  expect(runs[0]?.canaryRequests).toBeGreaterThan(300 * 25);
});

it('a flood within the service itself does not hide its canary: endpoints that are compared keep their places', () => {
  const live = new Live(scenarioConfig({ maxSeries: 50 }));
  const random = seeded(6);
  const noise = {
    recorded: (request: ServedRequest) => (random() < 0.2 ? { ...request, endpoint: `GET /${Math.floor(random() * 5000)}` } : request),
  };
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 100, ...noise },
    {
      service: 'checkout',
      version: 'v2',
      rate: (second) => (second < 60 ? 0 : 60),
      ...noise,
      behaviour: (second) => (second < 90 ? {} : { errorRatio: 0.3 }),
    },
  ]);
  live.play(world, 60);
  live.start();
  live.play(world, 90);
  expect(live.run().state).toBe('running');
  live.play(world, 150);
  expect(live.run()).toMatchObject({ state: 'rolled_back' });
  expect(live.run().verdict.decidedBy).toMatch(/POST \/checkout|\(all\)/);
});

it('a canary that sends nothing but unknown endpoints is held for overflow', () => {
  const live = new Live(scenarioConfig({ maxSeries: 20 }));
  const random = seeded(7);
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 50, endpoints: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`GET /${i}`, 1])) },
    {
      service: 'checkout',
      version: 'v2',
      rate: (second) => (second < 60 ? 0 : 50),
      recorded: (request) => ({ ...request, endpoint: `GET /new/${Math.floor(random() * 3000)}`, failed: random() < 0.5 }),
    },
  ]);
  live.play(world, 60);
  live.start();
  live.play(world, 400);
  expect(live.run()).toMatchObject({ state: 'running', verdict: { reason: 'overflow' }, signalId: null });
});
