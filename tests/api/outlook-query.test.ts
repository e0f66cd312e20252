/** Shares of traffic as people write them. */
import { describe, expect, it } from 'vitest';
import { canaryShareOf, outlookQuery } from '../../src/api/outlook-query.ts';

it.each<[string, number | null]>([
  ['5%', 0.05],
  ['0.5%', 0.005],
  ['0.05', 0.05],
  ['.05', 0.05],
  ['99.9%', 0.999],
  ['0%', null],
  ['100%', null],
  ['5', null],
  ['1', null],
  ['5 %', null],
  ['-5%', null],
  ['', null],
  ['1e-2', null],
])('%j is the share %s', (text, share) => {
  expect(canaryShareOf(text)).toBe(share);
});

describe('the query', () => {
  it.each([{ within: '59s' }, { within: '31d' }, { within: 'x' }, { canaryShare: '2' }, { service: '' }, { more: '1' }])(
    'refuses %j',
    (wrong) => {
      expect(outlookQuery.safeParse({ service: 'shop', canaryShare: '5%', ...wrong }).success).toBe(false);
    },
  );

  it.each([{}, { within: '1m' }, { within: '30d' }])('takes %j', (right) => {
    expect(outlookQuery.safeParse({ service: 'shop', canaryShare: '5%', ...right }).success).toBe(true);
  });
});
