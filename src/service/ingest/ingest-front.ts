/** What a member that only counts answers: how it is. For all else one has to ask somebody who judges. */
import type { Front } from '../../api/front.ts';
import type { ApiHandlers } from '../../api/handlers.ts';
import { problemResponse } from '../../api/problem.ts';
import type { RouteId } from '../../api/routes.ts';

const ANSWERED: ReadonlySet<RouteId> = new Set<RouteId>(['directory', 'health', 'readiness', 'metrics', 'version', 'openapi']);

/** 503 and not 404, which callers would take for a rollout that is unknown. */
export const ingestFront: Front = async ({ route, request }, here) => {
  if (ANSWERED.has(route)) return here(request);
  const detail = 'this member counts spans and judges nothing (role ingest); ask a member of role evaluate';
  return problemResponse({ status: 503, title: 'Unavailable', detail });
};

/** Behind `ingestFront` nothing else is asked of them. */
export function ingestHandlers(own: Pick<ApiHandlers, 'readiness' | 'metrics' | 'version'>): ApiHandlers {
  return own as ApiHandlers;
}
