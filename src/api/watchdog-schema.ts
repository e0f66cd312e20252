/** What the watchdog found, as the API tells it. */
import { z } from 'zod';
import { WATCHDOG_PARTS } from '../model/watchdog-view.ts';
import { epochMs } from './wire.ts';

export const watchdog = z.object({
  lastSuccessAt: epochMs.nullable().describe('When everything was found well last; null: not yet.'),
  faults: z
    .array(
      z.object({
        part: z.enum(WATCHDOG_PARTS),
        fault: z.string().describe('What was expected and what was found.'),
        since: epochMs,
        member: z.string().nullable().describe('Whose it is; null: of the one process there is.'),
      }),
    )
    .describe('Parts that do not work, in the order in which spans pass them.'),
});
