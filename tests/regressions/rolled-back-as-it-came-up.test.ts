/** A canary whose pods took a minute to start was rolled back for silence at its very first request. */
import { expect, it } from 'vitest';
import { CanaryComparison } from '../../src/evaluate/canary/comparison.ts';
import { canaryPolicy } from '../evaluate/policy.ts';
import { counted, LAYOUT, NOTHING, START } from '../evaluate/world.ts';

it.each([
  { share: 0.01, starts: 60 },
  { share: 0.1, starts: 110 },
])('a canary planned for $share of the traffic that starts after $starts s of its warm-up is no silent one', ({ share, starts }) => {
  const judged = new CanaryComparison(canaryPolicy({ onSilence: 'rollback', warmupMs: 120_000 }), LAYOUT, START);
  judged.plan(share);
  const canary = counted(share * 200, 0);
  const reasons: string[] = [];
  const watch = (from: number, to: number, serves: (second: number) => boolean) => {
    for (let second = from; second < to; second++) {
      judged.feed('GET /', START + second, counted(200 - share * 200, 0), serves(second) ? canary : NOTHING);
      judged.endSlot(START + second);
      reasons.push(judged.judge().reason);
    }
  };
  watch(0, starts, () => false);
  expect(reasons).toContain('silence_proven');
  // The first second is a part of one.
  watch(starts, 400, (second) => second !== starts + 1);
  expect(reasons.slice(starts)).not.toContain('silence_proven');
  watch(400, 520, () => false);
  expect(judged.judge()).toMatchObject({ outcome: 'fail', reason: 'silence_proven' });
});
