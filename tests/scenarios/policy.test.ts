/** What a file asks for is what happens: mute, critical and limits, from the text to the signal. */
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { canaryPolicy } from '../../src/config/canary-policy.ts';
import { canarySchema } from '../../src/config/canary-schema.ts';
import { Live, scenarioConfig } from './live.ts';
import { type Behaviour, World } from './world.ts';

const CANARY_FROM = 60;
const OFTEN = 'POST /checkout';

interface Story {
  readonly endpoints?: Readonly<Record<string, number>>;
  readonly canary?: (second: number, endpoint: string) => Behaviour;
  readonly until: number;
}

function played(text: string, { endpoints = { [OFTEN]: 1 }, canary = () => ({}), until }: Story): Live {
  const section = canarySchema.parse(parse(`mode: rollback\nwarmup: 0s\ndecideWithin: 6m\n${text}`));
  const live = new Live(scenarioConfig({ canary: canaryPolicy([section], ['deploy-system']) }));
  const world = new World([
    { service: 'checkout', version: 'v1', rate: 60, endpoints },
    { service: 'checkout', version: 'v2', rate: (second) => (second < CANARY_FROM ? 0 : 60), endpoints, behaviour: canary },
  ]);
  live.play(world, CANARY_FROM);
  live.start();
  live.play(world, until);
  return live;
}

it('an endpoint that is muted may fail all it likes, and one that is not may not', () => {
  const endpoints = { [OFTEN]: 0.7, 'GET /internal/reset': 0.3 };
  const canary = (_: number, endpoint: string): Behaviour => (endpoint === OFTEN ? {} : { errorRatio: 1 });
  const muted = played('onInconclusive: promote\nendpoints: [{ match: GET /internal/**, muted: true }]', { endpoints, canary, until: 440 });
  expect(muted.run()).toMatchObject({ state: 'promoted' });
  expect(
    muted
      .run()
      .judgements.filter(({ reason }) => reason === 'muted')
      .map(({ check }) => check),
  ).toEqual(['errors GET /internal/**']);
  expect(played('', { endpoints, canary, until: 120 }).run()).toMatchObject({ state: 'rolled_back' });
});

it('a critical endpoint without proof is not promoted when time runs out, whatever else may be', () => {
  const endpoints = { [OFTEN]: 0.99, 'POST /refund': 0.01 };
  const story = { endpoints, until: 440 };
  expect(played('onInconclusive: promote', story).run()).toMatchObject({ state: 'promoted' });
  const critical = played('onInconclusive: promote\nendpoints: [{ match: POST /refund, critical: true }]', story);
  expect(critical.run()).toMatchObject({ state: 'expired', verdict: { decision: 'hold', reason: 'horizon_reached' } });
  expect(critical.signalsOf().map(({ action }) => action)).toEqual(['hold']);
});

it('a limit of the canary alone holds where the comparison would let it pass', () => {
  const canary = () => ({ slowdown: 3 });
  const lax = 'p50 <= +900%, p95 <= +900%, p99 <= +900%';
  expect(played(`criteria: [${lax}]`, { canary, until: 240 }).run()).toMatchObject({ state: 'running' });
  const limited = played(`criteria: [${lax}, p95 < 300ms]`, { canary, until: 240 });
  expect(limited.run()).toMatchObject({ state: 'rolled_back', verdict: { reason: 'criterion_breached' } });
});

it('a check that is muted rolls nothing back', () => {
  const canary = () => ({ slowdown: 1.6 });
  expect(played('', { canary, until: 240 }).run()).toMatchObject({ state: 'rolled_back' });
  const muted = 'checks: { p50: { muted: true }, p95: { muted: true }, p99: { muted: true } }';
  expect(played(muted, { canary, until: 240 }).run().state).not.toBe('rolled_back');
});
