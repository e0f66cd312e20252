/** A time zone that was changed and changed back found the totals of before, without what was counted in between. */
import { expect, it } from 'vitest';
import type { CalendarWindow } from '../../src/model/calendar.ts';
import { World } from '../engine/objective-world.ts';
import { objective } from '../support/policies.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 2, 10, 12);

const monthOf = (timeZone: string) => {
  const calendar: CalendarWindow = { unit: 'month', count: 1, timeZone, start: '2026-01-01T00:00:00' };
  return objective({ service: 'shop', target: 0.9, windowMs: 30 * DAY_MS, calendar });
};
const [berlin, utc] = [monthOf('Europe/Berlin'), monthOf('UTC')];

it.each([
  ['in one life', []],
  ['over a restart before', ['before']],
  ['over a restart between', ['between']],
  ['over one after each step', ['before', 'between', 'after']],
])('what was counted in between is told %s', (_, restarts) => {
  const world = new World([berlin]);
  world.stream.endpoints(1);
  const restart = (when: string) => {
    if (restarts.includes(when)) world.restart();
  };
  const send = (minute: number) => {
    world.send({ at: START + minute * 60_000 }, { at: START + minute * 60_000, failed: true });
    world.advance();
  };
  send(0);
  restart('before');
  world.declare([utc]);
  send(10);
  restart('between');
  world.declare([berlin]);
  restart('after');
  send(20);
  expect(world.feed.total(berlin, world.at)).toMatchObject({ valid: 6, bad: 3 });
});
