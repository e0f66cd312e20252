/** OpenSLO v1 as its SDK enforces it; `lenient` lets names and displayed names be what they are, and what may be left out be left out. */
import { z } from 'zod';
import { MISSING } from '../fields.ts';
import { EXPECTED_SHORTHAND, SHORTHAND_PATTERN } from './shorthand.ts';

export type OpenSloMode = 'strict' | 'lenient';

export const OPENSLO_VERSION = 'openslo/v1';
export const OPENSLO_KINDS = ['SLO', 'SLI', 'DataSource', 'Service', 'AlertPolicy', 'AlertCondition', 'AlertNotificationTarget'] as const;
export type OpenSloKind = (typeof OPENSLO_KINDS)[number];

export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
export const EXPECTED_NAME = 'an RFC 1123 label: small letters, digits and `-`, at most 63, such as `checkout-latency`';
export const MAX_DISPLAY_CHARS = 63;
const MAX_NAME_CHARS = 253;
const MAX_DESCRIPTION_CHARS = 1050;
const LABEL_KEY = /^[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
const ANNOTATION_KEY =
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\/[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
const OPERATORS = ['lte', 'gte', 'lt', 'gt'] as const;
const METHODS = ['Occurrences', 'Timeslices', 'RatioTimeslices'] as const;

const description = z.string().max(MAX_DESCRIPTION_CHARS).optional();
const filled = z.string().min(1);
const duration = z.string().regex(SHORTHAND_PATTERN, EXPECTED_SHORTHAND);
const operator = z.enum(OPERATORS);

type Context = z.core.$RefinementCtx;

/** A rule over several fields that is broken: what is wrong, what is asked, and an example of it. */
function broken(context: Context, path: (string | number)[], message: string, expected: string): void {
  context.addIssue({ code: 'custom', path, message, params: { expected } });
}

function present(section: object, names: readonly string[]): readonly string[] {
  return names.filter((name) => (section as Record<string, unknown>)[name] !== undefined);
}

function exactlyOne(context: Context, section: object, names: readonly [string, string], example: string): void {
  const found = present(section, names);
  if (found.length === 1) return;
  const [a, b] = names;
  const message = found.length === 0 ? `neither \`${a}\` nor \`${b}\` is there` : `\`${a}\` and \`${b}\` are both there`;
  broken(context, [], message, `exactly one of them, such as ${example}`);
}

/** `YYYY-MM-DD hh:mm:ss` that is a day of the calendar. */
function isDateTime(text: string): boolean {
  const match = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})$/.exec(text);
  if (match === null) return false;
  const time = Date.parse(`${match[1]}T${match[2]}Z`);
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(`${match[1]}T${match[2]}`);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return !/^[+-]/.test(name);
  } catch {
    return false;
  }
}

const calendar = z.strictObject({
  startTime: z
    .string()
    .refine(isDateTime, { error: 'no such time', params: { expected: 'local time without zone, such as `2026-01-01 00:00:00`' } }),
  timeZone: z.string().refine(isTimeZone, { error: 'no such time zone', params: { expected: 'an IANA name, such as `Europe/Lisbon`' } }),
});

const timeWindow = z
  .strictObject({ duration, isRolling: z.boolean().optional(), calendar: calendar.optional() })
  .superRefine((window, context) => {
    if (window.isRolling === true && window.calendar !== undefined)
      broken(context, ['calendar'], 'a rolling window has no `calendar`', '`isRolling: false`, or no `calendar`');
    if (window.isRolling !== true && window.calendar === undefined) {
      const example = '`calendar: { startTime: 2026-01-01 00:00:00, timeZone: UTC }`';
      broken(context, [], 'a window that does not roll needs a `calendar`', `\`isRolling: true\`, or ${example}`);
    }
  });

const metric = z.strictObject({
  metricSource: z
    .strictObject({
      metricSourceRef: filled.optional(),
      type: filled.optional(),
      spec: z.record(z.string(), z.unknown()).refine((spec) => Object.keys(spec).length > 0, {
        error: '`spec` is empty',
        params: { expected: 'what the source is asked, at least one entry' },
      }),
    })
    .superRefine((source, context) => {
      if (present(source, ['metricSourceRef', 'type']).length === 0)
        broken(context, [], '`type` is missing', 'the `type` of the source, or `metricSourceRef` with the name of a DataSource');
    }),
});

const ratioMetric = z
  .strictObject({
    counter: z.boolean().optional(),
    good: metric.optional(),
    bad: metric.optional(),
    total: metric.optional(),
    rawType: z.enum(['success', 'failure']).optional(),
    raw: metric.optional(),
  })
  .superRefine((ratio, context) => {
    exactlyOne(context, ratio, ['total', 'raw'], '`total` with `good`');
    if (ratio.total !== undefined) exactlyOne(context, ratio, ['good', 'bad'], '`good` with `total`');
    if (ratio.raw === undefined) return;
    if (present(ratio, ['good', 'bad']).length > 0)
      broken(context, ['raw'], '`raw` stands alone', '`raw` with `rawType`, or `total` with `good` or `bad`');
    if (ratio.rawType === undefined) broken(context, ['rawType'], MISSING, '`success` or `failure`');
  });

