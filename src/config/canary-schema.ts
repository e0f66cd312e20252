/** How canary releases are judged, as a file says it, with the defaults of the statistics. */
import { z } from 'zod';
import type { BaselineSource } from '../model/policy.ts';
import { count, duration, optional, pointIncrease, relativeIncrease, risk, scalar } from './fields.ts';
import { nearestName } from './nearest-name.ts';
import { Complaint } from './quantity.ts';
import { checks, criteria, endpointSettings } from './weight-schema.ts';

export type { CriterionEntry } from './weight-schema.ts';

/**
 * In force where neither a service nor `Defaults` says otherwise. The statistical ones were measured to roll back less than one healthy canary
 * in a hundred; tolerances are about three times what pods of one release differ by.
 */
export const CANARY_DEFAULTS = {
  mode: 'observe',
  warmup: '2m',
  decideWithin: '1h',
  minPromote: '5m',
  minRequests: 200,
  alpha: '1%',
  beta: '5%',
  incidentWindow: '5s',
  tolerances: {
    p50: { harm: '+10%', orAtLeast: '2ms', healthy: '+25%', healthyAtLeast: '5ms' },
    p95: { harm: '+10%', orAtLeast: '5ms', healthy: '+30%', healthyAtLeast: '10ms' },
    p99: { harm: '+15%', orAtLeast: '5ms', healthy: '+50%', healthyAtLeast: '10ms' },
    errors: { oddsRatio: 1.1, harm: '+0.05pp', healthy: '+0.5pp' },
  },
  criteria: [],
  maxBurnRate: 14.4,
  onSilence: 'hold',
  baseline: 'concurrent',
  bake: '0s',
  strictness: 'fixed',
  freshness: '30s',
  coolDown: '30m',
  onInconclusive: 'hold',
  signalTtl: '10m',
} as const;

type LatencyDefaults = Readonly<Record<'harm' | 'orAtLeast' | 'healthy' | 'healthyAtLeast', string>>;

function latencyTolerance(quantile: string, defaults: LatencyDefaults) {
  return z
    .strictObject({
      harm: optional(
        relativeIncrease(),
        defaults.harm,
        'Slower than the baseline by more than this may be harm. +0% forgives nothing and is not advised.',
      ),
      orAtLeast: optional(
        duration({ max: '1h' }),
        defaults.orAtLeast,
        'Differences below this are never harm, however large the share. 0s: only the share counts. Use more for endpoints that take a few ms.',
      ),
      healthy: optional(
        relativeIncrease(),
        defaults.healthy,
        'Promotion asks for proof that it is slower by less than this. Clearly above `harm`, else it takes very long.',
      ),
      healthyAtLeast: optional(duration({ max: '1h' }), defaults.healthyAtLeast, 'As `orAtLeast`, for `healthy`.'),
    })
    .optional()
    .describe(`How much slower the canary's ${quantile} may be.`);
}

const matcher = z
  .record(z.string().min(1).max(256), z.string().min(1).max(1024))
  .refine((attributes) => Object.keys(attributes).length > 0, 'names no attribute');

const baseline = scalar<BaselineSource>({ enum: ['concurrent', 'previous'] }, (value) => {
  if (value === 'concurrent') return { kind: 'concurrent' };
  if (value === 'previous') return { kind: 'previous', shiftMs: 0 };
  const expected = '`concurrent` or `previous`';
  if (typeof value === 'object' && value !== null && 'previous' in value) {
    return new Complaint(
      '`previous` takes no time: what lies further back than memory is too coarse to compare with',
      expected,
      'previous',
    );
  }
  return new Complaint('not known here', expected, nearestName(String(value), ['concurrent', 'previous']));
});

const D = CANARY_DEFAULTS;

