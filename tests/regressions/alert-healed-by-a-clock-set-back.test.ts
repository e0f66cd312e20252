/** The wall clock was set back by an hour: spans came too late for their slots, and an alert ended for what it saw of the hour before. */
import { expect, it } from 'vitest';
import { tierOf } from '../../src/model/tier.ts';
import { World } from '../engine/objective-world.ts';
import { objective } from '../support/policies.ts';

const MINUTE_MS = 60_000;
const START = Date.UTC(2027, 0, 15, 8);
const BACK_MS = 60 * MINUTE_MS;
const tiers = [tierOf({ severity: 'page', longMs: 4 * MINUTE_MS, shortMs: MINUTE_MS, budgetShare: 0.1 }, 30 * 24 * 60 * MINUTE_MS)];
const SHOP = objective({
  service: 'shop',
  target: 0.5,
  alerts: { tiers: tiers.map((tier) => ({ ...tier, burnRate: 1.5 })), basis: 'rate', minBad: 10 },
});

it('an alert goes on, frozen, and the gate knows nothing until the clock is there again', () => {
  const world = new World([SHOP]);
  world.stream.endpoints(1);
  const second = (at: number, failed: boolean) => {
    world.send({ at, failed }, { at: at + 500, failed });
    world.advance(at + 999);
  };
  let at = START;
  for (; at < START + 65 * MINUTE_MS; at += 1000) second(at, at >= START + 60 * MINUTE_MS);
  expect(world.engine.alerts.book.view(SHOP.id)).toMatchObject({ severity: 'page', isFrozen: false });

  at -= BACK_MS;
  world.engine.clockJumped(-BACK_MS, at + MINUTE_MS);
  for (const until = at + 20 * MINUTE_MS; at < until; at += 1000) second(at, true);
  expect(world.engine.alerts.book.view(SHOP.id)).toMatchObject({ severity: 'page', isFrozen: true });
  expect(world.engine.views.gate('shop', at).findings.map(({ reason }) => reason)).toContain('state_unknown');

  for (const until = at + 50 * MINUTE_MS; at < until; at += 1000) second(at, true);
  expect(world.engine.alerts.book.view(SHOP.id)).toMatchObject({ severity: 'page', isFrozen: false });
});
