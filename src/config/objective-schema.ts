/** What is promised: objectives as entries with options, or as the line of a contract. */
import { z } from 'zod';
import type { AttributeRule } from '../model/span-rules.ts';
import { type AlertSection, alertsSchema } from './alert-schema.ts';
import { badEvents, eventRuleOf, ruleText, validEvents } from './attribute-rules.ts';
import { EXPECTED_CONTRACT, parseContract } from './contract-line.ts';
import { scalar, WRITTEN_DEFAULT } from './fields.ts';
import { NAME_EXPECTED, NAME_PATTERN } from './name-pattern.ts';
import {
  type ParsedObjective,
  parseAvailability,
  parseErrorRate,
  parseInFlight,
  parseLatency,
  parseThroughput,
  USUAL_SLICES_TARGET,
} from './objective-text.ts';
import type { YamlPath } from './problem.ts';
import { Complaint, PERCENT_PATTERN, parsePercent, ratioOfPercent } from './quantity.ts';
import { type SliceSetting, timeslices, type WindowSetting, windowSetting } from './window-schema.ts';

const MAX_OBJECTIVES = 100;

/** One objective with what its entry says besides; what it leaves out comes from the service, then from `Defaults`. */
export interface ObjectiveEntry {
  readonly parsed: ParsedObjective;
  /** From `on` of a contract; null: what is above says where it holds. */
  readonly endpoint: string | null;
  readonly name: string | undefined;
  readonly window: WindowSetting | undefined;
  readonly timeslices: SliceSetting | undefined;
  readonly alerts: AlertSection | undefined;
  /** Place inside the list; empty when the list is one text. */
  readonly at: YamlPath;
}

const NUMBER = '[0-9]+(\\.[0-9]+)?';
const LATENCY_PATTERN = `^[pP]\\s?${NUMBER}\\s*<=?\\s*(${NUMBER}(ns|us|µs|ms|s|m|h))+$`;
const RATE_PATTERN = `^[<>]=?\\s*${NUMBER}\\s*(((requests|reqs?)?\\s*/\\s*(s|sec|second|m|min|minute|h|hour))|rps|rpm)$`;
const SLI_KEYS = ['latency', 'availability', 'errorRate', 'throughput', 'inFlight'] as const;

const target = scalar({ type: 'string', pattern: PERCENT_PATTERN, examples: ['99%'] }, (value) => {
  const digits = parsePercent(value, '99%');
  if (digits instanceof Complaint) return digits;
  const ratio = ratioOfPercent(digits);
  if (ratio === 1) return new Complaint('a target of 100% leaves no error budget', 'more than 0% and less than 100%', '99.9%');
  return ratio > 0 && ratio < 1 ? ratio : new Complaint('no target', 'more than 0% and less than 100%');
});

