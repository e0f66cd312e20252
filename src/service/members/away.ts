/** What a caller is told while the member that could answer is away: our own outage rolls nothing back and promotes nothing. */
import type { Asked } from '../../api/front.ts';
import type { RouteId } from '../../api/routes.ts';
import { plainAnswer } from '../../api/spinnaker/monitor-answer.ts';
import { unavailable } from '../../api/unavailable.ts';
import type { DurationMs } from '../../model/time.ts';

/** A partition that moves is with its next member after some seconds. */
const RETRY_MS: DurationMs = 2_000;

/** Orca rolls back after three errors, so it is told to wait; Flagger counts anything but a yes to these checks against the canary. */
const WAITING: ReadonlySet<RouteId> = new Set(['monitorStarting', 'monitorEvaluateHealth']);
const NOT_HELD_AGAINST: ReadonlySet<RouteId> = new Set(['flaggerPreRollout', 'flaggerRollout']);
const METRICS: ReadonlySet<RouteId> = new Set([
  'metricQuery',
  'metricQueryForm',
  'metricRange',
  'metricRangeForm',
  'metricSeries',
  'metricSeriesForm',
  'metricLabels',
  'metricLabelsForm',
  'metricLabelValues',
]);

export function away({ route }: Pick<Asked, 'route'>, detail: string): Response {
  if (WAITING.has(route)) return Response.json(plainAnswer('wait', `not now: ${detail}`));
  if (NOT_HELD_AGAINST.has(route)) return new Response(`Not judged now, and so not held against the canary: ${detail}.\n`, TEXT);
  if (METRICS.has(route)) return Response.json({ status: 'error', errorType: 'unavailable', error: detail }, { status: 503 });
  return unavailable({ outcome: 'unavailable', detail, retryAfterMs: RETRY_MS });
}

const TEXT = { headers: { 'content-type': 'text/plain; charset=utf-8' } } as const;

/** For PromQL over services of several members. */
export function notWhole(): Response {
  const error =
    'services are with several members, and a query is answered by one: name the same one in every selector, as service="cart", with service_namespace where that is needed';
  return Response.json({ status: 'error', errorType: 'execution', error }, { status: 422 });
}
