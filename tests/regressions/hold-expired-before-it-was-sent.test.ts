/** A rollout whose service was never heard ended with a signal that was too old to be sent from its first moment on. */
import { expect, it } from 'vitest';
import { Live, scenarioConfig } from '../scenarios/live.ts';
import { WORLD_START, World } from '../scenarios/world.ts';

it('a hold for silence may be sent for as long as any signal, counted from when silence was called', () => {
  const live = new Live(scenarioConfig({ canary: { horizonMs: 1_800_000, signalTtlMs: 600_000 } }));
  live.play(new World([{ service: 'search', version: 'v1', rate: 1 }]), 5);
  live.start();
  live.idle(WORLD_START + 1_810_000);
  expect(live.run()).toMatchObject({ state: 'expired', verdict: { reason: 'no_data' } });
  const [signal] = live.signals;
  expect(signal?.action).toBe('hold');
  expect(signal?.notAfter).toBeGreaterThan(live.now + 500_000);
});