const entryObject = z
  .strictObject({
    latency: scalar({ type: 'string', pattern: LATENCY_PATTERN, examples: ['p95 < 500ms'] }, parseLatency)
      .optional()
      .describe('Percentile and limit: `p95 < 500ms` asks that 95 % of the requests take at most 500 ms.'),
    availability: scalar({ type: 'string', pattern: `^${NUMBER}%$`, examples: ['99.9%'] }, parseAvailability)
      .optional()
      .describe('Share of requests that do not fail: `99.9%`.'),
    errorRate: scalar({ type: 'string', pattern: `^<=?\\s*${NUMBER}%$`, examples: ['< 0.1%'] }, parseErrorRate)
      .optional()
      .describe('Upper limit of the share of requests that fail: `< 0.1%`.'),
    throughput: scalar({ type: 'string', pattern: RATE_PATTERN, examples: ['> 10/s'] }, parseThroughput)
      .optional()
      .describe(
        'Requests a second of a good slice of time: `"> 10/s"` at least, `< 2000/s` at most. A text that begins with `>` needs quotes.',
      ),
    inFlight: scalar({ type: 'string', pattern: `^<=?\\s*${NUMBER}$`, examples: ['< 200'] }, parseInFlight)
      .optional()
      .describe('Requests at once of a good slice of time, on average, by Little’s law: `< 200`.'),
    name: z
      .string()
      .regex(NAME_PATTERN, NAME_EXPECTED)
      .optional()
      .describe('Name of the objective. Left out: made from its text. Use it where two would have the same.'),
    bad: badEvents,
    where: validEvents,
    target: target.optional().meta({
      description: 'Share of slices that must be good, of `throughput` and `inFlight`; the others carry their target in their text.',
      [WRITTEN_DEFAULT]: `${USUAL_SLICES_TARGET * 100}%`,
    }),
    window: windowSetting(),
    timeslices: timeslices(),
    alerts: alertsSchema,
  })
  .refine(
    (entry) => SLI_KEYS.filter((key) => entry[key] !== undefined).length === 1,
    'an objective is one of `latency`, `availability`, `errorRate`, `throughput`, `inFlight`',
  )
  .refine((entry) => entry.bad === undefined || entry.availability !== undefined || entry.errorRate !== undefined, {
    message: 'own `bad` is for `availability` and `errorRate`',
    path: ['bad'],
  })
  .refine((entry) => entry.where === undefined || entry.bad !== undefined, { message: '`where` needs `bad` beside it', path: ['where'] })
  .refine((entry) => entry.target === undefined || isOfSlices(entry), {
    message: 'the target is in the text already; `target` is for `throughput` and `inFlight`',
    path: ['target'],
  })
  .refine((entry) => entry.timeslices?.ratio == null || !isOfSlices(entry), {
    message: 'a slice is good by its throughput or its requests in flight, so neither a share of requests nor `mean` makes it so',
    path: ['timeslices', 'good'],
  })
  .meta({ oneOf: SLI_KEYS.map((key) => ({ required: [key] })) });

type EntryObject = z.output<typeof entryObject>;

function isOfSlices(entry: { throughput?: unknown; inFlight?: unknown }): boolean {
  return entry.throughput !== undefined || entry.inFlight !== undefined;
}

const contract = z
  .string()
  .min(1)
  .meta({ examples: ['p95 < 500ms, 99.9%, errors < 0.1%'] })
  .transform((text, context): readonly ObjectiveEntry[] => {
    const parts = parseContract(text);
    if (!(parts instanceof Complaint))
      return parts.map(({ objective, endpoint }) => ({ ...NOTHING_BESIDES, parsed: objective, endpoint, at: [] }));
    const { message, expected, suggestion } = parts;
    context.addIssue({ code: 'custom', message, params: { expected: expected ?? EXPECTED_CONTRACT, suggestion }, input: text });
    return z.NEVER;
  });

const NOTHING_BESIDES = { endpoint: null, name: undefined, window: undefined, timeslices: undefined, alerts: undefined } as const;

/** A line of a contract, or a list of lines and entries. */
export const objectives = () =>
  z.union([
    contract,
    z
      .array(z.union([contract, entryObject.transform((entry) => [entryOf(entry)])]))
      .max(MAX_OBJECTIVES)
      .transform((lists) => lists.flatMap((list, index) => list.map((entry): ObjectiveEntry => ({ ...entry, at: [index] })))),
  ]);

function entryOf(entry: EntryObject): ObjectiveEntry {
  const { name, window, timeslices: slices, alerts } = entry;
  const parsed = entry.latency ?? entry.availability ?? entry.errorRate ?? entry.throughput ?? entry.inFlight;
  if (parsed === undefined) throw new RangeError('an objective without SLI passed the schema');
  return {
    parsed: withBad({ ...parsed, target: entry.target ?? parsed.target }, entry),
    endpoint: null,
    name,
    window,
    timeslices: slices,
    alerts,
    at: [],
  };
}

function withBad(
  parsed: ParsedObjective,
  { bad, where }: { bad?: readonly AttributeRule[] | undefined; where?: AttributeRule | undefined },
): ParsedObjective {
  if (bad === undefined) return parsed;
  const rule = eventRuleOf(where ?? null, bad);
  const whereText = rule.where === null ? '' : ` where ${ruleText([rule.where])}`;
  return { ...parsed, sli: { kind: 'events', rule }, text: `${parsed.text}${whereText}, bad: ${ruleText(rule.bad)}` };
}
