/** The SLO documents: `Defaults` of the organisation and one `ServiceObjectives` per service. */
import { z } from 'zod';
import { alertsSchema } from './alert-schema.ts';
import { excludedSpans } from './attribute-rules.ts';
import { canarySchema } from './canary-schema.ts';
import { exclusionsSchema } from './exclusion-schema.ts';
import { count, duration, optional, WRITTEN_DEFAULT } from './fields.ts';
import { gateSchema } from './gate-schema.ts';
import { NAME_EXPECTED, NAME_PATTERN } from './name-pattern.ts';
import { objectives } from './objective-schema.ts';
import { trendsSchema } from './trend-schema.ts';
import { MATCH_DESCRIPTION, MAX_MATCH_CHARS } from './weight-schema.ts';
import { timeslices, windowSetting } from './window-schema.ts';

export const API_VERSION = 'slipstream.dev/v1';
export const SLO_KINDS = ['Defaults', 'ServiceObjectives'] as const;

/** In force where neither a service nor `Defaults` says otherwise. */
export const SLO_DEFAULTS = { maxEndpoints: 500, maxRollbacksPerHour: 3, commonCause: { services: 3, within: '60s' } } as const;

const name = z.string().regex(NAME_PATTERN, NAME_EXPECTED);

const envelope = (kind: (typeof SLO_KINDS)[number]) => ({
  apiVersion: z.literal(API_VERSION).describe('Version of this format.'),
  kind: z.literal(kind).describe('What the document is.'),
  metadata: z
    .strictObject({
      name: name.describe('Name of the document, for people.'),
      labels: z.record(z.string().min(1), z.string()).optional().describe('Anything you want to find it by, such as the team.'),
    })
    .describe('Who this is.'),
});

const spans = z.strictObject({ exclude: excludedSpans }).optional().describe('Which spans are not counted.');

const endpoints = z
  .strictObject({
    max: count(1, 100_000)
      .optional()
      .meta({
        description:
          'Series (endpoint × release) of a service kept apart; more fall into `(other)`. Those of objectives and running analyses have their place.',
        [WRITTEN_DEFAULT]: SLO_DEFAULTS.maxEndpoints,
      }),
  })
  .optional()
  .describe('How endpoints are kept apart.');

const USUAL_COMMON_CAUSE = SLO_DEFAULTS.commonCause;

const commonCauseSchema = z
  .strictObject({
    services: optional(
      count(0, 100).refine((services) => services !== 1, 'one service shares nothing: 0 for never, or 2 to 100'),
      USUAL_COMMON_CAUSE.services,
      'Services whose canaries are proven harmful within `within` before no further rollback leaves. 0: never. Use more where many services are released together.',
    ),
    within: optional(
      duration({ min: '1s', max: '1h' }),
      USUAL_COMMON_CAUSE.within,
      'How close together, and for how long after the last one rollbacks are held.',
    ),
  })
  .describe('When canaries of several services turn bad at once, something they share is wrong: further rollbacks are held for a person.');

/** The defaults as parsed. */
export const COMMON_CAUSE_BASE = commonCauseSchema.parse(USUAL_COMMON_CAUSE);

const perEndpoint = z
  .strictObject({
    match: z.string().min(1).max(MAX_MATCH_CHARS).describe(MATCH_DESCRIPTION),
    objectives: objectives()
      .optional()
      .describe('Objectives of each matching endpoint, besides those of the service: entries, or lines of a contract.'),
    class: z
      .string()
      .min(1)
      .optional()
      .describe('Name of a list of objectives in `Defaults`. Use it so that endpoints of one kind promise the same.'),
  })
  .refine((entry) => (entry.objectives === undefined) !== (entry.class === undefined), 'needs either `objectives` or `class`')
  .meta({ oneOf: [{ required: ['objectives'] }, { required: ['class'] }] });

/** What both kinds of documents may say. */
const common = () => ({
  window: windowSetting(),
  timeslices: timeslices(),
  alerts: alertsSchema,
  exclusions: exclusionsSchema,
  trends: trendsSchema,
  gate: gateSchema,
  spans,
  endpoints,
});

export const defaultsSchema = z
  .strictObject({
    ...envelope('Defaults'),
    spec: z
      .strictObject({
        ...common(),
        classes: z.record(name, objectives()).optional().describe('Objectives by name, for `perEndpoint`.'),
        canary: canarySchema
          .optional()
          .describe('How canary releases are judged where a service does not say otherwise, and for services nobody named.'),
        maxRollbacksPerHour: count(0, 1000)
          .optional()
          .meta({
            description:
              'Rollbacks of all services in an hour beyond which something shared is wrong and only holds are sent. 0: no rollback ever.',
            [WRITTEN_DEFAULT]: SLO_DEFAULTS.maxRollbacksPerHour,
          }),
        commonCause: commonCauseSchema.optional(),
      })
      .describe('What holds for every service.'),
  })
  .describe('Defaults of the organisation: at most one document.');

export const serviceObjectivesSchema = z
  .strictObject({
    ...envelope('ServiceObjectives'),
    spec: z
      .strictObject({
        service: z
          .string()
          .min(1)
          .max(512)
          .regex(/^[^/]+(\/[^/]+)?$/, 'the service.name of its spans, or namespace/name')
          .describe('`service.name` of its spans, or `service.namespace/service.name` where spans carry a namespace.'),
        ...common(),
        objectives: objectives()
          .optional()
          .describe(
            'What the service promises over all its endpoints: the line of a contract (`p95 < 500ms, 99.9%, errors < 0.1% on POST /checkout`), or a list of such lines and of entries with options.',
          ),
        perEndpoint: z.array(perEndpoint).max(1000).optional().describe('What single endpoints promise besides.'),
        canary: canarySchema.optional(),
      })
      .describe('What holds for this service.'),
  })
  .describe('Objectives and canary policy of one service.');

export type DefaultsDocument = z.output<typeof defaultsSchema>;
export type ServiceDocument = z.output<typeof serviceObjectivesSchema>;
