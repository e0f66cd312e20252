/** A run whose releases shared no endpoint counted its critical check as proven, so `onInconclusive: promote` promoted what nothing was compared of. */
import { expect, it } from 'vitest';
import { CanaryComparison } from '../../src/evaluate/canary/comparison.ts';
import { OVERFLOW_ENDPOINT } from '../../src/model/series.ts';
import { canaryPolicy } from '../evaluate/policy.ts';
import { counted, LAYOUT, NOTHING, START } from '../evaluate/world.ts';

const { checks } = canaryPolicy();
const CRITICAL = canaryPolicy({ checks: { ...checks, errors: { weight: 1, isCritical: true, isMuted: false } } });

it.each([
  ['serve different endpoints', 'GET /old', 'GET /new'],
  ['are not told apart by endpoint', OVERFLOW_ENDPOINT, OVERFLOW_ENDPOINT],
])('a critical check is not proven when the releases %s', (_, ofBaseline, ofCanary) => {
  const judged = new CanaryComparison(CRITICAL, LAYOUT, START);
  for (let slot = START; slot < START + 400; slot++) {
    judged.feed(ofBaseline, slot, counted(100, 0), NOTHING);
    judged.feed(ofCanary, slot, NOTHING, counted(100, 50));
    judged.endSlot(slot);
  }
  expect(judged.judge()).toMatchObject({ outcome: 'inconclusive', isCriticalProven: false });
});
