/** Small parts of the reader of a log that need no broker. */
import { describe, expect, it } from 'vitest';
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
