/** What matters more and what does not matter: weights, critical and muted checks and endpoints, and criteria, as a file says them. */
import { z } from 'zod';
import { CRITERION_PATTERN, type ParsedCriterion, parseCriterion } from './criterion-text.ts';
import { optional, scalar, WRITTEN_DEFAULT } from './fields.ts';
import { nearestName } from './nearest-name.ts';
import { Complaint } from './quantity.ts';

/** Longer patterns match nothing that is kept. */
export const MAX_MATCH_CHARS = 512;
const MAX_WEIGHT = 100;

export const MATCH_DESCRIPTION =
  'Endpoint as status shows it (`GET /items/{id}`), `*` for anything within a path segment or word, `**` for anything at all.';

const weight = scalar({ type: 'number', exclusiveMinimum: 0, maximum: MAX_WEIGHT, examples: [2] }, (value) => {
  const expected = `a number above 0, at most ${MAX_WEIGHT}; 1 is as usual`;
  if (typeof value !== 'number' || !Number.isFinite(value)) return new Complaint('not a weight', expected);
  if (value === 0) return new Complaint('what has no weight is not judged', expected, 'muted: true');
  if (value < 0) return new Complaint('a weight is not negative', expected);
  return value > MAX_WEIGHT ? new Complaint(`larger than ${MAX_WEIGHT}`, expected) : value;
});

const isNeverBoth = (setting: { critical?: boolean | undefined; muted?: boolean | undefined }): boolean =>
  !(setting.critical === true && setting.muted === true);
const NEVER_BOTH = 'what is muted is not judged, so it can never be proven: `critical` or `muted`, not both';

function checkSetting(check: string, what: string) {
  return z
    .strictObject({
      weight: optional(
        weight,
        1,
        `How soon harm to ${check} is proven, relative to its usual share of the evidence that decides; the others get the rest. Use more where it matters most.`,
      ),
      critical: optional(
        z.boolean(),
        false,
        `true: promotion asks for proof of ${check} on every endpoint that both releases serve, however little traffic that has. Use it with \`onInconclusive\` in mind.`,
      ),
      muted: optional(z.boolean(), false, `true: ${check} is not judged at all. Use it where it differs for reasons that are no harm.`),
    })
    .refine(isNeverBoth, NEVER_BOTH)
    .optional()
    .describe(what);
}

export const checks = z
  .strictObject({
    p50: checkSetting('p50', 'Median latency, and latency beyond twice the median.'),
    p95: checkSetting('p95', 'Latency that 95 % of the requests keep.'),
    p99: checkSetting('p99', 'Latency that 99 % of the requests keep.'),
    errors: checkSetting('errors', 'Failed requests, few and many. Muted, `maxBurnRate` is not asked either.'),
  })
  .optional()
  .describe('What is compared on every endpoint, and how much it matters.');

const endpointSetting = z
  .strictObject({
    match: z.string().min(1).max(MAX_MATCH_CHARS).describe(MATCH_DESCRIPTION),
    weight: weight
      .optional()
      .describe(
        'How soon harm there is proven, besides the square root of its traffic. Left out: 1. Use more for endpoints that earn the money.',
      ),
    critical: z
      .boolean()
      .optional()
      .describe('true: promotion asks for proof on each of these endpoints, however little traffic it has. Left out: false.'),
    muted: z
      .boolean()
      .optional()
      .describe(
        'true: these endpoints are counted, not judged, and their requests count for nothing here. Left out: false. Use it for internal and debugging endpoints.',
      ),
  })
  .refine(isNeverBoth, NEVER_BOTH)
  .refine(
    (entry) => entry.weight !== undefined || entry.critical !== undefined || entry.muted !== undefined,
    'needs `weight`, `critical` or `muted`',
  );

export const endpointSettings = z
  .array(endpointSetting)
  .max(100)
  .optional()
  .describe('How much endpoints matter. The first that matches counts; those of `Defaults` come after those of the service.');

export interface CriterionEntry {
  /** Null: every endpoint. */
  readonly match: string | null;
  readonly criterion: ParsedCriterion;
}

const CRITERION_TEXT = {
  type: 'string',
  pattern: CRITERION_PATTERN,
  examples: ['p99 <= +10%', 'errors <= +0.1pp', 'p95 < 500ms', 'errors < 1%'],
};
const EXPECTED_ENTRY = 'a criterion such as `p99 <= +10%`, or `{ match: POST /checkout, criterion: p95 < 300ms }`';

const criterion = scalar<CriterionEntry>(
  {
    anyOf: [
      CRITERION_TEXT,
      {
        type: 'object',
        properties: {
          match: { type: 'string', minLength: 1, maxLength: MAX_MATCH_CHARS, description: MATCH_DESCRIPTION },
          criterion: { ...CRITERION_TEXT, description: 'A limit of the canary alone: `p95 < 300ms` or `errors < 1%`.' },
        },
        required: ['match', 'criterion'],
        additionalProperties: false,
      },
    ],
  },
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      const parsed = parseCriterion(value);
      return parsed instanceof Complaint ? parsed : { match: null, criterion: parsed };
    }
    const { match, criterion: text, ...others } = value as Record<string, unknown>;
    const [other] = Object.keys(others);
    if (other !== undefined)
      return new Complaint(`there is no option \`${other}\` here`, EXPECTED_ENTRY, nearestName(other, ['match', 'criterion']));
    if (typeof match !== 'string' || match === '' || match.length > MAX_MATCH_CHARS)
      return new Complaint('`match` is missing or not a pattern', EXPECTED_ENTRY);
    if (text === undefined) return new Complaint('`criterion` is missing', EXPECTED_ENTRY);
    const parsed = parseCriterion(text);
    if (parsed instanceof Complaint) return new Complaint(`\`${String(text)}\`: ${parsed.message}`, parsed.expected, parsed.suggestion);
    if (parsed.kind === 'relative')
      return new Complaint(
        `\`${parsed.text}\`: what is tolerated against the baseline holds for all endpoints alike`,
        'a limit of the canary alone, such as `p95 < 300ms`',
      );
    return { match, criterion: parsed };
  },
);

export const criteria = z
  .array(criterion)
  .max(50)
  .optional()
  .meta({
    description:
      'What a good canary keeps; all of them. With a sign it is a tolerance against the baseline: `p99 <= +10%`, `errors <= +0.1pp` (percentage points), `errors <= +10%` (odds). Without, a limit of the canary alone: `p95 < 500ms`, `errors < 1%`. Those of `Defaults` stay in force unless the service says another one about the same thing. [] adds none.',
    [WRITTEN_DEFAULT]: [],
  });
