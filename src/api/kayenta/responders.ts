/** Answers what speaks to Kayenta. */
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import type { z } from 'zod';
import { thresholdsFault } from '../../model/score-thresholds.ts';
import type { EpochMs } from '../../model/time.ts';
import { tokenRefusal } from '../caller-token.ts';
import { checkedBody } from '../checked-body.ts';
import { invalidRequest, problemResponse } from '../problem.ts';
import type { ResponderParts } from '../responder-parts.ts';
import { runInPlaceOf } from '../run-in-place.ts';
import { unavailable } from '../unavailable.ts';
import { type Asked, canaryAnswerOf, standaloneAnswerOf } from './canary-answer.ts';
import { configIdOf, serviceOf } from './config-id.ts';
import { executionId, parsedExecutionId } from './execution-id.ts';
import { judgeAnswerOf, judgeRequest, pairOf, rulesOf } from './judge-schemas.ts';
import { canaryQuery, canaryRequest, executionRequest, standaloneRequest, type thresholds } from './schemas.ts';
import { type ComparedOutcome, compared, scopesOf, standaloneScopesOf } from './scopes.ts';

const STATUS_WINDOW_MS = 60_000;
/** So much of the past can be judged slot by slot; what lies further back is skipped. */
const MAX_PAST_MS = 10 * 60_000;
/** An end that is past already leaves this long for an answer. */
const LEAST_WAIT_MS = 10_000;

interface Wish {
  readonly service: string;
  readonly compared: ComparedOutcome;
  readonly limits: z.output<typeof thresholds>;
  readonly thresholdsAt: string;
  /** The pipeline that asks again and again about one canary; null: each asks for itself. */
  readonly pipeline: string | null;
  /** How long an answer may take; null: to the end of the scope. */
  readonly lifetimeMs: number | null;
}

