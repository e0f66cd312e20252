/** Fields that every override has: who, why, for how long, of what. */
import { z } from 'zod';
import { durationMs } from './duration.ts';

const MIN_REASON_CHARS = 8;
const MAX_DURATION_CHARS = 64;
const SHORTEST = '1s';

export const serviceName = z.string().min(1).max(512).describe('service.name, or service.namespace/service.name.');

/** One line of text that says something, blanks at its ends left out. */
export function line(maxChars: number, minChars: number) {
  return z
    .string()
    .max(maxChars)
    .trim()
    .refine((text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text), 'must be one line of text without control characters')
    .refine((text) => text.length >= minChars, minChars === 1 ? 'must not be empty' : `must be at least ${minChars} characters`)
    .meta({ minLength: minChars });
}

/** Who answers for it. */
export const person = line(100, 1);

/** Why: it is kept and logged. */
export const why = line(500, MIN_REASON_CHARS);

/** `2h`, from a second up to `longest`. */
export function overrideLength(longest: string) {
  return z
    .string()
    .max(MAX_DURATION_CHARS)
    .refine((text) => {
      const ms = durationMs(text) ?? 0;
      return ms >= (durationMs(SHORTEST) ?? 0) && ms <= (durationMs(longest) ?? 0);
    }, `must be a duration of ${SHORTEST} to ${longest}, like 2h`);
}
