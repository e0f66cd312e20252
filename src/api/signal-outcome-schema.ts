/** How a deploy system says what became of a signal that it took. */
import { z } from 'zod';

const CONTROL_CHARACTERS = /^[^\p{Cc}]*$/u;

export const reportOutcome = z.strictObject({
  sink: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('Name of the sink whose delivery is meant. Default: every sink that waits to be told.'),
  outcome: z.enum(['done', 'not_done']).describe('`done`: it was carried out. `not_done`: it was not and will not be; people are told.'),
  by: z.string().trim().min(1).max(200).regex(CONTROL_CHARACTERS, 'must be one line').describe('Who says so: a person or a pipeline.'),
  detail: z.string().trim().max(1000).optional().describe('What was done, or why not.'),
});
