/** Answers pipelines that ask for a verdict. */
import type { Context } from 'hono';
import type { AnalysisRun } from '../model/rollout.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import { checkedBody } from './checked-body.ts';
import { invalidRequest, problemResponse } from './problem.ts';
import type { ResponderParts } from './responder-parts.ts';
import { unavailable } from './unavailable.ts';
import { askedRun, newestOf, rolledOutSince } from './verdict-request.ts';
import { verdictQuery, verdictRequest } from './verdict-schemas.ts';
import { undecidedView, type VerdictView, verdictView } from './verdict-view.ts';
import { waitMs } from './wait-query.ts';

/** Whoever waits for a verdict asks more often than this. */
const HEARD_AFTER_MS: DurationMs = 15 * 60_000;

/** 200 whatever the verdict is: askers take other statuses for a failure of the asking, and some count those against the rollout. */
export function verdictResponders({ handlers, config, now }: ResponderParts) {
  /** Of this very generation: what becomes of a later one, which may have begun while the caller waited, is no answer for whoever asked for this. */
  async function viewOf({ rollout: { id, generation } }: AnalysisRun, wait: string | undefined, context: Context): Promise<VerdictView> {
    const settled = await handlers.settled(id, waitMs(wait), context.req.raw.signal);
    if (settled === null) return undecidedView('no_data');
    if (settled.rollout.generation !== generation) return replacedView(settled);
    const policy = await handlers.policyOf(id);
    const run = await handlers.allowed(settled);
    const isReplaced = mayBeReplaced(run, now()) && rolledOutSince(await handlers.runs(), run.rollout).length > 0;
    return verdictView(run, { mode: policy?.mode ?? 'observe', isReplaced, publicUrl: config.publicUrl });
  }

  return {
    async verdict(context: Context): Promise<Response> {
      const query = verdictQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const { rollout, generation, service, canary, baseline, wait } = query.data;
      if (rollout !== undefined) {
        const run = await handlers.run(rollout);
        if (run === null) return noRollout();
        const isMeant = generation === undefined || generation === run.rollout.generation;
        return Response.json(isMeant ? await viewOf(run, wait, context) : replacedView(run));
      }
      const runs = await handlers.runs();
      const run = newestOf(
        runs.filter(
          ({ rollout: of }) =>
            of.service === service && hasValue(of.canary, canary) && (baseline === undefined || hasValue(of.baseline, baseline)),
        ),
      );
      const nobody = 'Hold: no rollout of this service and canary is being judged yet.';
      return Response.json(run === null ? undecidedView('no_canary', nobody) : await viewOf(run, wait, context));
    },

    async askVerdict(context: Context): Promise<Response> {
      const body = await checkedBody(context.req.raw, verdictRequest);
      if (!body.ok) return body.response;
      const asked = await askedRun(body.value, handlers, now());
      switch (asked.outcome) {
        case 'created':
        case 'existing':
          return Response.json(await viewOf(asked.run, body.value.wait, context));
        case 'stale_generation': {
          const text = `Hold: generation ${asked.newest} of this rollout or service is known already; ask with a higher one.`;
          return Response.json(undecidedView('superseded', text));
        }
        case 'invalid':
          return fieldProblem(400, 'Invalid request', asked.error.pointer, asked.error.detail);
        case 'refused':
          return fieldProblem(422, 'Cannot be judged', asked.field, asked.detail);
        case 'unavailable':
          return unavailable(asked);
        default:
          return asked satisfies never;
      }
    },
  };
}

/** A pass at once; a fail once all who wait for it have heard of it, which may be another cluster than the one of the newer rollout. */
function mayBeReplaced({ verdict }: AnalysisRun, now: EpochMs): boolean {
  if (verdict.decision === 'rollback') return now - verdict.at > HEARD_AFTER_MS;
  return verdict.decision === 'promote';
}

/** For whoever asked for another generation of the rollout than the one there is. */
function replacedView({ rollout: { generation } }: AnalysisRun): VerdictView {
  return undecidedView(
    'superseded',
    `Hold: generation ${generation} of this rollout is judged now, which is not the one that was asked for.`,
  );
}

function hasValue(matcher: Readonly<Record<string, string>>, value: string | undefined): boolean {
  return value !== undefined && Object.values(matcher).includes(value);
}

function noRollout(): Response {
  return problemResponse({ status: 404, title: 'Not found', detail: 'no rollout of this id is known' });
}

function fieldProblem(status: number, title: string, pointer: string, detail: string): Response {
  return problemResponse({ status, title, detail: `${pointer}: ${detail}`, errors: [{ pointer, detail }] });
}
