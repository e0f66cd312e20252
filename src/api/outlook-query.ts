/** What `/v1/outlook` takes: a canary that is thought of. */
import { z } from 'zod';
import { Complaint, parsePercent, ratioOfPercent } from '../config/quantity.ts';
import { durationMs } from './duration.ts';

const MAX_WITHIN = '30d';

export const outlookQuery = z.strictObject({
  service: z.string().min(1).max(512).describe('Whose canary.'),
  canaryShare: z
    .string()
    .max(16)
    .refine((text) => canaryShareOf(text) !== null, 'must be a share of the traffic like 5%, more than 0% and less than 100%')
    .describe('Share of the traffic that the canary is to get, such as `5%`; a ratio such as `0.05` is taken too.'),
  within: z
    .string()
    .max(64)
    .refine((text) => isWithin(text), `must be a duration like 1h, 1m to ${MAX_WITHIN}`)
    .optional()
    .describe('How long the run may take. Default: the horizon of the policy.'),
});

/** `5%` or `0.05` as a ratio in (0, 1); null for anything else. A bare number of 1 or more could mean either and is refused. */
export function canaryShareOf(text: string): number | null {
  const digits = parsePercent(text);
  const ratio = !(digits instanceof Complaint) ? ratioOfPercent(digits) : /^0?\.\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  return ratio > 0 && ratio < 1 ? ratio : null;
}

function isWithin(text: string): boolean {
  const ms = durationMs(text);
  return ms !== null && ms >= (durationMs('1m') ?? 0) && ms <= (durationMs(MAX_WITHIN) ?? 0);
}
