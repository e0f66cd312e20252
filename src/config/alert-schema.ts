/** When a burning budget calls somebody, as a file says it. */
import { z } from 'zod';
import { count, duration, optional, scalar } from './fields.ts';
import { Complaint, PERCENT_PATTERN, parsePercent, ratioOfPercent } from './quantity.ts';

export const ALERT_DEFAULTS = { preset: 'google', basis: 'rate', minBad: 10 } as const;

const share = scalar({ type: 'string', pattern: PERCENT_PATTERN, examples: ['2%'] }, (value) => {
  const digits = parsePercent(value, '2%');
  if (digits instanceof Complaint) return digits;
  const ratio = ratioOfPercent(digits);
  return ratio > 0 && ratio <= 1 ? ratio : new Complaint('no share of a budget', 'more than 0% and at most 100%');
});

const tier = z
  .strictObject({
    severity: z.enum(['page', 'ticket']).describe('`page` wakes somebody, `ticket` waits for the morning.'),
    long: duration({ min: '10m', max: '92d' }).describe('Window in which the budget burns; at most that of the objective.'),
    short: duration({ min: '1m', max: '31d' })
      .optional()
      .describe('Window that must burn too, so that the alert ends soon after the cause; below `long`. Left out: a twelfth of it.'),
    budget: share.describe('Share of the budget that is spent when the alert fires at the earliest: `2%`.'),
  })
  .refine(({ long, short }) => short === undefined || short < long, { message: '`short` must be shorter than `long`', path: ['short'] });

export const alertsSchema = z
  .strictObject({
    preset: optional(
      z.enum(['google', 'none']),
      ALERT_DEFAULTS.preset,
      'Tiers: `google` has those of the SRE Workbook (2% in 1h and 5% in 6h page; 10% in 1d and in 3d make tickets), scaled to the window; `none` has none.',
    ),
    tiers: z
      .array(tier)
      .min(1)
      .max(8)
      .optional()
      .describe('Own tiers instead of the preset. Use them for targets below 95 %, where the fast tiers of the preset cannot fire.'),
    basis: optional(
      z.enum(['rate', 'budget', 'both']),
      ALERT_DEFAULTS.basis,
      'What burns: `rate` the share of bad requests of the moment, `budget` the part of the whole budget they spend, so that quiet nights wake nobody; `both` asks for both.',
    ),
    minBad: optional(
      count(0, 1_000_000),
      ALERT_DEFAULTS.minBad,
      'Bad requests (or slices) in the long window below which nothing burns; an overspent budget of fewer only warns at the gate. Of slices, where nobody says, at most half of the shortest long window, and 1 where their mean counts. 0: no such floor. Use less for services with few requests.',
    ),
  })
  .refine(({ preset, tiers }) => preset === undefined || tiers === undefined, 'own `tiers` take the place of a `preset`: one of them')
  .optional()
  .describe('When a burning budget calls somebody. Every option left out is taken from the service, then from `Defaults`.');

export type AlertSection = NonNullable<z.output<typeof alertsSchema>>;