const sliSpec = z
  .strictObject({ description, thresholdMetric: metric.optional(), ratioMetric: ratioMetric.optional() })
  .superRefine((spec, context) => exactlyOne(context, spec, ['thresholdMetric', 'ratioMetric'], '`ratioMetric`'));

const alertConditionSpec = z.strictObject({
  description,
  severity: filled,
  condition: z.strictObject({
    kind: z.literal('burnrate'),
    op: operator,
    threshold: z.number(),
    lookbackWindow: duration,
    alertAfter: duration.optional(),
  }),
});

const alertTargetSpec = z.strictObject({ description, target: filled });

/** All schemas of one mode. */
function schemasOf(mode: OpenSloMode) {
  const isStrict = mode === 'strict';
  const name = isStrict ? z.string().regex(DNS_LABEL, EXPECTED_NAME) : z.string().min(1).max(MAX_NAME_CHARS);
  const metadata = z.strictObject({
    name,
    displayName: z
      .string()
      .max(isStrict ? MAX_DISPLAY_CHARS : MAX_DESCRIPTION_CHARS)
      .optional(),
    labels: z
      .record(z.string().regex(LABEL_KEY, 'letters, digits, `-`, `_`, `.`, at most 63'), z.union([z.string(), z.array(z.string())]))
      .optional(),
    annotations: z
      .record(
        z
          .string()
          .regex(ANNOTATION_KEY, 'a prefix and a name, such as `example.com/owner`')
          .refine((key) => !isStrict || !key.startsWith('openslo.com/'), '`openslo.com/` is reserved'),
        z.string(),
      )
      .optional(),
  });
  const indicator = z.strictObject({ metadata, spec: sliSpec });

  /** Either the name of an object or the object itself, which then has its kind, metadata and spec. */
  const referred = <S extends z.ZodType>(refKey: string, kind: OpenSloKind, spec: S) =>
    z
      .strictObject({ [refKey]: name.optional(), kind: z.literal(kind).optional(), metadata: metadata.optional(), spec: spec.optional() })
      .superRefine((entry, context) => {
        const inline = present(entry, ['kind', 'metadata', 'spec']);
        const hasRef = (entry as Record<string, unknown>)[refKey] !== undefined;
        if (hasRef && inline.length > 0)
          broken(context, [], `\`${refKey}\` and \`${inline[0]}\` are both there`, `either \`${refKey}\`, or kind, metadata and spec`);
        else if (!hasRef && inline.length < 3)
          broken(context, [], `neither \`${refKey}\` nor a whole ${kind}`, `\`${refKey}\`, or \`kind: ${kind}\` with metadata and spec`);
      }) as unknown as z.ZodType<Referred<z.output<S>>>;

  const alertPolicySpec = z.strictObject({
    description,
    alertWhenNoData: z.boolean().optional(),
    alertWhenResolved: z.boolean().optional(),
    alertWhenBreaching: z.boolean().optional(),
    conditions: z
      .array(referred('conditionRef', 'AlertCondition', alertConditionSpec))
      .min(1)
      .max(1),
    notificationTargets: z.array(referred('targetRef', 'AlertNotificationTarget', alertTargetSpec)).min(1),
  });

  const target = (max: number) =>
    z.number().refine((value) => value >= 0 && value < max, { error: 'out of range', params: { expected: `at least 0 and below ${max}` } });
  const objective = z
    .strictObject({
      displayName: z.string().optional(),
      op: operator.optional(),
      value: z.number().optional(),
      target: target(1).optional(),
      targetPercent: target(100).optional(),
      timeSliceTarget: z
        .number()
        .refine((value) => value > 0 && value <= 1, { error: 'out of range', params: { expected: 'above 0 and at most 1, such as 0.95' } })
        .optional(),
      timeSliceWindow: duration.optional(),
      indicator: indicator.optional(),
      indicatorRef: name.optional(),
      compositeWeight: z.number().gt(0).optional(),
    })
    .superRefine((entry, context) => exactlyOne(context, entry, ['target', 'targetPercent'], '`target: 0.99`'));

  const sloSpec = z
    .strictObject({
      description,
      service: filled,
      indicator: indicator.optional(),
      indicatorRef: name.optional(),
      budgetingMethod: z.enum(METHODS),
      timeWindow: isStrict ? z.array(timeWindow).min(1).max(1) : z.array(timeWindow).max(1).optional(),
      objectives: z.array(objective).max(1000).optional(),
      alertPolicies: z
        .array(referred('alertPolicyRef', 'AlertPolicy', alertPolicySpec))
        .max(1000)
        .optional(),
    })
    .superRefine((spec, context) => {
      const objectives = spec.objectives ?? [];
      const both = (section: object, path: (string | number)[]): void => {
        if (present(section, ['indicator', 'indicatorRef']).length === 2)
          broken(context, [...path, 'indicatorRef'], '`indicator` and `indicatorRef` are both there', 'one of them');
      };
      both(spec, []);
      const isComposite = objectives.some((entry) => present(entry, ['indicator', 'indicatorRef']).length > 0);
      const isPlain = present(spec, ['indicator', 'indicatorRef']).length > 0;
      const expected = 'one on `spec`, or one on every objective (composite)';
      if (isComposite && isPlain) broken(context, [], 'indicators stand on `spec` and on objectives', expected);
      if (!isComposite && !isPlain) broken(context, [], '`indicator` is missing', expected);
      for (const [index, entry] of objectives.entries()) {
        const path = ['objectives', index];
        both(entry, path);
        if (isComposite && present(entry, ['indicator', 'indicatorRef']).length === 0)
          broken(context, path, 'a composite SLO has an indicator on every objective', '`indicator` or `indicatorRef`');
        checkOperator(context, entry.indicator ?? spec.indicator, entry, path);
        if (spec.budgetingMethod === 'Timeslices' && entry.timeSliceTarget === undefined)
          broken(context, [...path, 'timeSliceTarget'], MISSING, 'the share of a slice that must be good, such as 0.95');
        if (spec.budgetingMethod !== 'Occurrences' && entry.timeSliceWindow === undefined)
          broken(context, [...path, 'timeSliceWindow'], MISSING, 'the length of a slice, such as `5m`');
      }
    });

  const enveloped = <S extends z.ZodType>(kind: OpenSloKind, spec: S) =>
    z.strictObject({ apiVersion: z.literal(OPENSLO_VERSION), kind: z.literal(kind), metadata, spec });
  return {
    SLO: enveloped('SLO', sloSpec),
    SLI: enveloped('SLI', sliSpec),
    DataSource: enveloped(
      'DataSource',
      z.strictObject({ description, type: filled, connectionDetails: z.unknown().refine((value) => value !== undefined, 'is missing') }),
    ),
    Service: enveloped('Service', z.strictObject({ description }).optional()),
    AlertPolicy: enveloped('AlertPolicy', alertPolicySpec),
    AlertCondition: enveloped('AlertCondition', alertConditionSpec),
    AlertNotificationTarget: enveloped('AlertNotificationTarget', alertTargetSpec),
  };
}

