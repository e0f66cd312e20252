/** Random spans of few services, releases, pods and endpoints, so that they meet. */
import { fc } from '@fast-check/vitest';
import type { TestSpan } from './members.ts';

export const anySpan: fc.Arbitrary<TestSpan> = fc.record({
  service: fc.constantFrom('shop', 'cart', 'Ünï\u{1f6d2}'),
  version: fc.constantFrom('', '1', '2'),
  pod: fc.constantFrom('', ...Array.from({ length: 14 }, (_, i) => `pod-${i}`)),
  endpoint: fc.constantFrom('GET /a', 'GET /b', 'work', ''),
  endMs: fc.integer({ min: 0, max: 90_000 }),
  durationMs: fc.integer({ min: -1, max: 500 }),
  hasFailed: fc.boolean(),
  weight: fc.constantFrom(1, 1, 1, 2, 4, 8),
  trace: fc.integer({ min: 0, max: 9 }),
});
