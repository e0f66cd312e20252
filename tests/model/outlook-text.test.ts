/** What can be found, in words. */
import { expect, it } from 'vitest';
import type { Outlook } from '../../src/model/outlook.ts';
import { outlookText } from '../../src/model/outlook-text.ts';

const p99: Outlook = {
  check: 'p99 GET /cart',
  endpoint: 'GET /cart',
  metric: 'p99',
  effect: { kind: 'latency', ratio: 1.5 },
  neededMs: 2_400_000,
  smallest: { kind: 'latency', ratio: 1.42 },
  isJudgeable: true,
};

it.each<[string, Outlook, string]>([
  ['a time', p99, 'p99 × 1.5 on GET /cart needs about 40 min at this traffic; found within the run: p99 × 1.42'],
  [
    'errors',
    { ...p99, metric: 'errors', effect: { kind: 'errors', addRatio: 0.01 }, smallest: { kind: 'errors', addRatio: 0.00034 } },
    'errors + 1 % on GET /cart needs about 40 min at this traffic; found within the run: errors + 0.034 %',
  ],
  [
    'a regression too small for the traffic',
    { ...p99, neededMs: null, smallest: { kind: 'latency', ratio: 12.4 } },
    'p99 × 1.5 on GET /cart is not found at this traffic; found within the run: p99 × 12',
  ],
  [
    'that nothing would be found',
    { ...p99, smallest: null },
    'p99 × 1.5 on GET /cart needs about 40 min at this traffic; nothing would be found within the run',
  ],
  ['darkness', { ...p99, neededMs: null, smallest: null, isJudgeable: false }, 'p99 latency on GET /cart cannot be judged at this traffic'],
])('tells %s', (_name, outlook, text) => {
  expect(outlookText(outlook)).toBe(text);
});
