/** What `/v1/slo` takes: which objectives are asked for. */
import { z } from 'zod';

const MAX_NAME_CHARS = 512;
const MAX_ID_CHARS = 2048;

const objectiveId = z.string().min(1).max(MAX_ID_CHARS);

export const sloQuery = z.strictObject({
  service: z.string().min(1).max(MAX_NAME_CHARS).optional().describe('Only objectives of this service.'),
  objective: objectiveId.optional().describe('Only the objective with this id.'),
});

export const explanationQuery = z.strictObject({ objective: objectiveId.describe('Its id, as the report has it.') });
