/** Answers Spinnaker's deployment monitor: every call may come twice, late, or first, and none of them restarts what is being judged. */
import type { Context } from 'hono';
import type { z } from 'zod';
import type { AnalysisRun } from '../../model/rollout.ts';
import { tokenRefusal } from '../caller-token.ts';
import { checkedBody } from '../checked-body.ts';
import type { ApiHandlers, StartOutcome } from '../handlers.ts';
import { problemResponse } from '../problem.ts';
import type { ResponderParts } from '../responder-parts.ts';
import { runInPlaceOf } from '../run-in-place.ts';
import { unavailable } from '../unavailable.ts';
import { type Directive, directiveOf, type MonitorAnswer, plainAnswer, runAnswer } from './monitor-answer.ts';
import { completedRequest, evaluateHealthRequest, type MonitorRequest, monitorRequest } from './monitor-schemas.ts';
import { type MonitoredDeployment, monitoredDeployment } from './monitored-deployment.ts';

const TOKEN_FIELD = '/parameters/token';

export function monitorResponders({ handlers, config }: ResponderParts) {
  /** The request and its rollout, or why it is refused. */
  async function asked<Schema extends z.ZodType<MonitorRequest>>(context: Context, schema: Schema) {
    const body = await checkedBody(context.req.raw, schema);
    if (!body.ok) return body;
    const { parameters } = body.value;
    const refused = tokenRefusal(context, config, parameters.token ?? undefined, TOKEN_FIELD);
    if (refused !== null) return { ok: false as const, response: refused };
    return { ok: true as const, request: body.value, deployment: monitoredDeployment(body.value) };
  }

  /** Of a run: `decided` as far as operators let it act, and `continue` under a policy that only observes, for Orca rolls back what waits for too long. */
  async function told(run: AnalysisRun, decided: (allowed: AnalysisRun) => Directive): Promise<Response> {
    const allowed = await handlers.allowed(await runInPlaceOf(run, handlers));
    const policy = await handlers.policyOf(run.rollout.id);
    return answer(runAnswer(policy?.mode === 'observe' ? 'continue' : decided(allowed), allowed, config.publicUrl));
  }

  /** The run of a deployment of which none is known yet, or what to answer without. */
  async function begun(request: MonitorRequest, deployment: MonitoredDeployment, canaryShare: number | null = null) {
    // Attributes may change while a deployment goes on, so they are looked at when one begins.
    const refused = untracked(request.parameters.attribute, handlers);
    if (refused !== null) return refused;
    if (deployment.baseline === null) return answer(FIRST_DEPLOYMENT);
    const started = await start(handlers, request, deployment, canaryShare);
    return startedRun(started) ?? notStarted(started);
  }

  return {
    async monitorStarting(context: Context) {
      const call = await asked(context, monitorRequest);
      if (!call.ok) return call.response;
      const { request, deployment } = call;
      const known = await handlers.run(deployment.id);
      const run = known ?? (await begun(request, deployment));
      return run instanceof Response ? run : told(run, ({ state }) => (state === 'rolled_back' ? 'abort' : 'continue'));
    },

    async monitorEvaluateHealth(context: Context) {
      const call = await asked(context, evaluateHealthRequest);
      if (!call.ok) return call.response;
      const { request, deployment } = call;
      const { onPass } = request.parameters;
      const share = request.currentProgress ? request.currentProgress / 100 : null;
      const known = await handlers.run(deployment.id);
      if (known !== null) {
        const isInFlight = known.state === 'pending' || known.state === 'running' || known.state === 'baking';
        if (!isInFlight || share === null || share === known.rollout.canaryShare) {
          return told(known, (run) => directiveOf(run, onPass));
        }
        const { rollout } = known;
        const planned = startedRun(await handlers.startRollout({ ...rollout, origin: 'api', canaryShare: share })) ?? known;
        return told(planned, (run) => directiveOf(run, onPass));
      }
      if (deployment.baseline === null) return answer(FIRST_DEPLOYMENT);
      // What is not known any more, because state was lost, is begun again; but an old call must not end the judging of a newer deployment.
      const other = (await handlers.runs()).find(
        ({ rollout, state }) =>
          rollout.service === request.parameters.service && rollout.origin !== 'policy' && (state === 'pending' || state === 'running'),
      );
      if (other !== undefined) {
        return answer(
          plainAnswer('wait', `this deployment is not known, and another rollout of the service is being judged: ${other.rollout.id}`),
        );
      }
      const begunRun = await begun(request, deployment, share);
      return begunRun instanceof Response ? begunRun : told(begunRun, (run) => directiveOf(run, onPass));
    },

    async monitorCompleted(context: Context) {
      const call = await asked(context, completedRequest);
      if (!call.ok) return call.response;
      const { id } = call.deployment;
      const ended = await handlers.endRollout(id, 'over');
      if (ended.outcome === 'unavailable') return unavailable(ended);
      if (ended.outcome === 'unknown') return answer({ state: null });
      const reported = await toldOf(handlers, ended.run, call.request.rollback ?? null);
      if (reported?.outcome === 'unavailable') return unavailable(reported);
      // A release that went back is not to be watched for what comes after its promotion.
      const isGone = call.request.status === 'failure' || call.request.rollback === 'success';
      if (!isGone || ended.run.state !== 'baking') return answer({ state: ended.run.state });
      const aborted = await handlers.abort(id);
      if (aborted.outcome === 'unavailable') return unavailable(aborted);
      return answer({ state: aborted.outcome === 'over' ? aborted.run.state : null });
    },
  };
}