export function kayentaResponders({ handlers, config, now }: ResponderParts) {
  /** Starts the run that is meant, or finds it; the id of the execution, or why there is none. */
  async function started(context: Context, wish: Wish): Promise<string | Response> {
    if (!wish.compared.ok) return wrongField(wish.compared.error.pointer, wish.compared.error.detail);
    const { baseline, canary, start, end, token } = wish.compared.value;
    const refused = tokenRefusal(context, config, token, 'extendedScopeParams.token');
    if (refused !== null) return refused;
    const { pass, marginal } = wish.limits;
    const fault = thresholdsFault({ pass, marginal });
    if (fault !== null) return wrongField(wish.thresholdsAt, fault);
    const at = now();
    const until = wish.lifetimeMs === null ? end : at + wish.lifetimeMs;
    const answerBy = until === null ? null : Math.max(until, at + LEAST_WAIT_MS);
    const digest = createHash('sha256').update(JSON.stringify([wish.service, baseline, canary, wish.pipeline]));
    const id = `kayenta-${digest.digest('hex').slice(0, 24)}`;
    const known = wish.pipeline === null ? null : await handlers.run(id);
    const outcome =
      known === null
        ? await handlers.startRollout({
            ...{ id, service: wish.service, generation: { kind: 'next', atLeast: 1 }, origin: 'api', target: null, baseline, canary },
            startedAt: start === null || start >= at ? null : Math.max(start, at - MAX_PAST_MS),
            // A pipeline asks again after each interval, so the end of one is not the end of the judging.
            deadline: wish.pipeline === null ? answerBy : null,
            canaryShare: null,
          })
        : ({ outcome: 'existing', run: known } as const);
    switch (outcome.outcome) {
      case 'created':
      case 'existing':
        return executionId(
          { runId: id, generation: outcome.run.rollout.generation, thresholds: { pass, marginal }, end: answerBy },
          config,
        );
      case 'stale_generation':
        return problemResponse({ status: 409, title: 'Stale generation', detail: `generation ${outcome.newest} of the service is known` });
      case 'refused':
        return problemResponse({ status: 422, title: 'Cannot be judged', detail: `${outcome.field}: ${outcome.detail}` });
      case 'unavailable':
        return unavailable(outcome);
      default:
        return outcome satisfies never;
    }
  }

  async function asked(context: Context): Promise<Asked | null> {
    const id = context.req.param('id') ?? '';
    const parsed = parsedExecutionId(id, config);
    if (parsed === null) return null;
    const run = await handlers.run(parsed.execution.runId);
    if (run === null) return null;
    const { execution } = parsed;
    const inPlace = run.rollout.generation === execution.generation ? await runInPlaceOf(run, handlers) : run;
    const { generation } = inPlace === run ? execution : inPlace.rollout;
    return { id, execution: { ...execution, generation }, run: await handlers.allowed(inPlace), now: now() };
  }

  async function standalone(context: Context, service: string, request: z.output<typeof executionRequest>): Promise<Response> {
    const { lifetimeDurationMins = null, beginAfterMins, thresholds: limits } = request;
    const lifetimeMs = lifetimeDurationMins === null ? null : (lifetimeDurationMins + (beginAfterMins ?? 0)) * 60_000;
    const outcome = compared(standaloneScopesOf(request), handlers.releaseBy());
    const wish = { service, compared: outcome, limits, thresholdsAt: '/executionRequest/thresholds', pipeline: null, lifetimeMs };
    const id = await started(context, wish);
    return typeof id === 'string' ? json({ canaryAnalysisExecutionId: id }) : id;
  }

  return {
    async canaryConfigs(context: Context) {
      const query = canaryQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const { services } = await handlers.status(STATUS_WINDOW_MS, null);
      return json(services.map(({ service, newestAt }) => configOf(service, newestAt, query.data.application)));
    },

    kayentaCredentials: () =>
      json([{ name: 'slipstream', type: 'slipstream', supportedTypes: ['METRICS_STORE', 'OBJECT_STORE', 'CONFIGURATION_STORE'] }]),

    async startCanary(context: Context) {
      const query = canaryQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const service = serviceOf(context.req.param('id') ?? '');
      if (service === null) return unknownConfig();
      const body = await checkedBody(context.req.raw, canaryRequest);
      if (!body.ok) return body.response;
      const outcome = compared(scopesOf(body.value), handlers.releaseBy());
      const pipeline = query.data.parentPipelineExecutionId ?? null;
      const limits = body.value.thresholds;
      const id = await started(context, { service, compared: outcome, limits, thresholdsAt: '/thresholds', pipeline, lifetimeMs: null });
      return typeof id === 'string' ? json({ canaryExecutionId: id }) : id;
    },

    async canary(context: Context) {
      const of = await asked(context);
      return of === null ? unknownExecution() : json(canaryAnswerOf(of));
    },

    async cancelCanary(context: Context) {
      const parsed = parsedExecutionId(context.req.param('id') ?? '', config);
      if (parsed?.isSealed !== true || config.token === null) {
        const refused = tokenRefusal(context, config, undefined, null);
        if (refused !== null) return refused;
      }
      if (parsed === null) return unknownExecution();
      const { runId, generation } = parsed.execution;
      const run = await handlers.run(runId);
      if (run === null) return unknownExecution();
      // A newer analysis of the same releases is not what was to be cancelled.
      if (run.rollout.generation !== generation || run.state === 'baking') return json({ state: run.state });
      const aborted = await handlers.abort(runId);
      if (aborted.outcome === 'unavailable') return unavailable(aborted);
      return aborted.outcome === 'over' ? json({ state: aborted.run.state }) : unknownExecution();
    },

    async startStandalone(context: Context) {
      const body = await checkedBody(context.req.raw, standaloneRequest);
      return body.ok ? standalone(context, body.value.canaryConfig.name, body.value.executionRequest) : body.response;
    },

    async startStandaloneOfConfig(context: Context) {
      const service = serviceOf(context.req.param('id') ?? '');
      if (service === null) return unknownConfig();
      const body = await checkedBody(context.req.raw, executionRequest);
      return body.ok ? standalone(context, service, body.value) : body.response;
    },

    async standaloneAnalysis(context: Context) {
      const of = await asked(context);
      return of === null ? unknownExecution() : json(standaloneAnswerOf(of));
    },

    async judgeSeries(context: Context) {
      const body = await checkedBody(context.req.raw, judgeRequest);
      if (!body.ok) return body.response;
      const { scoreThresholds, metricSetPairList, canaryConfig } = body.value;
      const { pass, marginal } = scoreThresholds;
      const fault = thresholdsFault({ pass, marginal });
      if (fault !== null) return wrongField('/scoreThresholds', fault);
      const rules = rulesOf(body.value);
      const pairs = [];
      for (const [i, pair] of metricSetPairList.entries()) {
        const rule = rules.get(pair.name);
        // Its rule may have been critical: to go on without it would lose that.
        if (rule === undefined) return wrongField(`/metricSetPairList/${i}/name`, 'is no metric of canaryConfig.metrics');
        pairs.push(pairOf(pair, rule));
      }
      const groupWeights = new Map(Object.entries(canaryConfig.classifier?.groupWeights ?? {}));
      const judged = await handlers.judgeSeries({ pairs, groupWeights, thresholds: { pass, marginal } });
      return 'outcome' in judged ? unavailable(judged) : json(judgeAnswerOf(judged));
    },
  };
}

/** Orca looks for its own application among those of a configuration, so the one that asks is one of them. */
function configOf(service: string, newestAt: EpochMs | null, application: string | undefined) {
  const bare = service.slice(service.lastIndexOf('/') + 1);
  const updatedTimestamp = newestAt ?? 0;
  const applications = [...new Set([...(application === undefined ? [] : [application]), service, bare])];
  return {
    id: configIdOf(service),
    name: service,
    applications,
    updatedTimestamp,
    updatedTimestampIso: new Date(updatedTimestamp).toISOString(),
  };
}

function unknownConfig(): Response {
  return problemResponse({
    status: 404,
    title: 'Not found',
    detail: 'this is no id of a canary configuration; /kayenta/canaryConfig lists them',
  });
}

function unknownExecution(): Response {
  return problemResponse({ status: 404, title: 'Not found', detail: 'no execution of this id is known' });
}

function wrongField(pointer: string, detail: string): Response {
  return problemResponse({ status: 400, title: 'Invalid request', detail: `${pointer}: ${detail}`, errors: [{ pointer, detail }] });
}

function json(body: unknown): Response {
  return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });
}
