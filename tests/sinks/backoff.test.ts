/** Waits grow from quick to patient and stay within their bounds. */
import { fc, test } from '@fast-check/vitest';
import { expect, it } from 'vitest';
import { LONGEST_WAIT_MS, retryWaitMs } from '../../src/sinks/backoff.ts';

it('waits 0.2, 0.5, 1, 2, 5 s and then twice as long each time up to 30 s', () => {
  const waits = Array.from({ length: 10 }, (_, index) => retryWaitMs(index + 1, 0));
  expect(waits).toEqual([200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 30_000, 30_000]);
});

test.prop([fc.integer({ min: 1, max: 1e9 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })])(
  'jitter shortens a wait by at most a fifth, after however many failures',
  (failures, random) => {
    const wait = retryWaitMs(failures, random);
    expect(wait).toBeLessThanOrEqual(retryWaitMs(failures, 0));
    expect(wait).toBeGreaterThanOrEqual(retryWaitMs(failures, 0) * 0.8);
    expect(wait).toBeLessThanOrEqual(LONGEST_WAIT_MS);
  },
);
