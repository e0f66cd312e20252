/** For each route: whom a request is about, and so which members can answer it. */
import { runIdOf } from '../../api/flagger/payload.ts';
import { serviceOf } from '../../api/kayenta/config-id.ts';
import type { RouteId } from '../../api/routes.ts';
import {
  type Merge,
  mergeBreakers,
  mergeConfigs,
  mergeGateOverrides,
  mergeHolds,
  mergeRollouts,
  mergeSeries,
  mergeSignals,
  mergeSlo,
  mergeStatus,
  mergeTexts,
} from './merge-answers.ts';
import { querySubject } from './query-services.ts';

export type Reach =
  /** Any member can. */
  | { readonly kind: 'here' }
  | { readonly kind: 'service'; readonly service: string }
  /** Whoever does not answer 404. */
  | { readonly kind: 'whoever' }
  /** Whoever has the run, and if nobody does whoever has the service. */
  | { readonly kind: 'run'; readonly runId: string; readonly service: string }
  /** All together. */
  | { readonly kind: 'all'; readonly merge: Merge }
  /** It changes something on every member. */
  | { readonly kind: 'each' }
  /** The one member that has series of this selector. */
  | { readonly kind: 'matching'; readonly match: string }
  /** A member that has all partitions; nobody puts such answers together. */
  | { readonly kind: 'whole' };

export interface Given {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** As JSON, undefined when it is none. */
  readonly body: unknown;
  /** As a form; empty when it is none. */
  readonly form: URLSearchParams;
}

const HERE: Reach = { kind: 'here' };
const WHOEVER: Reach = { kind: 'whoever' };
const here = (): Reach => HERE;
const whoever = (): Reach => WHOEVER;
const all = (merge: Merge) => (): Reach => ({ kind: 'all', merge });

/** What is not named rightly is answered here: the responder says what is wrong with it. */
function serviceReach(service: unknown): Reach {
  return typeof service === 'string' && service !== '' ? { kind: 'service', service } : HERE;
}

const byQuery = ({ query }: Given): Reach => serviceReach(query.get('service'));
const byBody = ({ body }: Given): Reach => serviceReach(field(body, 'service'));
const byConfigId = ({ params }: Given): Reach => serviceReach(serviceOf(params.id ?? ''));
const byMonitor = ({ body }: Given): Reach => serviceReach(field(field(body, 'parameters'), 'service'));
const allUnlessService =
  (merge: Merge) =>
  (given: Given): Reach =>
    given.query.has('service') ? byQuery(given) : { kind: 'all', merge };

/** Only some of Flagger's hooks may carry the name of the service; the run of the revision tells too. */
function byFlagger({ body }: Given): Reach {
  const [name, namespace, checksum] = ['name', 'namespace', 'checksum'].map((key) => field(body, key));
  const named = field(field(body, 'metadata'), 'service');
  if (typeof named === 'string') return serviceReach(named);
  if (typeof name !== 'string' || typeof namespace !== 'string' || typeof checksum !== 'string') return HERE;
  return { kind: 'run', runId: runIdOf({ name, namespace, checksum, phase: '' }), service: name };
}

function byMetricQuery({ query, form }: Given): Reach {
  const subject = querySubject(form.get('query') ?? query.get('query') ?? '');
  switch (subject.kind) {
    case 'none':
      return HERE;
    case 'any':
      return { kind: 'whole' };
    case 'service':
    case 'matching':
      return subject;
    default:
      return subject satisfies never;
  }
}

export const REACH: Readonly<Record<RouteId, (given: Given) => Reach>> = {
  directory: here,
  health: here,
  readiness: here,
  metrics: here,
  version: here,
  openapi: here,
  kayentaCredentials: here,
  judgeSeries: here,
  metricMetadata: here,
  metricBuildInfo: here,

  startRollout: byBody,
  listRollouts: allUnlessService(mergeRollouts),
  rollout: whoever,
  explanation: whoever,
  abortRollout: whoever,
  verdict: (given) => (given.query.has('rollout') ? WHOEVER : byQuery(given)),
  askVerdict: byBody,

  status: allUnlessService(mergeStatus),
  latency: byQuery,
  outlook: byQuery,
  whatIf: byQuery,
  slo: allUnlessService(mergeSlo),
  sloExplanation: whoever,

  gate: byQuery,
  overrideGate: byBody,
  gateOverrides: allUnlessService(mergeGateOverrides),
  endGateOverride: byQuery,
  addLoadTest: byBody,

  signals: all(mergeSignals),
  signal: whoever,
  reportOutcome: whoever,

  holdBack: ({ body }) => (field(body, 'service') === undefined ? { kind: 'each' } : byBody({ body } as Given)),
  endHold: (given) => (given.query.has('service') ? byQuery(given) : { kind: 'each' }),
  holds: all(mergeHolds),
  breaker: all(mergeBreakers),
  resetBreaker: () => ({ kind: 'each' }),

  flaggerConfirmRollout: byFlagger,
  flaggerPreRollout: byFlagger,
  flaggerRollout: byFlagger,
  flaggerConfirmTrafficIncrease: byFlagger,
  flaggerGate: byFlagger,
  flaggerConfirmPromotion: byFlagger,
  flaggerRollback: byFlagger,
  flaggerPostRollout: byFlagger,
  flaggerEvent: byFlagger,
  flaggerEvents: byFlagger,

  monitorStarting: byMonitor,
  monitorEvaluateHealth: byMonitor,
  monitorCompleted: byMonitor,
  startAnalysis: byBody,
  analysis: whoever,
  cancelAnalysis: whoever,
  cancelAnalysisByPost: whoever,

  canaryConfigs: all(mergeConfigs),
  startCanary: byConfigId,
  canary: whoever,
  cancelCanary: whoever,
  startStandalone: ({ body }) => serviceReach(field(field(body, 'canaryConfig'), 'name')),
  startStandaloneOfConfig: byConfigId,
  standaloneAnalysis: whoever,

  metricQuery: byMetricQuery,
  metricQueryForm: byMetricQuery,
  metricRange: byMetricQuery,
  metricRangeForm: byMetricQuery,
  metricSeries: all(mergeSeries),
  metricSeriesForm: all(mergeSeries),
  metricLabels: all(mergeTexts),
  metricLabelsForm: all(mergeTexts),
  metricLabelValues: all(mergeTexts),
};

function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null && Object.hasOwn(of, name) ? (of as Record<string, unknown>)[name] : undefined;
}
