/** A rollback that was seen to be done is told to those of its policy's sinks who want to know, whatever is rolled out next. */
import { afterEach, expect, it } from 'vitest';
import { addressing } from '../../src/service/addressing.ts';
import { signalDelivery } from '../../src/service/signal-delivery.ts';
import type { Delivery } from '../../src/sinks/delivery.ts';
import { ALL_RUN_ACTIONS, type Sink } from '../../src/sinks/sink.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { until } from '../sinks/manual-time.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import { ManualClock } from './manual-clock.ts';

const store = new MemoryStore();
const got: { readonly sink: string; readonly action: string; readonly body: string }[] = [];
const sink = (name: string, actions: Sink['actions']): [string, Sink] => [
  name,
  {
    name,
    actions,
    deliver: async ({ signal, body }) => {
      got.push({ sink: name, action: signal.action, body });
      return name === 'deploy' ? 'confirmed' : 'acknowledged';
    },
  },
];
const sinks = new Map([
  sink('deploy', ALL_RUN_ACTIONS),
  sink('chat', new Set(['rolled_back'])),
  sink('both', new Set(['rollback', 'rolled_back'])),
  sink('others', new Set(['rolled_back'])),
]);
let delivery: Delivery;
afterEach(() => delivery.stop());

it('goes to the sinks of the policy that take it, and only to those', async () => {
  let isSuperseded = false;
  delivery = signalDelivery({
    journal: store.journal,
    sinks,
    telemetry: new MemoryTelemetry(),
    clock: new ManualClock(DECIDED_AT),
    escalation: { afterMs: 60_000, confirmWithinMs: 60_000, to: [] },
    isCurrent: ({ action }) => (isSuperseded && action !== 'rollback' ? 'superseded' : 'send'),
  });
  isSuperseded = true;
  const signal = addressing(sinks, 'https://slipstream.example')(sampleSignal({ sinks: ['deploy', 'chat', 'both', 'gone'] }));
  expect(signal).toMatchObject({ sinks: ['deploy', 'both', 'gone'], toldAfter: ['chat', 'both'] });
  store.journal.append([{ signal, decidedAt: DECIDED_AT }]);
  delivery.resume();
  await until(() => got.length === 4);
  expect(got.map(({ sink: name, action }) => `${action} ${name}`).sort()).toEqual([
    'rollback both',
    'rollback deploy',
    'rolled_back both',
    'rolled_back chat',
  ]);
  expect(JSON.parse(got.find(({ sink: name }) => name === 'chat')?.body ?? '')).toMatchObject({ type: 'slipstream.signal.rolled_back' });
});

it.each(['promote', 'hold'] as const)('is told of no %s', (action) => {
  expect(addressing(sinks, null)(sampleSignal({ action, sinks: ['deploy', 'chat'] }))).not.toHaveProperty('toldAfter');
});
