/** The wire form of what judging waits for. */
import { z } from 'zod';
import { epochMs, figure } from './wire.ts';

const count = z.number().min(0);

export const inputs = z.object({
  streamTime: epochMs.nullable().describe('Judging has come to this time; null: nothing is judged before all sources were heard of.'),
  lagMs: figure.describe('How far that is behind the wall clock.'),
  doubt: z.enum(['input_lagging', 'input_gap']).nullable().describe('Why no run promotes or rolls back now; null: nothing is in the way.'),
  sources: count,
  waitedFor: count.describe('Sources that are behind, and that judging waits for.'),
  givenUp: count.describe('Sources that were waited for in vain: judging goes on without them, and is in doubt.'),
  lagging: z
    .array(
      z.object({
        source: z.string().describe('`topic/partition`, or `otlp/` and a member.'),
        completeUntil: epochMs.nullable().describe('All that arrived there by then is counted; null: it was never heard of.'),
        stillSince: epochMs.nullable(),
        isWaitedFor: z.boolean(),
      }),
    )
    .describe('The 20 gravest.'),
  quarantined: z
    .array(z.object({ source: z.string(), offset: count, at: epochMs, reason: z.string() }))
    .describe('The newest records without spans that can be read: they count for nothing.'),
});
