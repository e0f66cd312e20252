/** What the made-up service of the watchdog is judged by: rules of its own, so that no configuration makes a good stage look broken. */
import { canaryPolicy } from '../../config/canary-policy.ts';
import { CANARY_BASE } from '../../config/canary-schema.ts';
import type { Config } from '../../config/config.ts';
import { USUAL_GATE } from '../../config/gate-policy.ts';
import type { Objective } from '../../model/objective.ts';
import type { Policies } from '../../model/policy.ts';
import type { SpanRules } from '../../model/span-rules.ts';
import { STORY_RELEASE_BY, STORY_SERVICE } from './story-spans.ts';

/** The sink that its signals are addressed to; what it gets is rendered and goes nowhere. */
export const STORY_SINK = 'watchdog';

const MAX_SERIES = 16;

const SPANS: SpanRules = {
  kinds: ['server'],
  entryOnly: true,
  exclude: new Map(),
  events: new Map(),
  releaseBy: [STORY_RELEASE_BY],
  instanceBy: ['service.instance.id'],
  statusTreatment: new Map(),
  maxSkewMs: 5_000,
  maxAgeMs: 3_600_000,
  maxDurationMs: 60_000,
  limits: { spansPerRequest: 1_000, attributesPerSpan: 128, depth: 8, nameBytes: 256 },
};

/** Its exact counts are behind this one. */
const OBJECTIVE: Objective = {
  id: `${STORY_SERVICE}::availability`,
  name: 'availability',
  service: STORY_SERVICE,
  endpoint: null,
  sli: { kind: 'availability' },
  target: 0.99,
  windowMs: 86_400_000,
  calendar: null,
  budgeting: { kind: 'occurrences' },
  alerts: { tiers: [], basis: 'rate', minBad: 10 },
  text: 'availability: 99%',
};

/** Tolerances so wide that health is proven within the few seconds of the story; a canary of which every other request fails is far beyond them. */
const CANARY = canaryPolicy(
  [
    {
      ...CANARY_BASE,
      mode: 'rollback',
      warmup: 0,
      minPromote: 0,
      minRequests: 50,
      coolDown: 0,
      maxBurnRate: 0,
      checks: { p95: { muted: true }, p99: { muted: true } },
      tolerances: {
        p50: { harm: 0.5, orAtLeast: 50, healthy: 2, healthyAtLeast: 200 },
        p95: { harm: 0.5, orAtLeast: 50, healthy: 2, healthyAtLeast: 200 },
        p99: { harm: 0.5, orAtLeast: 50, healthy: 2, healthyAtLeast: 200 },
        errors: { oddsRatio: 1.1, harm: 0.05, healthy: 0.3 },
      },
    },
  ],
  [STORY_SINK],
);

const POLICIES: Policies = {
  revision: 'watchdog',
  services: new Map([
    [
      STORY_SERVICE,
      {
        service: STORY_SERVICE,
        objectives: [OBJECTIVE],
        exclusions: [],
        trends: [],
        gate: USUAL_GATE,
        canary: CANARY,
        maxSeries: MAX_SERIES,
      },
    ],
  ]),
  fallback: { canary: CANARY, gate: USUAL_GATE, maxSeries: MAX_SERIES },
  maxRollbacksPerHour: 1,
  commonCause: { services: 0, withinMs: 0 },
};

/** A tenth of a second: no latency of the story is longer. */
const HIGHEST_US = 100_000;

/** Histograms are as fine as the live ones, and no wider than the story needs. */
export function storyConfig({ histogram }: Pick<Config, 'histogram'>): Pick<Config, 'histogram' | 'series' | 'spans' | 'policies'> {
  return {
    histogram: { digits: histogram.digits, highestUs: HIGHEST_US },
    series: { maxTotal: MAX_SERIES, maxReleasesPerService: 4 },
    spans: SPANS,
    policies: POLICIES,
  };
}
