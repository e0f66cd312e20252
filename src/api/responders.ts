/** What each route answers: parses the request, asks the service, gives the JSON. */
import type { Context } from 'hono';
import type { ApiConfig } from '../config/config.ts';
import type { EpochMs } from '../model/time.ts';
import { checkedBody } from './checked-body.ts';
import { controlResponders } from './control-responders.ts';
import { durationMs } from './duration.ts';
import { flaggerResponders } from './flagger/responders.ts';
import { gateResponders } from './gate-responders.ts';
import type { AbortOutcome, ApiHandlers, StartOutcome } from './handlers.ts';
import { kayentaResponders } from './kayenta/responders.ts';
import { openApiDocument } from './openapi.ts';
import { canaryShareOf, outlookQuery } from './outlook-query.ts';
import { invalidRequest, problemResponse } from './problem.ts';
import { prometheusResponders } from './prometheus/responders.ts';
import { latencyQuery, listQuery, signalsQuery, startRollout, statusQuery } from './request-schemas.ts';
import { rolloutRequest } from './rollout-request.ts';
import { ROUTES, type RouteId } from './routes.ts';
import { explainedRunView, pageOf, runSummary, statusReport } from './run-view.ts';
import { signalOutcomeResponders } from './signal-outcome-responders.ts';
import { sloResponders } from './slo-responders.ts';
import { spinnakerResponders } from './spinnaker/responders.ts';
import { unavailable } from './unavailable.ts';
import { verdictResponders } from './verdict-responders.ts';
import { runQuery, waitMs } from './wait-query.ts';

type Responder = (context: Context) => Response | Promise<Response>;

/** One responder per route: a route without one does not compile. */
export function responders(handlers: ApiHandlers, config: ApiConfig, now: () => EpochMs): Readonly<Record<RouteId, Responder>> {
  const parts = { handlers, config, now };
  const openapi = openApiDocument(handlers.version);
  return {
    directory: () => json(directory(handlers.version)),

    async startRollout(context) {
      const body = await checkedBody(context.req.raw, startRollout);
      if (!body.ok) return body.response;
      const request = rolloutRequest(body.value, now());
      if (!request.ok) return fieldProblem(400, 'Invalid request', request.error.pointer, request.error.detail);
      return startResponse(await handlers.startRollout(request.value));
    },

    async listRollouts(context) {
      const query = listQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const { service, limit } = query.data;
      const runs = (await handlers.runs()).filter((run) => service === undefined || run.rollout.service === service);
      const newest = [...runs].sort((a, b) => b.rollout.startedAt - a.rollout.startedAt).slice(0, limit);
      return json({ rollouts: newest.map(runSummary), total: runs.length });
    },

    async rollout(context) {
      const query = runQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const run = await handlers.settled(idOf(context), waitMs(query.data.wait), context.req.raw.signal);
      return run === null ? unknownRollout() : json(explainedRunView(run));
    },

    async explanation(context) {
      const run = await handlers.run(idOf(context));
      if (run === null) return unknownRollout();
      return new Response(`${pageOf(run)}\n`, { headers: { 'content-type': ROUTES.explanation.responses[200].content.type } });
    },

    async abortRollout(context) {
      return abortResponse(await handlers.abort(idOf(context)));
    },

    async status(context) {
      const query = statusQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      return json(statusReport(await handlers.status(durationMs(query.data.window) ?? 0, query.data.service ?? null)));
    },

    async latency(context) {
      const query = latencyQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const { service, endpoint, release = null, window } = query.data;
      const latency = await handlers.latency({ service, endpoint, release, windowMs: durationMs(window) ?? 0 });
      if (latency !== null) return json(latency);
      return problemResponse({
        status: 404,
        title: 'No such endpoint',
        detail: 'the status lists the endpoints and releases of the service',
      });
    },

    async outlook(context) {
      const query = outlookQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const { service, canaryShare, within } = query.data;
      const withinMs = within === undefined ? null : durationMs(within);
      const outlook = await handlers.outlook({ service, canaryShare: canaryShareOf(canaryShare) ?? 0, withinMs });
      if (outlook !== null) return json(outlook);
      const detail = 'no span of this service came in the last 15 minutes: there is no traffic to plan with';
      return problemResponse({ status: 404, title: 'No traffic', detail });
    },

    ...sloResponders(handlers),
    ...verdictResponders(parts),
    ...controlResponders(parts),
    ...flaggerResponders(parts),
    ...spinnakerResponders(parts),
    ...kayentaResponders(parts),
    ...prometheusResponders(parts),
    ...gateResponders(handlers, now),

    async signals(context) {
      const query = signalsQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      return json({ signals: await handlers.signals(query.data.limit) });
    },

    ...signalOutcomeResponders(handlers),

    async signal(context) {
      const signals = await handlers.signal(idOf(context));
      if (signals.length > 0) return json({ signals });
      return problemResponse({ status: 404, title: 'Not found', detail: 'no signal of this id is known' });
    },

    health: () => json({ alive: true }),

    readiness() {
      const readiness = handlers.readiness();
      return json(readiness, readiness.ready ? 200 : 503);
    },

    async metrics() {
      return new Response(await handlers.metrics(), { headers: { 'content-type': ROUTES.metrics.responses[200].content.type } });
    },

    version: () => json({ name: 'slipstream', version: handlers.version, node: process.versions.node }),

    openapi: () => json(openapi),
  };
}