/** Orca names no server group that was there before: there is nothing to compare with, and nothing to go back to. */
const FIRST_DEPLOYMENT = plainAnswer(
  'continue',
  'there is no old server group to compare with, and parameters.baseline names none: not judged',
);

function start(handlers: ApiHandlers, { parameters }: MonitorRequest, deployment: MonitoredDeployment, canaryShare: number | null) {
  const { id, target, canary, baseline } = deployment;
  return handlers.startRollout({
    ...{ id, service: parameters.service, generation: { kind: 'next', atLeast: 1 }, origin: 'api', target },
    ...{ baseline: baseline ?? {}, canary, startedAt: null, deadline: null, canaryShare },
  });
}

/** What became of a rollback that we asked for: Orca says so once, and nobody else will. Null: there was none. */
function toldOf(handlers: ApiHandlers, { state, signalId }: AnalysisRun, rollback: 'success' | 'failure' | 'not_performed' | null) {
  if (state !== 'rolled_back' || signalId === null || rollback === null) return null;
  const outcome = rollback === 'success' ? 'done' : 'not_done';
  return handlers.reportOutcome({ signalId, sink: null, outcome, by: 'spinnaker', detail: `rollback: ${rollback}` });
}

function startedRun(started: StartOutcome) {
  return started.outcome === 'created' || started.outcome === 'existing' ? started.run : null;
}

/** Orca gives up after three errors and rolls back, so what passes by itself is no error: it waits. */
function notStarted(started: StartOutcome): Response {
  switch (started.outcome) {
    case 'unavailable':
      return answer(plainAnswer('wait', `not now: ${started.detail}`));
    case 'stale_generation':
      return answer(plainAnswer('wait', `a newer rollout of the service is known: generation ${started.newest}`));
    case 'refused':
      return problemResponse({ status: 422, title: 'Cannot be judged', detail: `${started.field}: ${started.detail}` });
    case 'created':
    case 'existing':
      return answer(runAnswer('wait', started.run, null));
    default:
      return started satisfies never;
  }
}

function untracked(attribute: string, handlers: ApiHandlers): Response | null {
  const releaseBy = handlers.releaseBy();
  if (releaseBy.includes(attribute)) return null;
  const detail = `releases are not told apart by ${attribute}; it must be one of ${releaseBy.join(', ')}, or be added to spans.releaseBy`;
  const pointer = '/parameters/attribute';
  return problemResponse({ status: 400, title: 'Invalid request', detail: `${pointer}: ${detail}`, errors: [{ pointer, detail }] });
}

function answer(body: MonitorAnswer | { readonly state: string | null }): Response {
  return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });
}
