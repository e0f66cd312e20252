/** Small parts of the reader of a log that need no broker. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shares } from '../../src/kafka/log-consumer-shares.ts';
import { wantedTopics } from '../../src/kafka/log-consumer-topics.ts';
import { Watchdog } from '../../src/kafka/watchdog.ts';

describe('wanted topics', () => {
  const existing = ['spans', 'spans-b', 'a.spans', '__consumer_offsets'];
  it.each([
    ['names that exist', ['spans-b', 'spans'], ['spans', 'spans-b']],
    ['no name that does not exist', ['spans', 'gone'], ['spans']],
    ['each name once', ['spans', 'spans'], ['spans']],
    ['names that match a pattern as a whole', /spans.*/, ['spans', 'spans-b']],
    ['names that match one of its branches as a whole', /spans|a\..+/, ['a.spans', 'spans']],
    ['the same whatever the flags of the pattern remember', /SPANS/giy, ['spans']],
    ['no topics of Kafka itself by a pattern', /.*/, ['a.spans', 'spans', 'spans-b']],
  ])('are %s', (_, wanted, found) => {
    expect(wantedTopics(wanted, existing)).toEqual(found);
    expect(wantedTopics(wanted, existing)).toEqual(found);
  });
});

describe('a watchdog of 10 ms', () => {
  it.each([
    [
      'is content while there are signs of life',
      [
        ['asked', true, 0],
        ['sign', 95],
      ],
      100,
      false,
    ],
    [
      'tells of silence while the broker answers',
      [
        ['asked', true, 0],
        ['asked', true, 90],
        ['sign', 89],
      ],
      100,
      true,
    ],
    [
      'does not blame the reader while the broker is away',
      [
        ['asked', true, 0],
        ['asked', false, 50],
      ],
      100,
      false,
    ],
    [
      'gives the reader its time once the broker is back',
      [
        ['asked', false, 50],
        ['asked', true, 95],
      ],
      100,
      false,
    ],
    [
      'and no longer',
      [
        ['asked', false, 50],
        ['asked', true, 90],
      ],
      100,
      true,
    ],
    ['says nothing before it knows of the broker', [], 100, false],
  ] as const)('%s', (_, events, at, isSilent) => {
    const dog = new Watchdog(10, 0);
    for (const event of events) {
      if (event[0] === 'sign') dog.sign(event[1]);
      else dog.asked(event[1], event[2]);
    }
    expect(dog.isSilent(at)).toBe(isSilent);
  });
});

describe('shares of a group', () => {
  const members = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 8 });
  const partitions = fc.integer({ min: 0, max: 60 }).map((count) => Array.from({ length: count }, (_, i) => `spans/${i}`));

  it('give every partition to one member, and differ by one at most', () => {
    fc.assert(
      fc.property(members, partitions, (ids, all) => {
        const found = [...shares(ids, all).values()];
        expect(found.flat().sort()).toEqual([...all].sort());
        const sizes = found.map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are the same in whatever order members and partitions are told', () => {
    fc.assert(
      fc.property(members, partitions, (ids, all) => {
        const turned = shares([...ids].reverse(), [...all].reverse());
        for (const [member, share] of shares(ids, all)) expect(turned.get(member)).toEqual(share);
      }),
    );
  });

  it('mostly stay when a member restarts, which gives it another id', () => {
    const all = Array.from({ length: 48 }, (_, i) => `spans/${i}`);
    const before = shares(['m-1', 'm-2', 'm-3', 'm-4'], all);
    const after = shares(['m-1', 'm-2', 'm-3', 'm-5'], all);
    const stayed = ['m-1', 'm-2', 'm-3'].map((member) => before.get(member)?.filter((one) => after.get(member)?.includes(one)).length ?? 0);
    // Of 36; dealt out in turn by order of ids it is a matter of luck.
    expect(stayed.reduce((sum, count) => sum + count)).toBeGreaterThan(24);
  });
});