/** A name, or the object itself. */
export interface Referred<Spec> {
  readonly kind?: string;
  readonly metadata?: OpenSloMetadata;
  readonly spec?: Spec;
  readonly alertPolicyRef?: string;
  readonly conditionRef?: string;
  readonly targetRef?: string;
}

/** What is known only of indicators that stand in the SLO itself: a threshold needs `op` and `value`, a ratio may have neither. */
function checkOperator(
  context: Context,
  indicator: { readonly spec: z.output<typeof sliSpec> } | undefined,
  entry: { readonly op?: string | undefined; readonly value?: number | undefined },
  path: (string | number)[],
): void {
  if (indicator === undefined) return;
  const isThreshold = indicator.spec.thresholdMetric !== undefined;
  for (const field of ['op', 'value'] as const) {
    const isThere = entry[field] !== undefined;
    if (isThreshold && !isThere)
      broken(context, [...path, field], MISSING, `\`${field}\` beside a thresholdMetric, such as ${EXAMPLES[field]}`);
    if (!isThreshold && isThere)
      broken(
        context,
        [...path, field],
        `\`${field}\` is forbidden beside a ratioMetric`,
        `no \`${field}\`: the ratio is held against \`target\``,
      );
  }
}

const EXAMPLES = { op: '`op: lte`', value: '`value: 500`' } as const;

export const OPENSLO_SCHEMAS = { strict: schemasOf('strict'), lenient: schemasOf('lenient') };

type Schemas = ReturnType<typeof schemasOf>;
export type OpenSloObject<Kind extends OpenSloKind> = z.output<Schemas[Kind]>;
export type OpenSloMetadata = OpenSloObject<'SLO'>['metadata'];
export type SloSpec = OpenSloObject<'SLO'>['spec'];
export type SloObjective = NonNullable<SloSpec['objectives']>[number];
export type SloTimeWindow = z.output<typeof timeWindow>;
export type SliSpec = z.output<typeof sliSpec>;
export type MetricSource = z.output<typeof metric>['metricSource'];
export type AlertPolicySpec = OpenSloObject<'AlertPolicy'>['spec'];
export type AlertConditionSpec = z.output<typeof alertConditionSpec>;
export type AlertTargetSpec = z.output<typeof alertTargetSpec>;