function startResponse(started: StartOutcome): Response {
  switch (started.outcome) {
    case 'created':
      return json(explainedRunView(started.run), 201, { location: `/v1/rollouts/${encodeURIComponent(started.run.rollout.id)}` });
    case 'existing':
      return json(explainedRunView(started.run));
    case 'stale_generation':
      return fieldProblem(409, 'Stale generation', '/generation', `generation ${started.newest} is known already; give a higher one`);
    case 'refused':
      return fieldProblem(422, 'Cannot be judged', started.field, started.detail);
    case 'unavailable':
      return unavailable(started);
    default:
      return started satisfies never;
  }
}

function abortResponse(aborted: AbortOutcome): Response {
  switch (aborted.outcome) {
    case 'over':
      return json(explainedRunView(aborted.run));
    case 'unknown':
      return unknownRollout();
    case 'unavailable':
      return unavailable(aborted);
    default:
      return aborted satisfies never;
  }
}

function directory(version: string) {
  const look = {
    '/v1/status': 'every endpoint in every release, objectives and runs',
    '/v1/rollouts': 'rollouts and their verdicts; POST starts one',
    '/v1/verdict': 'pass, fail or inconclusive, for pipelines that ask',
    '/v1/outlook': 'what a canary could show, before it is rolled out',
    '/v1/slo': 'objectives, their budgets, alerts and incidents',
    '/v1/what-if': 'what an objective would say that was never declared',
    '/v1/gate': 'may a new release of a service go out?',
    '/v1/signals': 'signals and their delivery',
    '/v1/overrides': 'what operators hold back; POST holds, DELETE ends it',
    '/v1/breaker': 'why rollbacks are held: too many, cool-downs, a common cause',
    '/flagger/v1/rollback': 'one of the hooks of Flagger',
    '/spinnaker/v1/analyses': 'Spinnaker: deployment monitor and webhook stage',
    '/kayenta/canaryConfig': 'in the place of Kayenta',
    '/api/v1/query': 'exact counts and percentiles in PromQL, as Prometheus answers; /api/v1/query_range over time',
    '/metrics': 'Prometheus',
    '/readyz': 'does it take spans and judge?',
    '/openapi.json': 'this API',
  };
  return { name: 'slipstream', version, look };
}

/** `JSON.stringify` writes numbers that are not finite as null, which is what the schemas say. */
function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...headers, 'content-type': 'application/json' } });
}

function idOf(context: Context): string {
  return context.req.param('id') ?? '';
}

function unknownRollout(): Response {
  return problemResponse({ status: 404, title: 'Not found', detail: 'no rollout of this id is known' });
}

function fieldProblem(status: number, title: string, pointer: string, detail: string): Response {
  return problemResponse({ status, title, detail: `${pointer}: ${detail}`, errors: [{ pointer, detail }] });
}
