/** What must not get worse day by day, as a file says it. */
import { z } from 'zod';
import type { TrendRule } from '../model/objective.ts';
import { count, scalar, WRITTEN_DEFAULT } from './fields.ts';
import type { Finding, YamlPath } from './problem.ts';
import { Complaint, ratioOfPercent } from './quantity.ts';
import { MATCH_DESCRIPTION, MAX_MATCH_CHARS } from './weight-schema.ts';

const TREND_DEFAULTS = { growth: '5%/d', days: 3, capacityDays: 14 } as const;
const USUAL_GROWTH = 0.05;
const EXPECTED_GROWTH = 'a growth per day, such as `5%/d`';

const growth = scalar({ type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?%/d$', examples: ['5%/d'] }, (value) => {
  const match = /^\+?(\d{1,6}(?:\.\d{1,9})?)\s*(%?)\s*(?:\/\s*([a-z]+))?$/i.exec(String(value).trim());
  if (typeof value !== 'string' || match === null) return new Complaint('not a growth', EXPECTED_GROWTH);
  const [, digits = '', sign, per] = match;
  if (sign !== '%') return new Complaint('the `%` is missing', EXPECTED_GROWTH, `${digits}%/d`);
  if (per === undefined) return new Complaint('the time is missing', EXPECTED_GROWTH, `${digits}%/d`);
  if (!/^(d|day)$/i.test(per)) return new Complaint('a trend is followed by the day', EXPECTED_GROWTH);
  const ratio = ratioOfPercent(digits);
  if (ratio === 0) return new Complaint('whatever varies grows by 0% half of the time', EXPECTED_GROWTH);
  return ratio > 10 ? new Complaint('larger than can be meant', EXPECTED_GROWTH) : ratio;
});

const SUBJECTS = ['latency', 'errorRate', 'inFlight'] as const;

const trend = z
  .strictObject({
    latency: z.enum(['p50', 'p95', 'p99']).optional().describe('A percentile that creeps up.'),
    errorRate: z.literal(true).optional().describe('true: the share of failed requests that creeps up.'),
    inFlight: z.literal(true).optional().describe('true: requests at once, on average, that come near `capacity`.'),
    growth: growth.optional().meta({
      description: 'Growth per day that is too much, against the same hours of earlier days. Not for `inFlight`.',
      [WRITTEN_DEFAULT]: TREND_DEFAULTS.growth,
    }),
    days: count(2, 28)
      .optional()
      .meta({
        description:
          'Days it must have gone on. Of `inFlight`: how soon it would reach its capacity, 14 where nobody says. Use 7 where weekends differ much.',
        [WRITTEN_DEFAULT]: TREND_DEFAULTS.days,
      }),
    capacity: z.number().positive().max(1e9).optional().describe('Requests at once that the service can take, with `inFlight`.'),
    on: z.string().min(1).max(MAX_MATCH_CHARS).optional().describe(`${MATCH_DESCRIPTION} Left out: the whole service.`),
  })
  .refine(
    (entry) => SUBJECTS.filter((subject) => entry[subject] !== undefined).length === 1,
    'a trend is one of `latency`, `errorRate`, `inFlight`',
  )
  .refine((entry) => (entry.inFlight === true) === (entry.capacity !== undefined), '`inFlight` and `capacity` go together')
  .refine((entry) => entry.inFlight === undefined || entry.growth === undefined, {
    message: 'what counts is when the capacity is reached, not the growth',
    path: ['growth'],
  })
  .meta({ oneOf: SUBJECTS.map((subject) => ({ required: [subject] })) });

export const trendsSchema = z
  .array(trend)
  .max(100)
  .optional()
  .describe('What must not get worse day by day. Those of a service come besides those of `Defaults`; one about the same takes its place.');

export type TrendEntry = z.output<typeof trend>;

/** Rules of the service, then those of `Defaults` that it does not say otherwise. */
export function trendRules(
  service: string,
  own: readonly TrendEntry[],
  common: readonly TrendEntry[],
  refuse: (path: YamlPath, finding: Finding) => void,
): readonly TrendRule[] {
  const rules = new Map<string, TrendRule>();
  for (const [index, entry] of own.entries()) {
    const rule = ruleOf(service, entry);
    if (rules.has(rule.id))
      refuse(['spec', 'trends', index], { message: `another trend is about the same: \`${rule.metric}\``, expected: 'one of them' });
    rules.set(rule.id, rule);
  }
  for (const entry of common) {
    const rule = ruleOf(service, entry);
    if (!rules.has(rule.id)) rules.set(rule.id, rule);
  }
  return [...rules.values()];
}

function ruleOf(service: string, entry: TrendEntry): TrendRule {
  const metric = entry.latency ?? (entry.errorRate === true ? 'errors' : 'inFlight');
  const endpoint = entry.on ?? null;
  const isCapacity = entry.capacity !== undefined;
  const days = entry.days ?? (isCapacity ? TREND_DEFAULTS.capacityDays : TREND_DEFAULTS.days);
  const growthPerDay = isCapacity ? 0 : (entry.growth ?? USUAL_GROWTH);
  const where = endpoint === null ? '' : ` on ${endpoint}`;
  const limit = isCapacity
    ? `reaches ${entry.capacity} within ${days}d`
    : `grows ${Number((growthPerDay * 100).toPrecision(12))}%/d for ${days}d`;
  return {
    id: `${service}:trend:${endpoint === null ? '' : `${endpoint}:`}${metric}`,
    service,
    endpoint,
    metric,
    growthPerDay,
    days,
    capacity: entry.capacity ?? null,
    text: `${metric} ${limit}${where}`,
  };
}
