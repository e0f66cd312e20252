/** Rules over the attributes of spans, as a file says them: which spans are left out, and which are valid or bad for an objective. */
import { z } from 'zod';
import type { EventRule } from '../model/span-rules.ts';
import { type AttributeRule, SPAN_KINDS } from '../model/span-rules.ts';
import { contentHash } from './canary-policy.ts';
import { scalar } from './fields.ts';
import { nearestName } from './nearest-name.ts';
import { Complaint } from './quantity.ts';

const MAX_VALUES = 1000;
const MAX_BAD_RULES = 20;
const ATTRIBUTE_VALUE = { type: ['string', 'number', 'boolean'] };

function valuesOf(value: unknown): readonly string[] | Complaint {
  const values = Array.isArray(value) ? value : [value];
  const texts = values.every((entry) => typeof entry === 'string' || typeof entry === 'number' || typeof entry === 'boolean');
  if (!texts || values.length === 0 || values.length > MAX_VALUES)
    return new Complaint('not a value or list of values', 'a text, a list of texts, or "*" for any value');
  return values.map(String);
}

const attributeValues = scalar<readonly string[]>(
  { anyOf: [ATTRIBUTE_VALUE, { type: 'array', items: ATTRIBUTE_VALUE, minItems: 1 }] },
  valuesOf,
);

const attributeRule = z
  .record(z.string().min(1).max(256), attributeValues)
  .refine((rule) => Object.keys(rule).length > 0, 'names no attribute');

/** What Kubernetes, Spring Boot, Prometheus and common frameworks answer probes and scrapes at. */
const HEALTH_PATHS = [
  ...['/health', '/healthz', '/healthcheck', '/health/live', '/health/ready', '/health/startup', '/_health', '/heartbeat'],
  ...['/ready', '/readyz', '/readiness', '/live', '/livez', '/liveness', '/startupz', '/-/healthy', '/-/ready'],
  ...['/actuator/health', '/actuator/health/liveness', '/actuator/health/readiness', '/actuator/prometheus'],
  ...['/ping', '/metrics', '/status'],
];

/** Words for what nearly everybody leaves out. Routes and paths in the attributes of the semantic conventions, old and new. */
const PRESETS = {
  healthChecks: [
    ...['http.route', 'url.path', 'http.target'].map((attribute): AttributeRule => ({ [attribute]: HEALTH_PATHS })),
    { 'rpc.service': ['grpc.health.v1.Health'] },
  ],
  synthetic: [{ 'user_agent.synthetic.type': ['*'] }],
} as const satisfies Readonly<Record<string, readonly AttributeRule[]>>;

export const excludedSpans = z
  .array(z.union([z.enum(['healthChecks', 'synthetic']), attributeRule]))
  .max(1000)
  .transform((entries): readonly AttributeRule[] => entries.flatMap((entry) => (typeof entry === 'string' ? PRESETS[entry] : [entry])))
  .optional()
  .describe(
    'Spans that are not counted at all. `healthChecks` are probes at the usual paths and the health service of gRPC, `synthetic` is what calls itself so (`user_agent.synthetic.type`). Of a rule every attribute must have one of its values, `"*"` is any value. Use it for health checks and load tests.',
  );

const STATUS_CODE = 'http.response.status_code';
const PSEUDO: Readonly<Record<string, readonly string[]>> = { 'span.status': ['ok', 'error', 'unset'], 'span.kind': SPAN_KINDS };

const eventValues = z.record(
  z.string().min(1).max(256),
  scalar<readonly string[]>({ anyOf: [ATTRIBUTE_VALUE, { type: 'array', items: ATTRIBUTE_VALUE, minItems: 1 }] }, valuesOf),
);

/** As `attributeRule`, with classes of HTTP codes and what a span says of itself besides its attributes. */
const eventRule = eventValues
  .refine((rule) => Object.keys(rule).length > 0, 'names no attribute')
  .transform((rule, context): AttributeRule => {
    const read: [string, readonly string[]][] = [];
    for (const [attribute, values] of Object.entries(rule)) {
      const complaint = (value: string, message: string, expected: string, suggestion: string | undefined): void =>
        context.addIssue({
          code: 'custom',
          message: `\`${value}\`: ${message}`,
          path: [attribute],
          params: { expected, suggestion },
          input: values,
        });
      const known = PSEUDO[attribute];
      const lower = known === undefined ? values : values.map((value) => value.toLowerCase());
      for (const value of lower) {
        if (known !== undefined && value !== '*' && !known.includes(value))
          complaint(value, `no \`${attribute}\``, `one of ${known.join(', ')}`, nearestName(value, known));
        if (attribute === STATUS_CODE && !/^([1-5]\d\d|[1-5]xx|\*)$/i.test(value))
          complaint(value, 'no status code', 'a code such as 429, or a class such as 5xx', undefined);
        if (attribute !== STATUS_CODE && /^[1-5]xx$/i.test(value) && /status/.test(attribute))
          complaint(value, `classes of codes are known of \`${STATUS_CODE}\` only`, `\`${STATUS_CODE}\``, undefined);
      }
      const whole = attribute === STATUS_CODE ? lower.flatMap(codesOf) : lower;
      read.push([attribute, [...new Set(whole)].sort()]);
    }
    return Object.fromEntries(read.sort(([a], [b]) => (a < b ? -1 : 1)));
  });

/** `5xx` is 500 to 599. */
function codesOf(value: string): readonly string[] {
  const digit = /^([1-5])xx$/i.exec(value)?.[1];
  return digit === undefined ? [value] : Array.from({ length: 100 }, (_, index) => String(Number(digit) * 100 + index));
}

export const badEvents = z
  .array(eventRule)
  .min(1)
  .max(MAX_BAD_RULES)
  .optional()
  .describe(
    'Own definition of bad, for `availability` and `errorRate`: a request is bad when any of these rules matches, `[{ http.response.status_code: [5xx, 429] }, { span.status: error }]`. `span.status` (ok, error, unset) and `span.kind` are what the span says of itself, others are attributes of span or resource. Left out: failed by the conventions of HTTP and gRPC.',
  );

export const validEvents = eventRule
  .optional()
  .describe(
    'Which requests are valid, with `bad`: every attribute must have one of its values, `"*"` is any. Left out: all that are counted.',
  );

/** The key follows from the content alone: neither the order of rules nor that of their attributes and values changes it. */
export function eventRuleOf(where: AttributeRule | null, bad: readonly AttributeRule[]): EventRule {
  const byKey = new Map(bad.map((rule) => [contentHash(rule), rule]));
  const rules = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, rule]) => rule);
  return { key: contentHash({ where, bad: rules }), where, bad: rules };
}

/** For people: `http.response.status_code=429|5xx or span.status=error`. */
export function ruleText(rules: readonly AttributeRule[]): string {
  const one = (rule: AttributeRule): string =>
    Object.entries(rule)
      .map(([attribute, values]) => `${attribute}=${(attribute === STATUS_CODE ? classesOf(values) : values).join('|')}`)
      .join(' and ');
  return rules.map(one).join(' or ');
}

function classesOf(values: readonly string[]): readonly string[] {
  const present = new Set(values);
  const whole = [1, 2, 3, 4, 5].filter((digit) => codesOf(`${digit}xx`).every((code) => present.has(code)));
  const singles = values.filter((value) => !whole.includes(Number(value.charAt(0))));
  return [...singles, ...whole.map((digit) => `${digit}xx`)];
}
