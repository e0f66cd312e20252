/** A canary that kept to its share was proven silent, as a second plan asked at once for the share of the first, for which routes had not changed yet. */
import { expect, it } from 'vitest';
import { CanaryComparison } from '../../src/evaluate/canary/comparison.ts';
import { canaryPolicy } from '../evaluate/policy.ts';
import { counted, LAYOUT, START } from '../evaluate/world.ts';

it.each([
  ['up and up again', 0.01, 0.05, 0.5],
  ['up and down again, not all the way', 0.05, 0.5, 0.2],
])('a share that goes %s is asked for when the last plan has settled', (_, settled, soon, last) => {
  const judged = new CanaryComparison(canaryPolicy({ onSilence: 'rollback' }), LAYOUT, START);
  const watch = (from: number, to: number) => {
    for (let second = from; second < to; second++) {
      judged.feed('GET /', START + second, counted(200 * (1 - settled), 0), counted(200 * settled, 0));
      judged.endSlot(START + second);
    }
    return judged.judge().reason;
  };
  judged.plan(settled);
  watch(0, 120);
  judged.plan(soon);
  watch(120, 130);
  judged.plan(last);
  expect(watch(130, 188)).toBe('accumulating');
  expect(watch(188, 300)).toBe('silence_proven');
});

it('a share that is first told while a run goes on is asked for when it has settled', () => {
  const judged = new CanaryComparison(canaryPolicy({ onSilence: 'rollback' }), LAYOUT, START);
  const watch = (from: number, to: number, canary: number) => {
    for (let second = from; second < to; second++) {
      judged.feed('GET /', START + second, counted(190, 0), counted(canary, 0));
      judged.endSlot(START + second);
    }
    return judged.judge().reason;
  };
  watch(0, 100, 10);
  judged.plan(0.5);
  expect(watch(100, 158, 10)).toBe('accumulating');
  expect(watch(158, 220, 10)).toBe('silence_proven');
});