export const canarySchema = z
  .strictObject({
    mode: optional(
      z.enum(['observe', 'hold', 'rollback']),
      D.mode,
      'What may leave: `observe` nothing, `hold` holds only, `rollback` rollbacks too. Use `observe` first, and `rollback` once you trust the verdicts.',
    ),
    track: z
      .strictObject({
        by: z
          .string()
          .min(1)
          .max(256)
          .optional()
          .describe(
            'Resource attribute whose new value starts a run against the value with most requests. Use it where nothing else names releases.',
          ),
        canary: matcher
          .optional()
          .describe('Attributes of canary spans. Use it together with `baseline` where the deploy system labels its pods.'),
        baseline: matcher.optional().describe('Attributes of baseline spans.'),
      })
      .refine((track) => (track.canary === undefined) === (track.baseline === undefined), '`canary` and `baseline` go together')
      .refine((track) => track.by !== undefined || track.canary !== undefined, 'needs `by`, or `canary` and `baseline`')
      .optional()
      .describe('How runs are found in the traffic itself. Left out: only the API starts runs.'),
    warmup: optional(
      duration({ max: '1h' }),
      D.warmup,
      'Cold caches are forgiven for so long; only severe harm counts. 0s: no warm-up. Use more for slow starters.',
    ),
    decideWithin: optional(
      duration({ min: '1m', max: '7d' }),
      D.decideWithin,
      'A run is decided in this time or ends inconclusive. Use more for quiet services.',
    ),
    minPromote: optional(
      duration({ max: '7d' }),
      D.minPromote,
      'No promotion earlier. 0s: as soon as health is proven. Use more where harm builds up slowly.',
    ),
    minRequests: optional(
      count(0, 1_000_000_000),
      D.minRequests,
      'Requests of each release below which nothing is concluded. 0: no such limit.',
    ),
    alpha: optional(
      risk(),
      D.alpha,
      'Chance of ever rolling back a healthy canary. Use less where a rollback is expensive; harm is then proven later.',
    ),
    beta: optional(risk(), D.beta, 'Chance of promoting a canary that is beyond its `healthy` margin.'),
    incidentWindow: optional(
      duration({ min: '1s', max: '10m' }),
      D.incidentWindow,
      'How long an incident of one pod may last and be forgiven. Use 10s to 30s for services with long pauses; proof takes at least two of them.',
    ),
    tolerances: z
      .strictObject({
        p50: latencyTolerance('p50', D.tolerances.p50),
        p95: latencyTolerance('p95', D.tolerances.p95),
        p99: latencyTolerance('p99', D.tolerances.p99),
        errors: z
          .strictObject({
            oddsRatio: optional(
              z.number().min(1).max(100),
              D.tolerances.errors.oddsRatio,
              'Tolerated odds of failing, canary to baseline. 1: none. Use more for services with error rates above 1 %.',
            ),
            harm: optional(
              pointIncrease(),
              D.tolerances.errors.harm,
              'Tolerated additional failures, in percentage points of all requests. Absorbs single error bursts.',
            ),
            healthy: optional(
              pointIncrease(),
              D.tolerances.errors.healthy,
              'Promotion asks for proof that fewer than these additional requests fail.',
            ),
          })
          .optional()
          .describe('How much more often the canary may fail.'),
      })
      .optional()
      .describe('How much worse than the baseline a canary may be.'),
    checks,
    endpoints: endpointSettings,
    criteria,
    maxBurnRate: optional(
      z.number().min(0).max(1000),
      D.maxBurnRate,
      'Harm by itself, whatever the baseline: a canary that fails so many times more often than the tightest error budget of its service allows (0.1 % where it has none). 0: not asked. 14.4 spends 2 % of a month in an hour.',
    ),
    onSilence: optional(
      z.enum(['hold', 'rollback']),
      D.onSilence,
      'When the canary is proven to get less than half of its planned traffic. Use `rollback` where a silent canary can only have crashed.',
    ),
    baseline: optional(
      baseline,
      D.baseline,
      'What the canary is compared with: `concurrent` the baseline at the same time; `previous` the last minutes that it served, where all traffic moves at once.',
    ),
    bake: optional(
      duration({ max: '7d' }),
      D.bake,
      'After promotion the release is watched against the one it replaced for so long. 0s: not at all. Use it where harm needs full traffic to show.',
    ),
    strictness: optional(
      z.enum(['fixed', 'budget']),
      D.strictness,
      '`budget`: tolerances shrink with the error budget that is left. Use it where a spent budget should make releases harder.',
    ),
    freshness: optional(
      duration({ min: '1s', max: '1h' }),
      D.freshness,
      'Without spans for so long nothing is concluded. Use more for quiet services.',
    ),
    coolDown: optional(duration({ max: '7d' }), D.coolDown, 'After a rollback of the service, no other for so long. 0s: no pause.'),
    onInconclusive: optional(
      z.enum(['hold', 'promote']),
      D.onInconclusive,
      'When `decideWithin` ends without proof. Use `promote` for quiet services that matter little.',
    ),
    signalTtl: optional(
      duration({ min: '2m', max: '1d' }),
      D.signalTtl,
      'A signal older than this is not sent any more. Long enough for a few attempts.',
    ),
    sinks: z
      .array(z.string().min(1))
      .max(100)
      .optional()
      .describe('Names of the sinks that get the signals. Left out: all. Use it to send teams to their own.'),
  })
  .describe('How canary releases are judged.');

export type CanarySection = z.output<typeof canarySchema>;

/** The defaults as parsed. */
export const CANARY_BASE: CanarySection = canarySchema.parse(CANARY_DEFAULTS);
